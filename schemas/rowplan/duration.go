package rowplan

import (
	"encoding/binary"
	"math"
	"strconv"
)

// appendDuration reads an ISO 8601 duration: P, then years, months, weeks, days, then T with hours, minutes, seconds, as months, days and
// milliseconds, 32 bits each, little-endian. Years are 12 months and weeks 7 days.
func appendDuration(dst, text []byte) ([]byte, fault) {
	if len(text) < 3 || text[0] != 'P' {
		return dst, faultType
	}
	var parts [3]uint64 // months, days, milliseconds
	rest, half := text[1:], dateHalf
	last := -1 // designators come in this order, each once
	for len(rest) > 0 {
		if rest[0] == 'T' && half == dateHalf && len(rest) > 1 {
			rest, half = rest[1:], clockHalf
			continue
		}
		u, value, tail, f := half.nextPart(rest)
		if f != faultNone {
			return dst, f
		}
		if u.order <= last {
			return dst, faultType
		}
		parts[u.part] += value
		rest, last = tail, u.order
	}
	for _, v := range parts {
		if v > math.MaxUint32 {
			return dst, faultRange
		}
		dst = binary.LittleEndian.AppendUint32(dst, uint32(v))
	}
	return dst, faultNone
}

// durationHalf is the part before or behind the T, which decides what M means.
type durationHalf uint8

const (
	dateHalf durationHalf = iota
	clockHalf
)

// unit is one designator: where it stands in the text's order, what it counts towards, and how many of that it is.
type unit struct {
	order, part int
	of          uint64
}

func (half durationHalf) unitOf(designator byte) (unit, bool) {
	switch {
	case half == clockHalf:
		switch designator {
		case 'H':
			return unit{4, 2, 3_600_000}, true
		case 'M':
			return unit{5, 2, 60_000}, true
		case 'S':
			return unit{6, 2, 1000}, true
		}
	case designator == 'Y':
		return unit{0, 0, 12}, true
	case designator == 'M':
		return unit{1, 0, 1}, true
	case designator == 'W':
		return unit{2, 1, 7}, true
	case designator == 'D':
		return unit{3, 1, 1}, true
	}
	return unit{}, false
}

// nextPart reads digits, for seconds also a fraction, and a designator.
func (half durationHalf) nextPart(text []byte) (u unit, value uint64, rest []byte, f fault) {
	i := 0
	for ; i < len(text) && text[i] >= '0' && text[i] <= '9'; i++ {
		if value = value*10 + uint64(text[i]-'0'); value > 1<<32 {
			return u, 0, nil, faultRange
		}
	}
	if i == 0 || i == len(text) {
		return u, 0, nil, faultType
	}
	var nanos int64
	rest = text[i:]
	point := rest[0] == '.' || rest[0] == ','
	if point {
		if nanos, rest, f = parseFraction(rest[1:]); f != faultNone || len(rest) == 0 {
			return u, 0, nil, max(f, faultType)
		}
	}
	u, ok := half.unitOf(rest[0])
	if !ok || point && rest[0] != 'S' {
		return u, 0, nil, faultType
	}
	if nanos%1e6 != 0 {
		return u, 0, nil, faultFraction
	}
	return u, value*u.of + uint64(nanos/1e6), rest[1:], faultNone
}

// appendISODuration writes what appendDuration reads, with zero parts left out.
func appendISODuration(dst, twelve []byte) []byte {
	months, days := binary.LittleEndian.Uint32(twelve), binary.LittleEndian.Uint32(twelve[4:])
	millis := uint64(binary.LittleEndian.Uint32(twelve[8:]))
	if months == 0 && days == 0 && millis == 0 {
		return append(dst, "P0D"...)
	}
	dst = append(dst, 'P')
	dst = appendPart(dst, uint64(months/12), 'Y')
	dst = appendPart(dst, uint64(months%12), 'M')
	dst = appendPart(dst, uint64(days), 'D')
	if millis == 0 {
		return dst
	}
	dst = append(dst, 'T')
	dst = appendPart(dst, millis/3_600_000, 'H')
	dst = appendPart(dst, millis/60_000%60, 'M')
	if millis%60_000 == 0 {
		return dst
	}
	dst = strconv.AppendUint(dst, millis/1000%60, 10)
	return append(appendFractionDigits(dst, int64(millis%1000)*1e6), 'S')
}

func appendPart(dst []byte, v uint64, designator byte) []byte {
	if v == 0 {
		return dst
	}
	return append(strconv.AppendUint(dst, v, 10), designator)
}
