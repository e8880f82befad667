package schemas

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ErrBadPath is returned for a path that the catalog does not take.
var ErrBadPath = errors.New("not a path of the catalog")

// MaxPath is the length of the longest path, in bytes.
const MaxPath = 1024

// CheckPath says whether the catalog takes the path: absolute, slash-separated, valid UTF-8 without control
// characters, at most MaxPath bytes, no empty, "." or ".." element, no slash at the end.
func CheckPath(path string) error {
	switch {
	case !strings.HasPrefix(path, "/"):
		return fmt.Errorf("check path %q: %w: it must begin with /", path, ErrBadPath)
	case len(path) > MaxPath:
		return fmt.Errorf("check path: %w: %d bytes, at most %d", ErrBadPath, len(path), MaxPath)
	case !utf8.ValidString(path) || strings.ContainsFunc(path, unicode.IsControl):
		return fmt.Errorf("check path %q: %w: control characters or invalid UTF-8", path, ErrBadPath)
	}
	for element := range strings.SplitSeq(path[1:], "/") {
		if element == "" || element == "." || element == ".." {
			return fmt.Errorf("check path %q: %w: element %q is not allowed", path, ErrBadPath, element)
		}
	}
	return nil
}

// Volume gives the first element of a path that has more than one, else "": the unit of naming order.
func Volume(path string) string {
	first, _, more := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	if !more {
		return ""
	}
	return first
}

// VolumeKey is the key of commands: a slash and the volume, so that the key of volume "" is not empty
// (clients treat an empty key as none). It decides the partition of commands and of files.
func VolumeKey(path string) []byte { return []byte("/" + Volume(path)) }
