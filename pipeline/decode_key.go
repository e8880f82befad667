package pipeline

import (
	"context"
	"errors"
	"fmt"

	"stripeline/consumers/table"
	"stripeline/schemas"
	"stripeline/schemas/client"
	"stripeline/schemas/rowplan"
)

// KeyFormat says how the keys of records are read.
type KeyFormat string

// The formats of keys. The zero KeyFormat is KeyAuto.
const (
	KeyAuto  KeyFormat = "auto"  // Avro where a key carries the id of a schema in the registry and is whole by that schema, else text
	KeyPlain KeyFormat = "plain" // text
	KeyAvro  KeyFormat = "avro"  // Avro; another key is an error
)

// ErrKeyFormat says that a key is not of the format that was asked for.
var ErrKeyFormat = errors.New("key is not Avro under a schema id: see it with --key-format plain")

// mostStrangers is how many keys of a topic may carry unknown ids, while none carried a known one, before all keys are taken to be text.
const mostStrangers = 16

// keyReader finds out what the keys of one topic hold. It is for one goroutine.
type keyReader struct {
	walkers   *walkers
	format    KeyFormat
	met       bool         // a key with a known id
	strangers map[int]bool // ids under which the registry has no Avro schema
	scratch   []byte
}

// read fills in what reads a record's key, nothing where it is text.
func (k *keyReader) read(ctx context.Context, r *table.Record) error {
	if k.format == KeyPlain || r.Key == nil {
		return nil
	}
	id, payload, ok := framed(r.Key)
	if !ok && k.format == KeyAvro {
		return ErrKeyFormat
	}
	if !ok || k.strangers[id] || !k.met && len(k.strangers) >= mostStrangers {
		return nil
	}
	walker, err := k.find(ctx, id)
	if walker == nil {
		return err
	}
	if k.scratch, err = walker.AppendJSON(k.scratch[:0], payload); err == nil {
		r.KeyWalker, r.KeyPayload = walker, payload
	} else if k.format == KeyAvro {
		return fmt.Errorf("key of schema id %d: %w", id, err)
	}
	return nil
}

// unreadableKey makes a reject of what is wrong with a key, and leaves what is wrong with the world as it is.
func unreadableKey(err error) error {
	if errors.Is(err, ErrKeyFormat) || errors.Is(err, ErrUnknownSchema) || errors.Is(err, rowplan.ErrValue) {
		return schemas.Reject("key", err.Error())
	}
	return err
}

// find gives the walker of a key's schema, nil where the key is text.
func (k *keyReader) find(ctx context.Context, id int) (*rowplan.Walker, error) {
	walker, err := k.walkers.find(ctx, id)
	switch {
	case err == nil:
		k.met = true
		return walker, nil
	case ctx.Err() != nil, errors.Is(err, client.ErrUnreachable), errors.Is(err, client.ErrRefused):
		return nil, fmt.Errorf("key: %w: with --key-format plain keys are not looked at", err)
	case k.format == KeyAvro && errors.Is(err, ErrUnknownSchema):
		return nil, fmt.Errorf("key of schema id %d: %w: see it with --key-format plain", id, ErrUnknownSchema)
	case k.format == KeyAvro:
		return nil, fmt.Errorf("key: %w", err)
	}
	if k.strangers == nil {
		k.strangers = map[int]bool{}
	}
	k.strangers[id] = true
	return nil, nil
}
