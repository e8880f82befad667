// Package csvfile is in the producers room: it cuts separated values into rows that know their file, line, byte offset and original bytes, in
// bounded memory, and never lets one bad row cost a good one.
//
// What is a row (RFC 4180, with what real files add):
//
//	line end        LF or CRLF, each row its own; inside quotes both are kept as they are
//	blank line      passed over and counted, outside quotes
//	comment line    begins with Options.Comment; passed over and counted
//	quoted cell     begins with the quote as its first byte; a doubled quote is one; behind the closing quote only a delimiter or line end
//	quote elsewhere an ordinary byte of an unquoted cell
//	escape          with Options.Escape the byte behind it is meant as it is, in quoted and unquoted cells
//
// What costs one reject each, and how reading goes on:
//
//	nul       a NUL byte                                        behind the row
//	quote     a quote that is not closed within MaxRow bytes    at the next line that parses: the first line is the reject. A text behind a closing
//	          or before the end of the text, a text behind a    quote, or a row over several lines whose number of cells is wrong, is taken for the
//	          closing quote                                     same, as that is what an unclosed quote looks like where a later row has quotes
//	length    a row longer than MaxRow                          behind the row; only its first bytes are kept, and the reason says how long it was
//
// A line "parses" when it has the header's number of cells and no quote inside an unquoted cell. Lines between an unclosed quote and that line are
// rejects of their own, unless MaxRow bytes had been looked at: then they belong to the first reject, as a cell longer than a row may be.
package csvfile
