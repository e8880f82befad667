package rowshape

import (
	"encoding/binary"
	"fmt"
	"math/big"
	"strings"
)

var ten = big.NewInt(10)

// pow10 is 10^n for n >= 0.
func pow10(n int) *big.Int { return new(big.Int).Exp(ten, big.NewInt(int64(n)), nil) }

// String is the number with exactly Scale digits behind the point: "-0.05", "12.50", "7".
func (n Number) String() string {
	digits := new(big.Int).Abs(n.Unscaled).String()
	if n.Scale > 0 {
		if pad := n.Scale + 1 - len(digits); pad > 0 {
			digits = strings.Repeat("0", pad) + digits
		}
		point := len(digits) - n.Scale
		digits = digits[:point] + "." + digits[point:]
	}
	if n.Unscaled.Sign() < 0 {
		return "-" + digits
	}
	return digits
}

// Rescaled is the same number with another scale; false when digits would be lost.
func (n Number) Rescaled(scale int) (Number, bool) {
	switch {
	case scale == n.Scale:
		return n, true
	case scale > n.Scale:
		return Number{Unscaled: new(big.Int).Mul(n.Unscaled, pow10(scale-n.Scale)), Scale: scale}, true
	}
	quotient, rest := new(big.Int).QuoRem(n.Unscaled, pow10(n.Scale-scale), new(big.Int))
	return Number{Unscaled: quotient, Scale: scale}, rest.Sign() == 0
}

func appendDecimal(t *Type, dst []byte, n Number) ([]byte, error) {
	scaled, exact := n.Rescaled(t.Scale)
	if !exact || new(big.Int).Abs(scaled.Unscaled).Cmp(pow10(t.Precision)) >= 0 {
		return dst, fmt.Errorf("%w: %s is no %s", ErrUnfit, n, t)
	}
	if t.Kind == Fixed {
		if width(scaled.Unscaled) > t.Size {
			return dst, fmt.Errorf("%w: %s is no %s in %d bytes", ErrUnfit, n, t, t.Size)
		}
		return append(dst, complement(scaled.Unscaled, t.Size)...), nil
	}
	content := complement(scaled.Unscaled, width(scaled.Unscaled))
	return append(binary.AppendVarint(dst, int64(len(content))), content...), nil
}

// width is how many bytes the two's complement of n needs: -128 needs one, 128 two.
func width(n *big.Int) int {
	if n.Sign() < 0 {
		n = new(big.Int).Not(n)
	}
	return n.BitLen()/8 + 1
}

// complement writes n as big-endian two's complement in size bytes.
func complement(n *big.Int, size int) []byte {
	if n.Sign() < 0 {
		n = new(big.Int).Add(n, new(big.Int).Lsh(big.NewInt(1), uint(size)*8))
	}
	return n.FillBytes(make([]byte, size))
}
