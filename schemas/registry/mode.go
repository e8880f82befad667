package registry

import "slices"

// Modes of a scope.
const (
	readWrite = "READWRITE"
	readOnly  = "READONLY"
	importing = "IMPORT"
	forward   = "FORWARD"
)

var modes = []string{readWrite, readOnly, importing, forward}

// mode is the one that holds for a subject.
func (s *state) mode(name string) string {
	for _, scope := range scopes(name) {
		if m, ok := s.modes[scope]; ok && slices.Contains(modes, m) {
			return m
		}
	}
	return readWrite
}

// writable refuses changes of a subject, its config or its versions while it is read-only.
func (s *state) writable(name string) error {
	if m := s.mode(name); m == readOnly || m == forward {
		return notPermitted(name, "read-only")
	}
	return nil
}
