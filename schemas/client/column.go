package client

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// column is what is known of one column: the kinds that no value has ruled out yet.
type column struct {
	header, name  string
	nulls, values int
	open          kinds
	whole, places int  // most digits before and behind the point
	scientific    bool // some number has an exponent
	rounded       bool // some number has more digits than a double keeps
	micros        bool // some time is finer than a millisecond
	leading       bool // some number has leading zeros
}

// kinds is a set of types.
type kinds uint16

const (
	aBoolean kinds = 1 << iota
	anInt
	aLong
	aNumber
	aDate
	aTime
	anInstant
	aLocalTime
	aUUID
	everyKind = aUUID<<1 - 1
)

var (
	wholeShape  = regexp.MustCompile(`^-?(0|[1-9][0-9]*)$`)
	numberShape = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)
	zerosShape  = regexp.MustCompile(`^-?0[0-9]+$`)
	uuidShape   = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
)

// see rules out what a value is not.
func (c *column) see(value string) {
	c.values++
	if c.open == 0 {
		return
	}
	fits := kindsOf(value)
	c.leading = c.leading || zerosShape.MatchString(value)
	c.open &= fits
	if fits&aNumber != 0 {
		c.measure(value)
	}
	if fits&(aTime|anInstant|aLocalTime) != 0 {
		_, fraction, _ := strings.Cut(value, ".")
		digits := strings.IndexFunc(fraction, func(r rune) bool { return r < '0' || r > '9' })
		if digits < 0 {
			digits = len(fraction)
		}
		c.micros = c.micros || digits > 3
	}
}

func kindsOf(value string) kinds {
	var fits kinds
	switch value {
	case "true", "false", "TRUE", "FALSE", "True", "False":
		return aBoolean
	}
	if wholeShape.MatchString(value) {
		if _, err := strconv.ParseInt(value, 10, 32); err == nil {
			fits |= anInt
		}
		if _, err := strconv.ParseInt(value, 10, 64); err == nil {
			fits |= aLong
		}
	}
	if numberShape.MatchString(value) {
		return fits | aNumber
	}
	for _, layout := range []struct {
		kind   kinds
		layout string
	}{
		{aDate, "2006-01-02"},
		{aTime, "15:04:05.999999"}, {aTime, "15:04"},
		{anInstant, "2006-01-02T15:04:05.999999Z07:00"}, {anInstant, "2006-01-02 15:04:05.999999Z07:00"},
		{aLocalTime, "2006-01-02T15:04:05.999999"}, {aLocalTime, "2006-01-02 15:04:05.999999"},
	} {
		if _, err := time.Parse(layout.layout, value); err == nil && !finerThanMicros(value) {
			fits |= layout.kind
		}
	}
	if uuidShape.MatchString(value) {
		fits |= aUUID
	}
	return fits
}

// finerThanMicros: time.Parse takes any number of digits behind the seconds.
func finerThanMicros(value string) bool {
	_, fraction, _ := strings.Cut(value, ".")
	digits := strings.IndexFunc(fraction, func(r rune) bool { return r < '0' || r > '9' })
	return digits > 6 || (digits < 0 && len(fraction) > 6)
}

func (c *column) measure(value string) {
	mantissa, exponent, _ := strings.Cut(strings.ToLower(strings.TrimPrefix(value, "-")), "e")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	c.whole, c.places = max(c.whole, len(whole)), max(c.places, len(fraction))
	c.scientific = c.scientific || exponent != ""
	c.rounded = c.rounded || len(strings.TrimLeft(whole+fraction, "0")) > 15
}

// conclude chooses the type, and says what it is not sure of.
func (c *column) conclude() (kind any, note string) {
	switch {
	case c.values == 0:
		return "string", "it has no values; string is a guess"
	case c.open&aBoolean != 0:
		return "boolean", ""
	case c.open&anInt != 0:
		return "int", ""
	case c.open&aLong != 0:
		return "long", ""
	case c.open&aDate != 0:
		return logicalType("int", "date"), ""
	case c.open&aTime != 0 && c.micros:
		return logicalType("long", "time-micros"), ""
	case c.open&aTime != 0:
		return logicalType("int", "time-millis"), ""
	case c.open&anInstant != 0:
		return logicalType("long", "timestamp-"+c.unit()), ""
	case c.open&aLocalTime != 0:
		return logicalType("long", "local-timestamp-"+c.unit()), "its times have no zone"
	case c.open&aUUID != 0:
		return logicalType("string", "uuid"), ""
	case c.open&aNumber != 0:
		return c.number()
	case c.leading:
		return "string", "some values are digits with leading zeros; as numbers they would lose them"
	}
	return "string", ""
}

func (c *column) unit() string {
	if c.micros {
		return "micros"
	}
	return "millis"
}

func (c *column) number() (kind any, note string) {
	if !c.rounded {
		return "double", ""
	}
	if c.scientific {
		return "double", "some values have more digits than a double keeps"
	}
	return decimalType{"bytes", "decimal", c.whole + c.places, c.places},
		fmt.Sprintf("some values have more digits than a double keeps, hence decimal(%d,%d)", c.whole+c.places, c.places)
}

type annotated struct {
	Type        string `json:"type"`
	LogicalType string `json:"logicalType"`
}

type decimalType struct {
	Type        string `json:"type"`
	LogicalType string `json:"logicalType"`
	Precision   int    `json:"precision"`
	Scale       int    `json:"scale"`
}

func logicalType(base, logical string) any { return annotated{base, logical} }
