// Package catalog is in the consumers room: the views of the files and blocks topics that readers and writers ask, and
// wait on. Who feeds them puts every committed record of a partition in the order of its log; across partitions any
// order will do. The views keep nothing of a record, and what they give out is not to be changed.
//
// All methods may be called from many goroutines. A view knows what was put into it; whoever needs what is committed
// now brings the feed to the end of the log first.
package catalog
