package mapping

import (
	"bytes"
	"regexp"
	"strconv"
	"unicode/utf8"

	"cel.dev/cel-go/common/operators"
)

// directTexts are the functions of texts. A text is valid UTF-8: bytes that match are characters that match.
var directTexts = map[string][]build{
	operators.Add: {pair(joined)},
	"string":      {single(itself[[]byte])},
	"size":        {single(func(_ *scratch, x []byte) (int64, bool) { return int64(utf8.RuneCount(x)), true }), pieces},
	"startsWith":  {pair(func(_ *scratch, x, y []byte) (bool, bool) { return bytes.HasPrefix(x, y), true })},
	"endsWith":    {pair(func(_ *scratch, x, y []byte) (bool, bool) { return bytes.HasSuffix(x, y), true })},
	"contains":    {pair(func(_ *scratch, x, y []byte) (bool, bool) { return bytes.Contains(x, y), true })},
	"matches":     {matching},
	"upperAscii":  {shifted('a', 'z')},
	"lowerAscii":  {shifted('A', 'Z')},
	"trim":        {single(func(_ *scratch, x []byte) ([]byte, bool) { return bytes.TrimSpace(x), true })},
	"reverse":     {single(reversed)},
	"charAt":      {pair(charAt)},
	"indexOf":     {pair(func(_ *scratch, x, y []byte) (int64, bool) { return runesBefore(x, bytes.Index(x, y)), true })},
	"lastIndexOf": {pair(func(_ *scratch, x, y []byte) (int64, bool) { return runesBefore(x, bytes.LastIndex(x, y)), true })},
	"substring":   {pair(func(_ *scratch, x []byte, from int64) ([]byte, bool) { return cutRunes(x, from, -1) }), substring},
	"replace":     {replaced},
	"split":       {cutting},
	"int": {single(func(_ *scratch, x []byte) (int64, bool) {
		n, err := strconv.ParseInt(string(x), 10, 64)
		return n, err == nil
	})},
	"double": {single(func(_ *scratch, x []byte) (float64, bool) {
		f, err := strconv.ParseFloat(string(x), 64)
		return f, err == nil
	})},
	"bool": {single(func(_ *scratch, x []byte) (bool, bool) {
		v, err := strconv.ParseBool(string(x))
		return v, err == nil
	})},
}

func textOrder(x, y []byte) (int, bool) { return bytes.Compare(x, y), true }

// joined puts two texts together in the scratch's memory.
func joined(s *scratch, x, y []byte) ([]byte, bool) {
	return s.keep(func(dst []byte) []byte { return append(append(dst, x...), y...) }), true
}

// shifted gives the letters from first to last in the other case.
func shifted(first, last byte) build {
	return single(func(s *scratch, x []byte) ([]byte, bool) {
		return s.keep(func(dst []byte) []byte {
			for _, c := range x {
				if c >= first && c <= last {
					c ^= ' '
				}
				dst = append(dst, c)
			}
			return dst
		}), true
	})
}

func reversed(s *scratch, x []byte) ([]byte, bool) {
	return s.keep(func(dst []byte) []byte {
		for len(x) > 0 {
			_, n := utf8.DecodeLastRune(x)
			dst = append(dst, x[len(x)-n:]...)
			x = x[:len(x)-n]
		}
		return dst
	}), true
}

// matching is for a pattern that does not depend on the record: it is compiled once.
func matching(args []*direct) *direct {
	if len(args) != 2 || args[0].text == nil || args[1].text == nil || !args[1].constant {
		return nil
	}
	text := args[0].text
	pattern, ok := args[1].text(&scratch{})
	compiled, err := regexp.Compile(string(pattern))
	if !ok || err != nil {
		return nil
	}
	return made(func(s *scratch) (bool, bool) {
		x, ok := text(s)
		return ok && compiled.Match(x), ok
	})
}

// runesBefore is how many characters lie before byte at, -1 for -1.
func runesBefore(x []byte, at int) int64 {
	if at < 0 {
		return -1
	}
	return int64(utf8.RuneCount(x[:at]))
}

// runeStart is where character n begins, or where x ends when it has n characters.
func runeStart(x []byte, n int64) (int, bool) {
	if n < 0 || n > int64(len(x)) {
		return 0, false
	}
	at := 0
	for ; n > 0 && at < len(x); n-- {
		_, width := utf8.DecodeRune(x[at:])
		at += width
	}
	return at, n == 0
}

func charAt(_ *scratch, x []byte, n int64) ([]byte, bool) {
	at, ok := runeStart(x, n)
	if !ok {
		return nil, false
	}
	_, width := utf8.DecodeRune(x[at:])
	return x[at : at+width], true
}

// cutRunes gives count characters behind the first from ones, all of them with a count of -1.
func cutRunes(x []byte, from, count int64) ([]byte, bool) {
	start, ok := runeStart(x, from)
	if !ok || count == -1 {
		return x[start:], ok
	}
	length, ok := runeStart(x[start:], count)
	return x[start : start+length], ok
}

func substring(args []*direct) *direct {
	if len(args) != 3 || args[0].text == nil || args[1].whole == nil || args[2].whole == nil {
		return nil
	}
	text, from, to := args[0].text, args[1].whole, args[2].whole
	return made(func(s *scratch) ([]byte, bool) {
		x, ok := text(s)
		start, okFrom := from(s)
		end, okTo := to(s)
		if !ok || !okFrom || !okTo || start < 0 || end < start {
			return nil, false
		}
		return cutRunes(x, start, end-start)
	})
}

// replaced is text.replace(old, new), where old is not empty.
func replaced(args []*direct) *direct {
	if len(args) != 3 {
		return nil
	}
	all := parts[[]byte](args)
	if all == nil {
		return nil
	}
	return made(func(s *scratch) ([]byte, bool) {
		x, ok := all[0](s)
		if !ok {
			return nil, false
		}
		old, ok := all[1](s)
		if !ok || len(old) == 0 {
			return nil, false
		}
		by, ok := all[2](s)
		if !ok || !bytes.Contains(x, old) {
			return x, ok
		}
		return s.keep(func(dst []byte) []byte { return appendReplaced(dst, x, [2][]byte{old, by}) }), true
	})
}

func appendReplaced(dst, x []byte, swap [2][]byte) []byte {
	for {
		at := bytes.Index(x, swap[0])
		if at < 0 {
			return append(dst, x...)
		}
		dst = append(append(dst, x[:at]...), swap[1]...)
		x = x[at+len(swap[0]):]
	}
}
