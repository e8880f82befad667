package registry

import (
	"fmt"
	"strconv"
)

// fault is an error with a place in Confluent's table: its code, whose first three digits are the HTTP status, and the
// text that clients have come to expect.
type fault struct {
	code    int
	message string
}

func (f *fault) Error() string { return strconv.Itoa(f.code) + " " + f.message }

func (f *fault) status() int {
	s := f.code
	for s > 999 {
		s /= 10
	}
	return s
}

func faultf(code int, format string, args ...any) *fault {
	return &fault{code: code, message: fmt.Sprintf(format, args...)}
}

func subjectNotFound(s string) *fault { return faultf(40401, "Subject '%s' not found.", s) }

func versionNotFound(v int) *fault { return faultf(40402, "Version %d not found.", v) }

func schemaNotFound() *fault { return faultf(40403, "Schema not found") }

func idNotFound(id int) *fault { return faultf(40403, "Schema %d not found", id) }

func invalidVersion(v string) *fault {
	return faultf(42202, "The specified version '%s' is not a valid version id. Allowed values are between [1, 2^31-1] and the string \"latest\"", v)
}

func invalidLevel() *fault {
	return faultf(42203, "Invalid compatibility level. Valid values are none, backward, forward, full, backward_transitive, forward_transitive, and full_transitive")
}

func invalidMode() *fault {
	return faultf(42204, "Invalid mode. Valid values are READWRITE, READONLY, IMPORT and FORWARD.")
}

func notPermitted(subject, what string) *fault {
	return faultf(42205, "Subject %s in context %s is in %s mode", bareName(subject), contextOf(subject), what)
}

func notInMode(subject, mode string) *fault {
	return faultf(42205, "Subject %s in context %s is not in %s mode", bareName(subject), contextOf(subject), mode)
}

func referenced(subject string, version int) *fault {
	return faultf(42206, "One or more references exist to the schema {magic=1,keytype=SCHEMA,subject=%s,version=%d}.", subject, version)
}

func httpFault(status int, text string) *fault { return faultf(status, "HTTP %d %s", status, text) }
