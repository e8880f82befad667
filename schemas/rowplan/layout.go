package rowplan

import (
	"fmt"
	"strings"
	"time"
)

// layout is a time format that was asked for; the zero layout is the type's own.
type layout struct {
	goLayout string
	epoch    int64 // units per second; -1 for the unit of the type
}

var epochs = map[string]int64{"epoch": -1, "epoch-s": 1, "epoch-ms": 1e3, "epoch-us": 1e6, "epoch-ns": 1e9}

// strftime gives the Go layout of each directive that has one.
var strftime = map[byte]string{
	'Y': "2006", 'y': "06", 'm': "01", 'd': "02", 'e': "_2", 'j': "002", 'B': "January", 'b': "Jan", 'h': "Jan", 'A': "Monday", 'a': "Mon",
	'H': "15", 'I': "03", 'M': "04", 'S': "05", 'p': "PM", 'f': "999999999", 'Z': "MST", 'z': "-0700",
	'F': "2006-01-02", 'T': "15:04:05", 'D': "01/02/06", 'R': "15:04", '%': "%",
}

func (o Options) reading() (*reading, error) {
	stamp, err := parseLayout(o.TimeFormat)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrHeader, err)
	}
	date, err := parseLayout(o.DateFormat)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrHeader, err)
	}
	return &reading{timestamp: stamp, date: date, trim: o.Trim, ignoreExtra: o.IgnoreExtra}, nil
}

// parseLayout reads a time format: an epoch word, a strftime format, or a Go layout.
func parseLayout(format string) (layout, error) {
	if format == "" {
		return layout{}, nil
	}
	if per, ok := epochs[format]; ok {
		return layout{epoch: per}, nil
	}
	if strings.Contains(format, "%") {
		var err error
		if format, err = fromStrftime(format); err != nil {
			return layout{}, err
		}
	}
	probe := time.Date(1999, 11, 28, 21, 43, 57, 0, time.UTC)
	if probe.Format(format) == format {
		return layout{}, fmt.Errorf("time format %q holds no date or time: write it as 2006-01-02 15:04:05 or as %%Y-%%m-%%d %%H:%%M:%%S", format)
	}
	return layout{goLayout: format}, nil
}

func fromStrftime(format string) (string, error) {
	var out strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			out.WriteByte(format[i])
			continue
		}
		i++
		if i == len(format) {
			return "", fmt.Errorf("time format %q ends in %%", format)
		}
		part, ok := strftime[format[i]]
		if !ok {
			return "", fmt.Errorf("time format %q: %%%c is not known here; write a Go layout such as 2006-01-02 15:04:05", format, format[i])
		}
		out.WriteString(part)
	}
	return out.String(), nil
}
