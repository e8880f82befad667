package registry

import (
	"io"
	"net/http"
	"net/url"
	"strings"
)

// forwardedHeader marks a request that a follower has passed on, so that it is passed on only once.
const forwardedHeader = "X-Stripeline-Forwarded"

// forwarded passes a write on to the leader, where that is another instance and Options.Forward says how to reach it. It
// says whether it has answered; if not, the write is answered here, be it with 50003.
func (c *call) forwarded() (status int, done bool) {
	via := c.registry.opts.Forward
	if via == nil || c.route.access != ReadWrite || c.req.Header.Get(forwardedHeader) != "" {
		return 0, false
	}
	now := c.registry.opts.Leader()
	if now.Self || now.Address == "" {
		return 0, false
	}
	res, err := via.RoundTrip(c.toward(now.Address))
	if err != nil {
		c.registry.opts.Notice("forward a write to the leader: " + err.Error())
		return c.fail(faultf(50003, "Error while forwarding the request to the leader at %s", now.Address)), true
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, c.registry.opts.Limits.Body))
	if err != nil {
		return c.fail(faultf(50003, "Error while reading the answer of the leader at %s", now.Address)), true
	}
	return c.reply(res.StatusCode, body), true
}

// toward is the request as the leader is to get it: the same path, body and credentials.
func (c *call) toward(address string) *http.Request {
	if !strings.Contains(address, "://") {
		address = "http://" + address
	}
	out := c.req.Clone(c.req.Context())
	out.RequestURI = ""
	if base, err := url.Parse(address); err == nil {
		out.URL.Scheme, out.URL.Host, out.Host = base.Scheme, base.Host, base.Host
	}
	out.Body = http.MaxBytesReader(c.w, c.req.Body, c.registry.opts.Limits.Body)
	out.Header = http.Header{forwardedHeader: {"1"}, "Accept": {c.accept}}
	for _, name := range []string{"Authorization", "Content-Type"} {
		if value := c.req.Header.Get(name); value != "" {
			out.Header.Set(name, value)
		}
	}
	return out
}
