// Package registry is in the schemas room: a schema registry that any Confluent client takes for the real thing, as rules
// and HTTP over a log that somebody else keeps.
//
// The whole state is what the log says, in the order in which it says it; nothing else is remembered. A write is planned
// against the state, appended to the log, read back, and only then answered. So several instances on one log agree, one
// registry can take over another's topic, and a restart is a replay.
//
// Records of the log (keys are compact JSON whose bytes are compared by compaction):
//
//	key                                                              value
//	{"keytype":"SCHEMA","subject":"s","version":1,"magic":1}         subject, version, id, schema, deleted, ...; null forgets the version
//	{"keytype":"CONFIG","subject":"s" or null,"magic":0}             subject, compatibilityLevel, ...; null removes it
//	{"keytype":"MODE","subject":"s" or null,"magic":0}               subject, mode; null removes it
//	{"keytype":"DELETE_SUBJECT","subject":"s","magic":0}             subject, version N: versions up to N are soft-deleted
//	{"keytype":"CLEAR_SUBJECT","subject":"s","magic":0}              subject: its versions are forgotten
//	{"keytype":"NOOP","magic":0}                                     null: found the end of the log
//	{"keytype":"STRIPELINE_IDS","context":".","magic":0}             context, maxId, ids {hash: id}: what permanent deletes would forget;
//	                                                                 further pages have "page":1 and so on before "magic"
//
// Anything else is kept in the log and left alone.
//
// What the giver of the log must provide beside it: [Options.Leader] says whether this instance may write, under which
// term, and where the leader is otherwise. A follower serves reads and answers writes with 50003 (leader known) or 50004
// (not known). At the first write of a term the registry appends a NOOP and reads up to it before it allocates an id.
package registry
