package kafka

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/oauth"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
	"github.com/twmb/franz-go/plugin/kprom"
)

// ErrConfig is wrapped by every error about a configuration that can never work.
var ErrConfig = errors.New("kafka configuration")

// maxDecompressed bounds what one compressed batch may grow to.
const maxDecompressed = 64 << 20

// options gives the client options that every client of the cluster shares. role names the client in metrics; a client
// without a role is not measured.
func (c Config) options(role string) ([]kgo.Opt, error) {
	if len(c.Brokers) == 0 {
		return nil, fmt.Errorf("%w: no brokers: give at least one host:port", ErrConfig)
	}
	opts := []kgo.Opt{
		kgo.SeedBrokers(c.Brokers...),
		kgo.ClientID(c.ClientID),
		kgo.WithLogger(clientLogger{c.Logger}),
		kgo.MaxDecompressBatchBytes(maxDecompressed),
		kgo.DisableClientMetrics(),
	}
	if c.Registerer != nil && role != "" {
		reg := prometheus.WrapRegistererWith(prometheus.Labels{"client": role}, c.Registerer)
		opts = append(opts, kgo.WithHooks(kprom.NewMetrics("kafka", kprom.Registerer(reg),
			kprom.FetchAndProduceDetail(kprom.ByTopic, kprom.Batches, kprom.Records, kprom.UncompressedBytes))))
	}
	dial, err := c.dialOptions()
	if err != nil {
		return nil, err
	}
	auth, err := c.SASL.mechanism()
	if err != nil {
		return nil, err
	}
	if auth != nil {
		dial = append(dial, kgo.SASL(auth))
	}
	return append(opts, dial...), nil
}

func (c Config) dialOptions() ([]kgo.Opt, error) {
	if !c.TLS.Enabled {
		if c.Dial != nil {
			return []kgo.Opt{kgo.Dialer(c.Dial)}, nil
		}
		return nil, nil
	}
	settings, err := c.TLS.config()
	if err != nil {
		return nil, err
	}
	if c.Dial == nil {
		return []kgo.Opt{kgo.DialTLSConfig(settings)}, nil
	}
	return []kgo.Opt{kgo.Dialer(func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := c.Dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		own := settings.Clone()
		if host, _, err := net.SplitHostPort(address); err == nil && own.ServerName == "" {
			own.ServerName = host
		}
		return tls.Client(conn, own), nil
	})}, nil
}

// config gives TLS settings; TLS 1.2 is the least that is accepted.
func (t TLS) config() (*tls.Config, error) {
	settings := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.ServerName}
	if t.CA != "" {
		settings.RootCAs = x509.NewCertPool()
		if !settings.RootCAs.AppendCertsFromPEM([]byte(t.CA)) {
			return nil, fmt.Errorf("%w: tls: no certificate in the CA's PEM", ErrConfig)
		}
	}
	if t.Cert != "" || t.Key != "" {
		pair, err := tls.X509KeyPair([]byte(t.Cert), []byte(t.Key.Reveal()))
		if err != nil {
			return nil, fmt.Errorf("%w: tls: certificate and key: %w", ErrConfig, err)
		}
		settings.Certificates = []tls.Certificate{pair}
	}
	return settings, nil
}

func (s SASL) mechanism() (sasl.Mechanism, error) {
	switch s.Mechanism {
	case "":
		return nil, nil
	case "PLAIN":
		return plain.Auth{User: s.User, Pass: s.Password.Reveal()}.AsMechanism(), nil
	case "SCRAM-SHA-256":
		return scram.Auth{User: s.User, Pass: s.Password.Reveal()}.AsSha256Mechanism(), nil
	case "SCRAM-SHA-512":
		return scram.Auth{User: s.User, Pass: s.Password.Reveal()}.AsSha512Mechanism(), nil
	case "OAUTHBEARER":
		return oauth.Oauth(s.bearer), nil
	}
	return nil, fmt.Errorf("%w: sasl mechanism %q: use PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER", ErrConfig, s.Mechanism)
}

func (s SASL) bearer(ctx context.Context) (oauth.Auth, error) {
	token := s.Token
	if s.Tokens != nil {
		fresh, err := s.Tokens(ctx)
		if err != nil {
			return oauth.Auth{}, fmt.Errorf("get token: %w", err)
		}
		token = fresh
	}
	return oauth.Auth{Token: token.Reveal()}, nil
}

// clientLogger hands the client's log to slog. The client's information is our debugging: it logs what it does, we log
// what changes.
type clientLogger struct{ log *slog.Logger }

// Level implements kgo.Logger.
func (l clientLogger) Level() kgo.LogLevel {
	switch ctx := context.Background(); {
	case l.log.Enabled(ctx, slog.LevelDebug):
		return kgo.LogLevelInfo
	case l.log.Enabled(ctx, slog.LevelWarn):
		return kgo.LogLevelWarn
	case l.log.Enabled(ctx, slog.LevelError):
		return kgo.LogLevelError
	}
	return kgo.LogLevelNone
}

// Log implements kgo.Logger.
func (l clientLogger) Log(level kgo.LogLevel, msg string, keyvals ...any) {
	at := slog.LevelDebug
	switch level {
	case kgo.LogLevelError:
		at = slog.LevelError
	case kgo.LogLevelWarn:
		at = slog.LevelWarn
	}
	l.log.Log(context.Background(), at, withoutGuess(msg, keyvals), keyvals...)
}

// withoutGuess takes the client's guess about credentials out of what it says of a broker that was only slow.
func withoutGuess(msg string, keyvals []any) string {
	for _, v := range keyvals {
		var slow net.Error
		if err, ok := v.(error); ok && errors.As(err, &slow) && slow.Timeout() {
			return strings.TrimSuffix(msg, " (is SASL missing?)")
		}
	}
	return msg
}
