package mapping

import (
	"fmt"
	"regexp"
	"strings"

	"pgregory.net/rapid"
)

// constructs are direct expressions by the CEL type of their outcome: every entry of the tables of direct*.go is here at least once.
var constructs = map[string][]string{
	"int": {
		"row.i + row.l", "row.l - row.i", "row.l * 3", "row.l * row.l", "row.l / row.i", "row.l / -1", "row.l % 7", "-row.l", "int(row.d)", "int(row.l)", "int(row.s)", "int(row.nt)",
		"int(row.ts)", "int(row.tm)", "size(row.s)", "row.ns.size()", "math.greatest(row.l, 10)", "math.least(row.l, row.i)", "math.greatest([row.l, 3, row.ni])",
		"math.least(row.l, 0, row.i)", "math.abs(row.l)", "math.sign(row.l)", "row.s.indexOf('X')", "row.s.lastIndexOf('X')", "row.s.indexOf('')", "row.s.lastIndexOf('')",
		"size(row.s.split('X'))", "row.ts.getFullYear()", "row.ts.getMonth()", "row.dt.getDate()", "row.ts.getDayOfMonth()", "row.dt.getDayOfWeek()", "row.ts.getDayOfYear()",
		"row.ts.getHours()", "row.nt.getMinutes()", "row.lu.getSeconds()", "row.tn.getMilliseconds()", "row.ts.getHours('Europe/Berlin')", "row.ts.getDate('-08:30')",
		"row.ts.getMinutes('-00:30')", "row.ts.getFullYear('')", "row.tm.getHours()", "row.tu.getMinutes()", "row.tm.getSeconds()", "row.tu.getMilliseconds()",
		"air[row.c].fleet", "air[row.c].fleet + 1", "air[row.c] == null ? -1 : air[row.c].fleet", "air[row.c].fleet == null ? 0 : air[row.c].fleet",
		"has(air[row.c].fleet) ? 1 : 2", "air[row.c].fleet == null ? 1 : size(air['UA'].name)", "air['UA'].fleet", "air[row.s + 'UA'].fleet == null ? 1 : 2", "air[air[row.c].key].fleet", "{'x': 1, 'Xx': 2, '': 3}[row.ns]",
		"row.ni == null ? 0 : row.ni", "row.b ? row.i : row.l", "row.b ? row.ni : row.l", "row.b ? row.ni + row.l : row.l + row.ni", "row.l > 3 ? null : row.ni", "row.b ? row.ni : null", "row.b ? null : (row.i > 0 ? null : row.ni)",
		"air[row.c] == null ? (air[row.ns] == null ? 1 : 2) : air['XX'].fleet",
	},
	"double": {
		"row.f + row.d", "row.d - 1.5", "row.d * row.nd", "row.d / row.f", "-row.d", "double(row.l)", "double(row.d)", "double(row.s)", "double(row.ns)", "math.greatest(row.d, 1.5)",
		"math.least(row.d, row.nd)", "math.greatest(row.d, -0.0, 0.0)", "math.least(0.0, -0.0, row.d)", "math.abs(row.d)", "math.ceil(row.d)", "math.floor(row.d)", "math.round(row.d)", "math.trunc(row.f)",
		"math.sqrt(row.d)", "math.sqrt(row.l)", "air[row.c].rate * 2.0", "row.b ? row.d : 1.0", "{'x': 1.5}[row.ns]",
	},
	"bool": {
		"row.i < row.l", "row.l <= 3", "row.l > row.ni", "row.l >= 0", "row.l == row.i", "row.l != 1", "row.d < row.f", "row.d >= 2.5", "row.d == row.nd", "row.d > 1", "row.l < row.d", "row.d <= row.l",
		"row.s < row.ns", "row.s == 'x'", "row.en == 'x'", "row.u != row.s", "row.b == true", "row.b < (row.i > 0)", "row.b >= true", "!row.b", "row.b && row.l > 0", "row.l / row.i > 1 || row.b", "row.b && row.d == row.d",
		"row.s.startsWith('X')", "row.s.endsWith(row.ns)", "row.s.contains('b')", "row.s.matches('^[a-zX]+$')", "matches(row.ns, 'X|\\\\d')", "bool(row.s)", "bool(row.ns)", "bool(row.b)",
		"math.isNaN(row.d)", "math.isInf(row.d)", "math.isFinite(row.d)", "row.l in [1, 2, row.i]", "row.d in [2.5, -1.0]", "row.s in ['x', 'y']", "row.ns in ['x', 'Xx', 'a', 'b', 'c', 'd', '007']",
		"row.s in {'x': 1, '': 2}", "row.ts in [row.nt, timestamp('2024-02-29T23:59:59Z')]", "row.tm in [duration('3ms'), row.tu]", "row.p in [decimal('0'), decimal('1.28'), row.np]",
		"row.ts < row.nt", "row.dt == row.ts", "row.ts >= timestamp('2013-07-04T00:00:00Z')", "row.ts - row.lu > duration('1s')", "row.tm <= row.tu", "row.tm == duration('2ms')",
		"row.p < row.np", "decimal(row.l) > row.p", "decimal(row.l) < decimal(row.ni) * decimal('1.5')", "row.p == row.fp", "row.fp >= decimal('1.5')", "row.np != row.p", "row.ni == null", "null != row.ns", "has(row.nd)", "air[row.c] == null", "null != air[row.c]",
		"air[row.c].fleet != null", "has(air[row.c].since)", "air[row.c].hub", "air[row.c].hub && row.b", "row.b || air[row.c].hub", "row.b || row.ni > 0", "row.l > 0 && row.nd > 1.0", "air[row.c] == null || air['XX'].hub", "row.b ? row.nb : null", "air[row.ns] == null", "air[row.c].since > row.dt", "row.b ? row.i > 0 : row.l > 0", "{'x': true}[row.ns]",
	},
	"string": {
		"row.s + row.ns", "row.ns + '-' + string(row.l) + row.ns", "string(row.s)", "string(row.l)", "string(row.d)", "string(row.b)", "string(row.ts)", "string(row.dt)", "string(row.tn)", "string(row.tm)", "string(row.tu)", "string(row.p)", "string(row.fp)",
		"string(row.np)", "row.s.upperAscii()", "row.s.lowerAscii()", "row.s.trim()", "row.ns.trim()", "row.s.reverse()", "row.s.charAt(1)", "row.s.substring(1)", "row.s.substring(row.ni)", "row.s.substring(1, 2)", "row.ns.substring(0, row.i)",
		"row.s.replace('X', 'yy')", "row.ns.replace('x', '')", "row.ns.replace('', 'z')+'x'.replace(row.ns, 'y')", "row.ns.split('X')[1]", "row.s.split('X')[0]", "row.ns.split(row.s)[0]", "row.en + row.u", "row.b ? row.s : row.ns",
		"row.s == 'x' ? null : row.ns", "air[row.c].name", "air[row.c].name + '!'", "air[row.c] == null ? 'none' : air[row.c].name", "air[row.c] == null ? null : air[row.c].key", "{'x': 'ex', 'Xx': 'double'}[row.ns]",
		"string(decimal('-0.05') * row.p)", "string(row.ts + duration('1h'))", "string(duration('90m') + row.tm)",
	},
	"timestamp": {
		"row.ts + row.tm", "row.tm + row.ts", "row.ts + duration('25h')", "row.dt - row.tu", "row.nt - duration('1ns')", "timestamp(row.l)", "timestamp(row.i)", "timestamp(row.s)", "timestamp(row.ns)", "timestamp(row.ts)",
		"row.b ? row.ts : row.nt", "air[row.c].since + row.tm", "row.lu + duration('-1us')", "row.tn + duration('1ns')",
	},
	"duration": {
		"row.tm + row.tu", "row.tm - row.tu", "row.ts - row.nt", "row.dt - row.ts", "duration(row.s)", "duration(row.ns)", "duration(row.tm)", "row.b ? row.tm : row.tu", "air[row.c].cut", "air[row.c].cut + row.tm",
	},
	"decimal": {
		"row.p + row.np", "decimal(row.l) + decimal(row.ni)", "decimal(row.l) - decimal(row.ni)", "row.p - row.fp", "row.p * row.p", "row.np * row.fp", "row.fp * decimal('0.5')", "decimal(row.l)", "decimal(row.i) * row.p", "decimal(row.s)", "decimal(row.ns)", "row.b ? row.p : row.np", "air[row.c].price",
		"air[row.c].price + row.p",
	},
}

var directKinds = []string{"int", "double", "bool", "string", "timestamp", "duration", "decimal"}

// expressions draws an expression of a CEL type: a construct with some of its fields replaced by others of their type.
func expressions(t *rapid.T, kind string, depth int) string {
	leaves := map[string][]string{
		"int":       {"row.i", "row.l", "row.ni", "7", "-3", "9223372036854775807", "0", "air[row.c].fleet"},
		"double":    {"row.f", "row.d", "row.nd", "2.5", "-0.0", "1e300"},
		"bool":      {"row.b", "true", "row.ni == null", "null != row.ns", "has(row.nd)", "air[row.c] == null"},
		"string":    {"row.s", "row.ns", "'x'", "''", "'Ünï'", "row.en", "air[row.c].name"},
		"timestamp": {"row.ts", "row.dt", "row.nt", "row.lu", "timestamp('2024-02-29T10:00:00Z')"},
		"duration":  {"row.tm", "row.tu", "duration('36h')", "duration('-1ns')"},
		"decimal":   {"row.p", "row.np", "row.fp", "decimal('1.19')"},
	}
	if depth == 0 {
		return rapid.SampledFrom(leaves[kind]).Draw(t, "leaf")
	}
	if rapid.IntRange(0, 6).Draw(t, "choice") == 0 {
		return fmt.Sprintf("(%s ? %s : %s)", expressions(t, "bool", depth-1), expressions(t, kind, depth-1), expressions(t, kind, depth-1))
	}
	text := rapid.SampledFrom(constructs[kind]).Draw(t, "construct")
	if strings.Contains(text, "null") || strings.Contains(text, "has(") {
		return "(" + text + ")"
	}
	return "(" + fieldName.ReplaceAllStringFunc(text, func(field string) string {
		if of := fieldKinds[field]; of != "" && rapid.Bool().Draw(t, "replace") {
			return "(" + expressions(t, of, depth-1) + ")"
		}
		return field
	}) + ")"
}

var fieldName = regexp.MustCompile(`row\.[a-z]+`)

var fieldKinds = map[string]string{"row.l": "int", "row.i": "int", "row.d": "double", "row.s": "string", "row.ns": "string", "row.b": "bool", "row.ts": "timestamp",
	"row.tm": "duration", "row.p": "decimal", "row.nt": "timestamp", "row.ni": "int"}
