package mapping

import (
	"fmt"
	"strings"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
)

// looked says whether the path begins at a lookup: ["airlines[row.carrier]", "name"].
func (p path) looked() bool { return len(p) > 0 && strings.HasSuffix(p[0], "]") }

// lookedAt is the path of name[key]. The same key gives the same path; a key that is neither a field nor a constant is like no other.
func lookedAt(e ast.Expr) (path, bool) {
	c := e.AsCall()
	if c.FunctionName() != operators.Index || c.Args()[0].Kind() != ast.IdentKind {
		return nil, false
	}
	key := c.Args()[1]
	word := fmt.Sprintf("#%d", key.ID())
	if p, ok := pathOf(key); ok {
		word = p.String()
	} else if key.Kind() == ast.LiteralKind {
		word = fmt.Sprintf("%q", key.AsLiteral().Value())
	}
	return path{c.Args()[0].AsIdent() + "[" + word + "]"}, true
}

// looks notes what is read of a lookup, and what its key reads.
func (r *reading) looks(p path, e ast.Expr) {
	if e.Kind() == ast.SelectKind && e.AsSelect().IsTestOnly() {
		r.tested[p.String()] = true
	} else if r.table(p) != nil {
		r.lookups[p.String()] = p
	}
	for e.Kind() == ast.SelectKind {
		e = e.AsSelect().Operand()
	}
	r.visit(e.AsCall().Args()[1])
}

// table is the lookup of a path, nil when the path begins at something else that has keys.
func (r *reading) table(p path) *Lookup {
	name, _, _ := strings.Cut(p[0], "[")
	return r.tables[name]
}

// askedFor gives the idents of the lookups that the expression tests for null itself, each by the id of its place: what is not there must not make the
// whole result null because of them.
func (r *reading) askedFor(e ast.Expr) map[int64]bool {
	idents := map[int64]bool{}
	r.eachLookup(e, func(p path, ident ast.Expr) {
		if r.tested[p.String()] || r.tested[p[0]] {
			idents[ident.ID()] = true
		}
	})
	return idents
}

// eachLookup visits what is read of lookups, with the lookup's ident.
func (r *reading) eachLookup(e ast.Expr, visit func(p path, ident ast.Expr)) {
	if p, ok := pathOf(e); ok && p.looked() {
		for e.Kind() == ast.SelectKind {
			e = e.AsSelect().Operand()
		}
		visit(p, e.AsCall().Args()[0])
	}
	for _, child := range children(e) {
		r.eachLookup(child, visit)
	}
}

// quietMark ends the name that CEL knows a lookup by where the expression tests it for null itself.
const quietMark = "?"

// hush renames the idents at these places, for whoever plans the checked expression.
func hush(checked *ast.AST, idents map[int64]bool) {
	for id := range idents {
		if ref := checked.ReferenceMap()[id]; ref != nil {
			checked.ReferenceMap()[id] = ast.NewIdentReference(ref.Name+quietMark, nil)
		}
	}
}

// missing says whether something is read of a lookup that is not tested for null: what is not there makes the result null.
func (r *reading) missing() bool {
	for name, p := range r.lookups {
		if !r.tested[name] && !r.tested[p[0]] {
			return true
		}
	}
	return false
}

// lookedNull says whether what is read of a lookup may be null where these facts are known.
func (r *reading) lookedNull(p path, known facts) bool {
	l := r.table(p)
	switch {
	case l == nil || known[p.String()]:
		return false
	case !known[p[0]]:
		return true
	}
	t := l.Shape.Type
	for _, field := range p[1:] {
		inner, _ := t.Nullable()
		if t = fieldType(inner, field); t == nil {
			return true
		}
		if _, nullable := t.Nullable(); nullable {
			return true
		}
	}
	return false
}
