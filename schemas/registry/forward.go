package registry

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// forwardedHeader marks a request that a follower has passed on, so that it is passed on only once.
const forwardedHeader = "X-Stripeline-Forwarded"

// positionHeader says in the answer to a forwarded request how far in the log the leader is, so that who passed it on does not answer before it
// can be asked about what was written.
const positionHeader = "X-Stripeline-Position"

// catchUpTimeout bounds that wait: the write stands anyway.
const catchUpTimeout = 5 * time.Second

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
	raw, err := c.rawBody()
	if err != nil {
		if c.req.Method == http.MethodPost {
			err = ofSchema(err)
		}
		return c.fail(err), true
	}
	res, err := via.RoundTrip(c.toward(now.Address, raw))
	if err != nil {
		c.registry.opts.Notice("forward a write to the leader: " + err.Error())
		return c.fail(faultf(50003, "Error while forwarding the request to the leader at %s", now.Address)), true
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, c.registry.opts.Limits.Body))
	if err != nil {
		return c.fail(faultf(50003, "Error while reading the answer of the leader at %s", now.Address)), true
	}
	c.catchUp(res.Header.Get(positionHeader))
	return c.reply(res.StatusCode, body), true
}

// tellPosition is the leader's side of catchUp.
func (c *call) tellPosition() {
	if c.route.access == ReadWrite && c.req.Header.Get(forwardedHeader) != "" {
		c.w.Header().Set(positionHeader, strconv.FormatInt(c.registry.position(), 10))
	}
}

func (c *call) catchUp(to string) {
	position, err := strconv.ParseInt(to, 10, 64)
	if err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(c.req.Context(), catchUpTimeout)
	defer cancel()
	if err := c.registry.waitFor(ctx, position); err != nil {
		c.registry.opts.Notice("catch up with a forwarded write: " + err.Error())
	}
}

// toward is the request as the leader is to get it: the same path, body and credentials.
func (c *call) toward(address string, raw []byte) *http.Request {
	if !strings.Contains(address, "://") {
		address = "http://" + address
	}
	out := c.req.Clone(c.req.Context())
	out.RequestURI = ""
	if base, err := url.Parse(address); err == nil {
		out.URL.Scheme, out.URL.Host, out.Host = base.Scheme, base.Host, base.Host
	}
	out.Body, out.ContentLength, out.TransferEncoding = io.NopCloser(bytes.NewReader(raw)), int64(len(raw)), nil
	out.Header = http.Header{forwardedHeader: {"1"}, "Accept": {c.accept}}
	for _, name := range []string{"Authorization", "Content-Type"} {
		if value := c.req.Header.Get(name); value != "" {
			out.Header.Set(name, value)
		}
	}
	return out
}
