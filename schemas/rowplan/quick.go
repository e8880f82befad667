package rowplan

import (
	"encoding/binary"
	"math"
	"unicode/utf8"
)

// quick is the type of a step whose ordinary cells are written without asking for options, faults and rare spellings.
type quick uint8

const (
	notQuick quick = iota
	quickInteger
	quickDouble
	quickString
	quickTimestamp
)

// hasten looks at a step that is complete otherwise.
func (s *step) hasten() {
	if s.read.trim || len(s.prefix) > 1 {
		return
	}
	switch s.node.kind {
	case kindInt, kindLong:
		s.quick = quickInteger
	case kindDouble:
		s.quick = quickDouble
	case kindString:
		s.quick = quickString
	case kindTimestamp:
		if s.read.timestamp == (layout{}) {
			s.quick = quickTimestamp
		}
	}
}

// appendQuick writes a cell that is neither empty nor perhaps a null token and is spelled as nearly every cell is; false for any other, which
// appendCell judges. dst is then as it was.
func (s *step) appendQuick(dst, text []byte) ([]byte, bool) {
	if len(text) == 0 || s.quick == notQuick || s.mayBeToken(text) {
		return dst, false
	}
	out := dst
	if len(s.prefix) == 1 {
		out = append(out, s.prefix[0])
	}
	switch s.quick {
	case quickInteger:
		v, ok := fewDigits(text)
		if !ok {
			return dst, false
		}
		if v < 64 {
			return append(out, byte(v<<1)), true // zigzag, below 128
		}
		return binary.AppendUvarint(out, v<<1), true
	case quickDouble:
		v, ok := plainDouble(text)
		if !ok {
			return dst, false
		}
		return binary.LittleEndian.AppendUint64(out, math.Float64bits(v)), true
	case quickTimestamp:
		seconds, ok := secondsUTC(text)
		if !ok {
			return dst, false
		}
		return binary.AppendVarint(out, seconds*s.node.perSecond), true
	}
	if len(text) > 63 || !utf8.Valid(text) {
		return dst, false
	}
	return append(append(out, byte(len(text)<<1)), text...), true
}

// mayBeToken says whether some null token has the length and the first byte of text, which is not empty.
func (s *step) mayBeToken(text []byte) bool {
	return s.nullSizes>>(len(text)&63)&1 != 0 && s.nullFirsts>>(text[0]&63)&1 != 0
}

// secondsUTC reads YYYY-MM-DDTHH:MM:SSZ of 1970 to 2199, whose count fits any unit, as seconds since 1970.
func secondsUTC(text []byte) (int64, bool) {
	if len(text) != len("2006-01-02T15:04:05Z") || text[10] != 'T' || text[13] != ':' || text[16] != ':' || text[19] != 'Z' {
		return 0, false
	}
	days, ok := parseDay(text[:10])
	h, m, sec := two(text[11:13]), two(text[14:16]), two(text[17:19])
	if !ok || days < 0 || days >= lastQuickDay || h > 23 || m > 59 || sec > 59 {
		return 0, false
	}
	return days*secondsPerDay + int64(h*3600+m*60+sec), true
}

// lastQuickDay is 2200-01-01: as nanoseconds it is within 64 bits.
const lastQuickDay = 84006
