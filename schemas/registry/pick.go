package registry

import (
	"math"
	"strconv"
)

// pick finds the version that a path names: a number, "latest" or -1. The latest is the newest live one; where none lives
// and deleted ones are to be seen, the newest of those.
func (s *state) pick(name, spec string, see visibility) (*version, error) {
	number, err := versionNumber(spec)
	if err != nil {
		return nil, err
	}
	list := s.versions(name, see)
	if len(list) == 0 {
		return nil, subjectNotFound(name)
	}
	if number == latestVersion {
		if v := s.latest(name); v != nil {
			return v, nil
		}
		return list[len(list)-1], nil
	}
	if v := s.version(name, number); v != nil && see.shows(v) {
		return v, nil
	}
	return nil, versionNotFound(number)
}

const latestVersion = -1

func versionNumber(spec string) (int, error) {
	if spec == "latest" {
		return latestVersion, nil
	}
	n, err := strconv.ParseInt(spec, 10, 64)
	if err != nil || n > math.MaxInt32 || (n < 1 && n != latestVersion) {
		return 0, invalidVersion(spec)
	}
	return int(n), nil
}
