package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/spf13/cobra"

	"stripeline/pipeline"
	"stripeline/pipeline/kafka"
	"stripeline/schemas/registry"
)

// serving is what the registry verb is told beside the settings.
type serving struct {
	listen, advertise     string
	cert, key             string
	usersRead, usersWrite string
	instance              pipeline.Instance
	session               time.Duration
	url                   string // at which it listens
}

// registryVerb serves a schema registry.
func registryVerb(a *app) *cobra.Command {
	o := &serving{}
	cmd := &cobra.Command{
		Use: "registry", Short: "Serve a Confluent-compatible schema registry that keeps its state in Kafka", Args: cobra.NoArgs,
		Long: `Serve the REST API of a Confluent schema registry, with its state in the compacted topic _schemas. Start as many instances
as you like: one leads and writes, the others answer reads and pass writes on to it. When it goes, another takes over.
/metrics, /healthz and /readyz are on the same port; the last two need no password.`,
		Example: examples("registry --brokers k1:9092,k2:9092 --listen 0.0.0.0:8081",
			"registry --listen :8443 --listen-cert sr.pem --listen-key sr.key --users-read readers --users-write writers"),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.serveRegistry(cmd.Context(), o) },
	}
	o.declare(cmd)
	return cmd
}

func (o *serving) declare(cmd *cobra.Command) {
	f, limits := cmd.Flags(), &o.instance.Limits
	f.StringVar(&o.listen, "listen", "127.0.0.1:8081", "address to listen on")
	f.StringVar(&o.advertise, "advertise", "", "URL at which the other instances reach this one (default: from --listen and the host's name)")
	f.StringVar(&o.cert, "listen-cert", "", "PEM file of the server's certificate chain: serve TLS")
	f.StringVar(&o.key, "listen-key", "", "PEM file of the server's key")
	f.StringVar(&o.usersRead, "users-read", "", "htpasswd file (bcrypt, htpasswd -B) of users that may read")
	f.StringVar(&o.usersWrite, "users-write", "", "htpasswd file (bcrypt, htpasswd -B) of users that may read and write")
	f.StringVar(&o.instance.Topic, "topic", pipeline.SchemasTopic, "compacted topic of one partition that keeps the schemas")
	f.StringVar(&o.instance.Compatibility, "compatibility", "BACKWARD", "compatibility level where none is configured")
	f.DurationVar(&o.instance.WriteTimeout, "write-timeout", 20*time.Second, "bound on one write, until it is read back")
	f.DurationVar(&o.session, "session", 6*time.Second, "how soon an instance that fell silent is given up: until then nobody can write; brokers take no less than 6s unless told to")
	f.Int64Var(&limits.Body, "max-body", 8<<20, "bytes of a request body")
	f.IntVar(&limits.Schema, "max-schema", 1_000_000, "bytes of a schema; more needs max.message.bytes of the topic raised")
	f.IntVar(&limits.Text.Depth, "max-nesting", 500, "levels of nesting in a schema")
	f.IntVar(&limits.References, "max-references", 32, "depth of references")
}

func (a *app) serveRegistry(ctx context.Context, o *serving) error {
	scheme, err := o.complete()
	if err != nil {
		return err
	}
	security, err := a.settings.registryTLS()
	if err != nil {
		return err
	}
	o.instance.Forward = &http.Transport{
		TLSClientConfig: security, MaxIdleConnsPerHost: 64, IdleConnTimeout: time.Minute, ResponseHeaderTimeout: o.instance.WriteTimeout + 10*time.Second,
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", o.listen)
	if err != nil {
		return fmt.Errorf("%w: choose another address with --listen", err)
	}
	defer listener.Close()
	o.url = scheme + "://" + listener.Addr().String()
	if o.instance.Address, err = o.address(scheme, listener.Addr()); err != nil {
		return err
	}
	if listener, err = o.secured(listener); err != nil {
		return err
	}
	cluster, err := a.connectRegistry(ctx, o)
	if err != nil {
		return err
	}
	defer cluster.Close()
	return a.runRegistry(ctx, cluster, o, listener)
}

func (a *app) runRegistry(ctx context.Context, cluster *kafka.Cluster, o *serving, listener net.Listener) error {
	r, err := pipeline.JoinRegistry(ctx, cluster, o.instance)
	if err != nil {
		return err
	}
	err = a.showRegistry(o)
	if err == nil {
		err = r.Serve(ctx, listener)
	}
	if closed := r.Close(); err == nil {
		err = closed
	}
	if err == nil && ctx.Err() != nil {
		return errInterrupted
	}
	return err
}

// complete reads the users and checks what belongs together.
func (o *serving) complete() (scheme string, err error) {
	if (o.cert == "") != (o.key == "") {
		return "", usagef("--listen-cert and --listen-key belong together: give both or neither")
	}
	if !registry.IsLevel(o.instance.Compatibility) {
		return "", usagef("--compatibility is %q: use NONE, BACKWARD, FORWARD or FULL, or one of the last three with _TRANSITIVE", o.instance.Compatibility)
	}
	for _, file := range []struct {
		flag, name string
		access     registry.Access
	}{{"--users-read", o.usersRead, registry.ReadOnly}, {"--users-write", o.usersWrite, registry.ReadWrite}} {
		if file.name == "" {
			continue
		}
		text, err := os.ReadFile(file.name)
		if err != nil {
			return "", usagef("%s: %w: name an htpasswd file", file.flag, err)
		}
		users, err := registry.ParseUsers(string(text), file.access)
		if err != nil {
			return "", usagef("%s: %s: %w", file.flag, file.name, err)
		}
		if len(users) == 0 {
			return "", usagef("%s: %s holds no user: add one with htpasswd -B, or leave the flag out", file.flag, file.name)
		}
		o.instance.Users = append(o.instance.Users, users...)
	}
	if o.cert != "" {
		return "https", nil
	}
	return "http", nil
}

// address is where the other instances reach this one.
func (o *serving) address(scheme string, bound net.Addr) (string, error) {
	if o.advertise != "" {
		return o.advertise, nil
	}
	host, port, err := net.SplitHostPort(bound.String())
	if err != nil {
		return "", err
	}
	if ip := net.ParseIP(host); ip == nil || ip.IsUnspecified() {
		if host, err = os.Hostname(); err != nil {
			return "", fmt.Errorf("look up the name of this machine: %w: give its URL with --advertise", err)
		}
	}
	return scheme + "://" + net.JoinHostPort(host, port), nil
}

func (o *serving) secured(listener net.Listener) (net.Listener, error) {
	if o.cert == "" {
		return listener, nil
	}
	pair, err := tls.LoadX509KeyPair(o.cert, o.key)
	if err != nil {
		return nil, usagef("--listen-cert: %w: name PEM files of certificate and key", err)
	}
	return tls.NewListener(listener, &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}}), nil
}

// connectRegistry is connect with the metrics of the clients and the patience of a registry.
func (a *app) connectRegistry(ctx context.Context, o *serving) (*kafka.Cluster, error) {
	cfg, err := a.kafkaConfig()
	if err != nil {
		return nil, err
	}
	o.instance.Metrics = prometheus.NewRegistry()
	o.instance.Metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	held := &heldLog{Handler: cfg.Logger.Handler(), open: &atomic.Bool{}}
	cfg.Logger, cfg.Registerer, cfg.ClientID = slog.New(held), o.instance.Metrics, "stripeline-registry"
	cfg.Session, cfg.Heartbeat = o.session, min(heartbeat, o.session/4)
	cluster, err := kafka.Connect(ctx, cfg)
	held.open.Store(true)
	return cluster, err
}

func (a *app) showRegistry(o *serving) error {
	facts := map[string]any{"registry": o.url, "advertised": o.instance.Address, "topic": o.instance.Topic, "users": len(o.instance.Users)}
	return a.output.emit(facts, func(w io.Writer) {
		fmt.Fprintf(w, "registry  %s, advertised as %s\ntopic     %s\nhttp      %s/metrics /readyz /healthz\nCtrl-C drains and stops.\n",
			o.url, o.instance.Address, o.instance.Topic, o.url)
		if len(o.instance.Users) == 0 {
			fmt.Fprintln(w, "users     none: everybody may read and write (--users-read, --users-write)")
		}
	})
}
