package rowplan

import (
	"encoding/binary"
	"math/big"
	"slices"
)

// decimalText is a decimal number taken apart: the digits before and behind the point without leading zeros, and how far the point moves.
type decimalText struct {
	negative bool
	digits   []byte // with the point taken out; leading zeros allowed
	scale    int    // digits behind the point, after the exponent
}

// appendDecimal writes text as an unscaled two's complement integer, big-endian, of n's scale. It never rounds.
func appendDecimal(dst []byte, n *node, text []byte) ([]byte, fault) {
	var scratch [64]byte
	d, f := splitDecimal(scratch[:0], text)
	if f != faultNone {
		return dst, f
	}
	if f = d.fit(n); f != faultNone {
		return dst, f
	}
	if len(d.digits) > 18 {
		return appendBigUnscaled(dst, n, d)
	}
	var v int64
	for _, c := range d.digits {
		v = v*10 + int64(c-'0')
	}
	if d.negative {
		v = -v
	}
	var wide [8]byte
	binary.BigEndian.PutUint64(wide[:], uint64(v))
	return appendUnscaled(dst, n, shortest(wide[:]))
}

// splitDecimal reads sign, digits, point, digits, exponent; digits go behind scratch.
func splitDecimal(scratch, text []byte) (decimalText, fault) {
	d := decimalText{digits: scratch}
	i := 0
	if i < len(text) && (text[i] == '-' || text[i] == '+') {
		d.negative = text[i] == '-'
		i++
	}
	point, seen := false, false
	for ; i < len(text); i++ {
		c := text[i]
		switch {
		case c >= '0' && c <= '9':
			d.digits, seen = append(d.digits, c), true
			if point {
				d.scale++
			}
		case c == '.' && !point:
			point = true
		case (c == 'e' || c == 'E') && seen:
			return d.shift(text[i+1:])
		default:
			return d, faultType
		}
	}
	if !seen {
		return d, faultType
	}
	return d, faultNone
}

// shift applies an exponent.
func (d decimalText) shift(exponent []byte) (decimalText, fault) {
	e, f := parseInteger(exponent)
	if f != faultNone {
		return d, f
	}
	if e > 1<<20 || e < -1<<20 {
		return d, faultRange
	}
	d.scale -= int(e)
	return d, faultNone
}

// fit brings d to n's scale by adding or taking away zeros, and checks the precision.
func (d *decimalText) fit(n *node) fault {
	d.digits = d.digits[leadingZeros(d.digits):]
	for d.scale > n.scale && len(d.digits) > 0 {
		last := len(d.digits) - 1
		if d.digits[last] != '0' {
			return faultScale
		}
		d.digits = d.digits[:last]
		d.scale--
	}
	if len(d.digits) == 0 {
		return faultNone // zero at any scale
	}
	if len(d.digits)+n.scale-d.scale > n.precision {
		return faultRange
	}
	for ; d.scale < n.scale; d.scale++ {
		d.digits = append(d.digits, '0')
	}
	return faultNone
}

func leadingZeros(digits []byte) int {
	i := slices.IndexFunc(digits, func(c byte) bool { return c != '0' })
	if i < 0 {
		return len(digits)
	}
	return i
}

func appendBigUnscaled(dst []byte, n *node, d decimalText) ([]byte, fault) {
	v, ok := new(big.Int).SetString(string(d.digits), 10)
	if !ok {
		return dst, faultType
	}
	if !d.negative {
		return appendUnscaled(dst, n, shortest(append([]byte{0}, v.Bytes()...)))
	}
	bits := uint(v.BitLen()/8+1) * 8
	v.Sub(new(big.Int).Lsh(big.NewInt(1), bits), v)
	return appendUnscaled(dst, n, shortest(v.FillBytes(make([]byte, bits/8))))
}

// shortest cuts the leading bytes that only repeat the sign.
func shortest(twos []byte) []byte {
	for len(twos) > 1 && (twos[0] == 0 && twos[1] < 0x80 || twos[0] == 0xff && twos[1] >= 0x80) {
		twos = twos[1:]
	}
	return twos
}

func appendUnscaled(dst []byte, n *node, twos []byte) ([]byte, fault) {
	if n.kind == kindDecimalBytes {
		return append(binary.AppendVarint(dst, int64(len(twos))), twos...), faultNone
	}
	if len(twos) > n.size {
		return dst, faultRange
	}
	sign := byte(0)
	if twos[0] >= 0x80 {
		sign = 0xff
	}
	for i := len(twos); i < n.size; i++ {
		dst = append(dst, sign)
	}
	return append(dst, twos...), faultNone
}
