package client

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/sr"
)

// Error is what a registry answered instead of doing what it was asked.
type Error struct {
	Code    int // Confluent's error code; the HTTP status where there is none
	Message string
}

// Error implements error.
func (e *Error) Error() string { return fmt.Sprintf("registry says %d: %s", e.Code, e.Message) }

// Kinds of failure, to be tested with errors.Is.
var (
	ErrNotFound     = errors.New("not found in the registry")
	ErrIncompatible = errors.New("incompatible schema")
	ErrInvalid      = errors.New("invalid schema")
	ErrRefused      = errors.New("the registry refuses: check user, password and rights")
	ErrUnreachable  = errors.New("the registry cannot be reached")
)

// Is says which kind of failure e is.
func (e *Error) Is(kind error) bool {
	switch kind {
	case ErrNotFound:
		return e.status() == http.StatusNotFound
	case ErrIncompatible:
		return e.status() == http.StatusConflict
	case ErrInvalid:
		return e.Code == 42201
	case ErrRefused:
		return e.status() == http.StatusUnauthorized || e.status() == http.StatusForbidden
	case ErrUnreachable:
		return e.status() >= 500
	}
	return false
}

func (e *Error) status() int {
	status := e.Code
	for status > 999 {
		status /= 10
	}
	return status
}

// repeatable says whether a request may be sent again when it is not known whether it was carried out.
type repeatable bool

const (
	once  repeatable = false
	again repeatable = true
)

const longestPause = 5 * time.Second

// try sends a request to one URL after the other, beginning with the last that answered, until one answers for good.
func (c *Client) try(ctx context.Context, r repeatable, send func(context.Context, *sr.Client) error) error {
	pause := c.config.Backoff
	for round := 1; ; round++ {
		var err error
		for range c.endpoints {
			at := c.preferred.Load()
			if err = c.wrap(send(ctx, c.endpoints[at])); err == nil || ctx.Err() != nil || !worthRepeating(err, r) {
				return err
			}
			c.preferred.CompareAndSwap(at, (at+1)%uint64(len(c.endpoints)))
		}
		if round >= c.config.Attempts {
			return err
		}
		wait := time.NewTimer(pause/2 + rand.N(pause/2+1))
		select {
		case <-wait.C:
		case <-ctx.Done():
			wait.Stop()
			return fmt.Errorf("%w (%w)", err, ctx.Err())
		}
		pause = min(2*pause, longestPause)
	}
}

// wrap turns pkg/sr's errors into ours.
func (c *Client) wrap(err error) error {
	var answered *sr.ResponseError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &answered):
		code := answered.ErrorCode
		if code == 0 {
			code = answered.StatusCode
		}
		return &Error{Code: code, Message: firstLine(answered.Error())}
	case errors.Is(err, ErrResponse):
		return err
	}
	var request *url.Error
	if errors.As(err, &request) {
		err = request.Err // without the method and the address, which every layer repeats
	}
	return fmt.Errorf("%w at %s: %w", ErrUnreachable, strings.Join(c.config.URLs, ", "), err)
}

// firstLine keeps a proxy's HTML page out of messages.
func firstLine(s string) string {
	const most = 2000
	s, _, _ = strings.Cut(s, "\n")
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "..."
	}
	return s
}

// worthRepeating: an answer below 500 is final, save "slow down"; not being the leader means that nothing was done; what
// may have been done is repeated only where that is harmless.
func worthRepeating(err error, r repeatable) bool {
	var answered *Error
	if errors.As(err, &answered) {
		switch {
		case answered.Code == 50003 || answered.Code == 50004 || answered.status() == http.StatusTooManyRequests:
			return true
		case answered.status() < 500:
			return false
		}
		return bool(r)
	}
	if errors.Is(err, ErrResponse) {
		return false
	}
	var dial *net.OpError
	return bool(r) || (errors.As(err, &dial) && dial.Op == "dial")
}
