package rowplan

import (
	"encoding/binary"
	"math"
	"time"
	"unsafe"
)

const (
	secondsPerDay = 86400
	nanosPerSec   = 1_000_000_000
)

// instant is a point on a time line: seconds since 1970-01-01T00:00:00 and nanoseconds within that second.
type instant struct {
	seconds int64
	nanos   int64 // [0, 1e9)
}

func (l layout) appendTimestamp(dst []byte, n *node, text []byte) ([]byte, fault) {
	if l.epoch != 0 || l.goLayout == "" && isInteger(text) {
		return l.appendEpoch(dst, n, text)
	}
	var at instant
	var f fault
	if l.goLayout != "" {
		at, f = l.parse(text)
	} else {
		at, f = parseRFC3339(n.kind, text)
	}
	if f != faultNone {
		return dst, f
	}
	v, f := at.units(n.perSecond)
	if f != faultNone {
		return dst, f
	}
	return binary.AppendVarint(dst, v), faultNone
}

// appendEpoch takes an integer: in units of the layout, or of the type when the layout has none.
func (l layout) appendEpoch(dst []byte, n *node, text []byte) ([]byte, fault) {
	v, f := parseInteger(text)
	if f != faultNone {
		return dst, f
	}
	if from := l.epoch; from > 0 && from != n.perSecond {
		at := instant{floorDiv(v, from), 0}
		at.nanos = (v - at.seconds*from) * (nanosPerSec / from)
		if v, f = at.units(n.perSecond); f != faultNone {
			return dst, f
		}
	}
	return binary.AppendVarint(dst, v), faultNone
}

func isInteger(text []byte) bool {
	for i, c := range text {
		if (c < '0' || c > '9') && (i > 0 || c != '-' && c != '+') {
			return false
		}
	}
	return len(text) > 0
}

// units counts at in 1/perSecond of a second. A finer fraction is a fault, as is a count beyond 64 bits.
func (at instant) units(perSecond int64) (int64, fault) {
	step := nanosPerSec / perSecond
	if at.nanos%step != 0 {
		return 0, faultFraction
	}
	seconds, rest := at.seconds, at.nanos/step
	if seconds < 0 && rest > 0 { // towards zero first, so that the smallest counts do not overflow on the way
		seconds, rest = seconds+1, rest-perSecond
	}
	if seconds > math.MaxInt64/perSecond || seconds < math.MinInt64/perSecond {
		return 0, faultRange
	}
	v := seconds * perSecond
	if rest > 0 && v > math.MaxInt64-rest || rest < 0 && v < math.MinInt64-rest {
		return 0, faultRange
	}
	return v + rest, faultNone
}

// parseRFC3339 reads YYYY-MM-DD, T or space, HH:MM:SS, an optional fraction, and Z or an offset; a local text has no offset.
func parseRFC3339(k kind, text []byte) (instant, fault) {
	if len(text) < 19 || text[10] != 'T' && text[10] != ' ' && text[10] != 't' {
		return instant{}, faultType
	}
	days, ok := parseDay(text[:10])
	if !ok {
		return instant{}, faultType
	}
	clock, rest, f := parseClock(text[11:])
	if f != faultNone {
		return instant{}, f
	}
	at := instant{days*secondsPerDay + clock.seconds, clock.nanos}
	if k == kindLocalTimestamp {
		if len(rest) > 0 {
			return instant{}, faultZone
		}
		return at, faultNone
	}
	offset, f := parseZone(rest)
	at.seconds -= offset
	return at, f
}

// parseZone reads Z or ±HH:MM and gives seconds east of UTC.
func parseZone(text []byte) (int64, fault) {
	if len(text) == 1 && (text[0] == 'Z' || text[0] == 'z') {
		return 0, faultNone
	}
	if len(text) == 0 {
		return 0, faultZone
	}
	if len(text) != 6 || text[0] != '+' && text[0] != '-' || text[3] != ':' {
		return 0, faultType
	}
	h, m := two(text[1:]), two(text[4:])
	if h > 23 || m > 59 {
		return 0, faultType
	}
	offset := int64(h*3600 + m*60)
	if text[0] == '-' {
		offset = -offset
	}
	return offset, faultNone
}

// parseDay reads YYYY-MM-DD and gives days since 1970-01-01.
func parseDay(text []byte) (int64, bool) {
	if len(text) != 10 || text[4] != '-' || text[7] != '-' {
		return 0, false
	}
	year, month, day := two(text)*100+two(text[2:]), two(text[5:]), two(text[8:])
	if two(text) > 99 || two(text[2:]) > 99 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) {
		return 0, false
	}
	return daysFromCivil(year, month, day), true
}

// parseClock reads HH:MM, HH:MM:SS or HH:MM:SS.fraction and gives what follows it.
func parseClock(text []byte) (instant, []byte, fault) {
	if len(text) < 5 || text[2] != ':' {
		return instant{}, nil, faultType
	}
	h, m, s := two(text), two(text[3:]), uint(0)
	rest := text[5:]
	var nanos int64
	if len(rest) >= 3 && rest[0] == ':' {
		s, rest = two(rest[1:]), rest[3:]
		if len(rest) > 0 && (rest[0] == '.' || rest[0] == ',') {
			var f fault
			if nanos, rest, f = parseFraction(rest[1:]); f != faultNone {
				return instant{}, nil, f
			}
		}
	}
	if h > 23 || m > 59 || s > 59 {
		return instant{}, nil, faultType
	}
	return instant{int64(h*3600 + m*60 + s), nanos}, rest, faultNone
}

// parseFraction reads digits behind a point as nanoseconds; a tenth digit must be zero, and so on.
func parseFraction(text []byte) (int64, []byte, fault) {
	var nanos int64
	i := 0
	for ; i < len(text) && text[i] >= '0' && text[i] <= '9'; i++ {
		if i < 9 {
			nanos = nanos*10 + int64(text[i]-'0')
		} else if text[i] != '0' {
			return 0, nil, faultFraction
		}
	}
	if i == 0 {
		return 0, nil, faultType
	}
	for j := i; j < 9; j++ {
		nanos *= 10
	}
	return nanos, text[i:], faultNone
}

func (l layout) appendDate(dst, text []byte) ([]byte, fault) {
	if l.goLayout != "" {
		at, f := l.parse(text)
		if f != faultNone {
			return dst, f
		}
		return binary.AppendVarint(dst, floorDiv(at.seconds, secondsPerDay)), faultNone
	}
	days, ok := parseDay(text)
	if !ok {
		return dst, faultType
	}
	return binary.AppendVarint(dst, days), faultNone
}

func (l layout) appendClock(dst []byte, n *node, text []byte) ([]byte, fault) {
	var at instant
	var f fault
	if l.goLayout != "" {
		at, f = l.parse(text)
		at.seconds -= floorDiv(at.seconds, secondsPerDay) * secondsPerDay
	} else {
		var rest []byte
		if at, rest, f = parseClock(text); len(rest) > 0 {
			f = faultType
		}
	}
	if f != faultNone {
		return dst, f
	}
	v, f := at.units(n.perSecond)
	if f != faultNone {
		return dst, f
	}
	return binary.AppendVarint(dst, v), faultNone
}

// parse reads text by a Go layout; a layout without zone means UTC.
func (l layout) parse(text []byte) (instant, fault) {
	at, err := time.Parse(l.goLayout, unsafe.String(unsafe.SliceData(text), len(text))) // the error, which may hold the text, goes no further
	if err != nil {
		return instant{}, faultType
	}
	return instant{at.Unix(), int64(at.Nanosecond())}, faultNone
}

// two reads two digits; anything else gives a number above 99.
func two(text []byte) uint {
	tens, ones := uint(text[0]-'0'), uint(text[1]-'0')
	if tens > 9 || ones > 9 {
		return 1000
	}
	return tens*10 + ones
}
