package schemas

import (
	"bytes"
	"errors"
	"hash/crc32"
	"reflect"
	"testing"

	"pgregory.net/rapid"
)

func testCodecs() *Codecs {
	return NewCodecs(func(topic string) uint32 { return uint32(len(topic)) })
}

func roundTrip[T any](t *testing.T, c *Codec[T], v T) {
	t.Helper()
	b, err := c.Append(nil, &v)
	if err != nil {
		t.Fatalf("append: %v", err)
	}
	got, err := c.Decode(b)
	if err != nil || !reflect.DeepEqual(got, v) {
		t.Fatalf("decode: %v\n got %+v\nwant %+v", err, got, v)
	}
	for i := range b {
		if _, err := c.Decode(b[:i]); err == nil {
			t.Fatalf("decode of %d of %d bytes: no error", i, len(b))
		} else if _, ok := AsReject(err); !ok {
			t.Fatalf("decode of %d of %d bytes: %v is not a reject", i, len(b), err)
		}
	}
	if _, err := c.Decode(append(b, 0)); err == nil {
		t.Fatal("decode with a byte too many: no error")
	}
}

func TestCodecsKeepEveryField(t *testing.T) {
	c := testCodecs()
	file := NewFileID()
	version := NewGeneration(3, 1<<47+5)
	receipt := Receipt{Index: 8, Target: NewTargetID(), Domain: "d", Incarnation: NewIncarnation(), First: 1, Last: 3}
	roundTrip(t, c.Acks, Ack{Kind: AckReceipt, Block: file.Block(7), Generation: version, Policy: DefaultPolicy, Offset: 9,
		First: 1, Lengths: []int32{1, 2, 3}, CRCs: make([]byte, 12), Receipts: []Receipt{receipt}, Missing: []int32{4},
		Stripes: -1, FileLength: -1, Reason: "r"})
	roundTrip(t, c.Blocks, BlockRecord{Block: &Block{ID: file.Block(1), Generation: 1<<63 - 1, Policy: "p", State: BlockDegraded,
		Offset: 1, Length: 2, CRC: 1<<32 - 1, Runs: []Run{{5, 6}}, CRCs: []byte{1, 2, 3, 4}, Stored: 7, Full: 8, Missing: []int32{1},
		Last: true, FileLength: 9, Shards: []Shard{{Index: 1, Target: receipt.Target, Domain: "d", Incarnation: receipt.Incarnation,
			Ranges: []Range{{1, 2}}, State: ShardDrop}}}})
	roundTrip(t, c.Blocks, BlockRecord{Position: &Position{Link: "seal", Topic: [16]byte{1}, Partitions: 6, Next: 1, CRC: 2}})
	extents := []Extent{{Offset: 1, Block: file.Block(2), Blocks: 3, BlockOffset: 4, Length: 5}}
	roundTrip(t, c.Commands, Command{ID: NewCommandID(), Kind: CommandCommit, Path: "/a", To: "/b", File: file, Generation: version,
		Policy: "p", Blocks: 64, IfVersion: &version, Length: 1, CRC: 2, Extents: extents, Unused: []Numbers{{1, 2}},
		Metadata: map[string]string{"a": "b"}, Time: 1770000000000})
	roundTrip(t, c.Files, FileRecord{Entry: &Entry{Path: "/a", Version: version, File: file, Policy: "p", Length: 1, CRC: 2,
		Extents: extents, Metadata: map[string]string{"a": "b"}, Time: 3, Next: 4,
		Opens: []Open{{File: file, Generation: version, Policy: "p", Granted: []Numbers{{1, 2}}, Next: 3, Time: 4}}}})
	roundTrip(t, c.Files, FileRecord{Answer: &Answer{Command: NewCommandID(), Path: "/a", Code: AnswerOK, Message: "m",
		Generation: version, File: file, Granted: []Numbers{{0, 64}}, Time: 5}})
	roundTrip(t, c.Targets, Target{ID: NewTargetID(), Node: "n", Rack: "r", Domain: "d", Address: "file:///a", State: TargetUp, Free: 1, Time: 2})
}

func TestPacketHeadAndPayloadAreTheValue(t *testing.T) {
	c := testCodecs()
	rapid.Check(t, func(t *rapid.T) {
		payload := rapid.SliceOfN(rapid.Byte(), 1, 9000).Draw(t, "payload")
		p := Packet{Kind: PacketData, Block: NewFileID().Block(1), Generation: 5, Policy: DefaultPolicy, Stripe: 1, Offset: 2,
			CRC: CRC(payload), FileLength: -1, Path: "/p", Metadata: map[string]string{"k": "v"},
			Checksums: AppendSums(nil, payload), Payload: payload}
		head, err := c.Packets.AppendHead(nil, &p)
		if err != nil {
			t.Fatal(err)
		}
		whole, err := c.Packets.codec.Append(nil, &p)
		if err != nil || !bytes.Equal(append(head, payload...), whole) {
			t.Fatalf("head and payload differ from the encoded record: %v", err)
		}
		got, err := c.Packets.Decode(whole)
		if err != nil || !reflect.DeepEqual(got, p) {
			t.Fatalf("decode: %v, %+v", err, got)
		}
		if &got.Payload[0] != &whole[len(whole)-len(payload)] {
			t.Fatal("the payload was copied")
		}
	})
}

func TestCombineCRCIsTheCRCOfBoth(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.SliceOf(rapid.Byte()).Draw(t, "a"), rapid.SliceOf(rapid.Byte()).Draw(t, "b")
		both := crc32.Checksum(append(bytes.Clone(a), b...), crc32.MakeTable(crc32.Castagnoli))
		if got := CombineCRC(CRC(a), CRC(b), int64(len(b))); got != both {
			t.Fatalf("combined %08x, want %08x", got, both)
		}
	})
}

func TestCheckSumsFindsTheChunk(t *testing.T) {
	b := make([]byte, 2*ChunkSize+1)
	sums := AppendSums(nil, b)
	if got := CheckSums(sums, b); got != -1 {
		t.Fatalf("whole: chunk %d", got)
	}
	for i, chunk := range map[int]int{0: 0, ChunkSize - 1: 0, ChunkSize: 1, 2 * ChunkSize: 2} {
		b[i] ^= 1
		if got := CheckSums(sums, b); got != chunk {
			t.Errorf("flip at %d: chunk %d, want %d", i, got, chunk)
		}
		b[i] ^= 1
	}
	if CheckSums(sums[:8], b) != 2 || CheckSums(append(sums, 0, 0, 0, 0), b) != 3 {
		t.Error("a wrong number of checksums passes")
	}
}

// The values are those of Kafka's own test of its murmur2 (UtilsTest.testMurmur2).
func TestMurmur2IsKafkas(t *testing.T) {
	for key, want := range map[string]int32{"21": -973932308, "foobar": -790332482, "a-little-bit-long-string": -985981536,
		"a-little-bit-longer-string": -1486304829, "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971, "abc": 479470107} {
		if got := int32(murmur2([]byte(key))); got != want {
			t.Errorf("murmur2(%q) = %d, want %d", key, got, want)
		}
	}
}

func TestFrameSurvivesAndEveryFlipIsFound(t *testing.T) {
	cell := bytes.Repeat([]byte("stripe"), 1000)
	f := Frame{Kind: FrameCell, Index: 8, Block: NewFileID().Block(9), Generation: 1 << 50, Stripe: 4095, StripeLength: 6001,
		CellLength: int32(len(cell)), Offset: 1 << 40, FileLength: -1, CRC: 7, Sums: AppendSums(nil, cell)}
	b := AppendFrame(nil, &f)
	if len(b) != FrameHeaderSize(len(cell)) || f.Size() != len(b)+len(cell) {
		t.Fatalf("header is %d bytes, said %d", len(b), FrameHeaderSize(len(cell)))
	}
	got, err := ParseFrame(append(b, cell...))
	if err != nil || !reflect.DeepEqual(got, f) {
		t.Fatalf("parse: %v\n got %+v\nwant %+v", err, got, f)
	}
	everyFlipAndCut(t, b, func(b []byte) error { _, err := ParseFrame(b); return err })
	if _, err := ParseFrame(make([]byte, 4096)); !errors.Is(err, ErrBadFrame) {
		t.Fatalf("zeros: %v", err)
	}
}

func TestShardHeaderSurvivesAndEveryFlipIsFound(t *testing.T) {
	h := ShardHeader{Block: NewFileID().Block(1), Generation: 2, Index: 3, Incarnation: NewIncarnation(), Policy: DefaultPolicy,
		Path: "/a/b", Metadata: map[string]string{"k": "v", "j": ""}}
	b := AppendShardHeader(nil, &h)
	got, size, err := ParseShardHeader(append(bytes.Clone(b), 1, 2, 3))
	if err != nil || size != len(b) || !reflect.DeepEqual(got, h) {
		t.Fatalf("parse: %v, %d of %d bytes, %+v", err, size, len(b), got)
	}
	everyFlipAndCut(t, b, func(b []byte) error { _, _, err := ParseShardHeader(b); return err })
}

func everyFlipAndCut(t *testing.T, b []byte, parse func([]byte) error) {
	t.Helper()
	for i := range b {
		for bit := range 8 {
			bad := bytes.Clone(b)
			bad[i] ^= 1 << bit
			if err := parse(bad); !errors.Is(err, ErrBadFrame) {
				t.Fatalf("bit %d of byte %d flipped: %v", bit, i, err)
			}
		}
		if err := parse(b[:i]); !errors.Is(err, ErrBadFrame) {
			t.Fatalf("%d of %d bytes: %v", i, len(b), err)
		}
	}
}

func TestPolicies(t *testing.T) {
	for name, want := range map[string]Policy{"RS-6-3-64k": {ReedSolomon, 6, 3, 65536}, "XOR-2-1-1024k": {XOR, 2, 1, 1 << 20},
		"REP-3": {Replication, 1, 2, 384 << 10}, "RS-10-4-1024k": {ReedSolomon, 10, 4, 1 << 20}, "RS-200-55-4k": {ReedSolomon, 200, 55, 4096}} {
		got, err := ParsePolicy(name)
		if err != nil || got != want || got.String() != name {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	for _, name := range []string{"", "RS", "RS-6-3", "RS-6-3-64", "RS-6-3-63k", "RS-0-3-64k", "RS-6-0-64k", "RS-200-56-64k", "XOR-3-1-64k",
		"REP-0", "REP--1", "REP-3-1-64k", "rs-6-3-64k", "RS-06-3-64k", "RS-6-3-64kk", "LRC-6-3-64k", "RS-6-3-99999999k"} {
		if _, err := ParsePolicy(name); !errors.Is(err, ErrBadPolicy) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestCellLengthsAreHDFS(t *testing.T) {
	p, _ := ParsePolicy(DefaultPolicy)
	c := p.Cell
	for length, want := range map[int][]int{c - 10: {c - 10, 0, 0, 0, 0, 0, c - 10, c - 10, c - 10}, c + 10: {c, 10, 0, 0, 0, 0, c, c, c},
		6*c - 10: {c, c, c, c, c, c - 10, c, c, c}, 1: {1, 0, 0, 0, 0, 0, 1, 1, 1}} {
		for index, w := range want {
			if got := p.CellLength(index, length); got != w {
				t.Errorf("stripe of %d, cell %d: %d, want %d", length, index, got, w)
			}
		}
	}
}

func TestPaths(t *testing.T) {
	for _, good := range []string{"/a", "/a/b c/ü", "/..a"} {
		if err := CheckPath(good); err != nil {
			t.Error(err)
		}
	}
	for _, bad := range []string{"", "/", "a", "/a/", "//a", "/a/../b", "/./a", "/a\n", "/\xff"} {
		if err := CheckPath(bad); !errors.Is(err, ErrBadPath) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if Volume("/a") != "" || Volume("/v/a/b") != "v" {
		t.Error("volume")
	}
}

func TestADecodedPacketKeepsNothingOfItsRecordButThePayload(t *testing.T) {
	c := testCodecs()
	want := Packet{Kind: PacketData, Policy: DefaultPolicy, FileLength: -1, Path: "/a/b", Metadata: map[string]string{"key": "value"},
		Checksums: make([]byte, 4), Payload: []byte("payload")}
	b, err := c.Packets.Append(nil, &want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.Packets.Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	clear(b)
	if got.Kind != want.Kind || got.Policy != want.Policy || got.Path != want.Path || got.Metadata["key"] != "value" {
		t.Fatalf("names alias the record: %+v", got)
	}
	if !bytes.Equal(got.Payload, make([]byte, 7)) {
		t.Fatal("the payload was copied")
	}
}
