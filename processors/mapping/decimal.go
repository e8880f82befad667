package mapping

import (
	"fmt"
	"math/big"
	"reflect"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"

	"stripeline/schemas/rowshape"
)

// decimalType is CEL's view of an Avro decimal.
var decimalType = cel.OpaqueType("decimal").WithTraits(traits.AdderType | traits.SubtractorType | traits.MultiplierType | traits.ComparerType)

// decimal is a decimal as a CEL value: exact addition, subtraction, multiplication and comparison.
type decimal rowshape.Number

func (d decimal) ConvertToNative(reflect.Type) (any, error) { return rowshape.Number(d), nil }

func (d decimal) ConvertToType(t ref.Type) ref.Val {
	if t == types.StringType {
		return types.String(rowshape.Number(d).String())
	}
	return types.NewErr("no conversion from decimal to %s", t.TypeName())
}

func (d decimal) Type() ref.Type { return decimalType }
func (d decimal) Value() any     { return rowshape.Number(d) }

func (d decimal) Equal(other ref.Val) ref.Val {
	o, ok := other.(decimal)
	return types.Bool(ok && d.rat().Cmp(o.rat()) == 0)
}

// Compare is -1, 0 or 1 (traits.Comparer).
func (d decimal) Compare(other ref.Val) ref.Val {
	o, ok := other.(decimal)
	if !ok {
		return types.MaybeNoSuchOverloadErr(other)
	}
	return types.Int(d.rat().Cmp(o.rat()))
}

// Add is the exact sum (traits.Adder).
func (d decimal) Add(other ref.Val) ref.Val {
	return d.aligned(other, func(a, b *big.Int) *big.Int { return new(big.Int).Add(a, b) })
}

// Subtract is the exact difference (traits.Subtractor).
func (d decimal) Subtract(other ref.Val) ref.Val {
	return d.aligned(other, func(a, b *big.Int) *big.Int { return new(big.Int).Sub(a, b) })
}

// Multiply is the exact product (traits.Multiplier).
func (d decimal) Multiply(other ref.Val) ref.Val {
	o, ok := other.(decimal)
	if !ok {
		return types.MaybeNoSuchOverloadErr(other)
	}
	return decimal{Unscaled: new(big.Int).Mul(d.Unscaled, o.Unscaled), Scale: d.Scale + o.Scale}
}

func (d decimal) aligned(other ref.Val, do func(a, b *big.Int) *big.Int) ref.Val {
	o, ok := other.(decimal)
	if !ok {
		return types.MaybeNoSuchOverloadErr(other)
	}
	scale := max(d.Scale, o.Scale)
	a, _ := rowshape.Number(d).Rescaled(scale)
	b, _ := rowshape.Number(o).Rescaled(scale)
	return decimal{Unscaled: do(a.Unscaled, b.Unscaled), Scale: scale}
}

func (d decimal) rat() *big.Rat {
	return new(big.Rat).SetFrac(d.Unscaled, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(d.Scale)), nil))
}

// maxDigits bounds the text that decimal() takes.
const maxDigits = 200

// parseDecimal reads sign, digits and point; the scale is the number of digits behind the point.
func parseDecimal(text string) (decimal, error) {
	whole, part, _ := strings.Cut(text, ".")
	n, ok := new(big.Int).SetString(whole+part, 10)
	if !ok || len(text) > maxDigits || strings.ContainsAny(part, "+-_") || strings.Contains(whole, "_") {
		return decimal{}, fmt.Errorf("%q is no decimal", text)
	}
	return decimal{Unscaled: n, Scale: len(part)}, nil
}

// decimalOptions declare what CEL may do with decimals. The operators work through the traits above.
func decimalOptions() []cel.EnvOption {
	two := []*cel.Type{decimalType, decimalType}
	options := []cel.EnvOption{
		cel.Function("decimal",
			cel.Overload("string_to_decimal", []*cel.Type{cel.StringType}, decimalType, cel.UnaryBinding(func(v ref.Val) ref.Val {
				d, err := parseDecimal(string(v.(types.String)))
				if err != nil {
					return types.WrapErr(err)
				}
				return d
			})),
			cel.Overload("int_to_decimal", []*cel.Type{cel.IntType}, decimalType, cel.UnaryBinding(func(v ref.Val) ref.Val {
				return decimal{Unscaled: big.NewInt(int64(v.(types.Int)))}
			}))),
		cel.Function("string", cel.Overload("decimal_to_string", []*cel.Type{decimalType}, cel.StringType,
			cel.UnaryBinding(func(v ref.Val) ref.Val { return v.ConvertToType(types.StringType) }))),
	}
	for name, operator := range map[string]string{"add": "_+_", "subtract": "_-_", "multiply": "_*_"} {
		options = append(options, cel.Function(operator, cel.Overload(name+"_decimal", two, decimalType)))
	}
	for name, operator := range map[string]string{"less": "_<_", "less_equals": "_<=_", "greater": "_>_", "greater_equals": "_>=_"} {
		options = append(options, cel.Function(operator, cel.Overload(name+"_decimal", two, cel.BoolType)))
	}
	return options
}
