package schemas

// TargetState is what the holder of a target's lock, or repair, says of it.
type TargetState string

// The states of a target.
const (
	TargetUp       TargetState = "UP"
	TargetSick     TargetState = "SICK"
	TargetDown     TargetState = "DOWN"
	TargetOut      TargetState = "OUT"
	TargetDraining TargetState = "DRAINING"
)

// Target is a directory that keeps shards. Its Avro form is avsc/target.avsc.
type Target struct {
	ID      TargetID    `avro:"id"`
	Node    string      `avro:"node"`
	Rack    string      `avro:"rack"`
	Domain  string      `avro:"domain"` // no two cells of a stripe lie in one
	Address string      `avro:"address"`
	State   TargetState `avro:"state"`
	Free    int64       `avro:"free"` // bytes
	Time    int64       `avro:"time"` // milliseconds since 1970: of the heartbeat
}
