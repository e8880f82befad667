// Package kafka is in the pipeline room: the one door to a Kafka cluster. Everything here speaks in topics, partitions,
// offsets and records; no other package of the project imports a Kafka client.
//
// What each type is for:
//
//	Cluster     a connection, and what an administrator asks of it
//	Producer    writes records, acks=all and idempotent
//	Reader      reads partitions from given offsets, read committed, outside any group
//	Group       a member of a consumer group, whose owner commits by itself
//	Transactor  writes records in transactions, and fences whoever had its id before
//
// Nothing here ever moves a position by itself: an offset out of range is an error with the partition's name in it, and
// the partition stays where it is.
package kafka
