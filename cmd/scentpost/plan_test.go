package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"scentpost/configs"
)

// TestAPlanTooLongForItsRecordIsRefusedEverywhere: one of 304,617 bytes once passed plan check and was refused when a
// session was opened.
func TestAPlanTooLongForItsRecordIsRefusedEverywhere(t *testing.T) {
	_, text, err := configs.Files{}.Find(configs.Plans, "lineup-six")
	if err != nil {
		t.Fatal(err)
	}
	comment := "# " + strings.Repeat("x", 304_617-len(text)-3) + "\n"
	file := filepath.Join(t.TempDir(), "long.yaml")
	if err := os.WriteFile(file, append([]byte(comment), text...), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"plan", "check", file},
		{"plan", "check", "--json", file},
		{"session", "open", file, "--dog", "Rex", "--handler", "Hari", "--assessor", "Ada", "--socket", filepath.Join(t.TempDir(), "none")},
	} {
		code, out, errs := scentpost(args...)
		if code != 1 || !strings.Contains(out+errs, "plan and pass rule take") {
			t.Errorf("%s: exit %d, %.300s", args, code, out+errs)
		}
	}
}
