package registry

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// ServeHTTP answers one request of the REST API, or of /healthz, /readyz and /metrics.
func (r *Registry) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	start := time.Now()
	c := &call{registry: r, w: w, req: req, context: defaultContext, accept: contentTypes[0]}
	status := c.serve()
	r.opts.Observe(Request{Route: c.route.label, Method: c.route.method, Status: status, Duration: time.Since(start)})
}

// call is one request on its way.
type call struct {
	registry *Registry
	w        http.ResponseWriter
	req      *http.Request
	route    route
	context  string   // from /contexts/{context}/...
	vars     []string // the path's variable segments, unescaped, in order
	accept   string   // the content type of the answer
	query    url.Values
}

// rawText is an answer that is a schema's text itself, not a JSON string.
type rawText string

// plainText is an answer for machines that watch.
type plainText string

// serve finds the route, runs it, writes the answer and returns its status.
func (c *call) serve() int {
	err := c.prepare()
	if err != nil {
		return c.fail(err)
	}
	if c.route.direct != nil {
		return c.route.direct(c)
	}
	if status, done := c.forwarded(); done {
		return status
	}
	answer, err := c.route.run(c)
	c.tellPosition()
	if err != nil {
		return c.fail(err)
	}
	if text, raw := answer.(rawText); raw {
		return c.reply(http.StatusOK, []byte(text))
	}
	return c.reply(http.StatusOK, marshal(answer))
}

func (c *call) prepare() error {
	segments, err := c.segments()
	if err != nil {
		return httpFault(http.StatusNotFound, "Not Found")
	}
	who, err := c.registry.logins.who(c.req)
	if err != nil && !open(segments) {
		c.w.Header().Set("WWW-Authenticate", `Basic realm="schema-registry"`)
		return err
	}
	if err := c.find(segments); err != nil {
		return err
	}
	if c.route.access > who && !open(segments) {
		return httpFault(http.StatusForbidden, "Forbidden")
	}
	if c.route.direct != nil {
		return nil
	}
	if c.route.takesBody() {
		if err := acceptedBody(c.req.Header.Get("Content-Type")); err != nil {
			return err
		}
	}
	if c.accept = negotiate(c.req.Header.Values("Accept")); c.accept == "" {
		c.accept = contentTypes[0]
		return httpFault(http.StatusNotAcceptable, "Not Acceptable")
	}
	if c.req.URL.RawQuery != "" {
		c.query = c.req.URL.Query()
	}
	return nil
}

// open says whether a path is for everybody, logged in or not.
func open(segments []string) bool {
	return len(segments) == 1 && (segments[0] == "healthz" || segments[0] == "readyz")
}

// segments splits the path before unescaping it, so that a subject may hold a slash.
func (c *call) segments() ([]string, error) {
	path := strings.Trim(c.req.URL.EscapedPath(), "/")
	if path == "" {
		return nil, nil
	}
	parts := strings.Split(path, "/")
	for i, part := range parts {
		plain, err := url.PathUnescape(part)
		if err != nil {
			return nil, err
		}
		parts[i] = plain
	}
	if len(parts) > 2 && parts[0] == "contexts" {
		c.context = strings.Trim(parts[1], ":")
		if !strings.HasPrefix(c.context, ".") {
			c.context = "." + c.context
		}
		parts = parts[2:]
	}
	return parts, nil
}

func (c *call) find(segments []string) error {
	allowed := false
	method := c.req.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	for _, candidate := range c.registry.routes.of(segments) {
		vars, ok := candidate.match(segments)
		if !ok {
			continue
		}
		if candidate.method == method {
			c.route, c.vars = candidate, vars
			return nil
		}
		allowed = true
	}
	if allowed {
		return httpFault(http.StatusMethodNotAllowed, "Method Not Allowed")
	}
	return httpFault(http.StatusNotFound, "Not Found")
}

func (c *call) fail(err error) int {
	var f *fault
	if !errors.As(err, &f) {
		c.registry.opts.Notice("internal error: " + err.Error())
		f = faultf(50001, "Error in the schema registry's store: %s", err)
	}
	return c.reply(f.status(), marshal(struct {
		Code    int    `json:"error_code"`
		Message string `json:"message"`
	}{f.code, f.message}))
}

func (c *call) reply(status int, body []byte) int {
	c.w.Header()["Content-Type"] = []string{c.accept}
	c.w.Header()["Content-Length"] = []string{strconv.Itoa(len(body))}
	c.w.WriteHeader(status)
	if c.req.Method != http.MethodHead {
		_, _ = c.w.Write(body) // the client has gone if it fails
	}
	return status
}

// flag reads a boolean of the query.
func (c *call) flag(name string) bool { return strings.EqualFold(c.query.Get(name), "true") }

// subject is the path's first variable, in the path's context.
func (c *call) subject() string { return within(c.context, c.vars[0]) }

// visible is what the query's deleted says.
func (c *call) visible() visibility {
	switch {
	case c.flag("deletedOnly"):
		return deletedOnly
	case c.flag("deleted"):
		return withDeleted
	}
	return liveOnly
}
