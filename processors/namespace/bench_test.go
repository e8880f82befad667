package namespace

import (
	"fmt"
	"testing"

	"stripeline/schemas"
)

// BenchmarkWrite creates and commits files of one block in a volume that has many names.
func BenchmarkWrite(b *testing.B) {
	for _, names := range []int{0, 100_000} {
		b.Run(fmt.Sprint("names=", names), func(b *testing.B) {
			var v Volume
			offset := int64(0)
			write := func() {
				file := schemas.FileID{0: byte(offset), 1: byte(offset >> 8), 2: byte(offset >> 16), 3: byte(offset >> 24), 11: 1}
				c := schemas.Command{Kind: schemas.CommandCreate, Path: fmt.Sprintf("/v/dir%d/name%d", offset%97, offset), File: file, Policy: schemas.DefaultPolicy, Blocks: 1}
				for range 2 {
					offset++
					c.ID = commandID(int(offset))
					v, _ = Fold(v, Ordered{Command: c, Offset: offset, Time: offset}, func(Event) {})
					c.Kind, c.Generation, c.Length = schemas.CommandCommit, schemas.NewGeneration(0, offset), 1
					c.Extents = []schemas.Extent{{Block: file.Block(0), Blocks: 1, Length: 1}}
				}
			}
			for range names {
				write()
			}
			b.ReportAllocs()
			for b.Loop() {
				write()
			}
			if e, _ := v.Entry("/v/dir0/name0"); !e.Committed() {
				b.Fatal("nothing was written")
			}
		})
	}
}
