package pipeline

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"stripeline/consumers/reader"
	"stripeline/pipeline/brokertest"
	"stripeline/processors/verify"
	"stripeline/schemas"
)

// startStack runs a whole stack for a test, in its own directory and on free ports; on real brokers where the tests
// are told of some.
func startStack(t testing.TB, targets int) *Dev {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	o := DevOptions{Dir: t.TempDir(), BrokerAddr: "127.0.0.1:0", RegistryAddr: "127.0.0.1:0", HTTPAddr: "127.0.0.1:0",
		Targets: targets, Durability: DurabilityProcess}
	if brokertest.Real() {
		config := brokertest.Config(t)
		o.Kafka, o.Namespace = &config, config.Namespace
	}
	d, err := StartDev(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("run: %v", err)
		}
		if err := d.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return d
}

func content(seed byte, length int64) []byte {
	b := make([]byte, length)
	_, _ = rand.NewChaCha8([32]byte{seed}).Read(b)
	return b
}

func mustPut(t testing.TB, s *Site, o PutOptions, b []byte) PutResult {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	result, err := s.Put(ctx, bytes.NewReader(b), o)
	if err != nil {
		t.Fatalf("put %s: %v", o.Path, err)
	}
	return result
}

func mustGet(t testing.TB, s *Site, path string, want []byte) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var got bytes.Buffer
	if _, err := s.Get(ctx, path, &got); err != nil {
		t.Fatalf("get %s: %v", path, err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Fatalf("get %s: %d bytes that differ from the %d put", path, got.Len(), len(want))
	}
}

func TestEveryPolicyReadsBackWithAnyMTargetsGone(t *testing.T) {
	for _, name := range []string{"RS-6-3-64k", "RS-3-2-64k", "RS-10-4-64k", "XOR-2-1-64k", "REP-3", "RS-3-2-4k"} {
		t.Run(name, func(t *testing.T) {
			policy, err := schemas.ParsePolicy(name)
			if err != nil {
				t.Fatal(err)
			}
			d := startStack(t, policy.N())
			files := map[string][]byte{}
			c, s := int64(policy.Cell), int64(policy.Stripe())
			for i, length := range []int64{0, 1, c - 1, c, c + 123, s - 1, s, s + 123, 2*s + 123, 5*s + c} {
				path := fmt.Sprintf("/v/%d", length)
				files[path] = content(byte(i), length)
				result := mustPut(t, d.Site, PutOptions{Path: path, Policy: name, Metadata: map[string]string{"n": path}}, files[path])
				if result.Length != length || result.CRC != schemas.CRC(files[path]) || result.Level != Committed {
					t.Fatalf("put %s: %+v", path, result)
				}
			}
			for path, want := range files {
				mustGet(t, d.Site, path, want)
			}
			for i := range policy.M {
				harmTarget(t, d.TargetDir(i), i)
			}
			for path, want := range files {
				mustGet(t, d.Site, path, want)
			}
			harmTarget(t, d.TargetDir(policy.M), 0)
			var out bytes.Buffer
			if _, err := d.Site.Get(context.Background(), fmt.Sprintf("/v/%d", 5*s+c), &out); !errors.Is(err, reader.ErrLost) {
				t.Fatalf("m+1 targets gone: %v", err)
			}
		})
	}
}

// harmTarget removes a target's shards when way is even and flips a bit in each when it is odd.
func harmTarget(t *testing.T, dir string, way int) {
	t.Helper()
	shards, err := filepath.Glob(filepath.Join(dir, "??", "*.shard"))
	if err != nil || len(shards) == 0 {
		t.Fatalf("no shards in %s: %v", dir, err)
	}
	for _, path := range shards {
		if way%2 == 0 {
			err = os.Remove(path)
		} else {
			err = flipAt(path)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// flipAt flips the last bit of a shard's first cell or, when it is short, of whatever is there.
func flipAt(path string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	_, size, err := schemas.ParseShardHeader(b)
	if err != nil {
		return err
	}
	frame, err := schemas.ParseFrame(b[size:])
	if err != nil {
		return err
	}
	at := size + frame.Size() - 1
	if frame.Kind == schemas.FrameClose {
		at = len(b) - 1
	}
	b[at] ^= 1
	return os.WriteFile(path, b, 0o644)
}

func TestNamesAreListedRenamedRemovedAndReplaced(t *testing.T) {
	d := startStack(t, 3)
	ctx := context.Background()
	put := func(path string, b []byte) PutResult {
		return mustPut(t, d.Site, PutOptions{Path: path, Policy: "XOR-2-1-64k"}, b)
	}
	one, two := content(1, 100_000), content(2, 300_000)
	first := put("/a/one", one)
	put("/a/two", two)
	put("/b", one)
	if second := put("/a/one", two); second.Version <= first.Version {
		t.Fatalf("replaced: version %s after %s", second.Version, first.Version)
	}
	mustGet(t, d.Site, "/a/one", two)
	_, err := d.Site.Put(ctx, bytes.NewReader(one), PutOptions{Path: "/a/one", Policy: "XOR-2-1-64k", IfVersion: new(schemas.Generation)})
	if !errors.Is(err, ErrRefused) {
		t.Fatalf("put over a file that must not be there: %v", err)
	}
	if err := d.Site.Rename(ctx, "/a/two", "/a/three"); err != nil {
		t.Fatal(err)
	}
	if err := d.Site.Rename(ctx, "/a/three", "/c/three"); !errors.Is(err, ErrRefused) {
		t.Fatalf("rename across volumes: %v", err)
	}
	if err := d.Site.Remove(ctx, "/b"); err != nil {
		t.Fatal(err)
	}
	if err := d.Site.Remove(ctx, "/b"); !errors.Is(err, ErrNoFile) {
		t.Fatalf("remove twice: %v", err)
	}
	entries, err := d.Site.List(ctx, "/a/")
	if err != nil || len(entries) != 2 || entries[0].Path != "/a/one" || entries[1].Path != "/a/three" {
		t.Fatalf("list: %v, %v", entries, err)
	}
	if _, err := d.Site.Get(ctx, "/b", io.Discard); !errors.Is(err, ErrNoFile) {
		t.Fatalf("get a removed file: %v", err)
	}
}

func TestPutRefusesBeforeTheFirstPacket(t *testing.T) {
	d := startStack(t, 3)
	for _, c := range []struct {
		options PutOptions
		want    error
	}{
		{PutOptions{Path: "/a", Policy: "RS-6-3-64k"}, ErrTooFew},
		{PutOptions{Path: "/a", Policy: "RS-2-1-1024k"}, ErrPacketLimit},
		{PutOptions{Path: "/a", Policy: "RS-6-3"}, schemas.ErrBadPolicy},
		{PutOptions{Path: "/a/../b", Policy: "XOR-2-1-64k"}, schemas.ErrBadPath},
		{PutOptions{Path: "/a", Policy: "XOR-2-1-64k", Metadata: map[string]string{"a": strings.Repeat("a", verify.MaxMetadata)}}, ErrMetadata},
	} {
		if _, err := d.Site.Put(context.Background(), bytes.NewReader([]byte("x")), c.options); !errors.Is(err, c.want) {
			t.Errorf("%+v: %v, want %v", c.options, err, c.want)
		}
	}
	entries, err := d.Site.List(context.Background(), "/")
	if err != nil || len(entries) != 0 {
		t.Fatalf("something is left: %v, %v", entries, err)
	}
}

// failingReader gives some bytes and then an error.
type failingReader struct{ left int }

func (r *failingReader) Read(b []byte) (int, error) {
	if r.left == 0 {
		return 0, errors.New("the source broke")
	}
	n := min(len(b), r.left)
	r.left -= n
	return n, nil
}

func TestAFailedPutLeavesThePathAsItWas(t *testing.T) {
	d := startStack(t, 3)
	was := content(1, 50_000)
	mustPut(t, d.Site, PutOptions{Path: "/f", Policy: "XOR-2-1-64k"}, was)
	if _, err := d.Site.Put(context.Background(), &failingReader{1 << 20}, PutOptions{Path: "/f", Policy: "XOR-2-1-64k"}); err == nil {
		t.Fatal("a broken source was put")
	}
	mustGet(t, d.Site, "/f", was)
	entry, err := d.Site.Stat(context.Background(), "/f")
	if err != nil || len(entry.Opens) != 0 {
		t.Fatalf("an open is left: %+v, %v", entry, err)
	}
}
