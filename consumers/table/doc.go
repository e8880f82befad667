// Package table is in the consumers room: it prints records for people and for other programs.
//
//	format  one record becomes
//	table   a line of aligned columns under a header; a new header when the columns change
//	json    a line of JSON: the value alone, or {"partition","offset","timestamp","key","value"} with Meta
//	csv     a line of comma-separated values under one header; null is the Null text (default: nothing, while "" is the empty text)
//	raw     the value's bytes as they are, and a line end
//
// A value without a schema is one column called value. With Meta, table and csv have the columns partition, offset, timestamp and key in front.
// An Avro key is shown as what it holds: in json as its JSON, in table and csv as the text of its value, or as JSON where it is a record.
package table
