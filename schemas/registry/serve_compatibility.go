package registry

import "errors"

// verdict is the answer to a compatibility request; Messages only where they are asked for.
type verdict struct {
	Compatible bool      `json:"is_compatible"`
	Messages   *[]string `json:"messages,omitempty"`
}

func postCompatibility(c *call) (any, error) { return c.verdict(nil) }

// postCompatibilityVersion checks against one version alone. The latest of a subject without any goes with everything.
func postCompatibilityVersion(c *call) (any, error) {
	number, err := versionNumber(c.vars[1])
	if err != nil {
		return nil, err
	}
	var v *version
	name := c.subject()
	err = c.registry.view(func(s *state) error {
		if v = s.latest(name); number == latestVersion {
			return nil
		}
		if v = s.version(name, number); v == nil || v.deleted {
			return versionNotFound(number)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if v == nil {
		return c.verdict([]*version{})
	}
	return c.verdict([]*version{v})
}

func (c *call) verdict(against []*version) (any, error) {
	req, err := c.schemaBody()
	if err != nil {
		return nil, err
	}
	verbose := c.flag("verbose")
	why, err := c.registry.check(c.subject(), req, against)
	var f *fault
	if verbose && errors.As(err, &f) && f.code == 42201 {
		why, err = []string{f.message}, nil
	}
	if err != nil {
		return nil, err
	}
	out := verdict{Compatible: len(why) == 0}
	if verbose {
		if why == nil {
			why = []string{}
		}
		out.Messages = &why
	}
	return out, nil
}
