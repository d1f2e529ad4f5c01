package station_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// clockCalls are the functions of time that read the clock or wait for it.
var clockCalls = []string{
	"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker", "Local", "LoadLocation",
}

// sleepers are test files that may sleep, with the reason.
var sleepers = map[string]string{}

func TestPureCodeReadsNoClock(t *testing.T) {
	for _, p := range packages(t) {
		if !matches(p.short(), timeless...) {
			continue
		}
		report(t, clockUses(p.parse(t, p.GoFiles), clockCalls))
	}
}

// timeless are the packages that run in virtual time as they do in real time: they read no clock, and start no goroutine.
var timeless = append([]string{"station/assembly"}, pure...)

// TestVirtualTimeHasOneGoroutine: what runs in a virtual world is called by its one goroutine.
func TestVirtualTimeHasOneGoroutine(t *testing.T) {
	for _, p := range packages(t) {
		if matches(p.short(), timeless...) && p.short() != "station/verify" { // which spreads its hashing, and waits for it
			report(t, starts(p.parse(t, p.GoFiles)))
		}
	}
}

// starts returns the places where goroutines are started.
func starts(files []parsed) []string {
	var out []string
	for _, p := range files {
		ast.Inspect(p.file, func(n ast.Node) bool {
			if start, ok := n.(*ast.GoStmt); ok {
				out = append(out, p.fset.Position(start.Pos()).String()+": a goroutine is started: leave that to whoever runs the package")
			}
			return true
		})
	}
	return out
}

// TestNoTestSleeps: a test that sleeps is slow on a fast machine and wrong on a slow one. Inside a bubble of
// synctest time is virtual.
func TestNoTestSleeps(t *testing.T) {
	for _, p := range packages(t) {
		for _, names := range [][]string{p.TestGoFiles, p.XTestGoFiles} {
			names = slices.DeleteFunc(slices.Clone(names), func(name string) bool { return sleepers[p.short()+"/"+name] != "" })
			report(t, clockUses(p.parse(t, names), []string{"Sleep"}))
		}
	}
}

func TestEveryPackageSaysWhatItIsFor(t *testing.T) {
	for _, p := range packages(t) {
		if len(p.GoFiles) > 0 {
			report(t, docProblems(p))
		}
	}
}

// docProblems tells what is wrong with a package's first sentence, which is what go list gives.
func docProblems(p listed) []string {
	want := "Package " + p.Name + " "
	if p.Name == "main" {
		want = "Command " + filepath.Base(p.ImportPath) + " "
	}
	if !strings.HasPrefix(p.Doc, want) || !strings.HasSuffix(p.Doc, ".") {
		return []string{fmt.Sprintf("%s: its comment must begin with one sentence %q..., got %q", p.short(), want, p.Doc)}
	}
	return nil
}

type parsed struct {
	fset *token.FileSet
	file *ast.File
}

// parse parses files of a package.
func (l listed) parse(t *testing.T, names []string) []parsed {
	t.Helper()
	var out []parsed
	for _, name := range names {
		out = append(out, parse(t, filepath.Join(l.Dir, name), nil))
	}
	return out
}

func parse(t *testing.T, name string, src any) parsed {
	t.Helper()
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, src, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	return parsed{fset, file}
}

// imported returns the name under which a file imports a path, "" when it does not.
func (p parsed) imported(path string) string {
	for _, i := range p.file.Imports {
		if got, err := strconv.Unquote(i.Path.Value); err != nil || got != path {
			continue
		}
		if i.Name != nil {
			return i.Name.Name
		}
		return filepath.Base(path)
	}
	return ""
}

// clockUses returns the places where files of one package use one of the names of package time, outside bubbles
// of synctest.
func clockUses(files []parsed, names []string) []string {
	virtual := bubbles(files)
	var out []string
	for _, p := range files {
		clock := p.imported("time")
		if clock == "." {
			out = append(out, p.fset.Position(p.file.Pos()).String()+": time is imported by its names: nobody can see who reads the clock")
		}
		for _, decl := range p.file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && virtual[f.Name.Name] || clock == "" {
				continue
			}
			ast.Inspect(decl, func(n ast.Node) bool {
				e, ok := n.(*ast.SelectorExpr)
				if ok && slices.ContainsFunc(names, func(name string) bool { return selects(e, clock, name) }) {
					out = append(out, fmt.Sprintf("%s: time.%s: time comes in as an argument or from synctest", p.fset.Position(e.Pos()), e.Sel.Name))
				}
				return true
			})
		}
	}
	return out
}

// bubbles returns the functions of a package that run in virtual time: those that use synctest (Wait panics
// outside a bubble), and those that call one of them.
func bubbles(files []parsed) map[string]bool {
	found := map[string]bool{}
	for known := -1; known < len(found); {
		known = len(found)
		for _, p := range files {
			for _, decl := range p.file.Decls {
				if f, ok := decl.(*ast.FuncDecl); ok && p.inBubble(f, found) {
					found[f.Name.Name] = true
				}
			}
		}
	}
	return found
}

// inBubble tells whether a function uses synctest or calls one of the functions that do.
func (p parsed) inBubble(f *ast.FuncDecl, found map[string]bool) bool {
	bubble, inside := p.imported("testing/synctest"), false
	ast.Inspect(f, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return !inside
		}
		to, plain := call.Fun.(*ast.Ident)
		inside = inside || (plain && found[to.Name]) ||
			(bubble != "" && (selects(call.Fun, bubble, "Test") || selects(call.Fun, bubble, "Wait")))
		return !inside
	})
	return inside
}

// selects tells whether an expression is pkg.name.
func selects(e ast.Expr, pkg, name string) bool {
	s, ok := e.(*ast.SelectorExpr)
	if !ok || s.Sel.Name != name {
		return false
	}
	x, ok := s.X.(*ast.Ident)
	return ok && x.Name == pkg
}

// TestHouseRulesCatch plants a violation of each rule, and what must stay allowed.
func TestHouseRulesCatch(t *testing.T) {
	for _, c := range []struct {
		name, src string
		uses      int
	}{
		{"a call", "package x\nimport \"time\"\nvar a = time.Now()", 1},
		{"a value", "package x\nimport \"time\"\nvar now = time.Now", 1},
		{"another name", "package x\nimport clock \"time\"\nfunc f() { clock.Sleep(1); <-clock.After(2) }", 2},
		{"by its names", "package x\nimport . \"time\"\nvar a = Now()", 1},
		{"durations only", "package x\nimport \"time\"\nvar a = 3 * time.Second", 0},
		{"somebody else's Now", "package x\nvar time struct{ Now func() }\nfunc f() { time.Now() }", 0},
		{"in a bubble", "package x\nimport (\n\"time\"\n\"testing/synctest\"\n)\nfunc f() { synctest.Test(nil, func() { time.Sleep(1) }) }", 0},
		{"by way of a bubble", "package x\nimport (\n\"time\"\n\"testing/synctest\"\n)\nfunc f() { g(func() { time.Sleep(1) }) }\nfunc g(h func()) { synctest.Test(nil, h) }", 0},
		{"beside a bubble", "package x\nimport (\n\"time\"\n\"testing/synctest\"\n)\nfunc f() { synctest.Test(nil, nil) }\nfunc g() { time.Sleep(1) }", 1},
	} {
		if got := clockUses([]parsed{parse(t, c.name+".go", c.src)}, clockCalls); len(got) != c.uses {
			t.Errorf("%s: got %q, want %d", c.name, got, c.uses)
		}
	}
	if got := starts([]parsed{parse(t, "start.go", "package x\nfunc f() { if true { go f() } }\nfunc g() { f() }")}); len(got) != 1 {
		t.Errorf("a goroutine that is started: %q", got)
	}
	for _, c := range []struct {
		name, doc string
		fine      bool
	}{
		{"blind", "Package blind decides what stands where.", true},
		{"blind", "", false},
		{"blind", "This package decides.", false},
		{"blind", "Package trial decides.", false},
		{"blind", "Package blind decides", false},
		{"main", "Command scentsim holds virtual stations.", true},
		{"main", "Package main is a program.", false},
	} {
		got := docProblems(listed{ImportPath: module + "/cmd/scentsim", Name: c.name, Doc: c.doc})
		if (len(got) == 0) != c.fine {
			t.Errorf("%q: got %q", c.doc, got)
		}
	}
}
