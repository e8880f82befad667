package seal

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"stripeline/schemas"
)

var rewrite = flag.Bool("rewrite", false, "write what the folds say into testdata")

// Transcripts are paragraphs: a line with an ack, a line of dashes, what the fold said. An ack is a kind and fields:
//
//	gen=G policy=P (RS-3-2-4k) first=F lengths=L*N,L... salt=S (another content) offset=O missing=I,I stripes=N last=LENGTH
//	shards=I-J               indexes I to J, incarnation a, domain d<index>, all stripes of the ack
//	shard=I/INC@DOMAIN:F-L   one receipt; a trailing ! marks it as repair's
//	block=N short=N          another block number, and N bytes taken from the CRCs
//
// "restore" takes the record through its Avro form.
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no transcripts: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := replay(t, string(text))
			if *rewrite {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if got != string(text) {
				t.Errorf("the fold says otherwise (-rewrite accepts it):\n%s", got)
			}
		})
	}
}

func replay(t *testing.T, text string) string {
	var out strings.Builder
	var s schemas.Block
	for paragraph := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		before, _, _ := strings.Cut(paragraph, "\n----")
		lines := strings.Split(before, "\n")
		line := lines[len(lines)-1]
		var said []string
		if line == "restore" {
			s = restored(t, s)
			said = append(said, describeBlock(&s))
		} else if !strings.HasPrefix(line, "#") {
			next, err := Fold(s, parseAck(t, line), func(b schemas.Block) { said = append(said, describeBlock(&b)) })
			switch {
			case err != nil:
				said = append(said, err.Error())
			case len(said) == 0:
				said = append(said, "unchanged")
			}
			s = next
		}
		fmt.Fprintf(&out, "%s\n", before)
		if len(said) > 0 {
			fmt.Fprintf(&out, "----\n%s\n", strings.Join(said, "\n"))
		}
		out.WriteString("\n")
	}
	return strings.TrimSuffix(out.String(), "\n")
}

func restored(t *testing.T, b schemas.Block) schemas.Block {
	codec := schemas.NewCodecs(func(string) uint32 { return 1 }).Blocks
	value, err := codec.Append(nil, &schemas.BlockRecord{Block: &b})
	if err != nil {
		t.Fatal(err)
	}
	record, err := codec.Decode(value)
	if err != nil {
		t.Fatal(err)
	}
	return *record.Block
}

var testFile = schemas.FileID{1, 2, 3}

func parseAck(t *testing.T, line string) schemas.Ack {
	words := strings.Fields(line)
	kind := schemas.AckKind(strings.ToUpper(words[0]))
	ack := schemas.Ack{Kind: kind, Block: testFile.Block(0), Generation: 5, Policy: "RS-3-2-4k", Offset: -1, First: -1, Stripes: -1, FileLength: -1}
	if kind == schemas.AckReceipt {
		ack.First, ack.Offset = 0, 0
	}
	salt, short := "", 0
	for _, word := range words[1:] {
		key, value, _ := strings.Cut(word, "=")
		switch key {
		case "gen":
			ack.Generation = schemas.Generation(number(t, value))
		case "policy":
			ack.Policy = value
		case "block":
			ack.Block = testFile.Block(uint32(number(t, value)))
		case "first":
			ack.First = number(t, value)
		case "offset":
			ack.Offset = int64(number(t, value))
		case "stripes":
			ack.Stripes = number(t, value)
		case "last":
			ack.Last, ack.FileLength = true, int64(number(t, value))
		case "salt":
			salt = value
		case "short":
			short = int(number(t, value))
		case "missing":
			for index := range strings.SplitSeq(value, ",") {
				ack.Missing = append(ack.Missing, number(t, index))
			}
		case "lengths":
			ack.Lengths = parseLengths(t, value)
		case "shards":
			first, last := span(t, value)
			for i := first; i <= last; i++ {
				ack.Receipts = append(ack.Receipts, receiptOf(i, "a", fmt.Sprint("d", i), described(&ack)))
			}
		case "shard":
			ack.Receipts = append(ack.Receipts, parseReceipt(t, value))
		default:
			t.Fatalf("unknown word %q", word)
		}
	}
	for i := range ack.Lengths {
		ack.CRCs = append(ack.CRCs, crcOf(int(ack.First)+i, salt)...)
	}
	ack.CRCs = ack.CRCs[:len(ack.CRCs)-short]
	return ack
}

func crcOf(stripe int, salt string) []byte {
	return schemas.AppendSums(nil, []byte(fmt.Sprint(stripe, salt)))
}

func receiptOf(index int32, incarnation, domain string, r schemas.Range) schemas.Receipt {
	receipt := schemas.Receipt{Index: index, Domain: domain, First: r.First, Last: r.Last}
	copy(receipt.Incarnation[:], incarnation)
	copy(receipt.Target[:], "target "+domain)
	return receipt
}

func parseReceipt(t *testing.T, text string) schemas.Receipt {
	text, repaired := strings.CutSuffix(text, "!")
	index, rest, _ := strings.Cut(text, "/")
	incarnation, rest, _ := strings.Cut(rest, "@")
	domain, stripes, _ := strings.Cut(rest, ":")
	first, last := span(t, stripes)
	receipt := receiptOf(number(t, index), incarnation, domain, schemas.Range{First: first, Last: last})
	receipt.Repaired = repaired
	return receipt
}

func parseLengths(t *testing.T, text string) []int32 {
	var lengths []int32
	for part := range strings.SplitSeq(text, ",") {
		length, count, many := strings.Cut(part, "*")
		if !many {
			count = "1"
		}
		lengths = append(lengths, slices.Repeat([]int32{number(t, length)}, int(number(t, count)))...)
	}
	return lengths
}

func span(t *testing.T, text string) (int32, int32) {
	at := 1 + strings.Index(text[1:], "-")
	return number(t, text[:at]), number(t, text[at+1:])
}

func number(t *testing.T, text string) int32 {
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	return int32(n)
}

func describeBlock(b *schemas.Block) string {
	var out strings.Builder
	fmt.Fprintf(&out, "%s generation %s %s offset %d length %d crc %08x stored %d full %d", b.State, b.Generation, b.Policy, b.Offset, b.Length, b.CRC, b.Stored, b.Full)
	if len(b.Missing) > 0 {
		fmt.Fprintf(&out, " missing %d", b.Missing)
	}
	if b.Last {
		fmt.Fprintf(&out, " last of %d", b.FileLength)
	}
	out.WriteString("\n  stripes")
	for _, r := range b.Runs {
		fmt.Fprintf(&out, " %d*%d", r.Length, r.Count)
	}
	for i := range b.Shards {
		s := &b.Shards[i]
		fmt.Fprintf(&out, "\n  %d/%s@%s %s", s.Index, strings.TrimRight(string(s.Incarnation[:]), "\x00"), s.Domain, s.State)
		for _, r := range s.Ranges {
			fmt.Fprintf(&out, " %d-%d", r.First, r.Last)
		}
	}
	return out.String()
}
