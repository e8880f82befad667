package mapping

import (
	"math"
	"strconv"
	"strings"
	"time"

	"cel.dev/cel-go/common/operators"
)

// directTimes are the functions of timestamps and durations, by CEL's own definitions of them. The getters take a constant zone as well.
var directTimes = map[string][]build{
	operators.Add: {pair(later), pair(func(s *scratch, d time.Duration, t time.Time) (time.Time, bool) { return later(s, t, d) }),
		pair(longer)},
	operators.Subtract: {pair(func(s *scratch, t time.Time, d time.Duration) (time.Time, bool) {
		u, ok := later(s, t, -d)
		return u, ok && d != math.MinInt64
	}), pair(apart), pair(func(s *scratch, c, d time.Duration) (time.Duration, bool) {
		n, ok := minus(s, int64(c), int64(d))
		return time.Duration(n), ok
	})},
	"timestamp": {single(itself[time.Time]), single(parseMoment), single(momentAt)},
	"duration": {single(itself[time.Duration]), single(func(_ *scratch, x []byte) (time.Duration, bool) {
		d, err := time.ParseDuration(string(x))
		return d, err == nil
	})},
	"int": {single(func(_ *scratch, t time.Time) (int64, bool) { return t.Unix(), true }),
		single(func(_ *scratch, d time.Duration) (int64, bool) { return int64(d), true })},
	"string": {single(momentText), single(spanText)},

	"getFullYear":   getter(time.Time.Year),
	"getMonth":      getter(func(t time.Time) int { return int(t.Month()) - 1 }),
	"getDate":       getter(time.Time.Day),
	"getDayOfMonth": getter(func(t time.Time) int { return t.Day() - 1 }),
	"getDayOfWeek":  getter(func(t time.Time) int { return int(t.Weekday()) }),
	"getDayOfYear":  getter(func(t time.Time) int { return t.YearDay() - 1 }),
	"getHours":      getter(time.Time.Hour, func(d time.Duration) int64 { return int64(d.Hours()) }),
	"getMinutes":    getter(time.Time.Minute, func(d time.Duration) int64 { return int64(d.Minutes()) }),
	"getSeconds":    getter(time.Time.Second, func(d time.Duration) int64 { return int64(d.Seconds()) }),
	"getMilliseconds": getter(func(t time.Time) int { return t.Nanosecond() / int(time.Millisecond) },
		time.Duration.Milliseconds),
}

// The first and the last second of CEL's timestamps.
var (
	firstSecond = time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	lastSecond  = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC).Unix()
)

func inRange(t time.Time) bool { return t.Unix() >= firstSecond && t.Unix() <= lastSecond }

func later(_ *scratch, t time.Time, d time.Duration) (time.Time, bool) {
	u := t.Add(d)
	return u, inRange(t) && inRange(u)
}

func longer(s *scratch, c, d time.Duration) (time.Duration, bool) {
	n, ok := plus(s, int64(c), int64(d))
	return time.Duration(n), ok
}

// apart leaves the ends of what a duration can be to CEL: Sub gives them for everything beyond.
func apart(_ *scratch, t, u time.Time) (time.Duration, bool) {
	d := t.Sub(u)
	return d, d != math.MinInt64 && d != math.MaxInt64
}

func momentOrder(x, y time.Time) (int, bool) { return x.Compare(y), true }

func spanOrder(x, y time.Duration) (int, bool) { return wholeOrder(int64(x), int64(y)) }

func momentText(s *scratch, t time.Time) ([]byte, bool) {
	return s.keep(func(dst []byte) []byte { return t.AppendFormat(dst, time.RFC3339Nano) }), true
}

func spanText(s *scratch, d time.Duration) ([]byte, bool) {
	return s.keep(func(dst []byte) []byte { return append(strconv.AppendFloat(dst, d.Seconds(), 'f', -1, 64), 's') }), true
}

func momentAt(_ *scratch, seconds int64) (time.Time, bool) {
	t := time.Unix(seconds, 0).UTC()
	return t, seconds >= firstSecond && seconds <= lastSecond
}

// momentForm is what timestamp() takes here, where 0 is any digit; a fraction may stand before the Z. Other forms that CEL takes are CEL's.
const momentForm = "0000-00-00T00:00:00"

func parseMoment(_ *scratch, x []byte) (time.Time, bool) {
	if len(x) <= len(momentForm) || x[len(x)-1] != 'Z' {
		return time.Time{}, false
	}
	for i, c := range []byte(momentForm) {
		if c == '0' && (x[i] < '0' || x[i] > '9') || c != '0' && x[i] != c {
			return time.Time{}, false
		}
	}
	if fraction := x[len(momentForm):]; len(fraction) > 1 && fraction[0] != '.' {
		return time.Time{}, false
	}
	t, err := time.Parse(time.RFC3339, string(x))
	return t, err == nil && inRange(t)
}

// getter reads a part of a timestamp, in UTC or in a constant zone, and where there is one the same of a duration.
func getter(of func(time.Time) int, ofSpan ...func(time.Duration) int64) []build {
	builds := []build{
		single(func(_ *scratch, t time.Time) (int64, bool) { return int64(of(t)), true }),
		func(args []*direct) *direct {
			if len(args) != 2 || args[1].text == nil || !args[1].constant {
				return nil
			}
			name, ok := args[1].text(&scratch{})
			zone, known := zoneOf(string(name))
			if !ok || !known {
				return nil
			}
			return single(func(_ *scratch, t time.Time) (int64, bool) { return int64(of(t.In(zone))), true })(args[:1])
		},
	}
	for _, of := range ofSpan {
		builds = append(builds, single(func(_ *scratch, d time.Duration) (int64, bool) { return of(d), true }))
	}
	return builds
}

// zoneOf is the zone of a name, or of an offset as -08:00. Other forms of an offset that CEL takes are CEL's.
func zoneOf(name string) (*time.Location, bool) {
	if !strings.Contains(name, ":") {
		zone, err := time.LoadLocation(name)
		return zone, err == nil
	}
	if len(name) != 6 || name[3] != ':' || name[0] != '+' && name[0] != '-' {
		return nil, false
	}
	hours, errHours := strconv.ParseUint(name[1:3], 10, 64)
	minutes, errMinutes := strconv.ParseUint(name[4:], 10, 64)
	if errHours != nil || errMinutes != nil || hours > 23 || minutes > 59 {
		return nil, false
	}
	offset := int(hours*60+minutes) * 60
	if name[0] == '-' {
		offset = -offset
	}
	return time.FixedZone("", offset), true
}
