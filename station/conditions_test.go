package station_test

import (
	"go/ast"
	"slices"
	"testing"
)

// TestEveryConditionIsRaised: a condition that nothing raises is a promise in a manual, and no more.
func TestEveryConditionIsRaised(t *testing.T) {
	var codes, used []string
	for _, p := range packages(t) {
		switch files := p.parse(t, p.GoFiles); p.short() {
		case "station/health":
			codes = constants(files, "Code")
		default:
			used = append(used, uses(files, module+"/station/health")...)
		}
	}
	if len(codes) < 20 || !slices.Contains(codes, "DeviceAbsent") {
		t.Fatalf("the codes are %q", codes)
	}
	report(t, unused(codes, used))
}

// constants returns the names of the constants of a type.
func constants(files []parsed, of string) (names []string) {
	for _, p := range files {
		ast.Inspect(p.file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok {
				return true
			}
			if typ, named := spec.Type.(*ast.Ident); named && typ.Name == of {
				for _, name := range spec.Names {
					names = append(names, name.Name)
				}
			}
			return false
		})
	}
	return names
}

// uses returns the names of an imported package that files use.
func uses(files []parsed, path string) (names []string) {
	for _, p := range files {
		pkg := p.imported(path)
		ast.Inspect(p.file, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok && pkg != "" && selects(s, pkg, s.Sel.Name) {
				names = append(names, s.Sel.Name)
			}
			return true
		})
	}
	return names
}

// unused names the codes that are in no list of uses.
func unused(codes, used []string) (out []string) {
	for _, code := range codes {
		if !slices.Contains(used, code) {
			out = append(out, "health."+code+": nothing raises it: raise it, or take it out")
		}
	}
	return out
}

// TestAConditionThatNothingRaisesIsFound plants one.
func TestAConditionThatNothingRaisesIsFound(t *testing.T) {
	codes := constants([]parsed{parse(t, "health.go", "package health\ntype Code string\nconst (\nFire Code = \"fire\"\nFlood Code = \"flood\"\nother = 1\n)\n")}, "Code")
	used := uses([]parsed{
		parse(t, "a.go", "package a\nimport \"scentpost/station/health\"\nvar x = health.Fire\n"),
		parse(t, "b.go", "package b\nvar health struct{ Flood int }\nvar y = health.Flood\n"),
	}, module+"/station/health")
	if got := unused(codes, used); len(got) != 1 || got[0] != "health.Flood: nothing raises it: raise it, or take it out" {
		t.Errorf("of %q and %q: %q", codes, used, got)
	}
}
