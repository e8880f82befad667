package rowstest

import (
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"testing"
	"time"

	"stripeline/pipeline"
	"stripeline/schemas/client"
)

// gateway is the way to a registry, which may be shut: nothing listens there then.
type gateway struct {
	*stack
	url, addr string
	server    *http.Server // nil while it is shut
	served    chan error
	knocks    chan struct{} // a request was not answered
	transport *http.Transport
}

// newGateway gives one that is open.
func newGateway(s *stack) *gateway {
	s.t.Helper()
	at, err := url.Parse(s.registryURL)
	s.must(err)
	g := &gateway{stack: s, addr: "127.0.0.1:0", knocks: make(chan struct{}, 1), transport: &http.Transport{}}
	g.open()
	g.url = "http://" + g.addr + at.Path
	s.t.Cleanup(func() {
		g.transport.CloseIdleConnections()
		if g.server != nil {
			g.shut()
		}
	})
	return g
}

// client gives one that knows nothing yet, and asks so often before it gives up.
func (g *gateway) client(attempts int) pipeline.RegistryClient {
	return g.stack.client(client.Config{URLs: []string{g.url}, Transport: g, Attempts: attempts, Backoff: time.Millisecond})
}

// RoundTrip implements http.RoundTripper.
func (g *gateway) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := g.transport.RoundTrip(req)
	if err != nil {
		select {
		case g.knocks <- struct{}{}:
		default:
		}
	}
	return res, err
}

func (g *gateway) open() {
	g.t.Helper()
	var config net.ListenConfig
	listener, err := config.Listen(g.t.Context(), "tcp", g.addr)
	g.must(err)
	at, err := url.Parse(g.registryURL)
	g.must(err)
	onward := &http.Transport{}
	g.addr = listener.Addr().String()
	g.server = &http.Server{Handler: &httputil.ReverseProxy{
		Transport: onward, ErrorLog: log.New(io.Discard, "", 0), Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: at.Scheme, Host: at.Host}) },
	}}
	g.served = make(chan error, 1)
	go func(server *http.Server, served chan<- error) { served <- server.Serve(listener) }(g.server, g.served)
	g.t.Cleanup(onward.CloseIdleConnections)
}

func (g *gateway) shut() {
	g.t.Helper()
	g.must(g.server.Close())
	if err := <-g.served; !errors.Is(err, http.ErrServerClosed) {
		g.t.Error(err)
	}
	g.server = nil
	select {
	case <-g.knocks: // of a request that was cut off
	default:
	}
}

// knocked returns when somebody has asked in vain since the gateway was shut.
func (g *gateway) knocked(ended <-chan error) {
	g.t.Helper()
	select {
	case <-g.knocks:
	case err := <-ended:
		g.t.Fatalf("it did not wait for the registry: %v", err)
	}
}

// start runs a journey beside the test and says how it ended.
func start(t *testing.T, run func() error) <-chan error {
	t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- run() }()
	return ended
}
