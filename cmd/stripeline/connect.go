package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"stripeline/pipeline/kafka"
)

// connect reaches the brokers of the settings, or says in one line why not. The caller closes what it gets.
func (a *app) connect(ctx context.Context) (*kafka.Cluster, error) {
	cfg, err := a.kafkaConfig()
	if err != nil {
		return nil, err
	}
	held := &heldLog{Handler: cfg.Logger.Handler(), open: &atomic.Bool{}}
	cfg.Logger = slog.New(held)
	cluster, err := kafka.Connect(ctx, cfg)
	held.open.Store(true)
	return cluster, err
}

// heldLog holds warnings back until it is open: while connecting, the one error says what they would. Debugging is not held back.
type heldLog struct {
	slog.Handler
	open *atomic.Bool
}

// Enabled implements slog.Handler.
func (h *heldLog) Enabled(ctx context.Context, level slog.Level) bool {
	return h.Handler.Enabled(ctx, level) && (h.open.Load() || h.Handler.Enabled(ctx, slog.LevelDebug))
}

// A member of a group that was killed is given up after session; it is heard every heartbeat.
const (
	heartbeat = time.Second
	session   = 10 * time.Second
)

// kafkaConfig makes the client's settings of ours, with the secrets read from where they are kept.
func (a *app) kafkaConfig() (kafka.Config, error) {
	s := a.settings
	password, err := a.secret(s.SASLPasswordFile, "STRIPELINE_SASL_PASSWORD")
	if err != nil {
		return kafka.Config{}, err
	}
	cfg := kafka.Config{
		Brokers: s.Brokers, ClientID: "stripeline", Namespace: s.Namespace, Logger: a.logger, Heartbeat: heartbeat, Session: session,
		SASL: kafka.SASL{Mechanism: strings.ToUpper(s.SASLMechanism), User: s.SASLUser, Password: kafka.Secret(password)},
	}
	if cfg.SASL.Mechanism == "OAUTHBEARER" {
		cfg.SASL.Tokens = func(context.Context) (kafka.Secret, error) {
			token, err := a.secret(s.SASLTokenFile, "STRIPELINE_SASL_TOKEN")
			return kafka.Secret(token), err
		}
	}
	cfg.TLS, err = s.tls()
	return cfg, err
}

// tls reads the PEM files; naming any of them turns TLS on.
func (s settings) tls() (kafka.TLS, error) {
	ca, err := pemFile("--tls-ca", s.TLSCA)
	if err != nil {
		return kafka.TLS{}, err
	}
	cert, err := pemFile("--tls-cert", s.TLSCert)
	if err != nil {
		return kafka.TLS{}, err
	}
	key, err := pemFile("--tls-key", s.TLSKey)
	if err != nil {
		return kafka.TLS{}, err
	}
	enabled := s.TLS || ca != "" || cert != ""
	return kafka.TLS{Enabled: enabled, CA: ca, Cert: cert, Key: kafka.Secret(key), ServerName: s.TLSServerName}, nil
}

// pemFile reads the file that a flag names, "" for none.
func pemFile(flag, name string) (string, error) {
	if name == "" {
		return "", nil
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return "", usagef("%s: %w: name a PEM file", flag, err)
	}
	return string(text), nil
}

// withCluster runs a verb's work on a connection that it closes.
func (a *app) withCluster(ctx context.Context, work func(context.Context, *kafka.Cluster) error) error {
	cluster, err := a.connect(ctx)
	if err != nil {
		return err
	}
	defer cluster.Close()
	return work(ctx, cluster)
}

// missingTopic says what to do about a topic that is not there.
func (a *app) missingTopic(err error, topic string) error {
	if errors.Is(err, kafka.ErrUnknownTopic) {
		return failf("topic %s does not exist: create it with 'stripeline topic create %s'", topic, topic)
	}
	return err
}
