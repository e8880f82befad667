// Package rowplan is in the schemas room: it compiles an Avro schema once into a plan that turns rows of text into Avro binary, and Avro
// binary back into text, without maps and, for the ordinary types, without allocations.
//
// Two directions, one tree of types:
//
//	Compile  schema + header -> Plan    cells  -> Avro record value (no Confluent header; the caller puts it in front)
//	Walk     schema          -> Walker  Avro   -> field offsets, JSON line, CSV line, cells, Go values
//
// How a cell is read. Rules in order; the first that fits decides.
//
//	cell                                   becomes
//	equal to a null token of its column    null; a reject where the field has no null. Quoted cells compare too, save the empty one
//	quoted and empty ("")                  the empty string, which only string, bytes and the like take
//	unquoted and empty                     null if the field's union has null, else "" for string and bytes, else a reject
//	anything else                          the value below; in a union of several types the first branch that takes it, text branches last
//
//	type                          text
//	boolean                       true false TRUE FALSE True False t f T F 1 0
//	int, long                     an optional sign and decimal digits, in range
//	float, double                 a decimal number with optional exponent, NaN, Inf, Infinity; a finite text beyond the range is a reject
//	string                        valid UTF-8, as it is
//	bytes                         as it is
//	fixed(n)                      n bytes as they are, or 2n hexadecimal digits
//	enum                          one of the symbols
//	decimal(p, s)                 sign, digits, point, exponent; never rounded: more than s decimals are a reject unless they are zeros
//	date                          YYYY-MM-DD
//	time-millis, time-micros      HH:MM, HH:MM:SS, HH:MM:SS.fraction
//	timestamp-*                   RFC 3339 with T or a space, always with Z or an offset; or an integer in the unit of the type
//	local-timestamp-*             the same without Z or offset; or an integer in the unit of the type
//	uuid                          8-4-4-4-12 hexadecimal digits
//	duration                      ISO 8601: P1Y2M3DT4H5M6.789S, P2W
//	array, map, record            JSON; strings and numbers in it follow this table, null is null, bytes are code points as in Avro's JSON
//
// A fraction of a second finer than the type is a reject unless its further digits are zeros. Column names are matched to field names, then to
// field aliases, exactly. A field of a nested record has the dotted name `record.field`; a nested record that may be null is null when all of
// its columns are null or empty.
package rowplan
