package csvfile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// ErrNoFiles is wrapped by Expand when a pattern matches nothing.
var ErrNoFiles = errors.New("no file matches")

// Expand gives the files that patterns name, each once, those of one pattern in the order of their names. "-" is standard input; a name without
// wildcards stands for itself, there or not.
func Expand(patterns []string) ([]string, error) {
	var names []string
	for _, pattern := range patterns {
		found := []string{pattern}
		if _, err := os.Lstat(pattern); err != nil && strings.ContainsAny(pattern, `*?[`) {
			if found, err = filepath.Glob(pattern); err != nil {
				return nil, fmt.Errorf("expand %q: %w", pattern, err)
			}
			if len(found) == 0 {
				return nil, fmt.Errorf("expand %q: %w", pattern, ErrNoFiles)
			}
		}
		for _, name := range found {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names, nil
}
