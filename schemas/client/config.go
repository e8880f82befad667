package client

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/sr"
)

// Config says where a registry is and how to talk to it. Only URLs must be given.
type Config struct {
	URLs        []string
	User        string // basic auth
	Password    string
	Bearer      string // a token, instead of basic auth
	TLS         *tls.Config
	Transport   http.RoundTripper // instead of the network: a registry in this process, or a test's
	LatestTTL   time.Duration     // how long "latest" is believed; 0: 30 s
	NegativeTTL time.Duration     // how long "not found" is believed; 0: 10 s
	Timeout     time.Duration     // of one request; 0: 10 s
	Attempts    int               // rounds over the URLs; 0: 5
	Backoff     time.Duration     // the first pause, doubled each round up to 5 s; 0: 100 ms
	MaxResponse int64             // bytes of an answer; 0: 16 MiB
}

// ErrConfig says that a configuration cannot work.
var ErrConfig = errors.New("registry client configuration")

func (c Config) orDefault() Config {
	for _, d := range []struct {
		value *time.Duration
		other time.Duration
	}{
		{&c.LatestTTL, 30 * time.Second}, {&c.NegativeTTL, 10 * time.Second},
		{&c.Timeout, 10 * time.Second}, {&c.Backoff, 100 * time.Millisecond},
	} {
		if *d.value == 0 {
			*d.value = d.other
		}
	}
	if c.Attempts == 0 {
		c.Attempts = 5
	}
	if c.MaxResponse == 0 {
		c.MaxResponse = 16 << 20
	}
	return c
}

func (c Config) validate() error {
	if len(c.URLs) == 0 {
		return fmt.Errorf("%w: no URL", ErrConfig)
	}
	for _, text := range c.URLs {
		u, err := url.Parse(text)
		if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
			return fmt.Errorf("%w: %q is not an http or https URL", ErrConfig, redacted(text))
		}
		if u.User != nil {
			return fmt.Errorf("%w: the URL for %s holds a password; give it as a setting of its own", ErrConfig, u.Host)
		}
	}
	if c.Bearer != "" && c.User != "" {
		return fmt.Errorf("%w: both a bearer token and a user", ErrConfig)
	}
	return nil
}

func redacted(text string) string {
	if u, err := url.Parse(text); err == nil {
		return u.Redacted()
	}
	return "the given text"
}

// endpoints makes one sr client per URL, so that we choose which is asked and when.
func (c Config) endpoints() ([]*sr.Client, error) {
	web := &http.Client{
		Timeout:       c.Timeout,
		Transport:     capped{c.transport(), c.MaxResponse},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	var out []*sr.Client
	for _, u := range c.URLs {
		opts := []sr.ClientOpt{sr.URLs(u), sr.HTTPClient(web), sr.UserAgent("stripeline")}
		if c.User != "" {
			opts = append(opts, sr.BasicAuth(c.User, c.Password))
		}
		if c.Bearer != "" {
			opts = append(opts, sr.BearerToken(c.Bearer))
		}
		cl, err := sr.NewClient(opts...)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrConfig, err)
		}
		out = append(out, cl)
	}
	return out, nil
}

func (c Config) transport() http.RoundTripper {
	if c.Transport != nil {
		return c.Transport
	}
	named := map[string]bool{}
	for _, text := range c.URLs {
		if u, err := url.Parse(text); err == nil {
			named[u.Hostname()] = true
		}
	}
	dialer := &net.Dialer{Timeout: 5 * time.Second, Control: func(_, address string, _ syscall.RawConn) error {
		return refuseLinkLocal(named, address)
	}}
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: dialer.DialContext, TLSClientConfig: c.TLS,
		MaxIdleConnsPerHost: 16, IdleConnTimeout: 90 * time.Second, TLSHandshakeTimeout: 5 * time.Second, ForceAttemptHTTP2: true,
	}
}

// refuseLinkLocal keeps a name that resolves to a cloud's metadata service from being asked; one configured by its address is.
func refuseLinkLocal(named map[string]bool, address string) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	if ip := at.Addr().Unmap(); ip.IsLinkLocalUnicast() && !named[ip.String()] {
		return fmt.Errorf("%s is a link-local address; configure the registry by address if that is meant", ip)
	}
	return nil
}
