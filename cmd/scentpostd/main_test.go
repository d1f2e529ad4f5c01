package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"scentpost/cmd/internal/program"
)

const two = "../../configs/stations/virtual-two.yaml"

func scentpostd(args ...string) (code int, stdout, stderr string) {
	var out, wrong strings.Builder
	code = run(args, &out, &wrong)
	return code, out.String(), wrong.String()
}

func TestTheExamplesAreFine(t *testing.T) {
	for _, name := range []string{"virtual-two", "virtual-six"} {
		file := "../../configs/stations/" + name + ".yaml"
		if code, out, wrong := scentpostd("check", file); code != 0 || !strings.Contains(out, "station demo/"+name) || wrong != "" {
			t.Errorf("%s: exit %d: %s%s", name, code, out, wrong)
		}
	}
	if code, out, _ := scentpostd("version"); code != 0 || out != "scentpostd "+version+"\n" {
		t.Errorf("version: exit %d: %s", code, out)
	}
	if code, out, _ := scentpostd("--help"); code != 0 || !strings.Contains(out, "Run the station of CONFIG") {
		t.Errorf("help: exit %d: %s", code, out)
	}
}

// TestDevices: the list, one type in both forms, and a word that is none.
func TestDevices(t *testing.T) {
	for _, c := range []struct {
		args       string
		code       int
		out, wrong string
	}{
		{"devices", program.ExitFine, "shutter", ""},
		{"devices --markdown", program.ExitFine, "# Devices", ""},
		{"devices bme280", program.ExitFine, "bme280: Bosch BME280 (environment, I2C)", ""},
		{"devices bme280 --markdown", program.ExitFine, "## bme280 Bosch BME280", ""},
		{"devices shuter", program.ExitUsage, "", `"shuter" is no type of device (did you mean "shutter"?)`},
	} {
		if code, out, wrong := scentpostd(strings.Fields(c.args)...); code != c.code || !strings.Contains(out, c.out) || !strings.Contains(wrong, c.wrong) {
			t.Errorf("%s: exit %d: %s%s", c.args, code, out, wrong)
		}
	}
}

// TestBadInput: `check` and `run` refuse the same files with the same words and exit 2, and nothing is made.
func TestBadInput(t *testing.T) {
	good, err := os.ReadFile(two)
	if err != nil {
		t.Fatal(err)
	}
	change := func(old, with string) string { return strings.Replace(string(good), old, with, 1) }
	for name, c := range map[string]struct{ text, says string }{
		"an unknown key":    {change("positions: 2", "positions: 2\ncolour: red"), "colour"},
		"a misspelt key":    {change("positions: 2", "positons: 2"), "positions"},
		"a wrong type":      {change("positions: 2", "positions: two"), "positions"},
		"twice":             {change("positions: 2", "positions: 2\npositions: 2"), "positions"},
		"negative":          {change("positions: 2", "positions: -2"), "positions"},
		"fractional":        {change("positions: 2", "positions: 2.5"), "positions"},
		"enormous":          {change("positions: 2", "positions: 99999999999999999999"), "positions"},
		"an unknown driver": {change("type: virtual", "type: virtuel"), "virtual"},
		"a line twice":      {change("line: beam2", "line: beam1"), "beam1"},
		"anchors":           {"a: &a [x]\nb: [*a, *a]\n" + string(good), "anchor"},
		"nothing":           {"", ""},
		"junk":              {"\x7fELF\x00\x01\x02\xff", ""},
		"not UTF-8":         {change("demo", "d\xe9mo"), "UTF-8"},
		"a megabyte more":   {string(good) + strings.Repeat("# padding\n", 200_000), "1048576"},
		"nested":            {strings.Repeat("[", 10_000), ""},
	} {
		dir := t.TempDir()
		file := filepath.Join(dir, "station.yaml")
		if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		refused(t, dir, name, file, c.says)
	}
	dir := t.TempDir()
	refused(t, dir, "a missing file", filepath.Join(dir, "none.yaml"), "none.yaml")
	refused(t, t.TempDir(), "a folder", dir, dir)
	for _, args := range [][]string{{}, {"fly"}, {"run"}, {"check"}, {"run", two, "more"}, {"check", two, "--colour"}} {
		if code, out, wrong := scentpostd(args...); code != program.ExitUsage || wrong == "" {
			t.Errorf("%v: exit %d: %s%s", args, code, out, wrong)
		}
	}
}

// TestALinkedConfiguration: its paths are taken from the folder of the file, wherever the link stands.
func TestALinkedConfiguration(t *testing.T) {
	base := t.TempDir()
	text, err := os.ReadFile(two)
	if err != nil {
		t.Fatal(err)
	}
	real, link := filepath.Join(base, "real", "deep"), filepath.Join(base, "link.yaml")
	if err := errors.Join(os.MkdirAll(real, 0o700), os.WriteFile(filepath.Join(real, "station.yaml"), text, 0o600), os.Symlink("real/deep/station.yaml", link)); err != nil {
		t.Fatal(err)
	}
	want, err := readConfig(filepath.Join(real, "station.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := readConfig(link)
	if err != nil || got.Data != want.Data || got.Socket != want.Socket || !strings.HasPrefix(got.Data, base) {
		t.Errorf("by a link data is %s, socket %s; without %s, %s: %v", got.Data, got.Socket, want.Data, want.Socket, err)
	}
	if err := os.Symlink("nowhere.yaml", filepath.Join(base, "dangling.yaml")); err != nil {
		t.Fatal(err)
	}
	refused(t, base, "a link to nothing", filepath.Join(base, "dangling.yaml"), "there is no such file")
}

func refused(t *testing.T, dir, name, file, says string) {
	t.Helper()
	before, _ := os.ReadDir(dir)
	_, _, first := scentpostd("check", file)
	for _, command := range []string{"check", "run"} {
		code, out, wrong := scentpostd(command, file)
		if code != program.ExitUsage || out != "" || !strings.Contains(wrong, filepath.Base(file)) || !strings.Contains(wrong, says) || wrong != first {
			t.Errorf("%s: %s exits %d and says %.300q, want %q", name, command, code, wrong, says)
		}
	}
	if after, _ := os.ReadDir(dir); len(after) != len(before) {
		t.Errorf("%s: something was made: %v", name, after)
	}
}
