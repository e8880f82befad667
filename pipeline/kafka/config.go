package kafka

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// DefaultNamespace prefixes internal topics, groups and transactional ids unless Config says otherwise.
const DefaultNamespace = "stripeline"

const (
	defaultConnectTimeout = 10 * time.Second
	defaultHeartbeat      = 3 * time.Second
	defaultSession        = 45 * time.Second
)

// Config says where the brokers are and how to speak to them.
type Config struct {
	Brokers   []string // host:port of one or more brokers
	ClientID  string   // shown in broker logs; "stripeline" when empty
	Namespace string   // DefaultNamespace when empty

	TLS  TLS
	SASL SASL

	ConnectTimeout time.Duration // bounds Connect; 10 s when 0
	Heartbeat      time.Duration // how often a group member is heard; 3 s when 0, 300 ms suits an embedded broker
	Session        time.Duration // a silent group member is given up after it; 45 s when 0
	ServerGroups   bool          // groups balanced by the broker (KIP-848) instead of by their members

	Logger     *slog.Logger          // nil: silent
	Registerer prometheus.Registerer // nil: no client metrics

	// Dial opens connections, nil for TCP. Tests give virtual networks; TLS, when on, is put around what it returns.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// TLS says how connections are encrypted. The zero value means plain text.
type TLS struct {
	Enabled    bool
	CA         string // PEM of the authorities to trust; the system's when empty
	Cert       string // PEM of our certificate chain, for mutual TLS
	Key        Secret // PEM of the private key of Cert
	ServerName string // expected in the broker's certificate; the dialled host when empty
}

// SASL says who we are. The zero value means nobody.
type SASL struct {
	Mechanism string // PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER; none when empty
	User      string
	Password  Secret
	Token     Secret                                // OAUTHBEARER: a fixed token
	Tokens    func(context.Context) (Secret, error) // OAUTHBEARER: a token for each connection, before Token
}

// String shows the configuration without its secrets.
func (c Config) String() string {
	return fmt.Sprintf("brokers=%s namespace=%s tls=%t sasl=%s user=%s",
		strings.Join(c.Brokers, ","), c.Namespace, c.TLS.Enabled, c.SASL.Mechanism, c.SASL.User)
}

// GoString shows the configuration without its secrets.
func (c Config) GoString() string { return c.String() }

// LogValue shows the configuration without its secrets.
func (c Config) LogValue() slog.Value { return slog.StringValue(c.String()) }

func (c Config) withDefaults() Config {
	if c.Namespace == "" {
		c.Namespace = DefaultNamespace
	}
	if c.ClientID == "" {
		c.ClientID = DefaultNamespace
	}
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = defaultConnectTimeout
	}
	if c.Heartbeat == 0 {
		c.Heartbeat = defaultHeartbeat
	}
	if c.Session == 0 {
		c.Session = defaultSession
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}
