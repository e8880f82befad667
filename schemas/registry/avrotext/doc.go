// Package avrotext is in the schemas room: it reads an Avro schema as an ordered tree and writes it back as Avro Java does.
//
// A registry's ids hang on the stored text of a schema, and every client of the JVM world expects the text that Avro Java
// 1.12.1's Schema.toString gives. Three texts come out of one parsed [Document]:
//
//	Text      Schema.toString: short names within a namespace, defaults and properties as they were written
//	Resolved  the same with the definitions of referenced schemas written out at their first use
//	Normal    the form compared under normalize=true: full names, sorted aliases and properties
//	Plain     names, types, defaults and aliases only: what is handed to the Avro library to be judged
//
// The package checks shape (a record has a name and fields, a fixed has a size) but not Avro's rules about names, defaults
// and unions: those are judged by the Avro library on the Plain text, in which no logical type stands, because Avro Java
// ignores a logical type that does not fit.
package avrotext
