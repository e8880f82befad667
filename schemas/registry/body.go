package registry

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
)

// rawBody reads the request's body, up to the limit.
func (c *call) rawBody() ([]byte, error) {
	limit := c.registry.opts.Limits.Body
	raw, err := io.ReadAll(http.MaxBytesReader(c.w, c.req.Body, limit))
	var big *http.MaxBytesError
	if errors.As(err, &big) {
		return nil, faultf(http.StatusRequestEntityTooLarge, "The request body is larger than %d bytes", limit)
	}
	if err != nil {
		return nil, faultf(http.StatusBadRequest, "The request body ended early: %s", err)
	}
	return raw, nil
}

// body reads the request's JSON into a value. An empty body leaves it as it is.
func (c *call) body(into any) error {
	raw, err := c.rawBody()
	if err != nil || len(raw) == 0 {
		return err
	}
	if err := json.Unmarshal(decoded(c.req.Header.Get("Content-Type"), raw), into); err != nil {
		return faultf(http.StatusBadRequest, "The request body is not the JSON that is expected: %s", clipText(err.Error()))
	}
	return nil
}

// schemaBody reads a schema request; one whose body is too large has a schema that is too large.
func (c *call) schemaBody() (schemaRequest, error) {
	var req schemaRequest
	err := ofSchema(c.body(&req))
	req.Normalize = c.flag("normalize")
	return req, err
}

// ofSchema is an error of a body that holds a schema.
func ofSchema(err error) error {
	var f *fault
	if errors.As(err, &f) && f.code == http.StatusRequestEntityTooLarge {
		return tooLarge()
	}
	return err
}

// number reads a path variable that must be a number; JAX-RS takes another for an unknown path.
func (c *call) number(text string) (int, error) {
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		return 0, httpFault(http.StatusNotFound, "Not Found")
	}
	return int(n), nil
}

// page cuts a list to the query's offset and limit.
func page[T any](c *call, list []T) ([]T, error) {
	offset, err := c.queryNumber("offset", 0)
	if err != nil {
		return nil, err
	}
	limit, err := c.queryNumber("limit", -1)
	if err != nil {
		return nil, err
	}
	list = list[min(max(offset, 0), len(list)):]
	if limit >= 0 {
		list = list[:min(limit, len(list))]
	}
	if list == nil {
		list = []T{}
	}
	return list, nil
}

func (c *call) queryNumber(name string, otherwise int) (int, error) {
	text := c.query.Get(name)
	if text == "" {
		return otherwise, nil
	}
	return c.number(text)
}
