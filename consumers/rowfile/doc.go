// Package rowfile is in the consumers room: it writes the records of topics to files that are complete or not there.
//
//	name in the directory                                what it is
//	.stripeline                                          marker: the group and topic that the directory belongs to, JSON
//	.<topic>-<partition>.lock                            who writes the partition's files holds a lock (flock) on it
//	.<topic>-<partition>-<first>.part                    the file that is being written
//	<topic>-<partition>-<first>-<last>.<avro|json|csv>   a complete file: the records from offset first to offset last
//
// Partition numbers have five digits, offsets twenty, so that names sort as records do. A file is written under its temporary name, fsynced and
// then given its final name: see package durable. Whoever takes a partition over removes what is half-written and goes on behind the highest last
// offset under a final name, so that each record is in exactly one complete file whatever is killed. That offset is the whole memory: leave the
// newest file of each partition where it is.
package rowfile
