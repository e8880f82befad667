package erasure

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"testing"

	"pgregory.net/rapid"

	"stripeline/processors/lawtest"
	"stripeline/schemas"
)

func dataPacket(policy string, payload []byte) schemas.Packet {
	return schemas.Packet{Kind: schemas.PacketData, Block: schemas.FileID{1}.Block(2), Generation: 3, Policy: policy, CRC: schemas.CRC(payload),
		FileLength: -1, Path: "/p", Checksums: schemas.AppendSums(nil, payload), Payload: payload}
}

func encode(t testing.TB, c *Coder, policy string, payload []byte) schemas.Stripe {
	t.Helper()
	var s schemas.Stripe
	if err := c.Stage(dataPacket(policy, payload), func(out schemas.Stripe) { s = out }); err != nil {
		t.Fatal(err)
	}
	return s
}

// payloadOf gives HDFS' own test data: position modulo 29, plus 1.
func payloadOf(length int) []byte {
	b := make([]byte, length)
	for i := range b {
		b[i] = byte(i%29 + 1)
	}
	return b
}

type goldenCell struct{ First16, Last16, CRC32C string }

type goldenPattern struct{ Data, Parity []goldenCell }

// The parities were computed by Hadoop's own coders; pattern B is byte j of cell i = 31*i + 7*j + j*j mod 251.
func TestParityIsHadoops(t *testing.T) {
	text, err := os.ReadFile("testdata/parity.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden struct {
		Schemas []struct {
			Name   string        `json:"name"`
			Const  goldenPattern `json:"A_const"`
			Pseudo goldenPattern `json:"B_pseudo1"`
		} `json:"schemas"`
	}
	if err := json.Unmarshal(text, &golden); err != nil || len(golden.Schemas) != 4 {
		t.Fatalf("%d schemas, %v", len(golden.Schemas), err)
	}
	for _, g := range golden.Schemas {
		for _, pattern := range []struct {
			golden goldenPattern
			byte   func(i, j int) byte
		}{{g.Const, func(i, _ int) byte { return byte(i) }}, {g.Pseudo, pseudo}} {
			k := len(pattern.golden.Data)
			payload := make([]byte, k*65536)
			for at := range payload {
				payload[at] = pattern.byte(at/65536+1, at%65536)
			}
			s := encode(t, New(), g.Name+"-64k", payload)
			for i, want := range append(pattern.golden.Data, pattern.golden.Parity...) {
				if got := fmt.Sprintf("%08x", schemas.CRC(s.Cells[i])); got != want.CRC32C {
					t.Errorf("%s cell %d: CRC %s, want %s", g.Name, i, got, want.CRC32C)
				}
				if got := hex.EncodeToString(s.Cells[i][:16]); got != want.First16 {
					t.Errorf("%s cell %d begins %s, want %s", g.Name, i, got, want.First16)
				}
			}
			s.Release()
		}
	}
}

func pseudo(i, j int) byte { return byte(31*i + 7*j + j*j%251) }

// lengths are those of HDFS' tests around cells and stripes, as far as one stripe goes.
func lengths(p schemas.Policy) []int {
	c, s := p.Cell, p.Stripe()
	var good []int
	for _, n := range []int{1, 2, 4095, 4096, 4097, c - 10, c - 1, c, c + 1, c + 10, c + 123, 2*c - 1, 2 * c, 2*c + 1, s - c - 1, s - c, s - c + 1, s - 10, s - 1, s} {
		if n >= 1 && n <= s {
			good = append(good, n)
		}
	}
	return good
}

func TestCellsFollowTheLayout(t *testing.T) {
	c := New()
	for _, name := range []string{"RS-3-2-4k", "RS-6-3-8k", "RS-6-3-64k", "RS-10-4-4k", "XOR-2-1-4k", "REP-3", "REP-1", "RS-200-55-4k", "RS-1-1-4k"} {
		policy, err := schemas.ParsePolicy(name)
		if err != nil {
			t.Fatal(err)
		}
		rows := generator(policy.K, policy.M)
		for _, n := range lengths(policy) {
			s := encode(t, c, name, payloadOf(n))
			for i, cell := range s.Cells {
				if len(cell) != policy.CellLength(i, n) {
					t.Fatalf("%s of %d bytes: cell %d has %d, want %d", name, n, i, len(cell), policy.CellLength(i, n))
				}
				if schemas.CheckSums(s.Sums[i], cell) != -1 {
					t.Fatalf("%s of %d bytes: checksums of cell %d differ", name, n, i)
				}
				if i < policy.K && len(cell) > 0 && &cell[0] != &s.Packet.Payload[i*policy.Cell] {
					t.Fatalf("%s of %d bytes: data cell %d is a copy", name, n, i)
				}
				if i >= policy.K && policy.K < 100 {
					checkParity(t, policy, &s, rows[i], i)
				}
			}
			s.Release()
		}
	}
}

func checkParity(t *testing.T, policy schemas.Policy, s *schemas.Stripe, row []byte, i int) {
	t.Helper()
	switch policy.Scheme {
	case schemas.XOR:
		row = []byte{1, 1}
	case schemas.Replication:
		row = []byte{1}
	}
	if want := gfEncode(row, s.Cells[:policy.K], len(s.Cells[0])); !bytes.Equal(want, s.Cells[i]) {
		t.Fatalf("%s of %d bytes: parity cell %d differs from the independent code", policy, len(s.Packet.Payload), i)
	}
}

// subsets calls f with every subset of 0 to n-1 of at most size elements.
func subsets(n, size int, f func([]int)) {
	var walk func(from int, chosen []int)
	walk = func(from int, chosen []int) {
		f(chosen)
		for i := from; i < n && len(chosen) < size; i++ {
			walk(i+1, append(chosen[:len(chosen):len(chosen)], i))
		}
	}
	walk(0, nil)
}

func TestEveryErasurePatternIsRebuilt(t *testing.T) {
	c := New()
	for _, name := range []string{"RS-3-2-4k", "RS-6-3-4k", "RS-10-4-4k", "XOR-2-1-4k", "REP-3"} {
		policy, _ := schemas.ParsePolicy(name)
		all := lengths(policy)
		if policy.K == 10 {
			all = []int{1, policy.Cell + 10, policy.Stripe() - 1, policy.Stripe()}
		}
		for _, n := range all {
			s := encode(t, c, name, payloadOf(n))
			subsets(policy.N(), policy.M, func(lost []int) {
				cells := append([][]byte{}, s.Cells...)
				for _, i := range lost {
					cells[i] = nil
				}
				if err := c.Reconstruct(policy, cells, n, lost); err != nil {
					t.Fatalf("%s of %d bytes without %v: %v", name, n, lost, err)
				}
				for i := range cells {
					if !bytes.Equal(cells[i], s.Cells[i]) {
						t.Fatalf("%s of %d bytes without %v: cell %d differs", name, n, lost, i)
					}
				}
			})
			s.Release()
		}
	}
}

func TestTheIndependentDecoderReadsWhatWeWrite(t *testing.T) {
	policy, _ := schemas.ParsePolicy("RS-6-3-4k")
	rows := generator(6, 3)
	for _, n := range []int{1, 4097, policy.Stripe() - 10, policy.Stripe()} {
		s := encode(t, New(), "RS-6-3-4k", payloadOf(n))
		length := len(s.Cells[0])
		subsets(9, 3, func(lost []int) {
			var have, columns [][]byte
			for i := range s.Cells {
				if !contains(lost, i) && len(have) < 6 {
					have = append(have, rows[i])
					columns = append(columns, append(make([]byte, 0, length), s.Cells[i]...)[:length])
				}
			}
			if len(lost) != 3 {
				return
			}
			data := bytes.Join(gfDecode(6, have, columns), nil)
			var got []byte
			for i := range 6 {
				got = append(got, data[i*length:i*length+policy.CellLength(i, n)]...)
			}
			if !bytes.Equal(got, s.Packet.Payload) {
				t.Fatalf("%d bytes without %v: the independent decoder reads other bytes", n, lost)
			}
		})
		s.Release()
	}
}

func contains(list []int, x int) bool {
	for _, y := range list {
		if x == y {
			return true
		}
	}
	return false
}

func TestReconstructRefusesWhatItCannotDo(t *testing.T) {
	c := New()
	policy, _ := schemas.ParsePolicy("RS-3-2-4k")
	s := encode(t, c, "RS-3-2-4k", payloadOf(policy.Stripe()))
	cells := append([][]byte{}, s.Cells...)
	cells[0], cells[1], cells[3] = nil, nil, nil
	if err := c.Reconstruct(policy, cells, policy.Stripe(), []int{0}); !errors.Is(err, ErrTooFewCells) {
		t.Errorf("three of five gone: %v", err)
	}
	cells = append([][]byte{}, s.Cells...)
	cells[2] = cells[2][:4000]
	if err := c.Reconstruct(policy, cells, policy.Stripe(), []int{2}); !errors.Is(err, ErrCellLength) {
		t.Errorf("short cell: %v", err)
	}
	for _, n := range []int{0, -1, policy.Stripe() + 1} {
		if err := c.Reconstruct(policy, cells, n, nil); !errors.Is(err, ErrCellLength) {
			t.Errorf("stripe of %d: %v", n, err)
		}
	}
}

// A wanted cell is written into the capacity that the caller gave, and not one byte beyond the stripe's first cell.
func TestReconstructWritesOnlyWhereItMay(t *testing.T) {
	c := New()
	for _, name := range []string{"RS-3-2-4k", "XOR-2-1-4k"} {
		policy, _ := schemas.ParsePolicy(name)
		for _, n := range []int{10, policy.Cell + 10, policy.Stripe()} {
			s := encode(t, c, name, payloadOf(n))
			for i := range s.Cells {
				memory := bytes.Repeat([]byte{0xee}, 3*policy.Cell)
				cells := append([][]byte{}, s.Cells...)
				cells[i] = memory[:0]
				if err := c.Reconstruct(policy, cells, n, []int{i}); err != nil {
					t.Fatal(err)
				}
				first := policy.CellLength(0, n)
				if !bytes.Equal(cells[i], s.Cells[i]) || bytes.ContainsFunc(memory[first:], func(r rune) bool { return r < 128 }) ||
					!bytes.Equal(memory[first:], bytes.Repeat([]byte{0xee}, len(memory)-first)) {
					t.Fatalf("%s of %d bytes, cell %d: other memory was written", name, n, i)
				}
			}
		}
	}
}

func TestBuffersHaveOneOwner(t *testing.T) {
	c := New()
	one := encode(t, c, "RS-3-2-4k", payloadOf(9000))
	want := bytes.Clone(one.Cells[4])
	two := encode(t, c, "RS-3-2-4k", payloadOf(100))
	if !bytes.Equal(one.Cells[4], want) {
		t.Fatal("a second stripe wrote into the first one's parity")
	}
	one.Release()
	one.Release()
	two.Release()
}

func TestStageRejectsWhatDoesNotFit(t *testing.T) {
	for name, p := range map[string]schemas.Packet{
		"policy":  dataPacket("RS-9", payloadOf(1)),
		"empty":   dataPacket("RS-3-2-4k", nil),
		"long":    dataPacket("RS-3-2-4k", payloadOf(3*4096+1)),
		"no sums": {Kind: schemas.PacketData, Policy: "RS-3-2-4k", Payload: payloadOf(10)},
	} {
		err := New().Stage(p, func(schemas.Stripe) { t.Errorf("%s: emitted", name) })
		if _, ok := schemas.AsReject(err); !ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLaws(t *testing.T) {
	c := New()
	lawtest.Stage(t, c.Stage, func(t *rapid.T) schemas.Packet {
		if rapid.IntRange(0, 5).Draw(t, "kind") == 0 {
			return schemas.Packet{Kind: schemas.PacketEnd, Policy: rapid.SampledFrom([]string{"RS-3-2-4k", "bad"}).Draw(t, "policy")}
		}
		policy := rapid.SampledFrom([]string{"RS-3-2-4k", "XOR-2-1-4k", "REP-2"}).Draw(t, "policy")
		return dataPacket(policy, rapid.SliceOfN(rapid.Byte(), 0, 9000).Draw(t, "payload"))
	})
}

func BenchmarkEncode(b *testing.B) {
	for _, policy := range []string{"RS-6-3-64k", "RS-10-4-64k", "XOR-2-1-64k"} {
		p, _ := schemas.ParsePolicy(policy)
		for _, n := range []int{p.Stripe(), p.Cell + 100} {
			b.Run(fmt.Sprintf("%s/%d", policy, n), func(b *testing.B) {
				c, packet := New(), dataPacket(policy, payloadOf(n))
				b.SetBytes(int64(n))
				b.ReportAllocs()
				for b.Loop() {
					_ = c.Stage(packet, func(s schemas.Stripe) { s.Release() })
				}
			})
		}
	}
}
