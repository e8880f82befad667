package pipeline

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"stripeline/schemas/client"
	"stripeline/schemas/registry"
	"stripeline/schemas/registry/logtest"
)

// inProcess is a transport to a registry in the process that notes what it was asked to write.
type inProcess struct {
	server http.Handler
	writes []string
}

func (w *inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/versions") && strings.HasPrefix(r.URL.Path, "/subjects/") {
		w.writes = append(w.writes, r.URL.Path)
	}
	answer := httptest.NewRecorder()
	w.server.ServeHTTP(answer, r)
	return answer.Result(), nil
}

// trueRegistry is a whole registry without a network.
func trueRegistry(t testing.TB) (RegistryClient, *inProcess) {
	t.Helper()
	r, err := registry.Open(t.Context(), logtest.NewMemory(), registry.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	wire := &inProcess{server: r}
	c, err := client.Open(client.Config{URLs: []string{"http://registry"}, Transport: wire, Attempts: 1})
	if err != nil {
		t.Fatal(err)
	}
	return RegistryClient{c}, wire
}

// newRowWorldWithRegistry has a topic, and a registry in which nothing is.
func newRowWorldWithRegistry(t testing.TB) (*rowWorld, func(files ...string) *ProduceCSV, *inProcess) {
	w := newRowWorld(t)
	registry, wire := trueRegistry(t)
	csv := func(files ...string) *ProduceCSV {
		p := w.csv(files...)
		p.Registry, p.Writer = registry, registry
		p.Pin.Subject = ValueSubject(w.topic)
		return p
	}
	return w, csv, wire
}

func rowFile(text string) *SchemaFile { return &SchemaFile{Name: "row.avsc", Text: text} }

func TestRegisteredOnceAndThenUsed(t *testing.T) {
	w, csv, wire := newRowWorldWithRegistry(t)
	file := w.file("id,name,amount\n1,a,1\n")
	if _, err := csv(file).Run(t.Context()); !errors.Is(err, ErrUnknownSchema) || len(wire.writes) != 0 {
		t.Fatalf("without --register: %v, %v", err, wire.writes)
	}
	for n := 1; n <= 2; n++ {
		p := csv(file)
		p.Register, p.Key = rowFile(rowSchema), []string{"id"}
		p.AvroKey = &AvroKey{Pin: Pin{Subject: KeySubject(w.topic)}, Register: rowFile(`"long"`)}
		s, err := p.Run(t.Context())
		if err != nil || s.Acked != 1 || s.Schema.Version != 1 || s.Schema.ID != 1 || len(wire.writes) != 2 {
			t.Fatalf("run %d: %+v, %v, registered %v", n, s, err, wire.writes)
		}
	}
	p := csv(file)
	p.Register = rowFile(strings.Replace(rowSchema, `{"name":"note"`, `{"name":"extra","type":"string","default":"d"},{"name":"note"`, 1))
	if s, err := p.Run(t.Context()); err != nil || s.Schema.Version != 2 || s.Schema.ID != 3 {
		t.Errorf("a compatible one: %+v, %v", s, err)
	}
}

func TestNothingIsRegisteredNorSentBeforeEverythingIsRight(t *testing.T) {
	w, csv, wire := newRowWorldWithRegistry(t)
	held := csv(w.file("id,name,amount\n1,a,1\n"))
	held.Register = rowFile(rowSchema)
	if _, err := held.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	wire.writes = nil
	intName := strings.Replace(rowSchema, `"name","type":"string"`, `"name","type":"int"`, 1)
	wider := strings.Replace(rowSchema, `{"name":"note"`, `{"name":"extra","type":"string","default":"d"},{"name":"note"`, 1)
	var refused *Incompatible
	for _, c := range []struct {
		name string
		set  func(*ProduceCSV)
		fits func(error) bool
	}{
		{"an incompatible schema", func(p *ProduceCSV) { p.Register = rowFile(intName) }, func(err error) bool {
			return errors.As(err, &refused) && errors.Is(err, client.ErrIncompatible) && len(refused.Messages) > 0 && refused.File == "row.avsc"
		}},
		{"a header that does not fit", func(p *ProduceCSV) {
			p.Register = rowFile(strings.Replace(wider, `"default":"d"`, `"doc":"no default"`, 1))
			p.Pin.Subject = "another"
		}, func(err error) bool { return strings.Contains(err.Error(), `no column for "extra"`) }},
		{"no such topic", func(p *ProduceCSV) { p.Register = rowFile(wider); p.Topic = "nowhere" }, func(err error) bool { return err != nil }},
		{"a key column that is not there", func(p *ProduceCSV) { p.Register = rowFile(wider); p.Key = []string{"nokey"} }, func(err error) bool { return errors.Is(err, ErrNoColumn) }},
		{"a key that does not fit its schema", func(p *ProduceCSV) {
			p.Register, p.Key = rowFile(wider), []string{"id", "name"}
			p.AvroKey = &AvroKey{Register: rowFile(`"long"`), Pin: Pin{Subject: "k"}}
		}, func(err error) bool { return strings.Contains(err.Error(), "takes one column, not 2") }},
		{"no such key subject", func(p *ProduceCSV) { p.Register, p.Key, p.AvroKey = rowFile(wider), []string{"id"}, &AvroKey{} },
			func(err error) bool {
				return errors.Is(err, ErrUnknownSchema) && strings.Contains(err.Error(), KeySubject(w.topic))
			}},
	} {
		p := csv(w.file("id,name,amount\n2,b,2\n"))
		c.set(p)
		if _, err := p.Run(t.Context()); err == nil || !c.fits(err) {
			t.Errorf("%s: %v", c.name, err)
		}
		if len(wire.writes) > 0 || w.count(w.topic) != 1 {
			t.Errorf("%s: registered %v, %d records", c.name, wire.writes, w.count(w.topic))
		}
	}
}

func TestDryRunChecksAndRegistersNothing(t *testing.T) {
	w, csv, wire := newRowWorldWithRegistry(t)
	p := csv(w.file("id,name,amount\n1,a,1\n"))
	p.Register, p.Key, p.AvroKey = rowFile(rowSchema), []string{"id"}, &AvroKey{Register: rowFile(`"long"`), Pin: Pin{Subject: "k"}}
	var shown []RowTrial
	err := p.Try(t.Context(), 5, func(x RowTrial) error { shown = append(shown, x); return nil })
	if err != nil || len(shown) != 1 || string(shown[0].Key) != "1" || !strings.Contains(string(shown[0].Record), `"id":1`) {
		t.Errorf("%+v, %v", shown, err)
	}
	if len(wire.writes) > 0 || w.count(w.topic) > 0 {
		t.Errorf("registered %v, %d records", wire.writes, w.count(w.topic))
	}
}

func TestSubjectOfASchemaPinnedByItsID(t *testing.T) {
	w, csv, _ := newRowWorldWithRegistry(t)
	file := w.file("id,name,amount\nx,a,1\n")
	first := csv(file)
	first.Register = rowFile(rowSchema)
	if _, err := first.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	subjectOf := func(pin Pin) string {
		file := w.file("id,name,amount\nx,a,1\n")
		p := csv(file)
		p.Pin = pin
		if s, err := p.Run(t.Context()); err != nil || s.Rejects != 1 || s.Schema.Subject != pin.Subject {
			t.Fatalf("%+v %v", s, err)
		}
		for _, x := range w.rejects() {
			if subject, there := x.Facts[headerSubject]; x.Facts[headerFile] == file && there {
				return fmt.Sprintf("%q", subject)
			}
		}
		return "left out"
	}
	if got := subjectOf(Pin{ID: 1}); got != fmt.Sprintf("%q", ValueSubject(w.topic)) {
		t.Errorf("the only subject is called %s", got)
	}
	if got := subjectOf(Pin{ID: 1, Subject: "mine"}); got != `"mine"` {
		t.Errorf("the given subject is called %s", got)
	}
	if _, err := first.Writer.Add(t.Context(), "second", *rowFile(rowSchema)); err != nil {
		t.Fatal(err)
	}
	if got := subjectOf(Pin{ID: 1}); got != "left out" {
		t.Errorf("one of two subjects is called %s", got)
	}
}
