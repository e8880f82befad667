package kafka

import (
	"fmt"
	"io"
	"log/slog"
)

// Secret is a password, a token or a private key. It is never printed: every way that fmt, slog, JSON or YAML has of
// showing a value shows a placeholder. Reveal gives the text.
type Secret string

const redacted = "[redacted]"

// Reveal gives the text of the secret, for the one place that sends it.
func (s Secret) Reveal() string { return string(s) }

// String hides the secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return redacted
}

// GoString hides the secret from %#v.
func (s Secret) GoString() string { return s.String() }

// Format hides the secret from every verb, also from those that do not fit a string.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue hides the secret from slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText hides the secret from JSON and YAML.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
