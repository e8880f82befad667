package pipeline

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// law forbids packages below From (or all others, when Except is set) to import what begins with To.
// Except lists the folders that may. Test files are free.
type law struct {
	from   string
	to     string
	except []string
	reason string
}

const (
	onlyRoof   = "the three rooms never meet; what crosses a room crosses as a function handed over in pipeline"
	oneDoor    = "one technology, one importing package: a change of library must not be felt elsewhere"
	floorFirst = "the floor holds nouns; it knows nothing of the rooms that stand on it"
	onlyDoor   = "only cmd may know the journeys; otherwise a room would depend on the roof"
)

var laws = []law{
	{"producers", "stripeline/processors", nil, onlyRoof},
	{"producers", "stripeline/consumers", nil, onlyRoof},
	{"processors", "stripeline/producers", nil, onlyRoof},
	{"processors", "stripeline/consumers", nil, onlyRoof},
	{"consumers", "stripeline/producers", nil, onlyRoof},
	{"consumers", "stripeline/processors", nil, onlyRoof},
	{"schemas", "stripeline/producers", nil, floorFirst},
	{"schemas", "stripeline/processors", nil, floorFirst},
	{"schemas", "stripeline/consumers", nil, floorFirst},
	{"", "stripeline/pipeline", []string{"cmd", "pipeline"}, onlyDoor},
	{"", "stripeline/cmd", []string{"cmd"}, "words are at the outermost edge"},
	{"cmd", "stripeline/producers", nil, "cmd types words; journeys are in pipeline"},
	{"cmd", "stripeline/processors", nil, "cmd types words; journeys are in pipeline"},
	{"cmd", "stripeline/consumers", nil, "cmd types words; journeys are in pipeline"},
	{"", "github.com/twmb/franz-go/pkg/kgo", []string{"pipeline/kafka"}, oneDoor},
	{"", "github.com/twmb/franz-go/pkg/kadm", []string{"pipeline/kafka"}, oneDoor},
	{"", "github.com/twmb/franz-go/pkg/kmsg", []string{"pipeline/kafka"}, oneDoor},
	{"", "github.com/twmb/franz-go/pkg/kfake", []string{"pipeline/kafka/embedded", "pipeline/brokertest"}, oneDoor},
	{"", "github.com/twmb/franz-go/plugin", []string{"pipeline/kafka"}, oneDoor},
	{"", "github.com/twmb/franz-go/pkg/sr", []string{"schemas"}, oneDoor},
	{"", "github.com/twmb/avro", []string{"schemas"}, oneDoor},
	{"", "github.com/klauspost/reedsolomon", []string{"processors/erasure"}, oneDoor},
	{"", "cel.dev/cel-go", []string{"processors/mapping"}, oneDoor},
	{"", "github.com/hamba/avro", []string{"-"}, "archived, with unfixed faults: only a witness in tests"},
	{"", "github.com/riferrei/srclient", []string{"-"}, "no context, stale caches: only a witness in tests"},
	{"", "log/slog", []string{"pipeline", "cmd"}, "rooms return, the roof speaks"},
	{"processors", "math/rand", nil, "processors are functions: same in, same out"},
	{"processors", "os", nil, "processors do no I/O"},
	{"processors", "net", nil, "processors do no I/O"},
}

// topLevel is what may stand in the root of the repository, besides dot files.
var topLevel = []string{"cmd", "producers", "processors", "consumers", "schemas", "pipeline", "docker", "scripts",
	"go.mod", "go.sum", "README.md", "LICENSE"}

var rooms = []string{"producers", "processors", "consumers", "pipeline", "cmd", "schemas"}

// source is one parsed Go file that is not a test.
type source struct {
	path string // slash-separated, below the root
	file *ast.File
	fset *token.FileSet

	durable bool // its package imports consumers/durable, whose files it may ask to sync
}

func parseTree(t *testing.T, root string) []source {
	t.Helper()
	var all []source
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && path != root || d.Name() == "testdata") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, path, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		all = append(all, source{path: filepath.ToSlash(rel), file: file, fset: fset})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func below(path, folder string) bool { return folder == "" || strings.HasPrefix(path, folder+"/") }

func (l law) broken(s source) []string {
	if !below(s.path, l.from) || slices.ContainsFunc(l.except, func(e string) bool { return below(s.path, e) }) {
		return nil
	}
	var found []string
	for _, spec := range s.file.Imports {
		imported, _ := strconv.Unquote(spec.Path.Value)
		if imported == l.to || strings.HasPrefix(imported, l.to+"/") {
			found = append(found, fmt.Sprintf("%s imports %s: %s", s.path, imported, l.reason))
		}
	}
	return found
}

func checkShape(s source) []string {
	var found []string
	say := func(n ast.Node, format string, args ...any) {
		found = append(found, fmt.Sprintf("%s:%d: %s", s.path, s.fset.Position(n.Pos()).Line, fmt.Sprintf(format, args...)))
	}
	pure := below(s.path, "processors")
	durable := below(s.path, "consumers/durable") || s.durable
	ast.Inspect(s.file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			lines := s.fset.Position(n.End()).Line - s.fset.Position(n.Pos()).Line
			if lines > 60 {
				say(n, "%s has %d lines, at most 60", n.Name.Name, lines)
			}
			if n.Name.Name == "init" && n.Recv == nil {
				say(n, "init: what is set up is set up in sight")
			}
		case *ast.GoStmt:
			if pure {
				say(n, "a go statement in processors: functions only")
			}
		case *ast.CallExpr:
			if call, ok := n.Fun.(*ast.SelectorExpr); ok && syncs(call.Sel.Name) && !durable {
				say(n, "%s: only consumers/durable makes things durable", call.Sel.Name)
			}
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok && pure && x.Name == "time" && (n.Sel.Name == "Now" || n.Sel.Name == "Since") {
				say(n, "time.%s in processors: no clock", n.Sel.Name)
			}
		case *ast.TypeSpec:
			for _, word := range []string{"Manager", "Helper", "Util", "Handler", "Service", "Base"} {
				if strings.HasSuffix(strings.ToLower(n.Name.Name), strings.ToLower(word)) && n.Name.Name != "Database" {
					say(n, "type %s: name it after what it is", n.Name.Name)
				}
			}
		}
		return true
	})
	if lines := s.fset.Position(s.file.FileEnd).Line; lines > 300 {
		found = append(found, fmt.Sprintf("%s has %d lines, at most 300", s.path, lines))
	}
	return found
}

// syncs says whether a method of this name makes something durable.
func syncs(name string) bool { return name == "Sync" || name == "Fsync" || name == "Fdatasync" }

func violations(all []source) []string {
	var found []string
	comments := map[string]string{}
	durable := map[string]bool{}
	for _, s := range all {
		for _, i := range s.file.Imports {
			if i.Path.Value == `"stripeline/consumers/durable"` {
				durable[filepath.Dir(s.path)] = true
			}
		}
	}
	for _, s := range all {
		s.durable = durable[filepath.Dir(s.path)]
		for _, l := range laws {
			found = append(found, l.broken(s)...)
		}
		found = append(found, checkShape(s)...)
		folder := filepath.ToSlash(filepath.Dir(s.path))
		comments[folder] += s.file.Doc.Text()
	}
	for folder, text := range comments {
		room := strings.Split(folder, "/")[0]
		sentence, _, _ := strings.Cut(strings.Join(strings.Fields(text), " "), ". ")
		name := map[string]string{"schemas": "floor", "pipeline": "roof", "cmd": "door"}[room]
		said := strings.Contains(sentence, room) || name != "" && strings.Contains(sentence, name)
		if !slices.Contains(rooms, room) || !said {
			found = append(found, fmt.Sprintf("%s: the first sentence of its package comment does not say its room: %q", folder, sentence))
		}
	}
	slices.Sort(found)
	return found
}

func TestTheHouseKeepsItsLaws(t *testing.T) {
	for _, v := range violations(parseTree(t, "..")) {
		t.Error(v)
	}
}

func TestTheRootHoldsWhatAVisitorNeeds(t *testing.T) {
	entries, err := os.ReadDir("..")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") && !slices.Contains(topLevel, e.Name()) {
			t.Errorf("%s stands in the root", e.Name())
		}
	}
}

func TestBrokenLawsAreFound(t *testing.T) {
	root := t.TempDir()
	write := func(path, text string) {
		full := filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("producers/a/a.go", "// Package a is in the producers room.\npackage a\nimport _ \"stripeline/consumers/b\"\n")
	write("processors/c/c.go", "// Package c is in the processors room.\npackage c\nimport \"time\"\nfunc init() { go func() { time.Now() }() }\n")
	write("consumers/d/d.go", "// Package d does things.\npackage d\nimport _ \"github.com/twmb/franz-go/pkg/kgo\"\ntype ShardManager int\nfunc f(x interface{ Sync() }) { x.Sync() }\n")
	write("schemas/e/e.go", "// Package e is on the floor of schemas.\npackage e\nimport _ \"github.com/twmb/avro/ocf\"\n"+strings.Repeat("\n", 300))
	got := strings.Join(violations(parseTree(t, root)), "\n")
	for _, want := range []string{"a.go imports stripeline/consumers/b: " + onlyRoof, "c.go:4: init", "c.go:4: a go statement", "c.go:4: time.Now",
		"d.go imports github.com/twmb/franz-go/pkg/kgo: " + oneDoor, "type ShardManager", "d.go:5: Sync", "consumers/d: the first sentence", "e.go has 30"} {
		if !strings.Contains(got, want) {
			t.Errorf("not found: %s\nin:\n%s", want, got)
		}
	}
	if strings.Contains(got, "e.go imports") {
		t.Errorf("schemas may import avro:\n%s", got)
	}
}
