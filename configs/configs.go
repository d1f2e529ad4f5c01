// Package configs holds the files that come with Scentpost (plans, pass rules, stations and device templates), which a
// user's folder overrides by name.
package configs

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"scentpost/station/strict"
)

// Kind is a folder of files of one kind.
type Kind string

// The kinds of files.
const (
	Plans    Kind = "plans"
	Rules    Kind = "rules"
	Stations Kind = "stations"
	Devices  Kind = "devices"
)

//go:embed */*.yaml
var embedded embed.FS

const ending = ".yaml"

// Files finds files by kind and name. The zero value knows the embedded ones only.
type Files struct {
	// Dir is the user's folder, laid out as this one; a file there counts instead of the embedded one of its name.
	Dir string
}

// Names returns the names of all files of a kind without their ending, sorted. A Dir or a kind of files in it
// that does not exist counts as empty.
func (f Files) Names(kind Kind) ([]string, error) {
	var names []string
	for _, from := range f.sources() {
		entries, err := fs.ReadDir(from, string(kind))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("list %s: %w (is the folder readable?)", kind, err)
		}
		for _, e := range entries {
			if name, ok := strings.CutSuffix(e.Name(), ending); ok && !e.IsDir() {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// Read returns the name of a file for messages and its bytes: the user's file when there is one, else the
// embedded one. An unknown name is answered with the nearest known one.
func (f Files) Read(kind Kind, name string) (file string, src []byte, err error) {
	if name == "" || name != path.Base(name) || strings.HasPrefix(name, ".") || strings.ContainsRune(name, filepath.Separator) {
		return "", nil, fmt.Errorf("%s is not the name of a file of %s (give the name without folder and %s)", strict.Quote(name), kind, ending)
	}
	if f.Dir != "" {
		file = filepath.Join(f.Dir, string(kind), name+ending)
		src, err = ReadFile(file, strict.MaxBytes)
		if !errors.Is(err, fs.ErrNotExist) {
			return file, src, err
		}
	}
	file = path.Join(string(kind), name+ending)
	if src, err = embedded.ReadFile(file); err == nil {
		return file, src, nil
	}
	names, err := f.Names(kind)
	if err != nil {
		return "", nil, err
	}
	return "", nil, refusal{strict.Quote(name), fmt.Sprintf("there is no such file among the %s", kind), strict.DidYouMean(name, names), fs.ErrNotExist}
}

// Find is Read for a name or for the path of any file. What looks like a path is never taken for a name.
func (f Files) Find(kind Kind, nameOrPath string) (file string, src []byte, err error) {
	looksLikePath := strings.ContainsRune(nameOrPath, filepath.Separator) || filepath.Ext(nameOrPath) != ""
	if _, absent := os.Stat(nameOrPath); errors.Is(absent, fs.ErrNotExist) && !looksLikePath {
		return f.Read(kind, nameOrPath)
	}
	src, err = ReadFile(nameOrPath, strict.MaxBytes)
	return nameOrPath, src, err
}

// sources returns where files come from.
func (f Files) sources() []fs.FS {
	if f.Dir == "" {
		return []fs.FS{embedded}
	}
	return []fs.FS{embedded, os.DirFS(f.Dir)}
}
