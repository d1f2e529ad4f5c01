package words

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"

	"scentpost/station/event"
)

// TestEveryCauseHasWords: those that package event lists as constants.
func TestEveryCauseHasWords(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../../../station/event/why.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	ast.Inspect(file, func(n ast.Node) bool {
		spec, is := n.(*ast.ValueSpec)
		if !is || len(spec.Values) != 1 || !strings.HasPrefix(spec.Names[0].Name, "Cause") {
			return true
		}
		cause, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		found++
		if Why(event.Why{Cause: event.Cause(cause)}) == cause {
			t.Errorf("%s (%q) has no words", spec.Names[0].Name, cause)
		}
		return true
	})
	if found != len(causes) || found == 0 {
		t.Errorf("%d causes and %d words", found, len(causes))
	}
}

// TestAPersonsReasonStaysAPersons, in the words of a cause as well.
func TestAPersonsReasonStaysAPersons(t *testing.T) {
	for _, reason := range []string{"it rains", string(event.CauseMechanical), string(event.CausePower)} {
		if got := Why(event.Why{Reason: reason}); got != reason {
			t.Errorf("the reason %q is shown as %q", reason, got)
		}
	}
	if got := Why(event.Why{Cause: event.CausePurge, Reason: "fan: no answer"}); got != causes[event.CausePurge]+": fan: no answer" {
		t.Errorf("a cause with a reason is shown as %q", got)
	}
}
