// Package cmd_test holds the pages at the root of the project to the code: the commands, links, packages and functions
// that they name must be there.
package cmd_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"scentpost/cmd/internal/program"
)

const (
	root         = ".."
	module       = "scentpost/"
	readme       = "README.md"
	architecture = "ARCHITECTURE.md"
)

var (
	pages    = []string{readme, architecture, "CONTRIBUTING.md", "CHANGELOG.md"}
	programs = []string{"scentpost", "scentpostd", "scentsim"}

	fence   = regexp.MustCompile("(?ms)^```[a-z]*\n(.*?)^```")
	span    = regexp.MustCompile("`([^`\n]+)`")
	link    = regexp.MustCompile(`\]\(([^)#\s]+)\)`)
	file    = regexp.MustCompile(`^\.?[a-z][\w.-]*(/[\w.-]+)+$`)
	word    = regexp.MustCompile(`^[a-z]+$`)
	flag    = regexp.MustCompile(`^--[a-z][a-z-]*`)
	target  = regexp.MustCompile(`\bmake ([a-z]+)\b`)
	symbol  = regexp.MustCompile(`^[a-z]+(\.[A-Za-z]\w*){1,2}$`)
	row     = regexp.MustCompile("(?m)^\\| `([a-z0-9/-]+)` \\|")
	command = regexp.MustCompile(`^(?:\$ )?(?:\w+=\S+ )*(?:build/)?(scentpostd?|scentsim)((?: .*)?)$`)
)

// mention is a command that a page names.
type mention struct {
	program string
	args    []string
}

func (m mention) String() string { return m.program + " " + strings.Join(m.args, " ") }

// read returns a page.
func read(t *testing.T, page string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, page))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// code returns the lines of a page's blocks and the spans in its text.
func code(page string) []string {
	var found []string
	for _, block := range fence.FindAllStringSubmatch(page, -1) {
		whole := strings.ReplaceAll(block[1], "\\\n", " ")
		for line := range strings.Lines(whole) {
			found = append(found, strings.TrimSpace(line))
		}
	}
	for _, s := range span.FindAllStringSubmatch(fence.ReplaceAllString(page, ""), -1) {
		found = append(found, s[1])
	}
	return found
}

// mentions returns the commands that a page names.
func mentions(page string) []mention {
	var found []mention
	for _, line := range code(page) {
		m := command.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		args, _, _ := strings.Cut(strings.NewReplacer("|", "#", ">", "#", ";", "#", "&", "#").Replace(m[2]), "#")
		found = append(found, mention{m[1], strings.Fields(args)})
	}
	return found
}

// asker asks the programs for their help.
type asker struct {
	dir   string
	known map[string]string
}

// build builds the programs.
func build(t *testing.T) *asker {
	t.Helper()
	a := &asker{dir: t.TempDir(), known: map[string]string{}}
	args := []string{"build", "-o", a.dir}
	for _, p := range programs {
		args = append(args, "./"+p)
	}
	if out, err := exec.Command("go", args...).CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return a
}

// help returns what a program says to --help behind words.
func (a *asker) help(program string, words []string) string {
	key := strings.Join(append([]string{program}, words...), " ")
	if text, ok := a.known[key]; ok {
		return text
	}
	// A program that refuses the words says so in its text.
	out, _ := exec.Command(filepath.Join(a.dir, program), append(slices.Clone(words), "--help")...).CombinedOutput()
	a.known[key] = string(out)
	return a.known[key]
}

// problem returns what is wrong with a command, "" when nothing is.
func (a *asker) problem(m mention) string {
	words := []string{}
	help := a.help(m.program, words)
	for _, arg := range m.args {
		usage, _, _ := strings.Cut(help, "\n")
		if !strings.Contains(usage, "<command>") || !word.MatchString(arg) {
			break
		}
		words = append(words, arg)
		help = a.help(m.program, words)
		if want := "Usage: " + m.program + " " + strings.Join(words, " "); !strings.HasPrefix(help+" ", want) {
			return fmt.Sprintf("there is no such command: %s", strings.TrimSpace(help))
		}
	}
	for _, arg := range m.args {
		if f := flag.FindString(arg); f != "" && !regexp.MustCompile(regexp.QuoteMeta(f)+`\b`).MatchString(help) {
			return fmt.Sprintf("its help knows no %s", f)
		}
	}
	return ""
}

func TestNamedCommandsExist(t *testing.T) {
	a := build(t)
	for _, page := range pages {
		found := mentions(read(t, page))
		if page == readme && len(found) < len(programs) {
			t.Errorf("%s names %d commands only: has its form changed?", page, len(found))
		}
		for _, m := range found {
			if why := a.problem(m); why != "" {
				t.Errorf("%s: %s: %s", page, m, why)
			}
		}
	}
	// What is wrong must be seen.
	for _, planted := range []mention{
		{"scentpost", []string{"sesion", "open"}}, {"scentpost", []string{"session", "opne"}},
		{"scentpost", []string{"session", "open", "lineup-six", "--cat", "Tom"}}, {"scentpostd", []string{"walk"}},
	} {
		if a.problem(planted) == "" {
			t.Errorf("%s: nothing found wrong with it", planted)
		}
	}
}

// TestTheTableOfExitCodesIsOne: every program prints it, and README has the same rows.
func TestTheTableOfExitCodesIsOne(t *testing.T) {
	a := build(t)
	page := read(t, readme)
	if n := len(regexp.MustCompile(`(?m)^\| \d \| `).FindAllString(page, -1)); n != len(program.Codes()) {
		t.Errorf("%s has %d exit codes, the programs have %d", readme, n, len(program.Codes()))
	}
	for _, c := range program.Codes() {
		if want := fmt.Sprintf("| %d | %s |\n", c.Code, c.Means); !strings.Contains(page, want) {
			t.Errorf("%s lacks the row %s", readme, want)
		}
		for _, p := range programs {
			if want := fmt.Sprintf("    %d  %s\n", c.Code, c.Means); !strings.Contains(a.help(p, nil), want) {
				t.Errorf("%s --help lacks the line %q:\n%s", p, want, a.help(p, nil))
			}
		}
	}
}

// TestProgramsEndInOnePlace: a program ends with the code that package program returns, and nowhere else.
func TestProgramsEndInOnePlace(t *testing.T) {
	files, err := filepath.Glob("*/*.go")
	more, err2 := filepath.Glob("internal/*/*.go")
	if err != nil || err2 != nil || len(files) < 10 {
		t.Fatal(files, err, err2)
	}
	for _, name := range append(files, more...) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		n := len(regexp.MustCompile(`\b(os\.Exit|log\.Fatal\w*|syscall\.Exit)\(`).FindAllIndex(text, -1))
		if want := bytes.Count(text, []byte("func main() { os.Exit(run(os.Args[1:], ")); n != want && !strings.HasSuffix(name, "_test.go") {
			t.Errorf("%s ends the program in %d places besides main", name, n-want)
		}
	}
}

func TestNamedTargetsExist(t *testing.T) {
	makefile := read(t, "Makefile")
	for _, page := range pages {
		for _, m := range target.FindAllStringSubmatch(strings.Join(code(read(t, page)), "\n"), -1) {
			if !regexp.MustCompile(`(?m)^` + m[1] + `:`).MatchString(makefile) {
				t.Errorf("%s: make %s: the Makefile has no such target", page, m[1])
			}
		}
	}
}

func TestNamedFilesExist(t *testing.T) {
	for _, page := range pages {
		text := read(t, page)
		var named []string
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			if !strings.Contains(m[1], "://") {
				named = append(named, m[1])
			}
		}
		for _, s := range span.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
			// What is built, and what a page only makes up, is not in the project.
			if file.MatchString(s[1]) && !strings.HasPrefix(s[1], "build/") && exists(path.Dir(s[1])) {
				named = append(named, s[1])
			}
		}
		for _, name := range named {
			if !exists(name) {
				t.Errorf("%s names %s, which is not there", page, name)
			}
		}
	}
}

func exists(name string) bool {
	_, err := os.Stat(filepath.Join(root, filepath.FromSlash(name)))
	return err == nil
}

// packages returns the module's packages without the module's name.
func packages(t *testing.T) []string {
	t.Helper()
	list := exec.Command("go", "list", "./...")
	list.Dir = root
	out, err := list.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	return strings.Fields(strings.ReplaceAll(string(out), module, ""))
}

func TestArchitectureListsEveryPackage(t *testing.T) {
	var listed []string
	for _, m := range row.FindAllStringSubmatch(read(t, architecture), -1) {
		if slices.Contains(listed, m[1]) {
			t.Errorf("%s lists %s twice", architecture, m[1])
		}
		listed = append(listed, m[1])
	}
	are := packages(t)
	for _, p := range are {
		if !slices.Contains(listed, p) {
			t.Errorf("%s does not list the package %s: give it a row with what it is for", architecture, p)
		}
	}
	for _, p := range listed {
		if !slices.Contains(are, p) {
			t.Errorf("%s lists %s, which is no package", architecture, p)
		}
	}
}

// symbols returns what packages declare, as pkg.Name and pkg.Type.Method (with fields and methods of interfaces
// left out), and the names of the packages.
func symbols(t *testing.T) (declared, names map[string]bool) {
	t.Helper()
	declared, names = map[string]bool{}, map[string]bool{}
	for _, p := range packages(t) {
		files, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(p), "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			src, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			f, err := parser.ParseFile(token.NewFileSet(), name, bytes.TrimPrefix(src, []byte("\ufeff")), parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			names[f.Name.Name] = true
			for _, d := range f.Decls {
				declare(declared, f.Name.Name, d)
			}
		}
	}
	return declared, names
}

func declare(declared map[string]bool, pkg string, d ast.Decl) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		name := pkg + "."
		if d.Recv != nil {
			name += receiver(d.Recv.List[0].Type) + "."
		}
		declared[name+d.Name.Name] = true
	case *ast.GenDecl:
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.TypeSpec:
				declared[pkg+"."+s.Name.Name] = true
			case *ast.ValueSpec:
				for _, n := range s.Names {
					declared[pkg+"."+n.Name] = true
				}
			}
		}
	}
}

func receiver(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return receiver(e.X)
	case *ast.IndexExpr:
		return receiver(e.X)
	case *ast.Ident:
		return e.Name
	}
	return ""
}

func TestNamedFunctionsExist(t *testing.T) {
	declared, names := symbols(t)
	events := read(t, "station/event/types.go")
	checked := 0
	for _, page := range pages {
		for _, s := range span.FindAllStringSubmatch(fence.ReplaceAllString(read(t, page), ""), -1) {
			pkg, _, _ := strings.Cut(s[1], ".")
			if !symbol.MatchString(s[1]) || !names[pkg] || strings.Contains(events, `"`+s[1]+`"`) {
				continue
			}
			checked++
			if !declared[s[1]] {
				t.Errorf("%s names %s, which is not declared", page, s[1])
			}
		}
	}
	if checked == 0 {
		t.Error("no page names a function: has their form changed?")
	}
}

// TestPagesNameNoMachine: what holds on one machine alone has no place in the project.
func TestPagesNameNoMachine(t *testing.T) {
	machine := regexp.MustCompile(`/(work|home|root|tmp)/|localhost:|\b(proxy|registry)\.`)
	for _, page := range pages {
		if found := machine.FindString(read(t, page)); found != "" {
			t.Errorf("%s names %s", page, found)
		}
	}
}
