// Package flow is in the pipeline room: it runs links. A link is the stages between topics that run as one consumer group;
// flow gives it records in order, counts what they weigh, makes their effects durable, files what is rejected, and only
// then commits.
//
// Three links:
//
//	SinkLink   topic > stage > sink > topic     at least once
//	StageLink  topic > stage > topic            at least once
//	FoldLink   topic > fold > compacted topic   exactly once
//
// The life of a record in an at-least-once link:
//
//  1. The poll loop fetches it when the link's byte budget has room, and queues it to its partition.
//  2. The partition's goroutine runs the stage and starts the effects, in order.
//  3. When every effect is durable (flushed, and its acks or its reject confirmed by the brokers) the record is done.
//  4. The offset after the longest run of done records from the front is committed: never one that has work before it.
//
// A partition that is revoked takes no new records, finishes what it started within a bound, commits, and ignores what
// comes later. A partition that is lost ignores everything at once.
//
// A FoldLink keeps one value per key in memory. What it emits, what it rejects and its position are one transaction;
// memory and position are read back from the output whenever a partition is assigned or a transaction did not commit.
//
// Commit metadata and position records name the input's topic id and partition count: a link refuses to run on others.
package flow
