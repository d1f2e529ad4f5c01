package folder_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"scentpost/station/event"
	"scentpost/station/folder"
	"scentpost/station/holder"
	"scentpost/station/record"
)

var station = folder.Name{Site: "demo", Station: "east", Simulated: true}

func claim(t *testing.T, f folder.Folder, of folder.Name) *folder.Claimed {
	t.Helper()
	c, err := folder.Claim(f, of, "scentpostd")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// content returns the names of all that lies in a folder, with modes and texts.
func content(t *testing.T, dir string) (all []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		text := []byte{}
		if err == nil && info.Mode().IsRegular() {
			text, err = os.ReadFile(path)
		}
		all = append(all, fmt.Sprintf("%s %s %q", strings.TrimPrefix(path, dir), info.Mode(), text))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestTwoStationsBesideEachOther share nothing, and neither takes the other's folder.
func TestTwoStationsBesideEachOther(t *testing.T) {
	base := t.TempDir()
	west := folder.Name{Site: "demo", Station: "west", Simulated: true}
	a, b := claim(t, folder.Folder(filepath.Join(base, "east")), station), claim(t, folder.Folder(filepath.Join(base, "west")), west)
	if a.Private == b.Private || !strings.Contains(a.Private, "SIMULATED/east") {
		t.Error("the keys are the same, or not those of a simulation")
	}
	if entries, err := os.ReadDir(base); err != nil || len(entries) != 2 {
		t.Errorf("beside the folders lies %v, %v", entries, err)
	}
	if _, err := folder.Claim(a.Folder, station, "another"); !errors.Is(err, holder.ErrHeld) || !strings.Contains(err.Error(), "scentpostd of demo/east") {
		t.Errorf("a second program: %v", err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	before := content(t, base)
	if _, err := folder.Claim(a.Folder, west, "scentpostd"); !errors.As(err, new(*folder.Refused)) {
		t.Errorf("the folder of the other: %v", err)
	}
	if after := content(t, base); !slices.Equal(after, before) {
		t.Errorf("something was written:\n%q\n%q", before, after)
	}
	if again := claim(t, a.Folder, station); again.Private != a.Private || len(again.Notes) != 0 {
		t.Errorf("the key is another one at the second start: %q", again.Notes)
	}
	if info, err := os.Stat(a.Folder.Key()); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key's file: %v, %v", info, err)
	}
}

// TestAFolderThatIsNoStations is left as it is: its mode, and all in it.
func TestAFolderThatIsNoStations(t *testing.T) {
	for _, c := range []struct {
		what string
		make func(dir string) error
		want string
	}{
		{"shared by everybody", func(dir string) error { return os.Chmod(dir, 0o777|fs.ModeSticky) }, "is one that everybody shares: name a folder in it as `data`, such as "},
		{"others may write in it", func(dir string) error { return os.Chmod(dir, 0o770) }, "others may write in the folder "},
		{"somebody's papers", func(dir string) error { return os.WriteFile(filepath.Join(dir, "papers.odt"), nil, 0o644) }, "it holds papers.odt: "},
		{"a home", func(dir string) error { return os.Mkdir(filepath.Join(dir, ".ssh"), 0o700) }, "it holds .ssh: "},
		{"a journal by itself", func(dir string) error { return os.WriteFile(filepath.Join(dir, "meta.json"), []byte("{}"), 0o600) }, "name the folder that it lies in as `data`"},
		{"a file", func(dir string) error { return errors.Join(os.Remove(dir), os.WriteFile(dir, nil, 0o600)) }, " is no folder: "},
	} {
		dir := filepath.Join(t.TempDir(), "d")
		if err := errors.Join(os.Mkdir(dir, 0o755), c.make(dir)); err != nil {
			t.Fatal(err)
		}
		before := content(t, dir)
		_, err := folder.Claim(folder.Folder(dir), station, "scentpostd")
		if !errors.As(err, new(*folder.Refused)) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.what, err, c.want)
		}
		if after := content(t, dir); !slices.Equal(after, before) {
			t.Errorf("%s: something was changed:\n%q\n%q", c.what, before, after)
		}
	}
	if os.Geteuid() == 0 {
		dir := t.TempDir()
		if err := os.Chown(dir, 65534, 65534); err != nil {
			t.Fatal(err)
		}
		if _, err := folder.Claim(folder.Folder(dir), station, "scentpostd"); err == nil || !strings.Contains(err.Error(), "belongs to the account nobody, and this is root: start it as that account (sudo -u nobody") {
			t.Errorf("root in the folder of another account: %v", err)
		}
	}
}

// TestWhatMayLieThere: sockets, what a file system puts there, and what an interrupted start left.
func TestWhatMayLieThere(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"lost+found", "journal"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"lock", "station.json.new", "station.key.new", "connections"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	claim(t, folder.Folder(dir), station)
}

// TestTheBinding holds name and key, is written once, and can be lost: then the key stays.
func TestTheBinding(t *testing.T) {
	f := folder.Folder(t.TempDir())
	c := claim(t, f, station)
	if err := c.Begun("e1"); err != nil {
		t.Fatal(err)
	}
	verifier, err := record.VerifierOf(c.Private)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(string(f), "station.json")
	var b folder.Binding
	text, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(text, &b)
	}
	if want := (folder.Binding{Site: "demo", Station: "east", Simulated: true, Key: verifier, Journal: "e1"}); err != nil || b != want {
		t.Errorf("%+v, %v, want %+v", b, err, want)
	}
	old, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(c.Begun("e1"), c.Close()); err != nil {
		t.Fatal(err)
	}
	if err := claim(t, f, station).Close(); err != nil {
		t.Fatal(err)
	}
	if now, err := os.Stat(path); err != nil || !os.SameFile(now, old) {
		t.Errorf("it is written at every start: %v", err)
	}
	for _, damage := range []func() error{
		func() error { return os.Remove(path) },
		func() error { return os.WriteFile(path, []byte("{"), 0o600) },
		func() error { return os.WriteFile(path, []byte(`{"site":"../x","station":"y"}`), 0o600) },
		func() error { return os.WriteFile(path, nil, 0o600) },
	} {
		if err := damage(); err != nil {
			t.Fatal(err)
		}
		again := claim(t, f, station)
		if again.Private != c.Private {
			t.Error("a lost binding costs the key")
		}
		_ = again.Close()
	}
}

// TestTheKey: with a byte order mark it is the same; one that is no key goes aside, and the next one is said to be another.
func TestTheKey(t *testing.T) {
	f := folder.Folder(t.TempDir())
	c := claim(t, f, station)
	_ = c.Close()
	if err := os.WriteFile(f.Key(), []byte("\ufeff"+c.Private+"\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	marked := claim(t, f, station)
	if marked.Private != c.Private {
		t.Error("a byte order mark makes it another key")
	}
	_ = marked.Close()
	if err := os.WriteFile(f.Key(), []byte("PRIVATE+KEY+cut"), 0o600); err != nil {
		t.Fatal(err)
	}
	next := claim(t, f, station)
	if next.Private == c.Private || len(next.Notes) != 2 || !strings.Contains(next.Notes[0], "key is lost") || !strings.HasSuffix(next.Notes[1], "station.key.replaced-1") {
		t.Errorf("a damaged key: %q", next.Notes)
	}
	if text, err := os.ReadFile(f.Key() + ".replaced-1"); err != nil || string(text) != "PRIVATE+KEY+cut" {
		t.Errorf("what was there: %q, %v", text, err)
	}
	_ = next.Close()
	if err := os.WriteFile(f.Key(), []byte(c.Private), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := folder.Claim(f, station, "scentpostd"); !errors.As(err, new(*folder.Refused)) || strings.Contains(err.Error(), "PRIVATE") {
		t.Errorf("another key: %v", err)
	}
}

// TestRename binds the folder to the new name, and refuses what is no new name of this station.
func TestRename(t *testing.T) {
	f := folder.Folder(t.TempDir())
	west := folder.Name{Site: "demo", Station: "west", Simulated: true}
	ended := func() (string, error) { return "", nil }
	if _, err := folder.Rename(f, west, ended); err == nil || !strings.Contains(err.Error(), "does not say whose it is") {
		t.Errorf("an empty folder: %v", err)
	}
	c := claim(t, f, station)
	if _, err := folder.Rename(f, west, ended); !errors.Is(err, holder.ErrHeld) {
		t.Errorf("while the daemon runs: %v", err)
	}
	if err := errors.Join(c.Begun("e1"), c.Close()); err != nil {
		t.Fatal(err)
	}
	for _, no := range []struct {
		to         folder.Name
		unfinished string
		want       string
	}{
		{station, "", "is that of station demo/east (simulated) already"},
		{folder.Name{Site: "demo", Station: "west"}, "", "never one record"},
		{west, "s1", "session s1 of station demo/east (simulated) has not ended"},
	} {
		if _, err := folder.Rename(f, no.to, func() (string, error) { return no.unfinished, nil }); err == nil || !strings.Contains(err.Error(), no.want) {
			t.Errorf("to %s: %v, want %s", no.to, err, no.want)
		}
	}
	if was, err := folder.Rename(f, west, ended); err != nil || was != station {
		t.Fatalf("%s, %v", was, err)
	}
	if _, err := folder.Claim(f, station, "scentpostd"); !errors.As(err, new(*folder.Refused)) {
		t.Errorf("under the old name: %v", err)
	}
	if again := claim(t, f, west); again.Private != c.Private {
		t.Error("a new name costs the key")
	}
}

// TestNotes: connections are counted on, and why the daemon stopped is told once.
func TestNotes(t *testing.T) {
	f := folder.Folder(t.TempDir())
	for want := int64(1); want <= 3; want++ {
		if n, err := f.NextConnection(); err != nil || n != want {
			t.Errorf("connection %d, want %d: %v", n, want, err)
		}
	}
	for _, junk := range []string{"x", "-1", "1.5"} {
		if err := os.WriteFile(f.Connections(), []byte(junk), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := f.NextConnection(); err == nil || !strings.Contains(err.Error(), "a number higher than any") {
			t.Errorf("%q was counted on: %v", junk, err)
		}
	}
	if cause := f.TakeCause(); cause != event.CauseRestart {
		t.Errorf("stopped by %q", cause)
	}
	for left, want := range map[event.Cause]event.Cause{event.CauseJournal: event.CauseJournal, "the dog": event.CauseRestart} {
		if err := f.LeaveCause(left); err != nil {
			t.Fatal(err)
		}
		if first, second := f.TakeCause(), f.TakeCause(); first != want || second != event.CauseRestart {
			t.Errorf("stopped by %q, then %q", first, second)
		}
	}
}
