package schemas

import "fmt"

// Partition gives the partition of a key as Kafka's Java client computes it: murmur2(key), sign bit cleared,
// modulo count. librdkafka does the same with partitioner=murmur2_random.
func Partition(key []byte, count int32) int32 {
	return int32(murmur2(key)&0x7fffffff) % count
}

// CheckPartition rejects a record that does not lie where its key belongs.
func CheckPartition(key []byte, partition, count int32) error {
	want := Partition(key, count)
	if want == partition {
		return nil
	}
	return Reject("partition", fmt.Sprintf("key %x lies in partition %d, murmur2 puts it in %d of %d: "+
		"set the producing client's partitioner (librdkafka: partitioner=murmur2_random)", key, partition, want, count))
}

// murmur2 is Austin Appleby's MurmurHash2 with the seed that Kafka uses.
func murmur2(data []byte) uint32 {
	const m, r, seed = 0x5bd1e995, 24, 0x9747b28c
	h := uint32(seed) ^ uint32(len(data))
	for ; len(data) >= 4; data = data[4:] {
		k := uint32(data[0]) | uint32(data[1])<<8 | uint32(data[2])<<16 | uint32(data[3])<<24
		k *= m
		k ^= k >> r
		k *= m
		h = h*m ^ k
	}
	switch len(data) {
	case 3:
		h ^= uint32(data[2]) << 16
		fallthrough
	case 2:
		h ^= uint32(data[1]) << 8
		fallthrough
	case 1:
		h = (h ^ uint32(data[0])) * m
	}
	h ^= h >> 13
	h *= m
	return h ^ h>>15
}
