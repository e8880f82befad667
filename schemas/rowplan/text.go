package rowplan

import (
	"math"
	"math/big"
	"strconv"
)

// appendScalar reads one value that holds no others and writes it as the text of a cell: what Append reads back as the same value.
func (c *cursor) appendScalar(dst []byte, n *node) []byte {
	switch n.kind {
	case kindBoolean:
		return strconv.AppendBool(dst, c.boolean())
	case kindInt:
		return strconv.AppendInt(dst, c.integer(), 10)
	case kindLong:
		return strconv.AppendInt(dst, c.long(), 10)
	case kindFloat:
		return appendFloatText(dst, float64(c.float()), 32)
	case kindDouble:
		return appendFloatText(dst, c.double(), 64)
	case kindString, kindBytes, kindUUIDString:
		return append(dst, c.take(c.long())...)
	case kindEnum:
		if i := c.index(len(n.symbols)); i >= 0 {
			return append(dst, n.symbols[i]...)
		}
	case kindFixed:
		return append(dst, c.take(int64(n.size))...)
	case kindDecimalBytes:
		return appendDecimalText(dst, c.take(c.long()), n.scale)
	case kindDecimalFixed:
		return appendDecimalText(dst, c.take(int64(n.size)), n.scale)
	case kindUUIDFixed:
		return appendUUIDText(dst, c.take(16))
	case kindDuration:
		return appendISODuration(dst, c.fixed(12))
	default:
		return c.appendTemporal(dst, n)
	}
	return dst
}

func (c *cursor) float() float32 {
	b := c.fixed(4)
	return math.Float32frombits(uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24)
}

func (c *cursor) double() float64 {
	b := c.fixed(8)
	var bits uint64
	for i := range 8 {
		bits |= uint64(b[i]) << (8 * i)
	}
	return math.Float64frombits(bits)
}

func appendFloatText(dst []byte, v float64, bits int) []byte {
	if math.IsInf(v, 0) || math.IsNaN(v) {
		switch {
		case math.IsNaN(v):
			return append(dst, "NaN"...)
		case v < 0:
			return append(dst, "-Infinity"...)
		}
		return append(dst, "Infinity"...)
	}
	if size := math.Abs(v); size != 0 && (size < 1e-6 || size >= 1e21) {
		return strconv.AppendFloat(dst, v, 'e', -1, bits)
	}
	return strconv.AppendFloat(dst, v, 'f', -1, bits)
}

// appendDecimalText writes an unscaled two's complement integer with the point in its place.
func appendDecimalText(dst, twos []byte, scale int) []byte {
	digits := unscaledText(twos)
	if digits[0] == '-' {
		dst, digits = append(dst, '-'), digits[1:]
	}
	if scale <= 0 {
		return append(dst, digits...)
	}
	for len(digits) <= scale {
		digits = "0" + digits
	}
	point := len(digits) - scale
	dst = append(append(dst, digits[:point]...), '.')
	return append(dst, digits[point:]...)
}

func unscaledText(twos []byte) string {
	if len(twos) <= 8 {
		return strconv.FormatInt(signed(twos), 10)
	}
	return unscaled(twos).String()
}

// signed reads at most 8 bytes of two's complement; none are 0.
func signed(twos []byte) int64 {
	var v int64
	if len(twos) > 0 && twos[0] >= 0x80 {
		v = -1
	}
	for _, b := range twos {
		v = v<<8 | int64(b)
	}
	return v
}

func unscaled(twos []byte) *big.Int {
	v := new(big.Int).SetBytes(twos)
	if len(twos) > 0 && twos[0] >= 0x80 {
		v.Sub(v, new(big.Int).Lsh(big.NewInt(1), uint(8*len(twos))))
	}
	return v
}

func appendUUIDText(dst, id []byte) []byte {
	for i, b := range id {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			dst = append(dst, '-')
		}
		dst = append(dst, hexLower[b>>4], hexLower[b&15])
	}
	return dst
}

func (c *cursor) appendTemporal(dst []byte, n *node) []byte {
	switch n.kind {
	case kindDate:
		return appendDayText(dst, c.integer())
	case kindTimeMillis:
		return appendClockText(dst, c.integer(), 1e3)
	case kindTimeMicros:
		return appendClockText(dst, c.long(), 1e6)
	case kindTimestamp, kindLocalTimestamp:
		return appendTimestampText(dst, c.long(), n)
	}
	c.fail("internal error: not a scalar")
	return dst
}

// appendDayText writes YYYY-MM-DD, or the number of days where the year has not four digits.
func appendDayText(dst []byte, days int64) []byte {
	year, month, day := civilFromDays(days)
	if year < 0 || year > 9999 {
		return strconv.AppendInt(dst, days, 10)
	}
	dst = appendTwo(appendTwo(dst, year/100), year%100)
	dst = appendTwo(append(dst, '-'), month)
	return appendTwo(append(dst, '-'), day)
}

func appendClockText(dst []byte, v, perSecond int64) []byte {
	seconds := v / perSecond
	if v < 0 || seconds >= secondsPerDay {
		return strconv.AppendInt(dst, v, 10)
	}
	dst = appendTwo(dst, seconds/3600)
	dst = appendTwo(append(dst, ':'), seconds/60%60)
	dst = appendTwo(append(dst, ':'), seconds%60)
	return appendFractionDigits(dst, v%perSecond*(nanosPerSec/perSecond))
}

// appendTimestampText writes RFC 3339 in UTC, without Z for a local one, or the count where the year has not four digits.
func appendTimestampText(dst []byte, v int64, n *node) []byte {
	seconds := floorDiv(v, n.perSecond)
	days := floorDiv(seconds, secondsPerDay)
	if year, _, _ := civilFromDays(days); year < 0 || year > 9999 {
		return strconv.AppendInt(dst, v, 10)
	}
	rest := (seconds-days*secondsPerDay)*n.perSecond + (v - seconds*n.perSecond)
	dst = appendClockText(append(appendDayText(dst, days), 'T'), rest, n.perSecond)
	if n.kind == kindLocalTimestamp {
		return dst
	}
	return append(dst, 'Z')
}

// appendFractionDigits writes a point and nanos without trailing zeros, nothing for none.
func appendFractionDigits(dst []byte, nanos int64) []byte {
	if nanos == 0 {
		return dst
	}
	dst = append(dst, '.')
	for place := int64(nanosPerSec / 10); nanos > 0; place /= 10 {
		dst = append(dst, byte('0'+nanos/place))
		nanos %= place
	}
	return dst
}

func appendTwo(dst []byte, v int64) []byte { return append(dst, byte('0'+v/10), byte('0'+v%10)) }
