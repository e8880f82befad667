package rowplan

import (
	"fmt"

	"github.com/twmb/avro"
)

var primitives = map[string]kind{
	"null": kindNull, "boolean": kindBoolean, "int": kindInt, "long": kindLong, "float": kindFloat, "double": kindDouble,
	"string": kindString, "bytes": kindBytes,
}

// logicals holds the pairs of type and logical type that mean something; every other pair is the plain type, as Avro has it.
var logicals = map[[2]string]struct {
	kind      kind
	perSecond int64
}{
	{"int", "date"}:                    {kindDate, 0},
	{"int", "time-millis"}:             {kindTimeMillis, 1e3},
	{"long", "time-micros"}:            {kindTimeMicros, 1e6},
	{"long", "timestamp-millis"}:       {kindTimestamp, 1e3},
	{"long", "timestamp-micros"}:       {kindTimestamp, 1e6},
	{"long", "timestamp-nanos"}:        {kindTimestamp, 1e9},
	{"long", "local-timestamp-millis"}: {kindLocalTimestamp, 1e3},
	{"long", "local-timestamp-micros"}: {kindLocalTimestamp, 1e6},
	{"long", "local-timestamp-nanos"}:  {kindLocalTimestamp, 1e9},
	{"string", "uuid"}:                 {kindUUIDString, 0},
}

// primitiveNode makes the node of a primitive type, nil when s is none.
func primitiveNode(s *avro.SchemaNode) *node {
	k, ok := primitives[s.Type]
	if !ok {
		return nil
	}
	n := &node{kind: k, label: s.Type}
	if l, ok := logicals[[2]string{s.Type, s.LogicalType}]; ok {
		n.kind, n.perSecond = l.kind, l.perSecond
		n.label = s.Type + " (" + s.LogicalType + ")"
	}
	if k == kindBytes && s.LogicalType == "decimal" && s.Precision > 0 {
		n.setDecimal(kindDecimalBytes, s)
	}
	return n
}

func fixedNode(s *avro.SchemaNode) *node {
	n := &node{kind: kindFixed, name: fullName(s), size: s.Size}
	n.label = fmt.Sprintf("fixed %s of %d bytes", n.name, n.size)
	switch {
	case s.LogicalType == "decimal" && s.Precision > 0:
		n.setDecimal(kindDecimalFixed, s)
	case s.LogicalType == "uuid" && s.Size == 16:
		n.kind, n.label = kindUUIDFixed, "fixed (uuid)"
	case s.LogicalType == "duration" && s.Size == 12:
		n.kind, n.label = kindDuration, "fixed (duration)"
	}
	return n
}

func (n *node) setDecimal(k kind, s *avro.SchemaNode) {
	n.kind, n.precision, n.scale = k, s.Precision, s.Scale
	n.label = fmt.Sprintf("decimal of %d digits, %d after the point", s.Precision, s.Scale)
}
