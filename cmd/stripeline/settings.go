package main

import (
	"log/slog"
	"os"
	"strings"

	"github.com/spf13/pflag"
)

// settings are what every verb may need to know, complete once RunE is called. Secrets are not here: see secret.
type settings struct {
	Brokers   []string
	Registry  string
	Namespace string
	Config    string
	JSON      bool
	Quiet     bool
	LogLevel  string
	LogFormat string
	Logger    *slog.Logger

	TLS           bool
	TLSCA         string
	TLSCert       string
	TLSKey        string
	TLSServerName string

	SASLMechanism    string
	SASLUser         string
	SASLPasswordFile string
	SASLTokenFile    string

	RegistryUser         string
	RegistryPasswordFile string
	RegistryTokenFile    string
	RegistryCA           string
	RegistryCert         string
	RegistryKey          string
}

// declare adds the flags that every verb has.
func (s *settings) declare(f *pflag.FlagSet) {
	f.StringSliceVar(&s.Brokers, "brokers", []string{"127.0.0.1:9092"}, "Kafka brokers, host:port")
	f.StringVar(&s.Registry, "registry", "http://127.0.0.1:8081", "schema registry URLs, separated by commas")
	f.StringVar(&s.Namespace, "namespace", "stripeline", "prefix of internal topics, groups and transactional ids")
	f.StringVar(&s.Config, "config", "", "YAML file with flag names as keys (verb sections: \"produce csv:\")")
	f.BoolVar(&s.JSON, "json", false, "print JSON for machines")
	f.BoolVarP(&s.Quiet, "quiet", "q", false, "no progress and no summary")
	f.StringVar(&s.LogLevel, "log-level", "warn", "debug, info, warn or error")
	f.StringVar(&s.LogFormat, "log-format", "text", "text or json")

	f.BoolVar(&s.TLS, "tls", false, "speak TLS to the brokers")
	f.StringVar(&s.TLSCA, "tls-ca", "", "PEM file of the authorities that sign the brokers' certificates")
	f.StringVar(&s.TLSCert, "tls-cert", "", "PEM file of the client certificate (mTLS)")
	f.StringVar(&s.TLSKey, "tls-key", "", "PEM file of the client key (mTLS)")
	f.StringVar(&s.TLSServerName, "tls-server-name", "", "name expected in the brokers' certificates")

	f.StringVar(&s.SASLMechanism, "sasl-mechanism", "", "PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER")
	f.StringVar(&s.SASLUser, "sasl-user", "", "user name for the brokers")
	f.StringVar(&s.SASLPasswordFile, "sasl-password-file", "", "file with the password (or STRIPELINE_SASL_PASSWORD)")
	f.StringVar(&s.SASLTokenFile, "sasl-token-file", "", "file with the OAUTHBEARER token, read again on every login (or STRIPELINE_SASL_TOKEN)")

	f.StringVar(&s.RegistryUser, "registry-user", "", "user name for the registry (basic auth)")
	f.StringVar(&s.RegistryPasswordFile, "registry-password-file", "", "file with the password (or STRIPELINE_REGISTRY_PASSWORD)")
	f.StringVar(&s.RegistryTokenFile, "registry-token-file", "", "file with a bearer token (or STRIPELINE_REGISTRY_TOKEN)")
	f.StringVar(&s.RegistryCA, "registry-ca", "", "PEM file of the authorities that sign the registry's certificate")
	f.StringVar(&s.RegistryCert, "registry-cert", "", "PEM file of the client certificate for the registry")
	f.StringVar(&s.RegistryKey, "registry-key", "", "PEM file of the client key for the registry")
}

// secret reads a secret from file, or from the environment variable name when no file is named. Neither given is the empty string.
func (a *app) secret(file, name string) (string, error) {
	if file != "" {
		text, err := os.ReadFile(file)
		if err != nil {
			return "", usagef("read secret file: %w: name a file that this user can read", err)
		}
		return strings.TrimRight(string(text), "\r\n"), nil
	}
	value, _ := a.env(name)
	return value, nil
}
