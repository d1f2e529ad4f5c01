package configs_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"scentpost/configs"
	"scentpost/station/catalog"
	"scentpost/station/config"
	"scentpost/station/strict"
	"scentpost/station/templates"
)

func TestEveryStationIsSoundAndWithoutWarnings(t *testing.T) {
	names, err := configs.Files{}.Names(configs.Stations)
	if err != nil || !slices.Contains(names, "virtual-six") || !slices.Contains(names, "virtual-two") {
		t.Fatalf("got %q, %v", names, err)
	}
	for _, name := range names {
		file, src, err := configs.Files{}.Read(configs.Stations, name)
		if err != nil {
			t.Fatal(err)
		}
		c, err := config.Read(file, src, catalog.Types())
		if err != nil {
			t.Errorf("%s:\n%v", name, err)
		}
		if len(c.Warnings) > 0 {
			t.Errorf("%s: %v", name, c.Warnings)
		}
		if c.Station != name || c.Simulated() != strings.HasPrefix(name, "virtual-") {
			t.Errorf("%s: is named %s, simulated %v", name, c.Station, c.Simulated())
		}
	}
}

func TestVirtualSix(t *testing.T) {
	file, src, err := configs.Files{}.Read(configs.Stations, "virtual-six")
	if err != nil {
		t.Fatal(err)
	}
	c, err := config.Read(file, src, catalog.Types())
	if err != nil {
		t.Fatal(err)
	}
	if got := []int{c.Positions, len(c.Of(templates.Canister)), len(c.Of(templates.Beam)), len(c.Of(templates.Button)), len(c.Of(templates.Light))}; !slices.Equal(got, []int{6, 24, 6, 4, 2}) {
		t.Errorf("positions, canisters, beams, buttons, lights: got %v", got)
	}
	d := c.Of(templates.Canister)[23]
	if d.Name != "canister-6d" || d.Canister != "6D" || d.Lines["drive"] != "c6d.drive" || d.Lines["opened"] != "c6d.opened" || d.Lines["closed"] != "c6d.closed" {
		t.Errorf("the last canister: %+v", d)
	}
}

func TestUsersFolderOverridesByName(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "stations", "virtual-two.yaml"), "mine\n")
	put(t, filepath.Join(dir, "stations", "yard.yaml"), "yard\n")
	put(t, filepath.Join(dir, "stations", "notes.txt"), "")
	files := configs.Files{Dir: dir}
	names, err := files.Names(configs.Stations)
	if err != nil || !slices.Equal(names, []string{"pi-four", "two-boards", "virtual-air", "virtual-boards", "virtual-six", "virtual-two", "yard"}) {
		t.Errorf("got %q, %v", names, err)
	}
	for name, want := range map[string]string{"virtual-two": "mine\n", "yard": "yard\n"} {
		file, src, err := files.Read(configs.Stations, name)
		if err != nil || string(src) != want || !strings.HasPrefix(file, dir) {
			t.Errorf("%s: got %q of %s, %v", name, src, file, err)
		}
	}
	if _, src, err := files.Read(configs.Stations, "virtual-six"); err != nil || len(src) < 1000 {
		t.Errorf("the embedded file behind the folder: %d bytes, %v", len(src), err)
	}
}

// TestFindTakesNamesAndPaths: a file that lies about under the name of a plan is taken, and no path is taken for a name.
func TestFindTakesNamesAndPaths(t *testing.T) {
	t.Chdir(t.TempDir())
	put(t, "go-nogo", "mine\n")
	put(t, "short.yaml", "mine\n")
	for given, want := range map[string]string{"short": "plans/short.yaml", "go-nogo": "go-nogo", "./short.yaml": "./short.yaml", "short.yaml": "short.yaml"} {
		if file, src, err := (configs.Files{}).Find(configs.Plans, given); err != nil || file != want || (string(src) == "mine\n") == (file == "plans/short.yaml") {
			t.Errorf("%s: got %s, %q, %v", given, file, src, err)
		}
	}
	for _, given := range []string{"shrt", "plans/short", "lineup-six.yaml", ""} {
		if file, _, err := (configs.Files{}).Find(configs.Plans, given); err == nil {
			t.Errorf("%q: got %s", given, file)
		}
	}
}

func TestUnknownNames(t *testing.T) {
	for name, want := range map[string]string{
		"virtual-sic":       `"virtual-sic": there is no such file among the stations (did you mean "virtual-six"?)`,
		"../stations/x":     `"../stations/x" is not the name of a file of stations`,
		"":                  `"" is not the name`,
		"..":                `".." is not the name`,
		".hidden":           `".hidden" is not the name`,
		"virtual-six\x00/a": `is not the name`,
	} {
		if _, _, err := (configs.Files{}).Read(configs.Stations, name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", name, err, want)
		}
	}
	if _, _, err := (configs.Files{Dir: "/nowhere"}).Read(configs.Stations, "none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder that is not there: got %v", err)
	}
}

// TestReadFileRefusesWhatIsNoFile includes a sparse file of 100 GB: its size is looked at, it is not read.
func TestReadFileRefusesWhatIsNoFile(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "station.yaml"), "site: a\n")
	huge := filepath.Join(dir, "huge.yaml")
	put(t, huge, "")
	if err := os.Truncate(huge, 100<<30); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("loop", filepath.Join(dir, "loop")); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ file, want string }{
		{filepath.Join(dir, "sation.yaml"), `sation.yaml: there is no such file (check the path; did you mean "` + filepath.Join(dir, "station.yaml") + `"?)`},
		{filepath.Join(dir, "none", "x.yaml"), `x.yaml: there is no such file (check the path; its folder cannot be read either)`},
		{dir, dir + `: is a folder, a file is expected (name a file in it)`},
		{huge, `huge.yaml: has 107374182400 bytes, 1048576 are the most that is read (is this the right file?)`},
		{"/dev/zero", `/dev/zero: is a device, a file is expected (name a regular file)`},
		{filepath.Join(dir, "station.yaml", "x"), `x: cannot be read (check the path)`},
		{filepath.Join(dir, "loop"), `loop: cannot be read (check the path)`},
		{"", `: there is no such file`},
	} {
		src, err := configs.ReadFile(c.file, strict.MaxBytes)
		if err == nil || !strings.Contains(err.Error(), c.want) || src != nil {
			t.Errorf("%s: got %v, want %s", c.file, err, c.want)
		}
	}
	if src, err := configs.ReadFile(filepath.Join(dir, "station.yaml"), 8); err != nil || string(src) != "site: a\n" {
		t.Errorf("a file of exactly the limit: got %q, %v", src, err)
	}
}

// TestReadFileCountsWhatItReads: files of /proc say that they have no bytes.
func TestReadFileCountsWhatItReads(t *testing.T) {
	if _, err := os.Stat("/proc/self/status"); err != nil {
		t.Skip("there is no /proc here")
	}
	if _, err := configs.ReadFile("/proc/self/status", 10); err == nil || !strings.Contains(err.Error(), "more than 10 bytes") {
		t.Errorf("got %v", err)
	}
}

func put(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestWhatMayPassIsNoBadInput: after bad input the unit starts no daemon, so an error of the disk is none.
func TestWhatMayPassIsNoBadInput(t *testing.T) {
	for file, want := range map[string]bool{
		"/proc/self/mem":                        true, // no page is there to read: an error of the disk, as the kernel has it
		t.TempDir():                             false,
		filepath.Join(t.TempDir(), "none"):      false,
		"/dev/null":                             false,
		filepath.Join("/dev/null", "none.yaml"): false,
	} {
		_, err := configs.ReadFile(file, strict.MaxBytes)
		if err == nil || configs.Passes(err) != want {
			t.Errorf("%s: %v may pass: %t, want %t", file, err, configs.Passes(err), want)
		}
	}
}
