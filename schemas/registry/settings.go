package registry

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
)

// putConfig changes the members of a scope's config that are given and returns what to answer.
func (r *Registry) putConfig(ctx context.Context, scope string, given map[string]json.RawMessage) (json.RawMessage, error) {
	var answer json.RawMessage
	err := r.write(ctx, func() (records []Record, err error) {
		err = r.view(func(s *state) error {
			if err := s.writable(scope); err != nil {
				return err
			}
			next, err := s.configs[scope].changed(given)
			if err != nil {
				return err
			}
			answer = echo(given, next)
			records = []Record{{Key: scopeKey(keyConfig, scope), Value: next.value(scope)}}
			return nil
		})
		return records, err
	})
	return answer, err
}

// deleteConfig removes a scope's own config and returns it. The global scope always has one: its default.
func (r *Registry) deleteConfig(ctx context.Context, scope string) (json.RawMessage, error) {
	var answer json.RawMessage
	err := r.write(ctx, func() (records []Record, err error) {
		err = r.view(func(s *state) error {
			if err := s.writable(scope); err != nil {
				return err
			}
			own := s.configs[scope]
			if own == nil && scope != "" {
				return subjectNotFound(scope)
			}
			if own == nil {
				answer = (&config{level: r.opts.Compatibility}).answer()
				return nil
			}
			answer = own.answer()
			records = []Record{{Key: scopeKey(keyConfig, scope)}}
			return nil
		})
		return records, err
	})
	return answer, err
}

// insistence says whether a change of mode is carried out where it could harm.
type insistence bool

// putMode sets a scope's mode. IMPORT needs a scope without live versions, and forgets its soft-deleted ones, unless it
// is insisted on.
func (r *Registry) putMode(ctx context.Context, scope, mode string, force insistence) (string, error) {
	mode = strings.ToUpper(mode)
	if !slices.Contains(modes, mode) {
		return "", invalidMode()
	}
	return mode, r.write(ctx, func() (records []Record, err error) {
		err = r.view(func(s *state) error {
			if mode == importing && !bool(force) {
				if records, err = s.emptied(scope); err != nil {
					return err
				}
			}
			value := modeValue{Subject: &scope, Mode: mode}
			if scope == "" {
				value.Subject = nil
			}
			records = append(records, Record{Key: scopeKey(keyMode, scope), Value: marshal(value)})
			return nil
		})
		return records, err
	})
}

// emptied makes the records that forget what is soft-deleted in a scope, provided that nothing lives there.
func (s *state) emptied(scope string) ([]Record, error) {
	var gone []*version
	for _, name := range s.names(everyContext, withDeleted) {
		if scope != "" && name != scope && (bareName(scope) != "" || contextOf(name) != contextOf(scope)) {
			continue
		}
		if len(s.versions(name, liveOnly)) > 0 {
			return nil, faultf(42205, "Cannot import since found existing subjects")
		}
		gone = append(gone, s.versions(name, withDeleted)...)
	}
	return s.purge(gone), nil
}

// deleteMode removes a scope's own mode, and those of the subjects below it if asked for, and returns it.
func (r *Registry) deleteMode(ctx context.Context, scope string, reach reach) (string, error) {
	var mode string
	err := r.write(ctx, func() (records []Record, err error) {
		err = r.view(func(s *state) error {
			own, ok := s.modes[scope]
			if !ok {
				return subjectNotFound(scope)
			}
			mode = own
			records = []Record{{Key: scopeKey(keyMode, scope)}}
			for below := range s.modes {
				if reach == recursive && below != scope && bareName(scope) == "" && contextOf(below) == contextOf(scope) {
					records = append(records, Record{Key: scopeKey(keyMode, below)})
				}
			}
			return nil
		})
		return records, err
	})
	return mode, err
}

// reach says how far down a delete goes.
type reach bool

const recursive reach = true
