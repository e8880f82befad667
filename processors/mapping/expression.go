package mapping

import (
	"fmt"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"

	"stripeline/schemas/rowshape"
)

// expression is an entry after checking. It is one of three: a plain field (field >= 0), a constant (constant), or a CEL program.
type expression struct {
	text     string
	field    int
	constant bool
	value    any
	program  cel.Program
	direct   *direct  // what can be evaluated without CEL, nil for the rest
	strict   []source // fields that make the result null when they are null
	result   *cel.Type
	nullable bool
	missing  bool // what a lookup has not makes the result null
}

// compile checks e against the input schema.
func (c *compiler) compile(e entry) (*expression, error) {
	env, shape := c.env, c.in
	if e.constant {
		return &expression{field: -1, constant: true, value: e.value, result: typeOfConstant(e.value), nullable: e.value == nil}, nil
	}
	checked, issues := env.Compile(e.text)
	if issues.Err() != nil {
		first := issues.Errors()[0]
		return nil, fmt.Errorf("%s (column %d of %q)", first.Message, first.Location.Column()+1, e.text)
	}
	top := checked.NativeRep().Expr()
	reads := read(shape, c.file.lookups, top)
	if reads.whole {
		return nil, fmt.Errorf("row or a lookup stands alone in %q: name a field of the one, a key of the other", e.text)
	}
	x := &expression{text: e.text, field: -1, result: checked.OutputType()}
	if p, ok := pathOf(top); ok && len(p) == 1 && !p.looked() && !top.AsSelect().IsTestOnly() {
		return c.plain(shape.Index(p[0]), e.text), nil
	}
	if len(reads.paths) == 0 && len(reads.tested) == 0 && len(reads.lookups) == 0 {
		program, err := env.Program(checked, cel.CostLimit(maxConstantCost))
		if err != nil {
			return nil, fmt.Errorf("%w in %q", err, e.text)
		}
		return fold(x, program, top)
	}
	asked := reads.askedFor(top)
	hush(checked.NativeRep(), asked)
	program, err := env.Program(checked, cel.EvalOptions(cel.OptOptimize))
	if err != nil {
		return nil, fmt.Errorf("%w in %q", err, e.text)
	}
	x.program = program
	x.direct = (&translator{c.in, c.file.lookups, asked}).directOf(top)
	x.strict = sources(shape, reads.untested())
	x.missing = reads.missing()
	x.nullable = len(x.strict) > 0 || x.missing || reads.mayBeNull(top, nil)
	return x, nil
}

// plain is field i of the input.
func (c *compiler) plain(i int, text string) *expression {
	x := &expression{text: text, field: i, result: celType(c.in.Fields[i].Type), direct: (&translator{shape: c.in}).fieldAt(i)}
	if _, x.nullable = c.in.Fields[i].Type.Nullable(); x.nullable {
		x.strict = []source{{index: i}}
	}
	return x
}

// maxConstantCost bounds the steps, as CEL counts them, of an expression that reads nothing: a few loops in loops would go on for years.
const maxConstantCost = 1_000_000

// fold evaluates an expression that reads nothing, once.
func fold(x *expression, program cel.Program, top ast.Expr) (*expression, error) {
	out, _, err := program.Eval(cel.NoVars())
	if err != nil {
		return nil, fmt.Errorf("%w in %q", err, x.text)
	}
	if x.value, err = native(out); err != nil {
		return nil, err
	}
	x.constant, x.nullable = true, isNull(top) || x.value == nil
	return x, nil
}

func typeOfConstant(v any) *cel.Type {
	switch v.(type) {
	case nil:
		return cel.NullType
	case bool:
		return cel.BoolType
	case int64:
		return cel.IntType
	case float64:
		return cel.DoubleType
	case string:
		return cel.StringType
	}
	return cel.DynType
}

// evaluate gives the expression's value for a record in the Go types of rowshape.
func (x *expression) evaluate(s *scratch) (any, error) {
	if x.constant {
		return x.value, nil
	}
	if x.field >= 0 {
		return s.value(x.field)
	}
	v, err := x.run(s)
	if err != nil {
		return nil, err
	}
	return native(v)
}

// run evaluates the CEL program.
func (x *expression) run(s *scratch) (ref.Val, error) {
	if x.nulled(s) {
		return types.NullValue, nil
	}
	s.missed = false
	out, _, err := x.program.Eval(s)
	if x.missing && s.missed {
		return types.NullValue, nil
	}
	if err != nil {
		return nil, fmt.Errorf("evaluate %q: %w", x.text, err)
	}
	return out, nil
}

// native turns a CEL value into the Go types that rowshape's Append takes.
func native(v ref.Val) (any, error) {
	switch x := v.(type) {
	case types.Null:
		return nil, nil
	case types.Int:
		return int64(x), nil
	case types.Double:
		return float64(x), nil
	case types.String:
		return string(x), nil
	case types.Bool:
		return bool(x), nil
	case types.Bytes:
		return []byte(x), nil
	case types.Timestamp:
		return x.Time.UTC(), nil
	case types.Duration:
		return time.Duration(x.Duration), nil
	case decimal:
		return rowshape.Number(x), nil
	case *found:
		return x.fields, nil
	case traits.Mapper:
		return nativeMap(x)
	case traits.Lister:
		return nativeList(x)
	}
	return nil, fmt.Errorf("a value of type %s cannot be written", v.Type().TypeName())
}

func nativeList(list traits.Lister) (any, error) {
	items := []any{}
	for it := list.Iterator(); it.HasNext() == types.True; {
		item, err := native(it.Next())
		if err != nil {
			return nil, err
		}
		items = append(items, item)
	}
	return items, nil
}

func nativeMap(m traits.Mapper) (any, error) {
	entries := map[string]any{}
	for it := m.Iterator(); it.HasNext() == types.True; {
		key := it.Next()
		name, ok := key.(types.String)
		if !ok {
			return nil, fmt.Errorf("a map with keys of type %s cannot be written", key.Type().TypeName())
		}
		value, err := native(m.Get(key))
		if err != nil {
			return nil, err
		}
		entries[string(name)] = value
	}
	return entries, nil
}
