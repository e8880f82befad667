package client

import (
	"errors"
	"io"
	"net/http"
)

// ErrResponse says that an answer is larger than allowed.
var ErrResponse = errors.New("the registry's answer is too large")

// capped is a transport whose answers end, with an error, at a number of bytes.
type capped struct {
	inner http.RoundTripper
	most  int64
}

// RoundTrip implements http.RoundTripper.
func (c capped) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := c.inner.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	res.Body = &cappedBody{res.Body, c.most}
	return res, nil
}

type cappedBody struct {
	io.ReadCloser
	left int64
}

// Read implements io.Reader.
func (b *cappedBody) Read(p []byte) (int, error) {
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, ErrResponse
	}
	return n, err
}
