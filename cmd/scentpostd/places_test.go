package main

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"scentpost/cmd/internal/program"
	"scentpost/station/folder"
)

// TestWhatAStationNeedsOfTheMachine is said by the check as a warning and by the doctor as a fault, and tried without making
// anything.
func TestWhatAStationNeedsOfTheMachine(t *testing.T) {
	text, err := os.ReadFile(two)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, data, socket string
		make               func(dir string) error
		want               string
	}{
		{"the hints, followed", "./data", "./scentpost.sock", nil, ""},
		{"a socket that a killed daemon left", "data", "old.sock", func(dir string) error {
			l, err := net.Listen("unix", filepath.Join(dir, "old.sock"))
			if err == nil {
				l.(*net.UnixListener).SetUnlinkOnClose(false)
				err = l.Close()
			}
			return err
		}, ""},
		{"a file in the place of the socket", "data", "notes", func(dir string) error { return os.WriteFile(filepath.Join(dir, "notes"), nil, 0o600) }, "something else is at "},
		{"a file in the place of its folder", "data", "notes/s", func(dir string) error { return os.WriteFile(filepath.Join(dir, "notes"), nil, 0o600) }, "notes/s: not a directory"},
		{"a folder with papers", "papers", "s", func(dir string) error {
			return os.MkdirAll(filepath.Join(dir, "papers", "of somebody"), 0o700)
		}, "papers is not a station's: it holds of somebody"},
		{"the folder of another station", "west", "s", func(dir string) error {
			c, err := folder.Claim(folder.Folder(filepath.Join(dir, "west")), folder.Name{Site: "demo", Station: "west", Simulated: true}, "x")
			if err == nil {
				err = c.Close()
			}
			return err
		}, "is that of station demo/west (simulated), the configuration is that of demo/virtual-two (simulated)"},
	} {
		dir, err := os.MkdirTemp("", "places-")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.RemoveAll(dir) })
		if c.make != nil {
			if err := c.make(dir); err != nil {
				t.Fatal(err)
			}
		}
		station := strings.NewReplacer("../../build/virtual-two/data", c.data, "../../build/virtual-two/scentpost.sock", c.socket).Replace(string(text))
		file := filepath.Join(dir, "station.yaml")
		if err := os.WriteFile(file, []byte(station), 0o600); err != nil {
			t.Fatal(err)
		}
		before, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		code, out, wrong := scentpostd("check", file)
		if warned := strings.Contains(out, "warning: data") || strings.Contains(out, "warning: socket"); code != program.ExitFine || wrong != "" || warned != (c.want != "") {
			t.Errorf("%s: the check exits %d and says %s%s", c.name, code, out, wrong)
		}
		if !strings.Contains(out, c.want) {
			t.Errorf("%s: the check says %s, want %s", c.name, out, c.want)
		}
		said, err := ask(&kernel{stands: true}, file, false)
		if (err == nil) != (c.want == "") || !strings.Contains(said, c.want) || c.want != "" && !strings.Contains(said, "the daemon cannot run here as ") {
			t.Errorf("%s: the doctor says %s, %v; want %s", c.name, said, err, c.want)
		}
		if after, err := os.ReadDir(dir); err != nil || len(after) != len(before) {
			t.Errorf("%s: something was made: %v, %v", c.name, after, err)
		}
	}
}
