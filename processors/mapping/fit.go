package mapping

import (
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"

	"stripeline/schemas/rowshape"
)

// fits says whether values of CEL type c can be written as t. dyn fits everything and is checked at run time.
func fits(c *cel.Type, t *rowshape.Type) bool {
	if c.Kind() == types.DynKind || c.Kind() == types.AnyKind {
		return true
	}
	if t.Kind == rowshape.Union {
		return slices.ContainsFunc(t.Branches, func(b *rowshape.Type) bool { return fits(c, b) })
	}
	switch c.Kind() {
	case types.NullTypeKind:
		return t.Kind == rowshape.Null
	case types.ListKind:
		return t.Kind == rowshape.Array && fits(c.Parameters()[0], t.Items)
	case types.MapKind:
		return t.Kind == rowshape.Record || t.Kind == rowshape.Map && fits(c.Parameters()[1], t.Items)
	case types.StructKind:
		return t.Kind == rowshape.Record
	}
	return fitsScalar(c, t)
}

func fitsScalar(c *cel.Type, t *rowshape.Type) bool {
	whole := t.Logical == "" && (t.Kind == rowshape.Int || t.Kind == rowshape.Long)
	number := t.Kind == rowshape.Float || t.Kind == rowshape.Double
	switch c.Kind() {
	case types.BoolKind:
		return t.Kind == rowshape.Boolean
	case types.IntKind:
		return whole || number
	case types.DoubleKind:
		return number
	case types.StringKind:
		return t.Kind == rowshape.String || t.Kind == rowshape.Enum || t.Logical == rowshape.UUID
	case types.BytesKind:
		return (t.Kind == rowshape.Bytes || t.Kind == rowshape.Fixed) && t.Logical == ""
	case types.TimestampKind:
		return t.Logical != "" && celTypeOf(t).Kind() == types.TimestampKind
	case types.DurationKind:
		return t.Logical == rowshape.TimeMillis || t.Logical == rowshape.TimeMicros
	case types.OpaqueKind:
		return t.Logical == rowshape.Decimal
	}
	return false
}

// typeWords is a CEL type as messages show it: CEL's nullable form of a primitive type prints as wrapper(type).
func typeWords(c *cel.Type) string {
	if inner, ok := strings.CutPrefix(c.String(), "wrapper("); ok {
		return "null or " + strings.TrimSuffix(inner, ")")
	}
	return c.String()
}

// sameBytes says whether every value of a is, byte for byte, a value of b with the same meaning.
func sameBytes(a, b *rowshape.Type) bool { return same(a, b, map[[2]*rowshape.Type]bool{}) }

func same(a, b *rowshape.Type, seen map[[2]*rowshape.Type]bool) bool {
	pair := [2]*rowshape.Type{a, b}
	if a == b || seen[pair] {
		return true
	}
	seen[pair] = true
	if a.Kind == rowshape.Int && b.Kind == rowshape.Long && a.Logical == "" && b.Logical == "" {
		return true
	}
	if a.Kind != b.Kind || a.Logical != b.Logical || a.Size != b.Size || a.Scale != b.Scale || a.Precision > b.Precision {
		return false
	}
	if len(a.Branches) != len(b.Branches) || len(a.Fields) != len(b.Fields) || !slices.Equal(a.Symbols, b.Symbols) {
		return false
	}
	if a.Items != nil && !same(a.Items, b.Items, seen) {
		return false
	}
	for i := range a.Branches {
		if !same(a.Branches[i], b.Branches[i], seen) {
			return false
		}
	}
	for i := range a.Fields {
		if a.Fields[i].Name != b.Fields[i].Name || !same(a.Fields[i].Type, b.Fields[i].Type, seen) {
			return false
		}
	}
	return true
}
