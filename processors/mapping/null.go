package mapping

import (
	"strings"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"

	"stripeline/schemas/rowshape"
)

// path is a field of row, or of a record in it: ["inner", "n"] is row.inner.n.
type path []string

// String is the path as it is written, with dots.
func (p path) String() string { return strings.Join(p, ".") }

// reading is what an expression reads and what it does about null.
type reading struct {
	shape  *rowshape.Shape
	paths  map[string]path // fields read, longest form only
	tested map[string]bool // fields compared with null or asked for with has()
	whole  bool            // row is used without a field, or a lookup without a key

	tables  map[string]*Lookup
	lookups map[string]path // fields read of looked-up values, and values read whole
}

func read(shape *rowshape.Shape, lookups []*Lookup, e ast.Expr) *reading {
	r := &reading{shape: shape, paths: map[string]path{}, tested: map[string]bool{}, tables: map[string]*Lookup{}, lookups: map[string]path{}}
	for _, l := range lookups {
		r.tables[l.Name] = l
	}
	r.visit(e)
	return r
}

func (r *reading) visit(e ast.Expr) {
	if e.Kind() == ast.IdentKind {
		r.whole = r.whole || e.AsIdent() == "row" || r.tables[e.AsIdent()] != nil
		return
	}
	if p, ok := pathOf(e); ok && p.looked() {
		r.looks(p, e)
		return
	}
	if p, ok := pathOf(e); ok {
		if e.AsSelect().IsTestOnly() {
			r.tested[p.String()] = true
		} else {
			r.paths[p.String()] = p
		}
		return
	}
	if p, _, ok := nullTest(e); ok {
		r.tested[p.String()] = true
		return
	}
	for _, child := range children(e) {
		r.visit(child)
	}
}

func children(e ast.Expr) []ast.Expr {
	switch e.Kind() {
	case ast.SelectKind:
		return []ast.Expr{e.AsSelect().Operand()}
	case ast.CallKind:
		c := e.AsCall()
		if c.IsMemberFunction() {
			return append([]ast.Expr{c.Target()}, c.Args()...)
		}
		return c.Args()
	case ast.ListKind:
		return e.AsList().Elements()
	case ast.MapKind:
		var all []ast.Expr
		for _, entry := range e.AsMap().Entries() {
			all = append(all, entry.AsMapEntry().Key(), entry.AsMapEntry().Value())
		}
		return all
	case ast.ComprehensionKind:
		c := e.AsComprehension()
		return []ast.Expr{c.IterRange(), c.AccuInit(), c.LoopCondition(), c.LoopStep(), c.Result()}
	}
	return nil
}

// pathOf is the path of a chain of selects that begins at row.
func pathOf(e ast.Expr) (path, bool) {
	if e.Kind() == ast.CallKind {
		return lookedAt(e)
	}
	if e.Kind() != ast.SelectKind {
		return nil, false
	}
	s := e.AsSelect()
	if s.Operand().Kind() == ast.IdentKind && s.Operand().AsIdent() == "row" {
		return path{s.FieldName()}, true
	}
	p, ok := pathOf(s.Operand())
	return append(p, s.FieldName()), ok
}

// nullTest recognises row.f == null, null == row.f, the same with !=, and has(row.f); equal says whether truth means null.
func nullTest(e ast.Expr) (p path, equal, ok bool) {
	if e.Kind() == ast.SelectKind && e.AsSelect().IsTestOnly() {
		p, ok = pathOf(e)
		return p, false, ok
	}
	if e.Kind() != ast.CallKind {
		return nil, false, false
	}
	c := e.AsCall()
	if c.FunctionName() != operators.Equals && c.FunctionName() != operators.NotEquals {
		return nil, false, false
	}
	a, b := c.Args()[0], c.Args()[1]
	if isNull(a) {
		a, b = b, a
	}
	if p, ok = pathOf(a); !ok || !isNull(b) {
		return nil, false, false
	}
	return p, c.FunctionName() == operators.Equals, true
}

func isNull(e ast.Expr) bool { return e.Kind() == ast.LiteralKind && e.AsLiteral() == types.NullValue }

// untested are the fields that make the whole expression null when one of them is null.
func (r *reading) untested() []path {
	var found []path
	for name, p := range r.paths {
		if !r.tested[name] && r.nullable(p) {
			found = append(found, p)
		}
	}
	return found
}

// nullable says whether any field on the path may be null.
func (r *reading) nullable(p path) bool {
	t := r.shape.Type
	for _, name := range p {
		inner, _ := t.Nullable()
		next := fieldType(inner, name)
		if next == nil {
			return false
		}
		if _, nullable := next.Nullable(); nullable {
			return true
		}
		t = next
	}
	return false
}

func fieldType(t *rowshape.Type, name string) *rowshape.Type {
	for i := range t.Fields {
		if t.Fields[i].Name == name {
			return t.Fields[i].Type
		}
	}
	return nil
}

// facts are the paths known not to be null where an expression stands.
type facts map[string]bool

func (f facts) with(more facts) facts {
	all := facts{}
	for name := range f {
		all[name] = true
	}
	for name := range more {
		all[name] = true
	}
	return all
}

// mayBeNull says whether e can give null although no untested field is null.
func (r *reading) mayBeNull(e ast.Expr, known facts) bool {
	switch e.Kind() {
	case ast.LiteralKind:
		return isNull(e)
	case ast.SelectKind:
		p, ok := pathOf(e)
		if ok && p.looked() {
			return r.lookedNull(p, known)
		}
		return ok && !e.AsSelect().IsTestOnly() && r.nullable(p) && !known[p.String()] && r.tested[p.String()]
	case ast.CallKind:
		if p, ok := pathOf(e); ok {
			return r.lookedNull(p, known)
		}
		if c := e.AsCall(); c.FunctionName() == operators.Conditional {
			whenTrue, whenFalse := learn(c.Args()[0])
			return r.mayBeNull(c.Args()[1], known.with(whenTrue)) || r.mayBeNull(c.Args()[2], known.with(whenFalse))
		}
	}
	return false
}

// learn gives the paths that are not null when condition e holds, and when it does not.
func learn(e ast.Expr) (whenTrue, whenFalse facts) {
	if p, equal, ok := nullTest(e); ok {
		if equal {
			return nil, facts{p.String(): true}
		}
		return facts{p.String(): true}, nil
	}
	if e.Kind() != ast.CallKind {
		return nil, nil
	}
	args := e.AsCall().Args()
	switch e.AsCall().FunctionName() {
	case operators.LogicalNot:
		whenTrue, whenFalse = learn(args[0])
		return whenFalse, whenTrue
	case operators.LogicalAnd:
		a, _ := learn(args[0])
		b, _ := learn(args[1])
		return a.with(b), nil
	case operators.LogicalOr:
		_, a := learn(args[0])
		_, b := learn(args[1])
		return nil, a.with(b)
	}
	return nil, nil
}
