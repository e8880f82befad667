package registry

import (
	"encoding/json"
	"net/http"
)

// scope is the subject of the path, or the whole context where the path names none.
func (c *call) scope() (string, error) {
	if len(c.vars) == 0 {
		return contextScope(c.context), nil
	}
	name := c.subject()
	if bareName(name) == "" {
		return name, nil
	}
	return name, validSubject(name)
}

func getConfig(c *call) (any, error) {
	scope, err := c.scope()
	if err != nil {
		return nil, err
	}
	var answer json.RawMessage
	err = c.registry.view(func(s *state) error {
		own := s.configs[scope]
		switch {
		case scope == "" || c.flag("defaultToGlobal"):
			own = s.inScope(scope, c.registry.opts.Compatibility)
		case own == nil:
			return faultf(40408, "Subject '%s' does not have subject-level compatibility configured", scope)
		}
		answer = own.answer()
		return nil
	})
	return answer, err
}

func putConfig(c *call) (any, error) {
	scope, err := c.scope()
	if err != nil {
		return nil, err
	}
	given := map[string]json.RawMessage{}
	if err := c.body(&given); err != nil {
		return nil, err
	}
	if len(given) == 0 {
		return nil, invalidLevel()
	}
	return c.registry.putConfig(c.req.Context(), scope, given)
}

func deleteConfig(c *call) (any, error) {
	scope, err := c.scope()
	if err != nil {
		return nil, err
	}
	return c.registry.deleteConfig(c.req.Context(), scope)
}

type modeBody struct {
	Mode string `json:"mode"`
}

func getMode(c *call) (any, error) {
	scope, err := c.scope()
	if err != nil {
		return nil, err
	}
	var answer modeBody
	err = c.registry.view(func(s *state) error {
		own, ok := s.modes[scope]
		switch {
		case ok:
			answer.Mode = own
		case scope == "" || c.flag("defaultToGlobal"):
			answer.Mode = s.mode(scope)
		default:
			return faultf(40409, "Subject '%s' does not have subject-level mode configured", scope)
		}
		return nil
	})
	return answer, err
}

func putMode(c *call) (any, error) {
	scope, err := c.scope()
	if err != nil {
		return nil, err
	}
	var given modeBody
	if err := c.body(&given); err != nil {
		return nil, err
	}
	mode, err := c.registry.putMode(c.req.Context(), scope, given.Mode, insistence(c.flag("force")))
	return modeBody{mode}, err
}

func deleteMode(c *call) (any, error) {
	scope, err := c.scope()
	if err != nil {
		return nil, err
	}
	mode, err := c.registry.deleteMode(c.req.Context(), scope, reach(c.flag("recursive")))
	return modeBody{mode}, err
}

// notHere answers what only the newest registries have.
func notHere(*call) (any, error) { return nil, httpFault(http.StatusNotFound, "Not Found") }

func getClusterID(c *call) (any, error) {
	type clusters struct {
		Kafka    string `json:"kafka-cluster"`
		Registry string `json:"schema-registry-cluster"`
	}
	type scope struct {
		Path     []string `json:"path"`
		Clusters clusters `json:"clusters"`
	}
	return struct {
		ID    string `json:"id"`
		Scope scope  `json:"scope"`
	}{"", scope{[]string{}, clusters{c.registry.opts.ClusterID, "schema-registry"}}}, nil
}

func getServerVersion(c *call) (any, error) {
	return struct {
		Version  string `json:"version"`
		CommitID string `json:"commitId"`
	}{c.registry.opts.Version, ""}, nil
}

func serveHealth(c *call) int { return c.text(http.StatusOK, "ok") }

// serveReady says whether the log is followed: a registry that has lost it serves what it knows, but nobody should come. At the start it also waits
// for the first leader; later elections leave a registry ready, since it can read.
func serveReady(c *call) int {
	if err := c.registry.Healthy(); err != nil {
		return c.text(http.StatusServiceUnavailable, plainText(err.Error()))
	}
	if !c.registry.led.Load() {
		if now := c.registry.opts.Leader(); !now.Self && now.Address == "" {
			return c.text(http.StatusServiceUnavailable, "no leader is elected yet")
		}
		c.registry.led.Store(true)
	}
	return c.text(http.StatusOK, "ready")
}

func serveMetrics(c *call) int {
	c.registry.opts.Metrics.ServeHTTP(c.w, c.req)
	return http.StatusOK
}

func (c *call) text(status int, text plainText) int {
	c.accept = "text/plain; charset=utf-8"
	return c.reply(status, []byte(text+"\n"))
}
