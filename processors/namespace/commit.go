package namespace

import (
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"stripeline/schemas"
)

// maxExtents is how many extents a file may have.
const maxExtents = 16 << 10

// maxMetadata is the largest sum of the bytes of path, keys and values, as in a packet.
const maxMetadata = schemas.MaxShardHeader / 2

func (w *work) commit(answer *schemas.Answer) *refusal {
	c := w.command
	e, at, refused := w.open()
	if refused != nil {
		return refused
	}
	if refused := w.precondition(c.Path, &e); refused != nil {
		return refused
	}
	o := e.Opens[at]
	for _, check := range []func(*schemas.Command, *schemas.Open) *refusal{checkMetadata, checkExtents, checkUnused} {
		if refused := check(c, &o); refused != nil {
			return refused
		}
	}
	old, named := e, named(c.Extents)
	e.Version, e.File, e.Policy = w.generation, o.File, o.Policy
	e.Length, e.CRC, e.Extents = c.Length, c.CRC, slices.Clone(c.Extents)
	e.Metadata, e.Time, e.Next = cloneMetadata(c.Metadata), c.Time, o.Next
	e.Opens = without(e.Opens, at)
	w.put(e)
	w.replaced(&old, e.File, named)
	w.release(o.File, o.Policy, minus(expand(o.Granted), named))
	answer.Generation, answer.File = w.generation, o.File
	return nil
}

// replaced releases the blocks of old content, but not those that the file's new content names.
func (w *work) replaced(old *schemas.Entry, file schemas.FileID, still []uint32) {
	if old.File != file {
		still = nil
	}
	w.release(old.File, old.Policy, minus(named(old.Extents), still))
}

func checkMetadata(c *schemas.Command, _ *schemas.Open) *refusal {
	size := len(c.Path)
	for key, value := range c.Metadata {
		if !utf8.ValidString(key) || !utf8.ValidString(value) {
			return refuse(schemas.AnswerCommand, "metadata %q is not UTF-8", key)
		}
		size += len(key) + len(value)
	}
	if size > maxMetadata {
		return refuse(schemas.AnswerCommand, "path and metadata have %d bytes, at most %d", size, maxMetadata)
	}
	return nil
}

// checkExtents wants extents that cover [0, length) in order, from blocks that the open was granted.
func checkExtents(c *schemas.Command, o *schemas.Open) *refusal {
	policy, err := schemas.ParsePolicy(o.Policy)
	if err != nil {
		return refuse(schemas.AnswerPolicy, "%v", err)
	}
	if len(c.Extents) > maxExtents {
		return refuse(schemas.AnswerCommand, "%d extents, at most %d: join runs of whole consecutive blocks, or write larger blocks", len(c.Extents), maxExtents)
	}
	largest := int64(schemas.MaxStripes) * int64(policy.Stripe())
	end := int64(0)
	for i := range c.Extents {
		x := &c.Extents[i]
		first := int64(x.Block.Number())
		switch {
		case x.Offset != end:
			return refuse(schemas.AnswerCommand, "extent %d begins at %d, the one before ends at %d", i, x.Offset, end)
		case x.Blocks < 1 || x.BlockOffset < 0 || x.Blocks > 1 && x.BlockOffset > 0:
			return refuse(schemas.AnswerCommand, "extent %d has %d blocks from byte %d on: want at least 1, and whole ones when more", i, x.Blocks, x.BlockOffset)
		case x.Block.File() != c.File || !covers(o.Granted, first, first+int64(x.Blocks)):
			return refuse(schemas.AnswerCommand, "extent %d names block %s and %d behind it, which file %s was not granted", i, x.Block, x.Blocks-1, c.File)
		case x.Length < 1 || (x.Length-1)/largest >= int64(x.Blocks) || x.Blocks == 1 && x.Length > largest-x.BlockOffset:
			return refuse(schemas.AnswerCommand, "extent %d has %d bytes: a block of %s has at most %d", i, x.Length, o.Policy, largest)
		case x.Length > c.Length-end:
			return refuse(schemas.AnswerCommand, "extent %d ends behind the file's length %d", i, c.Length)
		}
		end += x.Length
	}
	if end != c.Length {
		return refuse(schemas.AnswerCommand, "extents cover %d of %d bytes", end, c.Length)
	}
	if end == 0 && c.CRC != 0 {
		return refuse(schemas.AnswerCommand, "the CRC32C of an empty file is 0, not %08x", c.CRC)
	}
	return nil
}

// checkUnused wants numbers that the open was granted and the extents do not name.
func checkUnused(c *schemas.Command, o *schemas.Open) *refusal {
	used := named(c.Extents)
	for _, n := range c.Unused {
		end := n.First + int64(n.Count)
		if n.First < 0 || n.First > maxBlocks || n.Count < 1 || !covers(o.Granted, n.First, end) {
			return refuse(schemas.AnswerCommand, "unused are %d blocks from %d on, which file %s was not granted", n.Count, n.First, c.File)
		}
		if at, _ := slices.BinarySearch(used, uint32(n.First)); at < len(used) && int64(used[at]) < end {
			return refuse(schemas.AnswerCommand, "block %d is said to be unused, and an extent names it", used[at])
		}
	}
	return nil
}

func cloneMetadata(m map[string]string) map[string]string {
	if len(m) == 0 {
		return nil
	}
	copied := make(map[string]string, len(m))
	for _, key := range slices.Sorted(maps.Keys(m)) {
		copied[strings.Clone(key)] = strings.Clone(m[key])
	}
	return copied
}
