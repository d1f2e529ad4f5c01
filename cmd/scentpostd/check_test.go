package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"scentpost/cmd/internal/program"
)

var update = flag.Bool("update", false, "write the expected texts anew")

// TestCheckSaysAllOfEachCase has one file for each way in which a configuration can be wrong, and beside it all that the
// check says of it.
func TestCheckSaysAllOfEachCase(t *testing.T) {
	files, err := filepath.Glob("testdata/check/*.yaml")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		code, out, wrong := scentpostd("check", file)
		got := strings.ReplaceAll(fmt.Sprintf("%s%sexit %d\n", out, wrong, code), file, filepath.Base(file))
		golden := strings.TrimSuffix(file, ".yaml") + ".txt"
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil || got != string(want) {
			t.Errorf("%s: %v; it says\n%s\nwant\n%s", file, err, got, want)
		}
		if wrong != "" && code != program.ExitUsage || wrong == "" && code != program.ExitFine {
			t.Errorf("%s: exit %d", file, code)
		}
	}
}
