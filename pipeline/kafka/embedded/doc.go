// Package embedded is in the pipeline room: a Kafka broker in this process, kept on disk, for everyone who has no cluster.
//
// The broker is kfake, which speaks the whole protocol but was made for tests. What it lacks for a life outside of them is added here, each by one
// guard:
//
//	fault of the bare broker                                   guard
//	an unknown API key ends the process                        frame.go: a connection is cut before such a frame is read
//	a frame of any size is allocated (an HTTP GET: 1.2 GB)     frame.go: at most MaxFrame bytes
//	advertises "::" when bound to every address                listener.go: its own advertised address
//	Java clients refuse features whose minimum is 0            apiversions.go: left out of version 3
//	DescribeTopicPartitions answers null lists                 apiversions.go: not offered, clients ask for metadata
//	CreateTopics may answer null configs                       createtopics.go: its own answer
//	OffsetForLeaderEpoch answers -1 after a leader move        leaderepoch.go: its own answer
//	DeleteRecords may take the last record, and a partition    deleterecords.go: one record stays
//	without records forgets its end when started again         refill.go: an empty batch holds the end
//	retention and compaction do not go on after a start        tidy.go: our own clock
//	retention and compaction see open transactions             tidy.go: only while no request runs and none is open
//	a crash in compaction loses the partition                  backup.go: the old segments are linked aside first
//	compaction moves the log's start under a reader            fetchfloor.go: an older fetch goes on at the new start
//	topics named at start are ignored after the first start    broker.go: they are created when they are missing
//	a power loss cuts the log silently                         ends.go, loss.go: the ends are witnessed, and checked at start
//	a full disk loses the mark of a committed transaction      space.go: records are refused while there is room for marks
//	a killed transaction keeps readers from the stable end     dangling.go: after a crash its abort marker is written
//	two processes may open one directory                       lock.go
//
// It is safe against kill -9. Against power loss it is safe only with SyncWrites, and only as far as the file system keeps new names.
package embedded
