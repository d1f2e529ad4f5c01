package main

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"scentpost/station/verify"
)

// demonstrate runs the demonstration and returns what it printed and its bundle.
func demonstrate(t *testing.T, seed string) (printed string, bundle []byte) {
	t.Helper()
	dir := t.TempDir()
	var out bytes.Buffer
	if code := run([]string{"demo", "--seed", seed, "--out", dir}, &out, &out); code != 0 {
		t.Fatalf("exit code %d:\n%s", code, out.String())
	}
	return out.String(), onlyZip(t, dir)
}

// onlyZip returns the only zip of a folder.
func onlyZip(t *testing.T, dir string) []byte {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "*.zip"))
	if err != nil || len(found) != 1 {
		t.Fatalf("want one zip in %s, got %v %v", dir, found, err)
	}
	bundle, err := os.ReadFile(found[0])
	if err != nil {
		t.Fatal(err)
	}
	return bundle
}

func TestTheDemoShowsASessionAndVerifiesIt(t *testing.T) {
	printed, bundle := demonstrate(t, "1")
	for _, want := range []string{"SIMULATED", "RUN  PLACEMENT", "sensitivity ", "specificity ", "Clopper-Pearson",
		"verdict of uk-short-odour: ", "needed at least 0.70", "bundle: ", "verifier: verified", "seed two-party", "simulated true"} {
		if !strings.Contains(printed, want) {
			t.Errorf("the demo does not print %q:\n%s", want, printed)
		}
	}
	if r := verify.Verify(bundle, verify.Options{}); !r.Consistent || !r.Simulated || r.Signer != verify.Unknown {
		t.Errorf("a stranger's verification: %+v", r)
	}
}

var update = flag.Bool("update", false, "write into README what the demo prints")

// TestReadmeShowsTheDemo as it is, but for the port, the folder and our time.
func TestReadmeShowsTheDemo(t *testing.T) {
	const readme, begins = "../../README.md", "## What the demo shows\n\n```\n"
	printed, _ := demonstrate(t, "1")
	for form, shown := range map[string]string{`127\.0\.0\.1:\d+`: "127.0.0.1:33783", `in [0-9.]+m?s of ours`: "in 130ms of ours", `bundle: .*/`: "bundle: build/demo/"} {
		printed = regexp.MustCompile(form).ReplaceAllString(printed, shown)
	}
	text, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	before, after, found := strings.Cut(string(text), begins)
	shown, rest, ends := strings.Cut(after, "```\n")
	switch {
	case !found || !ends:
		t.Fatal("README does not show the demo")
	case shown == printed:
	case *update:
		if err := os.WriteFile(readme, []byte(before+begins+printed+"```\n"+rest), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("README shows another demo (go test ./cmd/scentsim -run Readme -update writes it):\n%s", printed)
	}
}

func TestTheSameSeedGivesTheSameBundle(t *testing.T) {
	_, a := demonstrate(t, "7")
	_, again := demonstrate(t, "7")
	_, b := demonstrate(t, "8")
	if !bytes.Equal(a, again) {
		t.Error("the same seed gave two bundles")
	}
	if bytes.Equal(a, b) {
		t.Error("two seeds gave one bundle")
	}
}

// TestEveryMachineGivesTheSameBundle runs the demonstration as a program for another processor.
func TestEveryMachineGivesTheSameBundle(t *testing.T) {
	qemu, err := exec.LookPath("qemu-aarch64-static")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("qemu-aarch64-static is missing: apt-get install qemu-user-static")
		}
		t.Skip("NOT TRIED ON ARM64: qemu-aarch64-static is missing: apt-get install qemu-user-static")
	}
	program := filepath.Join(t.TempDir(), "scentsim-arm64")
	build := exec.Command("go", "build", "-o", program, ".")
	build.Env = append(os.Environ(), "GOARCH=arm64", "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build for arm64: %v\n%s", err, out)
	}
	dir := t.TempDir()
	if out, err := exec.Command(qemu, program, "demo", "--seed", "7", "--out", dir).CombinedOutput(); err != nil {
		t.Fatalf("run on arm64: %v\n%s", err, out)
	}
	if _, here := demonstrate(t, "7"); !bytes.Equal(here, onlyZip(t, dir)) {
		t.Error("arm64 gives another bundle than this machine")
	}
}
