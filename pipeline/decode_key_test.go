package pipeline

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"stripeline/consumers/table"
	"stripeline/schemas/rowplan"
)

// countedShelf counts the ids that it was asked for.
type countedShelf struct {
	shelf
	asked int
	down  error
}

func (c *countedShelf) ID(ctx context.Context, id int) (RowSchema, error) {
	if c.asked++; c.down != nil {
		return RowSchema{}, c.down
	}
	return c.shelf.ID(ctx, id)
}

func framedKey(id uint32, payload string) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{0}, id), payload...)
}

// shownKey reads one key and gives what is shown of it, "" for one that is text.
func shownKey(k *keyReader, key []byte) (string, error) {
	r := table.Record{Key: key}
	err := k.read(context.Background(), &r)
	if r.KeyWalker == nil || err != nil {
		return "", err
	}
	text, err := r.KeyWalker.AppendJSON(nil, r.KeyPayload)
	return string(text), err
}

func TestWhatKeysHold(t *testing.T) {
	registry := &countedShelf{}
	registry.add("k", `"string"`)
	for _, c := range []struct {
		key         []byte
		auto, plain string
		avro        error
	}{
		{framedKey(1, "\x04UA"), `"UA"`, "", nil},
		{nil, "", "", nil},
		{[]byte("UA"), "", "", ErrKeyFormat},
		{[]byte{}, "", "", ErrKeyFormat},
		{framedKey(2, "\x04UA"), "", "", ErrUnknownSchema},
		{framedKey(1, "\x04U"), "", "", rowplan.ErrValue},
		{framedKey(1, "\x04UA!"), "", "", rowplan.ErrValue},
		{binary.BigEndian.AppendUint64(nil, 1<<24+5), "", "", rowplan.ErrValue}, // a number as Java writes it, which looks like id 1
	} {
		for format, want := range map[KeyFormat]string{"": c.auto, KeyAuto: c.auto, KeyPlain: c.plain} {
			if got, err := shownKey(&keyReader{walkers: newWalkers(registry), format: format}, c.key); err != nil || got != want {
				t.Errorf("%s of % x: %q, %v; want %q", format, c.key, got, err, want)
			}
		}
		if got, err := shownKey(&keyReader{walkers: newWalkers(registry), format: KeyAvro}, c.key); !errors.Is(err, c.avro) || got != c.auto {
			t.Errorf("avro of % x: %q, %v; want %q, %v", c.key, got, err, c.auto, c.avro)
		}
	}
}

// TestKeysThatOnlyLookLikeAvro: after some unknown ids a registry is not asked for ever others, unless one was known.
func TestKeysThatOnlyLookLikeAvro(t *testing.T) {
	for _, known := range []int{0, 1} {
		registry := &countedShelf{}
		registry.add("k", `"string"`)
		k := &keyReader{walkers: newWalkers(registry), format: KeyAuto}
		for id := range uint32(100) {
			for range 2 {
				if _, err := shownKey(k, framedKey(id+2-uint32(known), "\x00")); err != nil {
					t.Fatal(err)
				}
			}
		}
		if want := []int{mostStrangers, 100}[known]; registry.asked != want {
			t.Errorf("%d ids known: asked %d times, want %d", known, registry.asked, want)
		}
	}
}

func TestKeysWhileTheRegistryIsAway(t *testing.T) {
	w := newRowWorld(t)
	registry := &countedShelf{down: context.DeadlineExceeded}
	k := &keyReader{walkers: newWalkers(registry), format: KeyAuto}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := k.read(ctx, &table.Record{Key: framedKey(1, "\x00")}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v: a key is taken for text because the registry was away", err)
	}
	w.registry.add(KeySubject(w.topic), `"string"`)
	p := w.csv(w.file("id,name,amount\n1,a,1\n"))
	p.Key = []string{"name"}
	if _, err := p.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if out, _ := w.printed(Consume{Print: PrintOptions{Meta: true}}); !strings.Contains(out, `"key":"a"`) {
		t.Errorf("a key of text: %s", out)
	}
	c := Consume{Cluster: w.cluster, Registry: w.registry, Topic: w.topic, Print: PrintOptions{Meta: true}, Keys: KeyAvro, Out: &bytes.Buffer{}}
	if _, err := c.Run(t.Context()); !errors.Is(err, ErrKeyFormat) || !strings.Contains(err.Error(), "offset 0") {
		t.Errorf("a key of text read as Avro: %v", err)
	}
}
