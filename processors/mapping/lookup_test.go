package mapping

import (
	"strings"
	"testing"

	"stripeline/schemas/rowshape"
)

const airlineSchema = `{"type":"record","name":"airline","fields":[{"name":"name","type":"string"},{"name":"fleet","type":["null","long"]}]}`

// looking compiles a mapping with the lookup airlines, which holds two rows. The output is a union of several types, which CEL alone writes.
func looking(t *testing.T, text string) (*Plan, error) {
	t.Helper()
	return lookingFor(t, text, `["null","string","long"]`)
}

func lookingFor(t *testing.T, text, output string) (*Plan, error) {
	t.Helper()
	file, err := Parse("map.yaml", []byte("lookups: {airlines: air}\n"+text))
	if err != nil {
		return nil, err
	}
	shape := func(text string) *rowshape.Shape {
		s, err := rowshape.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	l := file.Lookups()[0]
	if l.Topic != "air" {
		t.Errorf("topic %s", l.Topic)
	}
	l.Shape = shape(airlineSchema)
	l.Find = func(key string) map[string]any {
		return map[string]map[string]any{"UA": {"name": "United", "fleet": int64(900)}, "XX": {"name": "Nobody", "fleet": nil}}[key]
	}
	in := shape(`{"type":"record","name":"in","fields":[{"name":"carrier","type":["null","string"]}]}`)
	return Compile(file, in, shape(`{"type":"record","name":"out","fields":[{"name":"f","type":`+output+`}]}`))
}

func TestLookupsGiveFieldsAndNullForWhatIsNotThere(t *testing.T) {
	for _, c := range []struct{ expression, carrier, want string }{
		{"airlines[row.carrier].name", "UA", "United"},
		{"airlines[row.carrier].name", "ZZ", "null"},
		{"airlines[row.carrier].name + '!'", "UA", "United!"},
		{"airlines[row.carrier].name + '!'", "ZZ", "null"},
		{"airlines[row.carrier].name", "", "null"},
		{"airlines['UA'].name", "", "United"},
		{"string(airlines[row.carrier].fleet + 1)", "UA", "901"},
		{"string(airlines[row.carrier].fleet + 1)", "XX", "null"},
		{"'airlines[row.carrier] == null ? \"none\" : airlines[row.carrier].name'", "ZZ", "none"},
		{"'airlines[row.carrier] == null ? \"none\" : airlines[row.carrier].name'", "UA", "United"},
		{"'airlines[row.carrier] == null ? airlines[\"UA\"].name : \"there\"'", "ZZ", "United"},
		{"'airlines[row.carrier] == null ? airlines[\"UA\"].name : \"there\"'", "UA", "there"},
		{"'airlines[row.carrier] == null ? airlines[\"VV\"].name + \"!\" : \"there\"'", "ZZ", "null"},
		{"'airlines[row.carrier].fleet == null ? airlines[\"UA\"].name.split(\"i\").join(\"j\") : \"fleet\"'", "XX", "Unjted"},
		{"'airlines[row.carrier].fleet == null ? airlines[\"UA\"].name.split(\"i\").join(\"j\") : \"fleet\"'", "ZZ", "Unjted"},
		{"'airlines[row.carrier].fleet == null ? airlines[\"VV\"].name.split(\"i\").join(\"j\") : \"fleet\"'", "ZZ", "null"},
		{"'airlines[row.carrier].fleet == null ? \"no fleet\" : \"fleet\"'", "XX", "no fleet"},
	} {
		for _, output := range []string{`["null","string","long"]`, `["null","string"]`} {
			plan, err := lookingFor(t, "fields:\n  f: "+c.expression+"\n", output)
			if err != nil {
				t.Errorf("%s: %v", c.expression, err)
				continue
			}
			if got, err := lookedFor(plan, c.carrier); err != nil || got != c.want {
				t.Errorf("%s of %q into %s: %s, want %s (%v)", c.expression, c.carrier, output, got, c.want, err)
			}
		}
	}
}

// lookedFor maps a row of a carrier, null for none, and gives the text that comes out.
func lookedFor(plan *Plan, carrier string) (string, error) {
	payload := []byte{0}
	if carrier != "" {
		payload = append([]byte{2, byte(2 * len(carrier))}, carrier...)
	}
	out, _, _, err := plan.Append(nil, Row{Payload: payload})
	if err == nil && out[0] == 2 {
		return string(out[2:]), nil
	}
	return "null", err
}

func TestLookupsAreCheckedBeforeTheStart(t *testing.T) {
	for text, want := range map[string]string{
		"fields:\n  f: airlines[row.carrier].hub\n":      "undefined field 'hub'",
		"fields:\n  f: airlines\n":                       "stands alone",
		"fields:\n  f: airlines[1].name\n":               "no matching overload",
		"fields:\n  f: ports[row.carrier].name\n":        "undeclared reference to 'ports'",
		"fields:\n  f: 'airlines[row.carrier].name > 1'": "map.yaml:3: field f",
	} {
		if _, err := looking(t, text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
	for _, text := range []string{"lookups: [a]\nrest: copy", "lookups: {row: a}\nrest: copy", "lookups: {a-b: a}\nrest: copy"} {
		if _, err := Parse("map.yaml", []byte(text)); err == nil {
			t.Errorf("%s was taken", text)
		}
	}
}

func TestALookupMayNotBeNullWhereNullDoesNotFit(t *testing.T) {
	file, err := Parse("map.yaml", []byte("lookups: {airlines: air}\nfields:\n  f: airlines[row.carrier].name\n"))
	if err != nil {
		t.Fatal(err)
	}
	in, _ := rowshape.Parse(`{"type":"record","name":"in","fields":[{"name":"carrier","type":"string"}]}`)
	out, _ := rowshape.Parse(`{"type":"record","name":"out","fields":[{"name":"f","type":"string"}]}`)
	if _, err = Compile(file, in, out); err == nil || !strings.Contains(err.Error(), "is not known here") {
		t.Errorf("without a schema: %v", err)
	}
	file.Lookups()[0].Shape, _ = rowshape.Parse(airlineSchema)
	if _, err = Compile(file, in, out); err == nil || !strings.Contains(err.Error(), "may be null") {
		t.Errorf("%v", err)
	}
	tested := "lookups: {airlines: air}\nfields:\n  f: 'airlines[row.carrier] == null ? \"none\" : airlines[row.carrier].name'\n"
	if file, err = Parse("map.yaml", []byte(tested)); err != nil {
		t.Fatal(err)
	}
	file.Lookups()[0].Shape, _ = rowshape.Parse(airlineSchema)
	if _, err = Compile(file, in, out); err != nil {
		t.Errorf("tested for null: %v", err)
	}
}
