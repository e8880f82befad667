package mapping

import (
	"fmt"
	"sync"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"

	"stripeline/schemas"
	"stripeline/schemas/rowshape"
)

// Row is one record: its key and its Avro payload, without the registry's five-byte header.
type Row struct {
	Key     []byte
	Payload []byte
}

// Plan maps rows of one schema to rows of another. It is safe for concurrent use.
type Plan struct {
	in      *rowshape.Shape
	writers []writer // of one output field or more, in their order
	where   *expression
	key     keyer // nil when the key stays
	pool    sync.Pool
}

// Compile checks the file against both schemas and makes the plan. The error is Findings: everything that is wrong, not the first alone.
func Compile(f *File, in, out *rowshape.Shape) (*Plan, error) {
	for _, l := range f.lookups {
		if l.Shape == nil {
			return nil, f.wrong(l.line, fmt.Sprintf("lookup %s: the schema of topic %s is not known here: check against a registry", l.Name, l.Topic))
		}
	}
	env, err := newEnv(in, f.lookups)
	if err != nil {
		return nil, fmt.Errorf("prepare mapping: %w", err)
	}
	c := &compiler{file: f, env: env, in: in, out: out}
	p := &Plan{in: in}
	outputs := make([]output, len(out.Fields))
	p.pool.New = func() any { return newScratch(in, f.lookups) }
	c.conditions(p)
	c.named(outputs)
	c.others(outputs)
	if len(c.findings) > 0 {
		return nil, c.findings
	}
	p.writers = merged(outputs)
	return p, nil
}

type compiler struct {
	file     *File
	env      *cel.Env
	in, out  *rowshape.Shape
	findings Findings
}

func (c *compiler) found(e entry, text string) {
	c.findings = append(c.findings, Finding{File: c.file.name, Line: e.line, Field: e.field, Text: text})
}

// conditions compiles where and key.
func (c *compiler) conditions(p *Plan) {
	if e := c.file.where; e != nil {
		x, err := c.compile(*e)
		switch {
		case err != nil:
			c.found(*e, err.Error())
		case x.result.Kind() != types.BoolKind && x.result.Kind() != types.DynKind:
			c.found(*e, fmt.Sprintf("expression gives %s, where needs bool: compare something", typeWords(x.result)))
		default:
			p.where = x
		}
	}
	if e := c.file.key; e != nil {
		x, err := c.compile(*e)
		if err != nil {
			c.found(*e, err.Error())
			return
		}
		p.key = x.keyer()
	}
}

// named compiles the fields that the file names.
func (c *compiler) named(outputs []output) {
	for _, e := range c.file.fields {
		i := c.out.Index(e.field)
		if i < 0 {
			c.found(e, fmt.Sprintf("is not in output schema %s: its fields are %s", c.out.Name, fieldNames(c.out)))
			continue
		}
		x, err := c.compile(e)
		if err != nil {
			c.found(e, err.Error())
			continue
		}
		outputs[i] = c.output(e, x, &c.out.Fields[i])
	}
}

// others compiles the fields that the file does not name: copied with "rest: copy", else their default.
func (c *compiler) others(outputs []output) {
	named := map[string]bool{}
	for _, e := range c.file.fields {
		named[e.field] = true
	}
	for i := range c.out.Fields {
		f := &c.out.Fields[i]
		if named[f.Name] {
			continue
		}
		e := entry{field: f.Name, line: 1}
		if c.file.copyRest && c.in.Index(f.Name) >= 0 {
			outputs[i] = c.output(e, c.plain(c.in.Index(f.Name), f.Name), f)
			continue
		}
		content, err := f.AppendDefault(nil)
		if err != nil {
			c.found(e, fmt.Sprintf("%s has no default in %s and the file does not name it: add a line for it", f.Type, c.out.Name))
			continue
		}
		outputs[i] = output{write: fixed(content)}
	}
}

func fieldReject(field string, err error) error {
	return schemas.Reject("mapping", fmt.Sprintf("output field %s: %v", field, err), schemas.Header{Key: "field", Value: []byte(field)})
}

func fieldNames(s *rowshape.Shape) string {
	names := ""
	for i, f := range s.Fields {
		if i > 0 {
			names += ", "
		}
		names += f.Name
	}
	return names
}

// Append adds the mapped payload of row to dst and gives the new key; keep is false when the file's where leaves the row out. A row that
// cannot be mapped is a schemas.Reject. Nothing of row is kept; the key may alias row.Key.
func (p *Plan) Append(dst []byte, row Row) (out, key []byte, keep bool, err error) {
	s := p.pool.Get().(*scratch)
	defer func() {
		s.release()
		p.pool.Put(s)
	}()
	if err := s.load(row.Payload); err != nil {
		return dst, nil, false, schemas.Reject("avro", err.Error())
	}
	if p.where != nil {
		holds, err := p.where.holds(s)
		if err != nil {
			return dst, nil, false, fieldReject("where", err)
		}
		if !holds {
			return dst, nil, false, nil
		}
	}
	for _, write := range p.writers {
		if dst, err = write(dst, s); err != nil {
			return dst, nil, false, err
		}
	}
	if key = row.Key; p.key != nil {
		key, err = p.key(s)
	}
	return dst, key, err == nil, err
}

// Map is the stage: it emits the mapped row, or nothing for a row that where leaves out.
func (p *Plan) Map(in Row, emit func(Row)) error {
	payload, key, keep, err := p.Append(make([]byte, 0, len(in.Payload)+len(in.Payload)/4+16), in)
	if keep {
		emit(Row{Key: key, Payload: payload})
	}
	return err
}
