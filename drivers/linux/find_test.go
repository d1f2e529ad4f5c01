//go:build linux

package linux

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"scentpost/drivers/bus"
)

// TestAChipWithTwoNamesIsOne: some systems keep the old number of a chip as a link to the new one.
func TestAChipWithTwoNamesIsOne(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "gpiochip0"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, to := range map[string]string{"gpiochip4": "gpiochip0", "gpiochip9": "nothing"} {
		if err := os.Symlink(filepath.Join(dir, to), filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	got, err := devices(filepath.Join(dir, "gpiochip*"))
	if want := []string{filepath.Join(dir, "gpiochip0"), filepath.Join(dir, "gpiochip9")}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v; want %v", got, err, want)
	}
}

// TestALookAsksForNothing: whoever surveys a machine requests no line, and learns who has which.
func TestALookAsksForNothing(t *testing.T) {
	onBench(t, nil, func(b *bench) {
		one := b.k.plug("one", "a", "b")
		b.k.plug("two", "b")
		b.k.forbid("three")
		one.info.Lines[0].Consumer = "gpio-keys"
		s, err := look(b.k)
		if err != nil {
			t.Fatal(err)
		}
		if len(s.Chips) != 3 || len(one.held) > 0 || len(b.k.done()) > 0 {
			t.Errorf("%+v, %d requests", s.Chips, len(one.held))
		}
		if c := s.Chips[2]; !errors.Is(c.Err, fs.ErrPermission) || c.Path != "/dev/gpiochip2" || c.Lines != nil {
			t.Errorf("a chip that may not be opened: %+v", c)
		}
		if at, err := s.Find("a"); err != nil || at.Line.Consumer != "gpio-keys" || at.Path != "/dev/gpiochip0" || at.Offset != 0 {
			t.Errorf("%+v, %v", at, err)
		}
		if at, err := s.Find("two:b"); err != nil || at.Label != "two" {
			t.Errorf("%+v, %v", at, err)
		}
		if _, err := s.Find("x"); !errors.Is(err, bus.ErrUnknownLine) || !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "group gpio") {
			t.Errorf("%v", err)
		}
	})
}
