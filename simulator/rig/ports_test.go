package rig

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"scentpost/simulator/hardware"
	"scentpost/simulator/world"
)

// plugBeside plugs in a board with another rig's hands.
func plugBeside(t *testing.T, link string) (*Rig, error) {
	t.Helper()
	st, err := hardware.New(world.New(2), hardware.Layout{})
	if err != nil {
		t.Fatal(err)
	}
	server, err := hardware.NewServer(st, "rig", 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	return Plug(server, st, []Board{{Name: "b", Link: link, ID: "b", Baud: 500_000}})
}

// TestASecondRigTakesNoPortOfAnother, and one that has ended leaves its ports.
func TestASecondRigTakesNoPortOfAnother(t *testing.T) {
	var link string
	t.Run("first", func(t *testing.T) {
		h := hold(t)
		link = h.link
		before, err := os.Readlink(link)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := plugBeside(t, link); !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), link) {
			t.Errorf("a second rig: %v", err)
		}
		if after, err := os.Readlink(link); err != nil || after != before {
			t.Errorf("the link of the first led to %s, and leads to %s (%v)", before, after, err)
		}
	})
	r, err := plugBeside(t, link)
	if err != nil {
		t.Fatalf("after the first has ended: %v", err)
	}
	if err := r.close(); err != nil {
		t.Error(err)
	}
}

// TestNoRigTakesWhatIsNotItsOwn: real ports are in /dev, and a file is somebody's.
func TestNoRigTakesWhatIsNotItsOwn(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	for link, want := range map[string]string{
		"/dev/scentpost-test/b": "where real ports are", "/tmp/../dev/scentpost-test": "where real ports are", file: "is there and is no link",
	} {
		if _, err := plugBeside(t, link); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", link, err)
		}
	}
	if _, err := os.Stat("/dev/scentpost-test"); err == nil {
		t.Error("a folder in /dev was made")
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != "mine" {
		t.Errorf("the file holds %q, %v", text, err)
	}
}
