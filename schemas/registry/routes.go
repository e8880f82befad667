package registry

import (
	"net/http"
	"strings"
)

// route is one line of the API.
type route struct {
	method  string
	label   string
	pattern []string // "" stands for a variable
	access  Access
	run     func(*call) (any, error)
	direct  func(*call) int // instead of run, for what is not JSON
}

// routes are all of them by the first segment of their path.
type routes struct{ byHead map[string][]route }

func (rs *routes) of(segments []string) []route {
	if len(segments) == 0 {
		return rs.byHead[""]
	}
	return rs.byHead[segments[0]]
}

func (rt route) match(segments []string) ([]string, bool) {
	if len(segments) != len(rt.pattern) {
		return nil, false
	}
	var vars []string
	for i, want := range rt.pattern {
		switch want {
		case "":
			vars = append(vars, segments[i])
		case segments[i]:
		default:
			return nil, false
		}
	}
	return vars, true
}

func (rt route) takesBody() bool {
	return rt.method == http.MethodPut || (rt.method == http.MethodPost && rt.label != "/")
}

// newRoutes is the table of the API. POST and PUT that change nothing need read access only.
func (r *Registry) newRoutes() *routes {
	rs := &routes{byHead: map[string][]route{}}
	for _, line := range []struct {
		verb   string
		access Access
		run    func(*call) (any, error)
	}{
		{"GET /", ReadOnly, getRoot},
		{"POST /", ReadOnly, getRoot},
		{"GET /schemas", ReadOnly, getSchemas},
		{"GET /schemas/types", ReadOnly, getTypes},
		{"GET /schemas/ids/{}", ReadOnly, getID},
		{"GET /schemas/ids/{}/schema", ReadOnly, getIDSchema},
		{"GET /schemas/ids/{}/subjects", ReadOnly, getIDSubjects},
		{"GET /schemas/ids/{}/versions", ReadOnly, getIDVersions},
		{"GET /subjects", ReadOnly, getSubjects},
		{"POST /subjects/{}", ReadOnly, postLookup},
		{"DELETE /subjects/{}", ReadWrite, deleteSubject},
		{"GET /subjects/{}/versions", ReadOnly, getVersions},
		{"POST /subjects/{}/versions", ReadWrite, postVersion},
		{"GET /subjects/{}/metadata", ReadOnly, getMetadata},
		{"GET /subjects/{}/versions/{}", ReadOnly, getVersion},
		{"DELETE /subjects/{}/versions/{}", ReadWrite, deleteVersion},
		{"GET /subjects/{}/versions/{}/schema", ReadOnly, getVersionSchema},
		{"GET /subjects/{}/versions/{}/referencedby", ReadOnly, getReferencedBy},
		{"POST /compatibility/subjects/{}/versions", ReadOnly, postCompatibility},
		{"POST /compatibility/subjects/{}/versions/{}", ReadOnly, postCompatibilityVersion},
		{"GET /config", ReadOnly, getConfig},
		{"PUT /config", ReadWrite, putConfig},
		{"DELETE /config", ReadWrite, deleteConfig},
		{"GET /config/{}", ReadOnly, getConfig},
		{"PUT /config/{}", ReadWrite, putConfig},
		{"DELETE /config/{}", ReadWrite, deleteConfig},
		{"GET /mode", ReadOnly, getMode},
		{"PUT /mode", ReadWrite, putMode},
		{"DELETE /mode", ReadWrite, notHere},
		{"GET /mode/{}", ReadOnly, getMode},
		{"PUT /mode/{}", ReadWrite, putMode},
		{"DELETE /mode/{}", ReadWrite, deleteMode},
		{"GET /contexts", ReadOnly, getContexts},
		{"GET /v1/metadata/id", ReadOnly, getClusterID},
		{"GET /v1/metadata/version", ReadOnly, getServerVersion},
	} {
		rs.add(line.verb, route{access: line.access, run: line.run})
	}
	rs.add("GET /healthz", route{direct: serveHealth})
	rs.add("GET /readyz", route{direct: serveReady})
	if r.opts.Metrics != nil {
		rs.add("GET /metrics", route{access: ReadOnly, direct: serveMetrics})
	}
	return rs
}

func (rs *routes) add(verb string, rt route) {
	rt.method, rt.label, _ = strings.Cut(verb, " ")
	if rest := strings.Trim(rt.label, "/"); rest != "" {
		rt.pattern = strings.Split(strings.ReplaceAll(rest, "{}", ""), "/")
	}
	head := ""
	if len(rt.pattern) > 0 {
		head = rt.pattern[0]
	}
	rs.byHead[head] = append(rs.byHead[head], rt)
}
