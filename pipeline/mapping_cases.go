package pipeline

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"stripeline/pipeline/kafka"
	"stripeline/schemas"
	"stripeline/schemas/rowplan"
)

// MappingCase is one example of what a mapping shall do. The values of In are typed by the input schema as the cells of a CSV row are. Out names
// the output fields that matter, as JSON shows them.
type MappingCase struct {
	Name    string                               `yaml:"name"`
	In      map[string]any                       `yaml:"in"`
	Key     string                               `yaml:"key"`
	Lookups map[string]map[string]map[string]any `yaml:"lookups"` // name, key, value
	Out     map[string]any                       `yaml:"out"`
	OutKey  *string                              `yaml:"out_key"`
	LeftOut bool                                 `yaml:"left_out"` // by where
	Reject  string                               `yaml:"reject"`   // a part of the reason
}

// CaseResult is what became of a case; Wrong is empty when it was as it shall be.
type CaseResult struct {
	Name  string `json:"name"`
	Wrong string `json:"wrong,omitempty"`
}

// ParseCases reads a file of cases: a YAML list under "cases".
func ParseCases(name string, text []byte) ([]MappingCase, error) {
	var file struct {
		Cases []MappingCase `yaml:"cases"`
	}
	reading := yaml.NewDecoder(bytes.NewReader(text))
	reading.KnownFields(true)
	if err := reading.Decode(&file); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read cases %s: %s", name, strings.Join(strings.Fields(err.Error()), " "))
	}
	for i, c := range file.Cases {
		if c.Name == "" {
			file.Cases[i].Name = fmt.Sprintf("case %d", i+1)
		}
	}
	return file.Cases, nil
}

// Try runs the cases through the plan, without brokers.
func (p *TransformPlan) Try(cases []MappingCase) ([]CaseResult, error) {
	out, err := rowplan.Walk(p.Out.Text)
	if err != nil {
		return nil, err
	}
	results := make([]CaseResult, len(cases))
	for i, c := range cases {
		results[i].Name = c.Name
		if err := p.tryCase(c, out); err != nil {
			results[i].Wrong = err.Error()
		}
	}
	return results, nil
}

func (p *TransformPlan) tryCase(c MappingCase, out *rowplan.Walker) error {
	value, err := p.encodeCase(c)
	if err != nil {
		return fmt.Errorf("in: %w", err)
	}
	for _, table := range p.tables {
		table.rows = map[string]map[string]any{}
		for key, row := range c.Lookups[table.name] {
			table.rows[key] = natural(row).(map[string]any)
		}
	}
	var made *kafka.Record
	err = p.stage(&kafka.Record{Key: []byte(c.Key), Value: value}, "", func(r *kafka.Record) { made = r })
	why, rejected := schemas.AsReject(err)
	switch {
	case rejected && c.Reject != "" && strings.Contains(why.Code+": "+why.Message, c.Reject):
		return nil
	case rejected:
		return fmt.Errorf("rejected (%s): %s", why.Code, why.Message)
	case err != nil:
		return err
	case c.Reject != "":
		return fmt.Errorf("not rejected, want %q", c.Reject)
	case made == nil && c.LeftOut:
		return nil
	case made == nil || c.LeftOut:
		return fmt.Errorf("left out is %t, want %t", made == nil, c.LeftOut)
	}
	if c.OutKey != nil && string(made.Key) != *c.OutKey {
		return fmt.Errorf("key is %q, want %q", made.Key, *c.OutKey)
	}
	text, err := out.AppendJSON(nil, made.Value[len(p.header):])
	if err != nil {
		return err
	}
	return compareCase(c.Out, text)
}

// compareCase compares the fields that a case names.
func compareCase(want map[string]any, text []byte) error {
	var got map[string]any
	if err := json.Unmarshal(text, &got); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		shown, err := json.Marshal(natural(want[name]))
		if err != nil {
			return fmt.Errorf("out: field %s: %w", name, err)
		}
		var wanted any
		if err := json.Unmarshal(shown, &wanted); err != nil {
			return fmt.Errorf("out: field %s: %w", name, err)
		}
		is, there := got[name]
		if !there || !reflect.DeepEqual(is, wanted) {
			have, _ := json.Marshal(is)
			return fmt.Errorf("field %s is %s, want %s", name, have, shown)
		}
	}
	return nil
}

// encodeCase types a case's input as a row of text.
func (p *TransformPlan) encodeCase(c MappingCase) ([]byte, error) {
	names := slices.Sorted(maps.Keys(c.In))
	plan, err := rowplan.Compile(p.In.Text, names, rowplan.Options{})
	if err != nil {
		return nil, err
	}
	cells := make([][]byte, len(names))
	var quoted rowplan.Bits
	for i, name := range names {
		switch v := c.In[name].(type) {
		case nil:
		case string:
			cells[i], quoted = []byte(v), quoted.With(i)
		case map[string]any, []any:
			cells[i], err = json.Marshal(natural(v))
		default:
			cells[i] = fmt.Append(nil, v)
		}
		if err != nil {
			return nil, fmt.Errorf("field %s: %w", name, err)
		}
	}
	header := []byte{0, byte(p.In.ID >> 24), byte(p.In.ID >> 16), byte(p.In.ID >> 8), byte(p.In.ID)}
	return plan.Append(header, cells, quoted)
}

// natural gives a YAML value with the Go types that rowshape has: whole numbers are int64.
func natural(v any) any {
	switch x := v.(type) {
	case int:
		return int64(x)
	case []any:
		for i := range x {
			x[i] = natural(x[i])
		}
	case map[string]any:
		for name := range x {
			x[name] = natural(x[name])
		}
	}
	return v
}
