package pipeline

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"stripeline/schemas"
	"stripeline/schemas/rowshape"
)

// resolvers turn records under other schema ids into records of the checked input schema.
type resolvers struct {
	ctx      context.Context
	registry Subjects
	reader   RowSchema

	mu   sync.Mutex
	byID map[int]func([]byte) ([]byte, error)
}

func (r *resolvers) resolve(id int, payload []byte) ([]byte, error) {
	resolve, err := r.find(id)
	if err != nil {
		return nil, err
	}
	resolved, err := resolve(payload)
	if err != nil {
		return nil, schemas.Reject("avro", err.Error())
	}
	return resolved, nil
}

// find gives the resolver of an id; an id that the registry does not know, or whose schema is incompatible, is a Reject.
func (r *resolvers) find(id int) (func([]byte) ([]byte, error), error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if known := r.byID[id]; known != nil {
		return known, nil
	}
	writer, err := r.registry.ID(r.ctx, id)
	if errors.Is(err, ErrUnknownSchema) {
		return nil, schemas.Reject("schema", fmt.Sprintf("schema id %d is not in the registry", id))
	}
	if err != nil {
		return nil, err
	}
	resolve, err := rowshape.Resolve(writer.Text, r.reader.Text)
	if err != nil {
		return nil, schemas.Reject("schema", fmt.Sprintf("schema id %d against %s version %d: %v", id, r.reader.Subject, r.reader.Version, err))
	}
	r.byID[id] = resolve
	return resolve, nil
}
