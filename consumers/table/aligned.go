package table

import (
	"slices"
	"unicode/utf8"

	"stripeline/schemas/rowplan"
)

// sampleRows is how many rows are held back to learn how wide the columns are; maxWidth is the widest that a column is made for all rows.
const (
	sampleRows = 100
	maxWidth   = 40
)

// aligned is the table format. It holds back the first rows under each header until it knows their widths.
type aligned struct {
	columns columns
	walker  *rowplan.Walker
	begun   bool
	widths  []int
	held    [][]string
}

func (a *aligned) append(dst []byte, r *Record) ([]byte, error) {
	row, err := a.columns.row(r)
	if err != nil {
		return dst, err
	}
	if !a.begun || a.walker != r.Walker {
		dst = a.pending(dst)
		a.begun, a.walker = true, r.Walker
		a.widths = nil
		a.held = [][]string{a.columns.names(r.Walker)}
	}
	words := make([]string, row.Len())
	for i := range words {
		words[i] = word(row, i)
	}
	if a.widths != nil {
		return a.line(dst, words), nil
	}
	if a.held = append(a.held, words); len(a.held) > sampleRows {
		dst = a.pending(dst)
	}
	return dst, nil
}

// pending prints the rows held back; later ones are as wide as they were.
func (a *aligned) pending(dst []byte) []byte {
	if len(a.held) == 0 {
		return dst
	}
	a.widths = make([]int, len(a.held[0]))
	for _, words := range a.held {
		for i, w := range words {
			a.widths[i] = max(a.widths[i], min(utf8.RuneCountInString(w), maxWidth))
		}
	}
	for _, words := range a.held {
		dst = a.line(dst, words)
	}
	a.held = nil
	return dst
}

func (a *aligned) line(dst []byte, words []string) []byte {
	for i, w := range words {
		dst = append(dst, w...)
		if i == len(words)-1 {
			break
		}
		for n := a.widths[i] + 2 - utf8.RuneCountInString(w); n > 0; n-- {
			dst = append(dst, ' ')
		}
		if dst[len(dst)-1] != ' ' {
			dst = append(dst, ' ')
		}
	}
	return append(dst, '\n')
}

// word is a cell as a terminal may show it: no control characters, null told from the text.
func word(row *rowplan.Flat, i int) string {
	if row.Null.Has(i) {
		return "NULL"
	}
	text := []rune(string(row.Cell(i)))
	if !slices.ContainsFunc(text, unprintable) {
		return string(text)
	}
	for j, r := range text {
		if unprintable(r) {
			text[j] = '\u00b7'
		}
	}
	return string(text)
}

func unprintable(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 || r == utf8.RuneError }
