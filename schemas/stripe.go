package schemas

// Delivery is a packet as it came from its topic: with key and partition, which verify checks against the packet.
type Delivery struct {
	Packet     Packet
	Key        []byte
	Partition  int32
	Partitions int32 // of the topic
}

// Stripe is a verified packet with its cells. For END and FENCE packets it has none.
//
// Cells has n entries in order of index; an empty cell is nil. Data cells are slices of the packet's payload, parity
// cells lie in a pooled buffer. Sums holds each cell's chunk checksums. Who holds the stripe owns its buffers and calls
// Release once, when no cell is needed any more.
type Stripe struct {
	Packet  Packet
	Policy  Policy
	Cells   [][]byte
	Sums    [][]byte
	Targets []TargetID // where each index belongs by placement; the zero id where there is no target for it
	Free    func()     // gives the parity buffer back; nil when there is none
}

// Release gives the stripe's buffers back. The cells must not be used afterwards.
func (s *Stripe) Release() {
	if s.Free != nil {
		s.Free()
		s.Free = nil
	}
}
