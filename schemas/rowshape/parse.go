package rowshape

import (
	"errors"
	"fmt"

	"github.com/twmb/avro"
)

// ErrNotRecord is returned by Parse for a schema whose top is not a record: rows have fields.
var ErrNotRecord = errors.New("schema is not a record")

// Parse makes the shape of a record schema given as its JSON text.
func Parse(text string) (*Shape, error) {
	schema, err := avro.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("parse schema: %w", err)
	}
	return shapeOf(schema)
}

func shapeOf(schema *avro.Schema) (*Shape, error) {
	c := converter{named: map[string]*Type{}}
	top, err := c.convert(schema.Root())
	if err != nil {
		return nil, fmt.Errorf("parse schema: %w", err)
	}
	if top.Kind != Record {
		return nil, fmt.Errorf("parse schema: %w but %s: rows need a record at the top", ErrNotRecord, top)
	}
	s := &Shape{Type: top, byName: make(map[string]int, len(top.Fields))}
	for i, f := range top.Fields {
		s.byName[f.Name] = i
	}
	return s, nil
}

var primitives = map[string]Kind{
	"null": Null, "boolean": Boolean, "int": Int, "long": Long, "float": Float, "double": Double, "bytes": Bytes, "string": String,
}

// converter turns the library's tree into ours, tying references to the types that they name.
type converter struct {
	named     map[string]*Type
	namespace string // of the record that is being converted: references without a dot are looked up there
}

func (c *converter) convert(n *avro.SchemaNode) (*Type, error) {
	if kind, ok := primitives[n.Type]; ok {
		t := &Type{Kind: kind, Precision: n.Precision, Scale: n.Scale}
		t.Logical = fitting(t, n.LogicalType)
		return t, nil
	}
	switch n.Type {
	case "record", "error":
		return c.record(n)
	case "enum":
		return c.define(n, &Type{Kind: Enum, Symbols: n.Symbols}), nil
	case "fixed":
		t := &Type{Kind: Fixed, Size: n.Size, Precision: n.Precision, Scale: n.Scale}
		t.Logical = fitting(t, n.LogicalType)
		return c.define(n, t), nil
	case "array":
		return c.holder(Array, n.Items)
	case "map":
		return c.holder(Map, n.Values)
	case "union":
		return c.union(n)
	}
	if t, ok := c.named[n.Type]; ok {
		return t, nil
	}
	if t, ok := c.named[c.namespace+"."+n.Type]; ok {
		return t, nil
	}
	return nil, fmt.Errorf("type %q is not defined before it is used", n.Type)
}

func (c *converter) define(n *avro.SchemaNode, t *Type) *Type {
	t.Name = n.Name
	if n.Namespace != "" {
		t.Name = n.Namespace + "." + n.Name
	}
	c.named[t.Name] = t
	return t
}

func (c *converter) record(n *avro.SchemaNode) (*Type, error) {
	t := c.define(n, &Type{Kind: Record})
	outer := c.namespace
	c.namespace = n.Namespace
	defer func() { c.namespace = outer }()
	t.Fields = make([]Field, len(n.Fields))
	for i := range n.Fields {
		f := &n.Fields[i]
		ft, err := c.convert(&f.Type)
		if err != nil {
			return nil, fmt.Errorf("field %s: %w", f.Name, err)
		}
		t.Fields[i] = Field{Name: f.Name, Aliases: f.Aliases, Type: ft, HasDefault: f.HasDefault, Default: f.Default}
	}
	return t, nil
}

func (c *converter) holder(kind Kind, items *avro.SchemaNode) (*Type, error) {
	t, err := c.convert(items)
	if err != nil {
		return nil, err
	}
	return &Type{Kind: kind, Items: t}, nil
}

func (c *converter) union(n *avro.SchemaNode) (*Type, error) {
	t := &Type{Kind: Union}
	for i := range n.Branches {
		b, err := c.convert(&n.Branches[i])
		if err != nil {
			return nil, err
		}
		t.Branches = append(t.Branches, b)
	}
	return t, nil
}

// fitting is the logical type when it fits the kind, else "".
func fitting(t *Type, logical string) string {
	fits := false
	switch logical {
	case Decimal:
		fits = (t.Kind == Bytes || t.Kind == Fixed) && t.Precision > 0
	case UUID:
		fits = t.Kind == String || t.Kind == Fixed && t.Size == 16
	case Date, TimeMillis:
		fits = t.Kind == Int
	case TimeMicros, TimestampMillis, TimestampMicros, TimestampNanos, LocalTimestampMillis, LocalTimestampMicros, LocalTimestampNanos:
		fits = t.Kind == Long
	}
	if fits {
		return logical
	}
	return ""
}
