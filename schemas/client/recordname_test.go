package client_test

import (
	"errors"
	"slices"
	"testing"

	"stripeline/schemas/client"
)

func TestRecordNames(t *testing.T) {
	for _, c := range []struct {
		text, name string
		err        error
	}{
		{`{"type":"record","name":"Flight","fields":[]}`, "Flight", nil},
		{`{"type":"record","name":"Flight","namespace":"com.acme","fields":[]}`, "com.acme.Flight", nil},
		{`{"type":"record","name":"org.Flight","namespace":"com.acme","fields":[]}`, "org.Flight", nil},
		{`"string"`, "", client.ErrNoRecord}, {`{"type":"enum","name":"E","symbols":["A"]}`, "", client.ErrNoRecord},
		{`["null",{"type":"record","name":"Flight","fields":[]}]`, "", client.ErrNoRecord},
		{`{"type":"record","name":"Flight","namespace":"com.acme","fields":[{"name":"from","type":"Airport"}]}`, "com.acme.Flight", nil},
		{`"com.acme.Flight"`, "", client.ErrUnknownType},
		{`{"type":"recordx"}`, "", client.ErrInvalid}, {`{`, "", client.ErrInvalid}, {``, "", client.ErrInvalid},
	} {
		if name, err := client.RecordName(c.text); name != c.name || !errors.Is(err, c.err) {
			t.Errorf("%s: %q, %v; want %q, %v", c.text, name, err, c.name, c.err)
		}
	}
}

func TestUndefinedTypesAreThoseThatATextMustReference(t *testing.T) {
	for _, c := range []struct {
		text string
		want []string
	}{
		{`{"type":"record","name":"F","namespace":"a","fields":[{"name":"x","type":"b.X"},{"name":"y","type":["null",{"type":"array","items":"Y"}]},
			{"name":"z","type":"b.X"},{"name":"self","type":["null","F"]},{"name":"later","type":"L"},{"name":"l","type":{"type":"enum","name":"L","symbols":["S"]}}]}`,
			[]string{"b.X", "a.Y"}},
		{`"string"`, nil},
		{`"a.X"`, []string{"a.X"}},
	} {
		if got, err := client.Undefined(c.text); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, %v; want %q", c.text, got, err, c.want)
		}
	}
	if _, err := client.Undefined(`{"type":"record"}`); !errors.Is(err, client.ErrInvalid) {
		t.Errorf("%v", err)
	}
}

func TestFullNames(t *testing.T) {
	for name, want := range map[string]bool{"a": true, "com.acme.Flight_2": true, "": false, ".a": false, "a.": false, "a-b": false, "a..b": false, "2a": false} {
		if client.IsFullName(name) != want {
			t.Errorf("%q: want %v", name, want)
		}
	}
}

func TestSubjectsOf(t *testing.T) {
	bubble(t, client.Config{}, func(t *testing.T, c *client.Client, _ *wire) {
		s := client.Schema{Text: `"string"`}
		for i, subject := range []string{"a-value", "b-key"} {
			id, err := c.Register(t.Context(), subject, s)
			if err != nil {
				t.Fatal(err)
			}
			names, err := c.SubjectsOf(t.Context(), id)
			if want := []string{"a-value", "b-key"}[:i+1]; err != nil || !slices.Equal(names, want) {
				t.Errorf("subjects of %d: %v, %v; want %v", id, names, err, want)
			}
		}
		if _, err := c.SubjectsOf(t.Context(), 99); !errors.Is(err, client.ErrNotFound) {
			t.Errorf("an unknown id: %v", err)
		}
	})
}
