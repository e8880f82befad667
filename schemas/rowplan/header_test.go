package rowplan_test

import (
	"errors"
	"strings"
	"testing"

	"stripeline/schemas/rowplan"
)

const person = `{"type":"record","name":"Person","fields":[
	{"name":"id","type":"long"},
	{"name":"name","type":"string","aliases":["full_name"]},
	{"name":"home","type":{"type":"record","name":"Address","fields":[
		{"name":"street","type":"string"},{"name":"city","type":["null","string"],"default":null}]}},
	{"name":"work","type":["null","Address"],"default":null,"aliases":["office"]},
	{"name":"score","type":"double","default":1.5},
	{"name":"tags","type":{"type":"array","items":"string"},"default":["a","b"]},
	{"name":"extra","type":{"type":"map","values":["int","string"]},"default":{"k":7}},
	{"name":"boss","type":["null","Person"],"default":null}]}`

func line(t testing.TB, schema string, header, cells []string, o rowplan.Options) (string, error) {
	t.Helper()
	raw := make([][]byte, len(cells))
	for i, c := range cells {
		raw[i] = []byte(c)
	}
	out, err := compile(t, schema, header, o).Append(nil, raw, nil)
	if err != nil {
		return "", err
	}
	w, err := rowplan.Walk(schema, o.References...)
	if err != nil {
		t.Fatal(err)
	}
	got, err := w.AppendJSON(nil, out)
	if err != nil {
		t.Fatal(err)
	}
	return string(got), nil
}

func TestHeaders(t *testing.T) {
	const rest = `,"score":1.5,"tags":["a","b"],"extra":{"k":7},"boss":null}`
	for _, c := range []struct {
		header, cells, want string
	}{
		{"id,name,home.street", "1,Ann,High St", `{"id":1,"name":"Ann","home":{"street":"High St","city":null},"work":null` + rest},
		{"home.city,full_name,home.street,id", "Ely,Ann,,1", `{"id":1,"name":"Ann","home":{"street":"","city":"Ely"},"work":null` + rest},
		{"id,name,home.street,office.street,office.city", "1,A,H,,", `{"id":1,"name":"A","home":{"street":"H","city":null},"work":null` + rest},
		{"id,name,home.street,office.street,office.city", "1,A,H,,Ely", `{"id":1,"name":"A","home":{"street":"H","city":null},"work":{"street":"","city":"Ely"}` + rest},
		{"id,name,home|work", `1|A|{"street":"H"}|`, `{"id":1,"name":"A","home":{"street":"H","city":null},"work":null` + rest},
		{"id,name,home.street,boss.id,boss.name,boss.home.street", "1,A,H,2,B,I",
			`{"id":1,"name":"A","home":{"street":"H","city":null},"work":null,"score":1.5,"tags":["a","b"],"extra":{"k":7},"boss":` +
				`{"id":2,"name":"B","home":{"street":"I","city":null},"work":null` + rest + `}`},
	} {
		separator := ","
		if strings.Contains(c.header, "|") {
			separator = "|"
		}
		header := strings.FieldsFunc(c.header, func(r rune) bool { return r == ',' || r == '|' })
		if got, err := line(t, person, header, strings.Split(c.cells, separator), rowplan.Options{}); err != nil || got != c.want {
			t.Errorf("%s: %s\n got %s, %v\nwant %s", c.header, c.cells, got, err, c.want)
		}
	}
}

func TestBadHeaders(t *testing.T) {
	for _, c := range []struct {
		header string
		o      rowplan.Options
		says   string
	}{
		{"id,name", rowplan.Options{}, `no column for "home.street"`},
		{"id,name,home.street,age", rowplan.Options{}, `column "age" is no field`},
		{"id,Name,home.street", rowplan.Options{}, `did you mean "name"?`},
		{"id,name,id,home.street", rowplan.Options{}, `column "id" is there twice`},
		{"id,name,x,x,home.street", rowplan.Options{}, `column "x" is there twice`},
		{"id,name,full_name,home.street", rowplan.Options{}, `columns "name" and "full_name" are both field "name"`},
		{"id,name,home.street,work.city", rowplan.Options{}, `no column for "work.street"`},
		{"id,name,,home.street", rowplan.Options{}, `column 3 has no name`},
		{"id,name,home.street", rowplan.Options{Columns: map[string]rowplan.Column{"ag": {}}}, `column "ag", which the header lacks`},
	} {
		_, err := rowplan.Compile(person, strings.Split(c.header, ","), c.o)
		if !errors.Is(err, rowplan.ErrHeader) || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v; want it to say %s", c.header, err, c.says)
		}
	}
	if _, err := line(t, person, []string{"id", "name", "home.street", "age", "age"}, []string{"1", "A", "H", "2", "3"}, rowplan.Options{IgnoreExtra: true}); err != nil {
		t.Errorf("extra columns that are to be ignored: %v", err)
	}
	if _, err := rowplan.Compile(`"string"`, nil, rowplan.Options{}); !errors.Is(err, rowplan.ErrHeader) {
		t.Errorf("a schema that is no record: %v", err)
	}
	if _, err := rowplan.Compile(`{`, nil, rowplan.Options{}); err == nil {
		t.Error("a schema that is no JSON compiles")
	}
}

func TestWidth(t *testing.T) {
	_, err := compile(t, record(`"int"`), []string{"v"}, rowplan.Options{}).Append(nil, [][]byte{[]byte("1"), []byte("2")}, nil)
	var bad *rowplan.RowError
	if !errors.As(err, &bad) || bad.Code != "columns" || !strings.Contains(bad.Reason, "2 cells") || !strings.Contains(bad.Reason, "1 columns") {
		t.Errorf("a row that is too wide: %v", err)
	}
}

func TestReferences(t *testing.T) {
	schema := `{"type":"record","name":"x.Order","fields":[{"name":"money","type":"y.Money"},{"name":"tip","type":["null","y.Money"],"default":null}]}`
	money := `{"type":"record","name":"y.Money","fields":[{"name":"amount","type":"int"}]}`
	got, err := line(t, schema, []string{"money.amount", "tip.amount"}, []string{"5", "6"}, rowplan.Options{References: []string{money}})
	if want := `{"money":{"amount":5},"tip":{"amount":6}}`; err != nil || got != want {
		t.Errorf("got %s, %v; want %s", got, err, want)
	}
	if _, err := rowplan.Compile(schema, nil, rowplan.Options{}); err == nil {
		t.Error("a schema whose reference is not given compiles")
	}
}
