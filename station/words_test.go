package station_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"sync"
	"testing"

	"scentpost/station/event"
)

// wordFields are the fields that hold a typed word of package event, however they are named in a struct or asked for.
var wordFields = []string{"Mode", "EffectiveBlind", "Blindness", "How", "Inconclusive", "InconclusivePolicy", "NotSampled", "TimeOut"}

// wordy are the words of package event that mean nothing else: nobody but event writes them as text. The others ("open",
// "aborted") are banned where a typed word is expected alone.
func wordy() []string {
	return []string{string(event.ModeSingle), string(event.ModeDouble), string(event.EndNotValid), string(event.PolicyLeftOut)}
}

// words reads the constants of event/words.go.
var words = sync.OnceValue(func() []string {
	file, err := parser.ParseFile(token.NewFileSet(), "event/words.go", nil, 0)
	if err != nil {
		panic(err)
	}
	var all []string
	ast.Inspect(file, func(n ast.Node) bool {
		if l, ok := n.(*ast.BasicLit); ok {
			if text, err := strconv.Unquote(l.Value); err == nil && text != "slices" {
				all = append(all, text)
			}
		}
		return true
	})
	return all
})

// TestModesEndingsAndPoliciesAreTypedWords: no package writes them as text, so that a word that is misspelt does not compile.
func TestModesEndingsAndPoliciesAreTypedWords(t *testing.T) {
	for _, p := range packages(t) {
		if p.short() == "station/event" {
			continue
		}
		report(t, bareWords(p.parse(t, p.GoFiles)))
	}
}

// bareWords returns the places where a typed word stands as text.
func bareWords(files []parsed) []string {
	var out []string
	for _, p := range files {
		tell := func(n ast.Node, word string) {
			out = append(out, p.fset.Position(n.Pos()).String()+": "+strconv.Quote(word)+" stands as text: take the constant of package event")
		}
		word := func(e ast.Expr) (string, bool) {
			l, ok := e.(*ast.BasicLit)
			if !ok || l.Kind != token.STRING {
				return "", false
			}
			text, err := strconv.Unquote(l.Value)
			return text, err == nil && slices.Contains(words(), text)
		}
		field := func(e ast.Expr) bool {
			switch e := e.(type) {
			case *ast.SelectorExpr:
				return slices.Contains(wordFields, e.Sel.Name)
			case *ast.Ident:
				return slices.Contains(wordFields, e.Name)
			}
			return false
		}
		ast.Inspect(p.file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.BasicLit:
				if text, is := word(n); is && slices.Contains(wordy(), text) {
					tell(n, text)
				}
			case *ast.KeyValueExpr:
				if text, is := word(n.Value); is && field(n.Key) && !slices.Contains(wordy(), text) {
					tell(n, text)
				}
			case *ast.BinaryExpr:
				for _, sides := range [][2]ast.Expr{{n.X, n.Y}, {n.Y, n.X}} {
					if text, is := word(sides[1]); is && field(sides[0]) && !slices.Contains(wordy(), text) {
						tell(n, text)
					}
				}
			case *ast.SwitchStmt:
				if n.Tag == nil || !field(n.Tag) {
					return true
				}
				for _, c := range n.Body.List {
					for _, e := range c.(*ast.CaseClause).List {
						if text, is := word(e); is && !slices.Contains(wordy(), text) {
							tell(e, text)
						}
					}
				}
			}
			return true
		})
	}
	return out
}

// TestBareWordsAreCaught plants them, and what must stay allowed.
func TestBareWordsAreCaught(t *testing.T) {
	for text, want := range map[string]int{
		`if p.Mode == "open" {}`:                     1,
		`if "open" != v.Mode {}`:                     1,
		`_ = event.Opening{Mode: "open"}`:            1,
		`_ = event.End{How: "aborted"}`:              1,
		`switch s.Mode { case "open", "double": }`:   2,
		`_ = []string{"single", "left-out"}`:         2,
		`_ = Policy{TimeOut: "miss"}`:                1,
		`_ = Request{Command: "open"}`:               0,
		`canister.turn("open")`:                      0,
		`if state == "aborted" {}`:                   0,
		`_ = event.Opening{Mode: event.ModeOpen}`:    0,
		`switch s.State { case "open", "aborted": }`: 0,
	} {
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, "x.go", "package x\nfunc f() {\n"+text+"\n}", 0)
		if err != nil {
			t.Fatal(err)
		}
		if got := bareWords([]parsed{{file: file, fset: set}}); len(got) != want {
			t.Errorf("%s: %q, want %d", text, got, want)
		}
	}
}
