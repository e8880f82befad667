package registry

import (
	"encoding/json"
	"maps"
	"slices"
	"sort"
)

// state is everything that the log has said so far. It changes only by apply; answers are read from it.
type state struct {
	subjects map[string]*subject
	spaces   map[string]*space
	configs  map[string]*config // by subject, context scope or "" for the global one
	modes    map[string]string  // likewise
	uses     map[target]map[target]bool
	unknown  int // records of key types that we leave alone
	broken   int // records that could not be read
}

// subject is a line of versions, in order.
type subject struct {
	name     string
	versions []*version
}

// version is one registration. Soft-deleted ones stay.
type version struct {
	subject string
	number  int
	id      int
	deleted bool
	content *content
	extra   map[string]json.RawMessage // members of its record that we do not know
	oddKey  []byte                     // the key it was read under, where that is not the one we write
}

// target is one version of one subject, as references name it.
type target struct {
	subject string
	version int
}

// space is a context's ids.
type space struct {
	byID   map[int]*holder
	byHash map[hash]int // never forgets, so that equal content finds its old id
	hashOf map[int]hash // never forgets either: whose an id is, or was
	maxID  int
	pages  []map[hash]int // what the STRIPELINE_IDS records hold, by page
}

// own notes that an id is a hash's. The first to claim one of the two keeps it.
func (sp *space) own(h hash, id int) {
	sp.maxID = max(sp.maxID, id)
	if _, known := sp.byHash[h]; !known {
		sp.byHash[h] = id
	}
	if _, known := sp.hashOf[id]; !known {
		sp.hashOf[id] = h
	}
}

// holder is an id and the versions that carry it.
type holder struct {
	content  *content
	versions []*version
}

func newState() *state {
	return &state{
		subjects: map[string]*subject{},
		spaces:   map[string]*space{},
		configs:  map[string]*config{},
		modes:    map[string]string{},
		uses:     map[target]map[target]bool{},
	}
}

func (s *state) space(ctx string) *space {
	sp := s.spaces[ctx]
	if sp == nil {
		sp = &space{byID: map[int]*holder{}, byHash: map[hash]int{}, hashOf: map[int]hash{}}
		s.spaces[ctx] = sp
	}
	return sp
}

// peek is space for readers, who may not change the map.
func (s *state) peek(ctx string) *space {
	if sp := s.spaces[ctx]; sp != nil {
		return sp
	}
	return &space{}
}

// visibility chooses versions by their soft deletion.
type visibility byte

const (
	liveOnly visibility = iota
	withDeleted
	deletedOnly
)

func (v visibility) shows(x *version) bool {
	switch v {
	case liveOnly:
		return !x.deleted
	case deletedOnly:
		return x.deleted
	}
	return true
}

// versions returns a subject's versions in order.
func (s *state) versions(name string, see visibility) []*version {
	sub := s.subjects[name]
	if sub == nil {
		return nil
	}
	out := make([]*version, 0, len(sub.versions))
	for _, v := range sub.versions {
		if see.shows(v) {
			out = append(out, v)
		}
	}
	return out
}

func (s *state) version(name string, number int) *version {
	sub := s.subjects[name]
	if sub == nil {
		return nil
	}
	if at, found := sub.find(number); found {
		return sub.versions[at]
	}
	return nil
}

// latest returns the newest live version, or nil.
func (s *state) latest(name string) *version {
	sub := s.subjects[name]
	if sub == nil {
		return nil
	}
	for _, v := range slices.Backward(sub.versions) {
		if !v.deleted {
			return v
		}
	}
	return nil
}

// names returns the subjects below a prefix that have a version to show, in order.
func (s *state) names(prefix string, see visibility) []string {
	out := []string{}
	for _, name := range slices.Sorted(maps.Keys(s.subjects)) {
		if matchesPrefix(name, prefix) && s.subjects[name].has(see) {
			out = append(out, name)
		}
	}
	return out
}

// has says whether a subject is to be shown; "deleted only" means that nothing of it lives.
func (sub *subject) has(see visibility) bool {
	live := slices.ContainsFunc(sub.versions, func(v *version) bool { return !v.deleted })
	switch see {
	case liveOnly:
		return live
	case deletedOnly:
		return !live && len(sub.versions) > 0
	}
	return len(sub.versions) > 0
}

func (sub *subject) find(number int) (int, bool) {
	at := sort.Search(len(sub.versions), func(i int) bool { return sub.versions[i].number >= number })
	return at, at < len(sub.versions) && sub.versions[at].number == number
}

// next is the version that a new registration gets: one more than the highest there is, soft-deleted or not.
func (s *state) next(name string) int {
	sub := s.subjects[name]
	if sub == nil {
		return 1
	}
	return sub.versions[len(sub.versions)-1].number + 1
}

// users returns the versions that reference one version, in order.
func (s *state) users(of target, see visibility) []*version {
	var out []*version
	for user := range s.uses[of] {
		if v := s.version(user.subject, user.version); v != nil && see.shows(v) {
			out = append(out, v)
		}
	}
	slices.SortFunc(out, func(a, b *version) int { return a.id - b.id })
	return out
}
