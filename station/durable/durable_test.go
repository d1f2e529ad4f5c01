package durable

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// errCut ends an operation at the power cut.
var errCut = errors.New("the power is gone")

// brittle is a file system in memory with a power cut after a number of steps. What was not synced may be lost.
type brittle struct {
	now, kept map[string]*inode // by name: as the programs see it, and as it is on the disk
	left      int               // steps until the power cut; below 0 for none
	fails     int               // the step that fails without a power cut; below 0 for none
	steps     int
}

// inode is the content of a file.
type inode struct{ now, kept []byte }

func newBrittle(files map[string]string) *brittle {
	b := &brittle{now: map[string]*inode{}, kept: map[string]*inode{}, left: -1, fails: -1}
	for name, content := range files {
		i := &inode{now: []byte(content), kept: []byte(content)}
		b.now[name], b.kept[name] = i, i
	}
	return b
}

// step counts one step.
func (b *brittle) step() error {
	b.steps++
	if b.steps-1 == b.fails {
		return fs.ErrPermission
	}
	if b.left == 0 {
		return errCut
	}
	b.left--
	return nil
}

func (b *brittle) create(path string, _ fs.FileMode) (file, error) {
	if err := b.step(); err != nil {
		return nil, err
	}
	if b.now[path] != nil {
		return nil, fs.ErrExist
	}
	b.now[path] = &inode{}
	return &openFile{b, b.now[path]}, nil
}

func (b *brittle) remove(path string) error {
	if err := b.step(); err != nil {
		return err
	}
	if b.now[path] == nil {
		return fs.ErrNotExist
	}
	delete(b.now, path)
	return nil
}

func (b *brittle) rename(from, to string) error {
	if err := b.step(); err != nil {
		return err
	}
	b.now[to] = b.now[from]
	delete(b.now, from)
	return nil
}

func (b *brittle) syncFolder(folder string) error {
	if err := b.step(); err != nil {
		return err
	}
	for _, side := range []map[string]*inode{b.now, b.kept} {
		for name := range side {
			if filepath.Dir(name) == folder {
				if b.now[name] == nil {
					delete(b.kept, name)
				} else {
					b.kept[name] = b.now[name]
				}
			}
		}
	}
	return nil
}

// openFile is a file that is being written.
type openFile struct {
	on *brittle
	of *inode
}

// Write writes half, and then all: a power cut may fall between.
func (f *openFile) Write(p []byte) (int, error) {
	for _, n := range []int{len(p) / 2, len(p)} {
		if err := f.on.step(); err != nil {
			return 0, err
		}
		f.of.now = bytes.Clone(p[:n])
	}
	return len(p), nil
}

func (f *openFile) Sync() error {
	if err := f.on.step(); err != nil {
		return err
	}
	f.of.kept = bytes.Clone(f.of.now)
	return nil
}

func (f *openFile) Close() error { return f.on.step() }

// after returns what can lie under a name after the power cut: the kernel may have written names and contents that
// nobody asked it to write, each by itself.
func (b *brittle) after(name string) []string {
	var all []string
	for _, i := range []*inode{b.kept[name], b.now[name]} {
		if i == nil {
			all = append(all, "none")
			continue
		}
		all = append(all, string(i.kept), string(i.now))
	}
	return all
}

// cases are the operations, with what may lie under the name "f/x" afterwards.
var cases = []struct {
	name      string
	before    map[string]string
	do        func(disk) error
	old, next string
}{
	{"replace", map[string]string{"f/x": "old"}, func(d disk) error { return replace(d, "f/x", []byte("new!")) }, "old", "new!"},
	{"replace with a rest", map[string]string{"f/x": "old", "f/x.new": "ne"}, func(d disk) error { return replace(d, "f/x", []byte("new!")) }, "old", "new!"},
	{"replace nothing", nil, func(d disk) error { return replace(d, "f/x", []byte("new!")) }, "none", "new!"},
	{"rename", map[string]string{"f/x": "old", "g/y": "new!"}, func(d disk) error { return rename(d, "g/y", "f/x") }, "old", "new!"},
}

func TestAPowerCutLeavesTheOldOrTheNew(t *testing.T) {
	for _, c := range cases {
		whole := newBrittle(c.before)
		if err := c.do(whole); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		for _, found := range whole.after("f/x") {
			if found != c.next {
				t.Errorf("%s: after it returned a power cut leaves %q, want %q", c.name, found, c.next)
			}
		}
		for cut := range whole.steps {
			b := newBrittle(c.before)
			b.left = cut
			if err := c.do(b); !errors.Is(err, errCut) {
				t.Errorf("%s: cut at step %d: %v", c.name, cut, err)
			}
			for _, found := range b.after("f/x") {
				if found != c.old && found != c.next {
					t.Errorf("%s: a power cut at step %d leaves %q, want %q or %q", c.name, cut, found, c.old, c.next)
				}
			}
		}
	}
}

// TestAFailureLeavesTheOldOrTheNew lets each step fail in turn, without a power cut.
func TestAFailureLeavesTheOldOrTheNew(t *testing.T) {
	for _, c := range cases {
		whole := newBrittle(c.before)
		if err := c.do(whole); err != nil {
			t.Fatal(err)
		}
		for step := range whole.steps {
			b := newBrittle(c.before)
			b.fails = step
			if err := c.do(b); err == nil {
				t.Errorf("%s: step %d failed, and nothing was said", c.name, step)
			}
			found := "none"
			if b.now["f/x"] != nil {
				found = string(b.now["f/x"].now)
			}
			if found != c.old && found != c.next {
				t.Errorf("%s: after step %d failed there is %q", c.name, step, found)
			}
			if b.now["f/x.new"] != nil && c.before["f/x.new"] == "" {
				t.Errorf("%s: after step %d failed the temporary file is left", c.name, step)
			}
		}
	}
}

func TestCreateLeavesNothingHalf(t *testing.T) {
	make := func(d disk) error { return create(d, "f/x", whole([]byte("new!")), 0o644) }
	whole := newBrittle(nil)
	if err := make(whole); err != nil || !slices.Equal(whole.after("f/x"), []string{"new!", "new!", "new!", "new!"}) {
		t.Errorf("%v, %q", err, whole.after("f/x"))
	}
	for step := range whole.steps - 1 { // the last one is the folder's: the file is whole by then
		b := newBrittle(nil)
		b.fails = step
		if err := make(b); err == nil || b.now["f/x"] != nil {
			t.Errorf("step %d failed: %v, and the file is there: %t", step, err, b.now["f/x"] != nil)
		}
	}
	there := newBrittle(map[string]string{"f/x": "old"})
	if err := make(there); !errors.Is(err, fs.ErrExist) || string(there.now["f/x"].now) != "old" {
		t.Errorf("a file that is there: %v, %q", err, there.now["f/x"].now)
	}
}

// TestOnThisFileSystem runs all functions on the real one.
func TestOnThisFileSystem(t *testing.T) {
	dir := t.TempDir()
	path, target := filepath.Join(dir, "x"), filepath.Join(dir, "target")
	if err := Create(target, []byte("not to be touched"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := Create(target, nil, 0o644); !errors.Is(err, fs.ErrExist) {
		t.Errorf("made twice: %v", err)
	}
	if err := os.Symlink(target, path+".new"); err != nil {
		t.Fatal(err)
	}
	for n := range 3 {
		if err := Replace(path, fmt.Append(nil, n)); err != nil {
			t.Fatal(err)
		}
	}
	state, err := os.Stat(path)
	if err != nil || state.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", state.Mode(), err)
	}
	if err := Rename(path, target+"-2"); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{target: "not to be touched", target + "-2": "2"} {
		if got, err := os.ReadFile(name); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v, want %q", name, got, err, want)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 {
		t.Errorf("%d files are left, want 2: %v, %v", len(entries), entries, err)
	}
	if err := Replace(filepath.Join(dir, "none", "x"), nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder that is not there: %v", err)
	}
	if err := SyncFolder(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder that is not there: %v", err)
	}
}
