package csvfile

import (
	"errors"
	"fmt"
	"io"
	"time"

	"stripeline/producers/textfile"
)

// DefaultMaxRow is the longest row, in bytes without its line end, where Options say nothing.
const DefaultMaxRow = 1 << 20

// keepOfLong is how many bytes of a row above MaxRow its reject keeps.
const keepOfLong = 64 << 10

// None as Options.Quote means that no byte quotes.
const None = 0xff

// ErrOptions is wrapped by Open when options contradict each other.
var ErrOptions = errors.New("options for separated values do not fit together")

// Options say how a text is cut. The zero value is a comma, the double quote, a header row, UTF-8.
type Options struct {
	Delimiter byte     // 0 is the comma
	Quote     byte     // 0 is the double quote; None for no quoting
	Escape    byte     // 0 for none: a quote inside quotes is doubled
	Comment   byte     // 0 for none
	Columns   []string // names of the columns when the text has no header row
	Latin1    bool     // cells are ISO 8859-1 and come out as UTF-8; Raw and Offset stay those of the text
	MaxRow    int      // bytes; 0 is DefaultMaxRow

	Stdin  io.Reader          // what the name "-" reads
	Follow bool               // wait at the end of the file for more
	Poll   time.Duration      // how often a followed file is looked at; 0 is a quarter of a second
	Resume *textfile.Position // where an earlier run stopped; the text before it is checked against its CRC32C
}

// filled gives o with its defaults, or says what does not fit.
func (o Options) filled() (Options, error) {
	if o.Delimiter == 0 {
		o.Delimiter = ','
	}
	if o.Quote == 0 {
		o.Quote = '"'
	}
	if o.MaxRow == 0 {
		o.MaxRow = DefaultMaxRow
	}
	if o.MaxRow < 1 {
		return o, fmt.Errorf("%w: the longest row is %d bytes", ErrOptions, o.MaxRow)
	}
	special := map[byte]string{'\n': "line end", '\r': "line end"}
	for _, s := range []struct {
		name string
		b    byte
	}{{"delimiter", o.Delimiter}, {"quote", o.Quote}, {"escape", o.Escape}, {"comment", o.Comment}} {
		if s.b == 0 || s.b == None && s.name == "quote" || s.name == "escape" && s.b == o.Quote {
			continue
		}
		if other, taken := special[s.b]; taken || s.b >= 0x80 {
			return o, fmt.Errorf("%w: %s is %q, which is %s", ErrOptions, s.name, s.b, orElse(other, "no ASCII byte"))
		}
		special[s.b] = "the " + s.name
	}
	if o.Escape == o.Quote {
		o.Escape = 0 // a quote that escapes itself is the doubled quote
	}
	return o, nil
}

func orElse(text, other string) string {
	if text == "" {
		return other
	}
	return text
}
