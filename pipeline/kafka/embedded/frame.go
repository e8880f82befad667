package embedded

import (
	"encoding/binary"
	"fmt"
	"net"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// MaxFrame is the largest request the broker reads, in bytes: a client's 100 MiB write limit and room for headers.
const MaxFrame = 110 << 20

// A request starts with its size, which does not count itself, then the key and the version of the API, the correlation id and a client id.
//
//	bytes  0..3   4..5   6..7      8..11
//	       size   key    version   correlation
const (
	frameHead = 8  // what is judged before the broker sees a byte
	minFrame  = 10 // key, version, correlation id, an empty client id
)

// framedConn shows its reader only frames of a believable size that carry a key of the protocol. At anything else it ends the connection, with one line
// in the log: to a broker that would go on, such a frame is a crash or an allocation of its length.
type framedConn struct {
	net.Conn
	gate *gate
	head []byte // of the frame's first eight bytes, what has not been handed on
	body int64  // bytes of the current frame behind its head
	buf  [frameHead]byte
}

func newFramedConn(c net.Conn, g *gate) *framedConn { return &framedConn{Conn: c, gate: g} }

// Read hands on bytes of the current frame, or judges the next one first.
func (c *framedConn) Read(p []byte) (int, error) {
	if len(c.head) == 0 && c.body == 0 {
		if err := c.next(); err != nil {
			return 0, err
		}
	}
	if len(c.head) > 0 {
		n := copy(p, c.head)
		c.head = c.head[n:]
		return n, nil
	}
	if int64(len(p)) > c.body {
		p = p[:c.body]
	}
	n, err := c.Conn.Read(p)
	c.body -= int64(n)
	return n, err
}

func (c *framedConn) next() error {
	for n := 0; n < frameHead; {
		got, err := c.Conn.Read(c.buf[n:])
		n += got
		if err != nil {
			return err
		}
		if n < 4 {
			continue
		}
		if size := binary.BigEndian.Uint32(c.buf[:4]); size < minFrame || size > MaxFrame {
			return c.refuse(fmt.Errorf("frame of %d bytes, not in [%d, %d]: not a Kafka client?", size, minFrame, MaxFrame))
		}
	}
	key := int16(binary.BigEndian.Uint16(c.buf[4:6]))
	if kmsg.RequestForKey(key) == nil {
		return c.refuse(fmt.Errorf("unknown API key %d", key))
	}
	c.head = c.buf[:]
	c.body = int64(binary.BigEndian.Uint32(c.buf[:4])) + 4 - frameHead
	if key == kmsg.Produce.Int16() && c.body > heldFrame {
		c.gate.full.wait(c.gate.closed)
	}
	return nil
}

func (c *framedConn) refuse(err error) error {
	c.gate.log.Warn("connection refused", "remote", c.RemoteAddr().String(), "cause", err.Error())
	c.Conn.Close()
	return err
}
