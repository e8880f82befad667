package registry

import (
	"crypto/sha256"
	"errors"
	"fmt"
)

// bundle is content with everything that it references, directly or not.
type bundle struct {
	content *content
	deps    []*bundle
	key     hash // of the content and all the contents below it
}

// resolver collects bundles from the state; mu is held by its user.
type resolver struct {
	state *state
	see   visibility
	most  int // depth
	bytes int // that the texts of all references may still have
	known map[target]*bundle
	path  map[target]bool
}

// bundle resolves the references of content in a context. Each missing, circular or too deep one is a fault.
func (s *state) bundle(ctx string, c *content, o resolveRule) (*bundle, error) {
	rs := resolver{state: s, see: o.see, most: o.depth, bytes: o.bytes, known: map[target]*bundle{}, path: map[target]bool{}}
	return rs.bundle(ctx, c)
}

type resolveRule struct {
	see   visibility
	depth int
	bytes int
}

func (l Limits) references(see visibility) resolveRule {
	return resolveRule{see: see, depth: l.References, bytes: l.Referenced}
}

func (rs *resolver) bundle(ctx string, c *content) (*bundle, error) {
	b := &bundle{content: c, key: c.sum}
	if len(c.References) == 0 {
		return b, nil
	}
	if len(rs.path) >= rs.most {
		return nil, fmt.Errorf("references are nested deeper than %d", rs.most)
	}
	sum := sha256.New()
	sum.Write(c.sum[:])
	for _, ref := range c.References {
		dep, err := rs.follow(ctx, ref)
		if err != nil {
			return nil, err
		}
		b.deps = append(b.deps, dep)
		sum.Write(dep.key[:])
	}
	b.key = hash(sum.Sum(nil)[:16])
	return b, nil
}

func (rs *resolver) follow(ctx string, ref reference) (*bundle, error) {
	at := target{within(ctx, ref.Subject), ref.Version}
	if done := rs.known[at]; done != nil {
		return done, nil
	}
	if rs.path[at] {
		return nil, fmt.Errorf("reference %q leads back to subject %q version %d", ref.Name, ref.Subject, ref.Version)
	}
	v := rs.state.version(at.subject, at.version)
	if v == nil || !rs.see.shows(v) {
		return nil, fmt.Errorf("no schema reference found for subject %q and version %d", ref.Subject, ref.Version)
	}
	if rs.bytes -= len(v.content.Text); rs.bytes < 0 {
		return nil, errors.New("the referenced schemas are too large together")
	}
	rs.path[at] = true
	b, err := rs.bundle(contextOf(at.subject), v.content)
	delete(rs.path, at)
	if err == nil {
		rs.known[at] = b
	}
	return b, err
}

// pinned returns references with "latest" (-1) replaced by a number.
func (s *state) pinned(ctx string, refs []reference) []reference {
	var out []reference
	for _, ref := range refs {
		if ref.Version == -1 {
			if v := s.latest(within(ctx, ref.Subject)); v != nil {
				ref.Version = v.number
			}
		}
		out = append(out, ref)
	}
	return out
}
