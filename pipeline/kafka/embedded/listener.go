package embedded

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
)

// gate is the broker's listener: it lets strangers in only once it is opened, guards each connection's frames, has a door of its own for this process,
// and says the address that clients are to use.
type gate struct {
	ln     net.Listener
	addr   advertised
	log    *slog.Logger
	conns  chan net.Conn
	opened chan struct{}
	closed chan struct{}
	close  sync.Once
	full   fullness
}

type advertised string

func (advertised) Network() string  { return "tcp" }
func (a advertised) String() string { return string(a) }

// listen takes the port at once, so that one in use is known before the log is read; open lets clients in.
func listen(o Options) (*gate, error) {
	ln, err := net.Listen("tcp", o.Addr)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w: stop what uses it or choose another address", o.Addr, cause(err))
	}
	addr, err := advertise(ln.Addr().String(), o.Advertise)
	if err != nil {
		ln.Close()
		return nil, err
	}
	return &gate{ln: ln, addr: addr, log: o.Logger, conns: make(chan net.Conn), opened: make(chan struct{}), closed: make(chan struct{})}, nil
}

func cause(err error) error {
	if op, ok := err.(*net.OpError); ok {
		return op.Err
	}
	return err
}

func (g *gate) open() {
	close(g.opened)
	go g.accept()
}

func (g *gate) accept() {
	for {
		c, err := g.ln.Accept()
		if err != nil {
			return
		}
		if g.enter(c) != nil {
			c.Close()
			return
		}
	}
}

func (g *gate) enter(c net.Conn) error {
	select {
	case g.conns <- newFramedConn(c, g):
		return nil
	case <-g.closed:
		return net.ErrClosed
	}
}

// dial connects from within the process, also while the gate is shut.
func (g *gate) dial(context.Context, string, string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	if err := g.enter(theirs); err != nil {
		ours.Close()
		theirs.Close()
		return nil, err
	}
	return ours, nil
}

// Accept is called by the broker alone.
func (g *gate) Accept() (net.Conn, error) {
	select {
	case c := <-g.conns:
		return c, nil
	case <-g.closed:
		return nil, net.ErrClosed
	}
}

// Close stops letting anyone in.
func (g *gate) Close() error {
	var err error
	g.close.Do(func() {
		close(g.closed)
		err = g.ln.Close()
	})
	return err
}

// Addr is the address that the broker puts into its metadata.
func (g *gate) Addr() net.Addr { return g.addr }

func advertise(bound, want string) (advertised, error) {
	host, port, err := net.SplitHostPort(bound)
	if err != nil {
		return "", fmt.Errorf("advertise %s: %w", bound, err)
	}
	if h, p, err := net.SplitHostPort(want); err == nil {
		return advertised(net.JoinHostPort(h, p)), nil
	}
	if want != "" {
		return advertised(net.JoinHostPort(strings.Trim(want, "[]"), port)), nil
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = reachable()
	}
	return advertised(net.JoinHostPort(host, port)), nil
}

// reachable is the first address of this machine that others may use, or the loopback address when there is none.
func reachable() string {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return "127.0.0.1"
	}
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil && n.IP.IsGlobalUnicast() {
			return n.IP.String()
		}
	}
	return "127.0.0.1"
}

// listener gives the broker the gate in place of a listener of its own.
func (g *gate) listener(string, string) (net.Listener, error) { return g, nil }
