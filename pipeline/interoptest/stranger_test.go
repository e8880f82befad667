package interoptest

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"stripeline/schemas"
)

// TestAStrangerWritesFiles runs scripts/interop/stranger.py, which has Kafka, Avro and CRC32C alone, and reads back what it wrote. Its blocks have 20
// stripes, so that the longest file here has three.
func TestAStrangerWritesFiles(t *testing.T) {
	python := need(t, "python")
	s := anyStack(t)
	policy, err := schemas.ParsePolicy("RS-6-3-64k")
	if err != nil {
		t.Fatal(err)
	}
	stripe := policy.Stripe()
	for _, length := range []int{0, 1, stripe, stripe + 1, 20<<20 + 123} {
		t.Run(fmt.Sprint(length), func(t *testing.T) {
			content := make([]byte, length)
			_, _ = rand.NewChaCha8([32]byte{byte(length)}).Read(content)
			source, path := filepath.Join(t.TempDir(), "content"), fmt.Sprintf("/stranger/%d", length)
			if err := os.WriteFile(source, content, 0o600); err != nil {
				t.Fatal(err)
			}
			run(t, "", python, filepath.Join(root(t), "scripts/interop/stranger.py"), s.brokers, s.RegistryURL(), s.Site.Cluster.Namespace(),
				filepath.Join(root(t), "schemas/avsc"), path, source)
			s.judgeFile(t, path, content)
		})
	}
}

func (s stack) judgeFile(t *testing.T, path string, want []byte) {
	t.Helper()
	entry, err := s.Site.Stat(t.Context(), path)
	if err != nil || entry.Length != int64(len(want)) || entry.CRC != schemas.CRC(want) || len(entry.Opens) != 0 {
		t.Errorf("entry %+v, %v", entry, err)
	}
	var got bytes.Buffer
	if _, err := s.Site.Get(t.Context(), path, &got); err != nil || !bytes.Equal(got.Bytes(), want) {
		t.Errorf("get %s: %d bytes, not the %d written: %v", path, got.Len(), len(want), err)
	}
}
