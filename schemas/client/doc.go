// Package client is in the schemas room: a client of a Confluent-compatible schema registry with a cache in front, and the
// pure questions that a person asks of schemas before anything is written: what differs, what would break, what would fit
// these rows.
//
// What is kept, and for how long:
//
//	schema by id            for ever: an id never stands for another schema
//	latest of a subject     Config.LatestTTL, or until Refresh
//	"there is none"         Config.NegativeTTL, so that unknown ids in records cannot become load on the registry
//	anything else           not at all
//
// Per key one request is in flight, whoever waits for it. A request goes to one URL after the other, then again after a
// pause that doubles, with jitter, until the attempts are spent or the context ends. What may have been carried out and is
// not safe to repeat is not repeated.
package client
