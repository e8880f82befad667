package rowplan

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrValue is wrapped by what a Walker says of bytes that are no value of its schema: cut off, too long, an index out of range, nested too deep.
var ErrValue = errors.New("bytes are not a value of the schema")

// cursor reads Avro binary. Its first error stays: reads after it give zeros, so that callers check once.
type cursor struct {
	data []byte
	at   int
	err  error
}

func (c *cursor) fail(reason string) {
	if c.err == nil {
		c.err = fmt.Errorf("%w: %s at byte %d of %d", ErrValue, reason, c.at, len(c.data))
		c.at = len(c.data)
	}
}

// long reads a zigzag varint.
func (c *cursor) long() int64 {
	v, n := binary.Varint(c.data[c.at:])
	if n <= 0 {
		c.fail("cut off or overlong number")
		return 0
	}
	c.at += n
	return v
}

// integer reads a long that must fit 32 bits.
func (c *cursor) integer() int64 {
	v := c.long()
	if int64(int32(v)) != v {
		c.fail("int beyond 32 bits")
		return 0
	}
	return v
}

// take gives the next n bytes, which alias the data.
func (c *cursor) take(n int64) []byte {
	if n < 0 || n > int64(len(c.data)-c.at) {
		c.fail("cut off value")
		return nil
	}
	out := c.data[c.at : c.at+int(n) : c.at+int(n)]
	c.at += int(n)
	return out
}

// fixed gives n bytes and, after an error, n zeros of a small array; n <= 12.
func (c *cursor) fixed(n int64) []byte {
	if b := c.take(n); b != nil {
		return b
	}
	return make([]byte, n)
}

// index reads the number of a branch or symbol.
func (c *cursor) index(count int) int {
	i := c.long()
	if i < 0 || i >= int64(count) {
		c.fail("branch or symbol out of range")
		return -1
	}
	return int(i)
}

// block reads the head of a block of items: how many follow, 0 at the end.
func (c *cursor) block() int64 {
	count := c.long()
	if count < 0 {
		c.long() // the block's size in bytes, for readers that skip
		count = -count
	}
	if count < 0 || c.err == nil && count > 1<<31 {
		c.fail("block of too many items")
		return 0
	}
	return count
}

// skip passes over one value of type n.
func (c *cursor) skip(n *node, depth int) {
	if depth > maxDepth {
		c.fail("value nested too deep")
	}
	if c.err != nil {
		return
	}
	switch wireKind(n.kind) {
	case kindNull:
	case kindBoolean:
		c.boolean()
	case kindInt:
		c.integer()
	case kindLong:
		c.long()
	case kindFloat:
		c.take(4)
	case kindDouble:
		c.take(8)
	case kindString, kindBytes:
		c.take(c.long())
	case kindEnum:
		c.index(len(n.symbols))
	case kindFixed:
		c.take(int64(n.size))
	case kindUnion:
		if i := c.index(len(n.branches)); i >= 0 {
			c.skip(n.branches[i], depth+1)
		}
	case kindRecord:
		for i := range n.fields {
			c.skip(n.fields[i].node, depth+1)
		}
	case kindArray, kindMap:
		c.items(n, func([]byte) { c.skip(n.item, depth+1) })
	}
}

func (c *cursor) boolean() bool {
	b := c.take(1)
	if b == nil {
		return false
	}
	if b[0] > 1 {
		c.fail("boolean that is neither 0 nor 1")
	}
	return b[0] == 1
}

// items calls each once per item of an array or map, with a map's key. Items of no bytes are bounded by the number of bytes of the whole value:
// a few bytes cannot ask for a long loop.
func (c *cursor) items(n *node, each func(key []byte)) {
	total := int64(0)
	for count := c.block(); count > 0 && c.err == nil; count = c.block() {
		if total += count; total > int64(len(c.data)) {
			c.fail("more items than bytes")
			return
		}
		for range count {
			var key []byte
			if n.kind == kindMap {
				key = c.take(c.long())
			}
			each(key)
			if c.err != nil {
				return
			}
		}
	}
}
