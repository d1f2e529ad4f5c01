package words

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"scentpost/station/control"
	"scentpost/station/event"
	"scentpost/station/refusal"
	"scentpost/station/trial"
)

// code is one code of the station's source.
type code struct {
	value string
	at    token.Position
}

// station are all codes of the station, by package and constant ("trial.NoRun"), and where each is used to make a reason, with
// the names of the values that it is given there.
type station struct {
	codes map[string]code
	sites map[string][]site
}

type site struct {
	values []string
	at     token.Position
}

// read reads the source of the station.
func read(t *testing.T) station {
	t.Helper()
	s := station{codes: map[string]code{}, sites: map[string][]site{}}
	set := token.NewFileSet()
	err := filepath.WalkDir("../../../station", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
		if err == nil {
			s.take(set, file)
		}
		return err
	})
	if err != nil || len(s.codes) < 60 || len(s.sites) < 60 {
		t.Fatalf("%d codes, %d of them used: %v", len(s.codes), len(s.sites), err)
	}
	return s
}

func (s station) take(set *token.FileSet, file *ast.File) {
	name := func(e ast.Expr) string {
		switch e := e.(type) {
		case *ast.SelectorExpr:
			if of, ok := e.X.(*ast.Ident); ok {
				return of.Name + "." + e.Sel.Name
			}
		case *ast.Ident:
			return file.Name.Name + "." + e.Name
		}
		return ""
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ValueSpec:
			if n.Type != nil && name(n.Type) == "refusal.Code" {
				value, err := strconv.Unquote(n.Values[0].(*ast.BasicLit).Value)
				if err != nil {
					panic(err)
				}
				s.codes[file.Name.Name+"."+n.Names[0].Name] = code{value, set.Position(n.Pos())}
			}
		case *ast.CallExpr:
			if name(n.Fun) == "refusal.New" {
				of, where := name(n.Args[0]), set.Position(n.Pos())
				site := site{at: where}
				for i := 1; i < len(n.Args); i += 2 {
					key := name(n.Args[i])
					if literal, ok := n.Args[i].(*ast.BasicLit); ok {
						key, _ = strconv.Unquote(literal.Value)
					}
					site.values = append(site.values, strings.Replace(key, "refusal.Detail", refusal.Detail, 1))
				}
				s.sites[of] = append(s.sites[of], site)
			}
		}
		return true
	})
}

var place = regexp.MustCompile(`\{([a-z_]+)\}`)

// TestEveryCodeHasWords: each code that the station can refuse for is said here, with values that are given wherever it is made;
// no two codes are one, and nothing is said that the station does not have.
func TestEveryCodeHasWords(t *testing.T) {
	s := read(t)
	seen := map[string]string{}
	for constant, c := range s.codes {
		text, worded := said[refusal.Code(c.value)]
		switch {
		case seen[c.value] != "":
			t.Errorf("%s: %s and %s are one code, %q", c.at, constant, seen[c.value], c.value)
		case !worded:
			t.Errorf("%s: %s has no words in said", c.at, constant)
		case len(s.sites[constant]) == 0:
			t.Errorf("%s: nobody refuses for %s", c.at, constant)
		case !regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`).MatchString(c.value):
			t.Errorf("%s: %q is no code", c.at, c.value)
		}
		seen[c.value] = constant
		for _, site := range s.sites[constant] {
			for _, value := range place.FindAllStringSubmatch(text, -1) {
				if !slices.Contains(site.values, value[1]) {
					t.Errorf("%s: %s is made without %s, which %q needs", site.at, constant, value[1], text)
				}
			}
		}
	}
	for c := range said {
		if seen[string(c)] == "" {
			t.Errorf("%q is said, and no package has this code", c)
		}
	}
	for of, sites := range s.sites {
		if _, known := s.codes[of]; !known {
			t.Errorf("%s: a reason is made of %q, which is no constant of type refusal.Code", sites[0].at, of)
		}
	}
}

// TestEveryCodeOfTheEngineHasWordsInTheRecord: they are part of the record, whoever says them otherwise.
func TestEveryCodeOfTheEngineHasWordsInTheRecord(t *testing.T) {
	s := read(t)
	for constant, c := range s.codes {
		if !strings.HasPrefix(constant, "trial.") {
			continue
		}
		for _, site := range s.sites[constant] {
			pairs := []any{}
			for _, name := range site.values {
				pairs = append(pairs, name, "value")
			}
			if got := trial.InRecord(refusal.New(refusal.Code(c.value), pairs...)); got == "" || place.MatchString(got) {
				t.Errorf("%s: %s reads %q in the record", site.at, constant, got)
			}
		}
	}
}

// TestEveryNextHasWords: each thing that a station can wait for is said.
func TestEveryNextHasWords(t *testing.T) {
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, "../../../station/control/status.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	waits := 0
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if kind, ok := spec.Type.(*ast.Ident); ok && kind.Name == "Next" {
			waits++
			value, _ := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			status := &control.Status{Next: control.Next(value), Obstacle: refusal.New("devices-absent"), Paused: &event.Why{}}
			if got := Next(status); got == value || len(got) < 10 {
				t.Errorf("%s is said as %q", spec.Names[0].Name, got)
			}
		}
		return true
	})
	if waits < 17 {
		t.Errorf("%d things to wait for were found", waits)
	}
}

func TestOf(t *testing.T) {
	for want, why := range map[string]*refusal.Reason{
		"": nil,
		"position 9: the session has positions 1 to 6": refusal.New(trial.NoPosition, "position", 9, "positions", 6),
		"moon-full (phase 3)":                          refusal.New("moon-full", "phase", 3), // of another version
	} {
		if got := Of(why); got != want {
			t.Errorf("%v is %q, want %q", why, got, want)
		}
	}
}

func TestRefused(t *testing.T) {
	for want, r := range map[string]control.Response{
		"no session is sealed":                                                                 {Refused: refusal.New(trial.NotSealed)},
		"no session is sealed: seal it first":                                                  {Refused: refusal.New(trial.NotSealed), First: []string{"seal"}},
		"no session is sealed: load and seal it first":                                         {Refused: refusal.New(trial.NotSealed), First: []string{"load", "seal"}},
		"no session is sealed: open, load and seal a session first":                            {Refused: refusal.New(trial.NotSealed), First: []string{"open", "load", "seal"}},
		"no session is sealed: close the one before, then open, load and seal a session first": {Refused: refusal.New(trial.NotSealed), First: []string{"close", "open", "load", "seal"}},
		"the daemon says no without a reason: it may be of another version than this program":  {},
		Simulated + "\nno session is sealed":                                                   {Refused: refusal.New(trial.NotSealed), Simulated: true},
	} {
		if got := Refused(r).Error(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
