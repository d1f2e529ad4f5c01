// Package station_test keeps the rules of the house: who may import whom, no clock in pure code, a sentence on
// every package, no sleeping tests.
package station_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// module is the path of this module.
const module = "scentpost"

// listed is one package as go list describes it.
type listed struct {
	ImportPath, Name, Doc, Dir         string
	Imports                            []string
	GoFiles, TestGoFiles, XTestGoFiles []string
}

// short returns the import path within the module.
func (l listed) short() string { return strings.TrimPrefix(l.ImportPath, module+"/") }

// list returns all packages of the module; go list runs once.
var list = sync.OnceValues(func() ([]listed, error) {
	cmd := exec.Command("go", "list", "-e", "-json=ImportPath,Name,Doc,Dir,Imports,GoFiles,TestGoFiles,XTestGoFiles", "./...")
	cmd.Dir = ".."
	out, err := cmd.Output()
	if err != nil {
		return nil, err
	}
	var all []listed
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var one listed
		if err := dec.Decode(&one); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
})

// packages returns all packages of the module.
func packages(t *testing.T) []listed {
	t.Helper()
	all, err := list()
	if err != nil || len(all) < 2 {
		t.Fatalf("go list found %d packages: %v", len(all), err)
	}
	return all
}

// matches tells whether a path is one of the patterns; "a/..." is a and all below, "*" one part of a path.
func matches(path string, patterns ...string) bool {
	for _, p := range patterns {
		if base, tree := strings.CutSuffix(p, "/..."); tree {
			if path == base || strings.HasPrefix(path, base+"/") {
				return true
			}
			continue
		}
		if ok, err := filepath.Match(p, path); ok && err == nil {
			return true
		}
	}
	return false
}

// report fails the test with each violation.
func report(t *testing.T, violations []string) {
	t.Helper()
	for _, v := range violations {
		t.Error(v)
	}
}
