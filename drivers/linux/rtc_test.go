//go:build linux

package linux

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// rtc writes a clock as the kernel shows it; a file that is empty is left out.
func rtc(t *testing.T, sys, name, chip, epoch string) {
	t.Helper()
	folder := filepath.Join(sys, "class", "rtc", name)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	for file, text := range map[string]string{"name": chip, "since_epoch": epoch} {
		if text == "" {
			continue
		}
		if err := os.WriteFile(filepath.Join(folder, file), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTheKernelsClocks(t *testing.T) {
	sys := t.TempDir()
	if clocks := KernelClocks(sys); clocks != nil {
		t.Errorf("a machine without a clock has %v", clocks)
	}
	rtc(t, sys, "rtc0", "rtc-ds1307 1-0068\n", "1795659600\n")
	rtc(t, sys, "rtc1", "rpi-rtc\n", "")
	rtc(t, sys, "rtc2", "", "86400\n")
	rtc(t, sys, "rtc3", "", "now\n")
	got := KernelClocks(sys)
	want := []KernelClock{{Name: "rtc0", Chip: "rtc-ds1307 1-0068", Time: time.Unix(1795659600, 0).UTC()}, {Name: "rtc1", Chip: "rpi-rtc"}, {Name: "rtc2"}, {Name: "rtc3"}}
	whys := []string{"", "the kernel cannot read it", "1970-01-02, which cannot be true", `"now", expected seconds`}
	if len(got) != len(want) {
		t.Fatalf("got %+v", got)
	}
	for i, c := range got {
		if !strings.Contains(c.Why, whys[i]) || (c.Why == "") != (whys[i] == "") {
			t.Errorf("%s: %q, want %q in it", c.Name, c.Why, whys[i])
		}
		if c.Why = ""; c != want[i] {
			t.Errorf("got %+v, want %+v", c, want[i])
		}
	}
}
