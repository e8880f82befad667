package blockfile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"

	"stripeline/schemas"
)

const (
	testPolicy  = "RS-3-2-4k"
	smallPolicy = "RS-1-1-4k" // its blocks have 16 MiB
)

func testConfig(t testing.TB, policy string) Config {
	p, err := schemas.ParsePolicy(policy)
	if err != nil {
		t.Fatal(err)
	}
	return Config{File: schemas.NewFileID(), Generation: 9, Policy: p, Path: "/v/a", Metadata: map[string]string{"k": "v"},
		Grant: func(context.Context, int) ([]schemas.Numbers, error) { return nil, errors.New("no grant expected") },
		// one number per block that the tests reach
		Granted: []schemas.Numbers{{First: 0, Count: schemas.MaxGrant}}}
}

// cut gives all packets, with payloads of their own.
func cut(t fatal, c *Cutter) []schemas.Packet {
	t.Helper()
	var packets []schemas.Packet
	for {
		space := make([]byte, c.config.Policy.Stripe())
		p, err := c.Next(context.Background(), space)
		if errors.Is(err, io.EOF) {
			return packets
		}
		if err != nil {
			t.Fatalf("next: %v", err)
		}
		if len(p.Payload) > 0 && &p.Payload[0] != &space[0] {
			t.Fatalf("%s: the payload is not at the beginning of the space", &p)
		}
		packets = append(packets, p)
	}
}

type fatal interface {
	Helper()
	Fatalf(string, ...any)
}

// check compares the packets with the input: every number, length and checksum, by definition and not by running sums.
func check(t fatal, config Config, data []byte, packets []schemas.Packet) {
	t.Helper()
	policy := config.Policy
	var at, began int
	var stripe int32
	open := false
	for i, p := range packets {
		want := schemas.Packet{Kind: p.Kind, Block: p.Block, Generation: config.Generation, Policy: policy.String(), Stripe: stripe,
			Offset: config.Offset + int64(at), FileLength: -1, Payload: p.Payload}
		switch p.Kind {
		case schemas.PacketData:
			if stripe == 0 {
				want.Path, want.Metadata, began, open = config.Path, config.Metadata, at, true
			}
			want.CRC, want.Checksums = schemas.CRC(p.Payload), schemas.AppendSums(nil, p.Payload)
			n := len(p.Payload)
			if at+n > len(data) || !bytes.Equal(p.Payload, data[at:at+n]) || n != policy.Stripe() && at+n != len(data) || n == 0 {
				t.Fatalf("packet %d has %d bytes at %d, or others than the input", i, n, at)
			}
			at += n
			stripe++
		case schemas.PacketEnd:
			want.CRC = schemas.CRC(data[began:at])
			if i == len(packets)-1 {
				want.Last, want.FileLength, want.Path = true, config.Offset+int64(len(data)), config.Path
			} else if stripe != Stripes(p.Block.Number(), policy) {
				t.Fatalf("block %d ends after %d stripes", p.Block.Number(), stripe)
			}
			stripe, open = 0, false
		}
		if !reflect.DeepEqual(p, want) {
			t.Fatalf("packet %d:\n got %+v\nwant %+v", i, p, want)
		}
		if p.Block.File() != config.File || i > 0 && p.Block != packets[i-1].Block && packets[i-1].Kind != schemas.PacketEnd {
			t.Fatalf("packet %d: block %s", i, p.Block)
		}
	}
	if at != len(data) || open {
		t.Fatalf("%d bytes of %d, or the last block has no end", at, len(data))
	}
}

func pattern(length int) []byte {
	b := make([]byte, length)
	for i := range b {
		b[i] = byte(i%29 + 1)
	}
	return b
}

// TestLengths has the lengths of HDFS's TestDFSStripedOutputStream: c cell, s stripe, b block.
func TestLengths(t *testing.T) {
	for _, policy := range []string{smallPolicy, testPolicy, "RS-6-3-64k", "RS-6-3-1024k", "XOR-2-1-64k", "REP-3"} {
		config := testConfig(t, policy)
		c, s := config.Policy.Cell, config.Policy.Stripe()
		b := s * int(Stripes(0, config.Policy))
		lengths := []int{0, 1, c - 1, c, s - 1, c + 123, s, s + 123, 2*s + 123}
		if policy == smallPolicy {
			lengths = append(lengths, b-s+c, b-123, b, b+123, b+c+123)
		}
		for _, n := range lengths {
			t.Run(fmt.Sprint(policy, "/", n), func(t *testing.T) {
				data := pattern(n)
				cutter := New(bytes.NewReader(data), config)
				packets := cut(t, cutter)
				check(t, config, data, packets)
				if cutter.Length() != int64(n) || cutter.CRC() != schemas.CRC(data) {
					t.Errorf("length %d, CRC %08x", cutter.Length(), cutter.CRC())
				}
				if n == 0 && len(packets) > 0 {
					t.Errorf("packets of an empty input: %v", packets)
				}
			})
		}
	}
}

func TestExtentsAndBlocksCoverTheInput(t *testing.T) {
	config := testConfig(t, smallPolicy)
	block := config.Policy.Stripe() * int(Stripes(0, config.Policy))
	config.Offset = 1000
	config.Granted = []schemas.Numbers{{First: 3, Count: 2}, {First: 9, Count: 1}, {First: 20, Count: 4}}
	data := pattern(3*block + 5)
	c := New(bytes.NewReader(data), config)
	check(t, config, data, cut(t, c))
	want := []schemas.Extent{
		{Offset: 1000, Block: config.File.Block(3), Blocks: 2, Length: 2 * int64(block)},
		{Offset: 1000 + 2*int64(block), Block: config.File.Block(9), Blocks: 1, Length: int64(block)},
		{Offset: 1000 + 3*int64(block), Block: config.File.Block(20), Blocks: 1, Length: 5},
	}
	if got := c.Extents(); !reflect.DeepEqual(got, want) {
		t.Errorf("extents\n got %+v\nwant %+v", got, want)
	}
	if got := c.Unused(); !reflect.DeepEqual(got, []schemas.Numbers{{First: 21, Count: 3}}) {
		t.Errorf("unused %+v", got)
	}
	blocks := c.Blocks()
	last := Block{ID: config.File.Block(20), Offset: 1000 + 3*int64(block), Length: 5, Stripes: 1, CRC: schemas.CRC(data[3*block:])}
	if len(blocks) != 4 || blocks[3] != last {
		t.Errorf("blocks %+v", blocks)
	}
}

func TestErrorsStay(t *testing.T) {
	broken := errors.New("broken")
	for name, test := range map[string]struct {
		in     io.Reader
		change func(*Config)
		space  int
		want   error
	}{
		"short space":     {bytes.NewReader(pattern(5)), func(*Config) {}, 100, ErrShortSpace},
		"broken input":    {iotest.ErrReader(broken), func(*Config) {}, 12288, broken},
		"refused grant":   {bytes.NewReader(pattern(5)), func(c *Config) { refuse(c, nil, broken) }, 12288, broken},
		"empty grant":     {bytes.NewReader(pattern(5)), func(c *Config) { refuse(c, nil, nil) }, 12288, ErrNumbers},
		"number too high": {bytes.NewReader(pattern(5)), func(c *Config) { refuse(c, []schemas.Numbers{{First: 1 << 32, Count: 1}}, nil) }, 12288, ErrNumbers},
		"negative number": {bytes.NewReader(pattern(5)), func(c *Config) { refuse(c, []schemas.Numbers{{First: -1, Count: 1}}, nil) }, 12288, ErrNumbers},
	} {
		config := testConfig(t, testPolicy)
		test.change(&config)
		c := New(test.in, config)
		for range 2 {
			if _, err := c.Next(t.Context(), make([]byte, test.space)); !errors.Is(err, test.want) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if len(c.Extents()) > 0 {
			t.Errorf("%s: extents %+v", name, c.Extents())
		}
	}
}

func refuse(c *Config, granted []schemas.Numbers, err error) {
	c.Granted = nil
	c.Grant = func(context.Context, int) ([]schemas.Numbers, error) { return granted, err }
}

func TestInputThatBreaksInTheMiddle(t *testing.T) {
	config := testConfig(t, testPolicy)
	broken := errors.New("broken")
	c := New(io.MultiReader(bytes.NewReader(pattern(config.Policy.Stripe()+7)), iotest.ErrReader(broken)), config)
	space := make([]byte, config.Policy.Stripe())
	if _, err := c.Next(t.Context(), space); err != nil {
		t.Fatal(err)
	}
	if p, err := c.Next(t.Context(), space); !errors.Is(err, broken) {
		t.Fatalf("packet %s, %v: a stripe was cut from half an input", &p, err)
	}
}

// TestAnyReaderAnyLength: joined payloads are the input, however the reader gives it, and the head fits the headroom.
func TestAnyReaderAnyLength(t *testing.T) {
	codec := schemas.NewCodecs(func(string) uint32 { return 1<<32 - 1 }).Packets
	rapid.Check(t, func(t *rapid.T) {
		policy, _ := schemas.ParsePolicy(rapid.SampledFrom([]string{testPolicy, "RS-2-1-4k", "XOR-2-1-4k"}).Draw(t, "policy"))
		config := Config{File: schemas.NewFileID(), Generation: schemas.Generation(rapid.Uint64Max(1<<63-1).Draw(t, "generation")), Policy: policy,
			Path: rapid.StringN(0, 300, 1024).Draw(t, "path"), Offset: rapid.Int64Range(0, 1<<60).Draw(t, "offset"),
			Metadata: rapid.MapOfN(rapid.String(), rapid.String(), 1, 5).Draw(t, "metadata"),
			Granted:  []schemas.Numbers{{First: rapid.Int64Range(0, 1<<32-10).Draw(t, "number"), Count: 5}}}
		data := pattern(rapid.IntRange(0, 5*policy.Stripe()).Draw(t, "length"))
		var in io.Reader = bytes.NewReader(data)
		if rapid.Bool().Draw(t, "dribble") {
			in = iotest.HalfReader(in)
		}
		if rapid.Bool().Draw(t, "early end") {
			in = iotest.DataErrReader(in)
		}
		c := New(in, config)
		packets := cut(t, c)
		check(t, config, data, packets)
		for _, p := range packets {
			head, err := codec.AppendHead(nil, &p)
			if err != nil || len(head) > c.Headroom() {
				t.Fatalf("head of %d bytes, headroom %d, %v", len(head), c.Headroom(), err)
			}
		}
		if _, err := c.Next(context.Background(), make([]byte, policy.Stripe())); !errors.Is(err, io.EOF) {
			t.Fatalf("behind the end: %v", err)
		}
	})
}

func BenchmarkNext(b *testing.B) {
	config := testConfig(b, schemas.DefaultPolicy)
	config.Granted = []schemas.Numbers{{First: 0, Count: 1 << 30}}
	c := New(zeros{}, config)
	space := make([]byte, config.Policy.Stripe())
	b.SetBytes(int64(len(space)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Next(b.Context(), space); err != nil {
			b.Fatal(err)
		}
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }
