package registry

import (
	"strings"
	"unicode"
)

// A subject's name says its context: ":.ctx:name" is name in context ".ctx", and a plain name is in the default one, ".".
// Within the package a subject is always in the form that canonicalName gives.

const (
	defaultContext = "."
	everyContext   = ":*:"
)

// canonicalName spells a subject of the default context without its context.
func canonicalName(s string) string {
	ctx, name := splitName(s)
	return joinName(ctx, name)
}

func splitName(s string) (ctx, name string) {
	if !strings.HasPrefix(s, ":.") {
		return defaultContext, s
	}
	end := strings.IndexByte(s[1:], ':')
	if end < 0 {
		return s[1:], ""
	}
	return s[1 : end+1], s[end+2:]
}

func joinName(ctx, name string) string {
	if ctx == defaultContext {
		return name
	}
	return ":" + ctx + ":" + name
}

func contextOf(subject string) string {
	ctx, _ := splitName(subject)
	return ctx
}

func bareName(subject string) string {
	_, name := splitName(subject)
	return name
}

// within reads a subject named by somebody in a context: a plain name means that context.
func within(ctx, subject string) string {
	if strings.HasPrefix(subject, ":.") {
		return canonicalName(subject)
	}
	return joinName(ctx, subject)
}

// contextScope is the name under which a context's own config and mode are kept; "" for the default context, whose are
// the global ones.
func contextScope(ctx string) string { return joinName(ctx, "") }

func validSubject(s string) error {
	name := bareName(s)
	if name == "" || name == "__GLOBAL" || name == "__EMPTY" || strings.ContainsFunc(s, unicode.IsControl) {
		return faultf(42208, "The specified subject '%s' is not a valid.", s)
	}
	return nil
}

// matchesPrefix says whether a subject begins with a prefix, which may name a context or, by ":*:", all of them.
func matchesPrefix(subject, prefix string) bool {
	if rest, all := strings.CutPrefix(prefix, everyContext); all {
		return strings.HasPrefix(bareName(subject), rest)
	}
	ctx, name := splitName(prefix)
	return contextOf(subject) == ctx && strings.HasPrefix(bareName(subject), name)
}
