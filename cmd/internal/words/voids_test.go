package words

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"
)

// TestEveryReasonOfTheStationHasWords: those that package event lists as constants.
func TestEveryReasonOfTheStationHasWords(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../../../station/event/bodies.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	ast.Inspect(file, func(n ast.Node) bool {
		spec, is := n.(*ast.ValueSpec)
		if !is || len(spec.Values) != 1 || !strings.HasPrefix(spec.Names[0].Name, "Void") {
			return true
		}
		reason, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		found++
		if Void(reason) == reason {
			t.Errorf("%s (%q) has no words", spec.Names[0].Name, reason)
		}
		return true
	})
	if found != len(voids) || found == 0 {
		t.Errorf("%d reasons and %d words", found, len(voids))
	}
	if got := Void("it rains"); got != "it rains" {
		t.Errorf("a person's reason is %q", got)
	}
}
