package pipeline

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	"stripeline/schemas/rowplan"
)

// framed takes the registry's five bytes off a value: byte 0, then the schema id. A value without them is not framed.
func framed(value []byte) (id int, payload []byte, ok bool) {
	if len(value) < 5 || value[0] != 0 {
		return 0, nil, false
	}
	return int(binary.BigEndian.Uint32(value[1:])), value[5:], true
}

// walkers finds the walker of a schema id, once for each id.
type walkers struct {
	registry Subjects

	mu   sync.Mutex
	byID map[int]*rowplan.Walker
}

func newWalkers(registry Subjects) *walkers {
	return &walkers{registry: registry, byID: map[int]*rowplan.Walker{}}
}

func (w *walkers) find(ctx context.Context, id int) (*rowplan.Walker, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if walker, known := w.byID[id]; known {
		return walker, nil
	}
	schema, err := w.registry.ID(ctx, id)
	if errors.Is(err, ErrUnknownSchema) {
		return nil, fmt.Errorf("schema id %d: %w: is this the registry that the producer used? '-o raw' prints values as they are", id, err)
	}
	if err != nil {
		return nil, err
	}
	walker, err := rowplan.Walk(schema.Text)
	if err != nil {
		return nil, fmt.Errorf("schema id %d: %w", id, err)
	}
	w.byID[id] = walker
	return walker, nil
}
