package registry

import (
	"container/list"
	"fmt"
	"sync"

	"github.com/twmb/avro"

	"stripeline/schemas/registry/avrotext"
)

// parsedSchema is what an Avro text means. It does not change.
type parsedSchema struct {
	doc    *avrotext.Document
	schema *avro.Schema
	text   string // as it is stored
	normal string // as it is stored under normalize
	err    error  // why it is refused; nothing else is set then
}

// judgement says how an Avro text is read: a new one by the rules, an old one as far as it can be.
type judgement byte

const (
	strict  judgement = iota
	lenient           // names may be anything
)

// parse reads a bundle's text, or finds it among those read lately. The error is in the result.
func (r *Registry) parse(b *bundle, j judgement) *parsedSchema {
	key := parsedKey{b.key, j}
	if p := r.parsed.get(key); p != nil {
		return p
	}
	p := &parsedSchema{}
	p.err = p.read(r, b, j)
	if p.err != nil {
		*p = parsedSchema{err: p.err}
	}
	r.parsed.put(key, p)
	return p
}

func (p *parsedSchema) read(r *Registry, b *bundle, j judgement) error {
	outer, err := r.outerNames(b)
	if err != nil {
		return err
	}
	if p.doc, err = avrotext.Parse(b.content.Text, outer, r.opts.Limits.Text); err != nil {
		return err
	}
	var lax []avro.SchemaOpt
	if j == lenient {
		lax = append(lax, avro.WithLaxNames(nil))
	}
	if p.schema, err = avro.Parse(p.doc.Plain(), lax...); err != nil {
		return err
	}
	p.text, p.normal = p.doc.Text(), p.doc.Normal()
	return nil
}

// outerNames are the named types of everything that a bundle references.
func (r *Registry) outerNames(b *bundle) (avrotext.Names, error) {
	outer := avrotext.Names{}
	for _, dep := range b.deps {
		if dep.content.Type != typeAvro {
			return nil, fmt.Errorf("referenced schema is of type %s", dep.content.Type)
		}
		p := r.parse(dep, lenient)
		if p.err != nil {
			return nil, fmt.Errorf("referenced schema: %w", p.err)
		}
		for name, s := range p.doc.Visible() {
			outer[name] = s
		}
	}
	return outer, nil
}

type parsedKey struct {
	of hash
	j  judgement
}

// memory is about what a parsed schema takes: measured, 50 bytes for each byte of a text full of fields.
func (p *parsedSchema) memory() int { return 50*len(p.text) + 1024 }

// parsedCache keeps the schemas parsed lately, bounded by the memory that they take.
type parsedCache struct {
	mu    sync.Mutex
	most  int
	held  int
	order *list.List // of *parsedEntry, the latest used in front
	byKey map[parsedKey]*list.Element
}

type parsedEntry struct {
	key    parsedKey
	parsed *parsedSchema
	size   int
}

func newParsedCache(most int) *parsedCache {
	return &parsedCache{most: most, order: list.New(), byKey: map[parsedKey]*list.Element{}}
}

func (c *parsedCache) get(key parsedKey) *parsedSchema {
	c.mu.Lock()
	defer c.mu.Unlock()
	at := c.byKey[key]
	if at == nil {
		return nil
	}
	c.order.MoveToFront(at)
	return at.Value.(*parsedEntry).parsed
}

func (c *parsedCache) put(key parsedKey, p *parsedSchema) {
	size := p.memory()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byKey[key] != nil || size > c.most {
		return
	}
	c.byKey[key] = c.order.PushFront(&parsedEntry{key, p, size})
	for c.held += size; c.held > c.most; {
		last := c.order.Remove(c.order.Back()).(*parsedEntry)
		delete(c.byKey, last.key)
		c.held -= last.size
	}
}
