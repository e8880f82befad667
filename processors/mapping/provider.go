package mapping

import (
	"fmt"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/ext"

	"stripeline/schemas/rowshape"
)

// rowTypeName is the type of the variable row in CEL; nested records have the name of their Avro type behind "record:".
const (
	rowTypeName  = "row"
	recordPrefix = "record:"
)

// provider tells CEL the fields of the input schema and how to read them.
type provider struct {
	*types.Registry
	shape   *rowshape.Shape
	records map[string]*rowshape.Type
	lookups map[string]*Lookup // by the name of their values' type
}

// newEnv makes the CEL environment of one input schema: the variable row, decimals, and the functions on texts and numbers of cel-go's
// ext library.
func newEnv(shape *rowshape.Shape, lookups []*Lookup) (*cel.Env, error) {
	registry, err := types.NewRegistry()
	if err != nil {
		return nil, fmt.Errorf("make type registry: %w", err)
	}
	p := &provider{Registry: registry, shape: shape, records: map[string]*rowshape.Type{}, lookups: map[string]*Lookup{}}
	for _, f := range shape.Fields {
		p.collect(f.Type)
	}
	options := []cel.EnvOption{
		cel.CustomTypeProvider(p), cel.CustomTypeAdapter(p),
		cel.Variable("row", cel.ObjectType(rowTypeName)),
		cel.EnableIdentifierEscapeSyntax(),
		cel.CrossTypeNumericComparisons(true),
		ext.Strings(), ext.Math(),
	}
	for _, l := range lookups {
		p.lookups[l.typeName()] = l
		options = append(options, cel.Variable(l.Name, cel.MapType(cel.StringType, cel.ObjectType(l.typeName()))))
	}
	return cel.NewEnv(append(options, decimalOptions()...)...)
}

// collect notes the nested records below t.
func (p *provider) collect(t *rowshape.Type) {
	if t == nil {
		return
	}
	if t.Kind == rowshape.Record {
		if _, known := p.records[t.Name]; known {
			return
		}
		p.records[t.Name] = t
		for _, f := range t.Fields {
			p.collect(f.Type)
		}
	}
	p.collect(t.Items)
	for _, b := range t.Branches {
		p.collect(b)
	}
}

// FindStructType implements types.Provider.
func (p *provider) FindStructType(name string) (*types.Type, bool) {
	if name == rowTypeName || p.lookups[name] != nil || p.records[strings.TrimPrefix(name, recordPrefix)] != nil {
		return types.NewTypeTypeWithParam(cel.ObjectType(name)), true
	}
	return p.Registry.FindStructType(name)
}

// FindStructFieldNames implements types.Provider.
func (p *provider) FindStructFieldNames(name string) ([]string, bool) {
	t := p.shape.Type
	if l := p.lookups[name]; l != nil {
		t = l.Shape.Type
	} else if name != rowTypeName {
		if t = p.records[strings.TrimPrefix(name, recordPrefix)]; t == nil {
			return p.Registry.FindStructFieldNames(name)
		}
	}
	names := make([]string, len(t.Fields))
	for i, f := range t.Fields {
		names[i] = f.Name
	}
	return names, true
}

// FindStructFieldType implements types.Provider.
func (p *provider) FindStructFieldType(name, field string) (*types.FieldType, bool) {
	if name == rowTypeName {
		return p.rowField(field)
	}
	if l := p.lookups[name]; l != nil {
		return l.fieldType(p, field)
	}
	t := p.records[strings.TrimPrefix(name, recordPrefix)]
	if t == nil {
		return p.Registry.FindStructFieldType(name, field)
	}
	for _, f := range t.Fields {
		if f.Name == field {
			return &types.FieldType{Type: celType(f.Type), IsSet: nestedSet(field), GetFrom: nestedGet(field)}, true
		}
	}
	return nil, false
}

func (p *provider) rowField(field string) (*types.FieldType, bool) {
	i := p.shape.Index(field)
	if i < 0 {
		return nil, false
	}
	box := boxer((&translator{shape: p.shape}).fieldAt(i))
	return &types.FieldType{
		Type:  celType(p.shape.Fields[i].Type),
		IsSet: func(target any) bool { return !target.(*scratch).null(i) },
		GetFrom: func(target any) (any, error) {
			s := target.(*scratch)
			if s.boxes[i] != nil {
				return s.boxes[i], nil
			}
			v, ok := box(s)
			if !ok {
				native, err := s.value(i)
				if err != nil {
					return nil, err
				}
				v = p.NativeToValue(native)
			}
			s.boxes[i], s.dirty = v, true
			return v, nil
		},
	}, true
}

func nestedSet(field string) func(any) bool {
	return func(target any) bool {
		fields, ok := target.(map[string]any)
		return ok && fields[field] != nil
	}
}

func nestedGet(field string) func(any) (any, error) {
	return func(target any) (any, error) {
		fields, ok := target.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("read field %s of a null record", field)
		}
		return fields[field], nil
	}
}

// NativeToValue gives the CEL value of what rowshape decodes.
func (p *provider) NativeToValue(v any) ref.Val {
	if n, ok := v.(rowshape.Number); ok {
		return decimal(n)
	}
	return p.Registry.NativeToValue(v)
}

// celType is the CEL type of an Avro type; one that may be null becomes CEL's nullable form of it where there is one, else dyn.
func celType(t *rowshape.Type) *cel.Type {
	inner, nullable := t.Nullable()
	c := celTypeOf(inner)
	if !nullable || inner.Kind == rowshape.Null {
		return c
	}
	switch c.Kind() {
	case types.BoolKind, types.IntKind, types.DoubleKind, types.StringKind, types.BytesKind:
		return cel.NullableType(c)
	case types.ListKind, types.MapKind:
		return cel.DynType
	}
	return c
}

func celTypeOf(t *rowshape.Type) *cel.Type {
	switch t.Logical {
	case rowshape.Decimal:
		return decimalType
	case rowshape.UUID:
		return cel.StringType
	case rowshape.TimeMillis, rowshape.TimeMicros:
		return cel.DurationType
	case "":
	default:
		return cel.TimestampType
	}
	switch t.Kind {
	case rowshape.Null:
		return cel.NullType
	case rowshape.Boolean:
		return cel.BoolType
	case rowshape.Int, rowshape.Long:
		return cel.IntType
	case rowshape.Float, rowshape.Double:
		return cel.DoubleType
	case rowshape.String, rowshape.Enum:
		return cel.StringType
	case rowshape.Bytes, rowshape.Fixed:
		return cel.BytesType
	case rowshape.Array:
		return cel.ListType(celType(t.Items))
	case rowshape.Map:
		return cel.MapType(cel.StringType, celType(t.Items))
	case rowshape.Record:
		return cel.ObjectType(recordPrefix + t.Name)
	}
	return cel.DynType
}
