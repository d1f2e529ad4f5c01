package yard_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"scentpost/simulator/hardware"
	"scentpost/simulator/yard"
	"scentpost/station/blind"
	"scentpost/station/event"
	"scentpost/station/score"
	"scentpost/station/trial"
	"scentpost/station/verify"
)

var update = flag.Bool("update", false, "write the golden bundle of the present laws anew; only before their release")

// goldenFolder holds one bundle for each set of laws that was ever released.
const goldenFolder = "testdata/golden"

// golden makes the golden bundle of the present laws: a short session in which a canister fails, so that a reserve run
// is in it too.
func golden(t *testing.T) []byte {
	t.Helper()
	y := newYard(t, "virtual-two", func(o *yard.Options) {
		o.Seed, o.Secrets = 20260101, 20260102
		o.Loading = []event.Loaded{{Position: 1, Canister: "1A", Odour: "tnt"}, {Position: 2, Canister: "2A", Odour: "tnt"}}
	})
	if err := y.Hardware.Fail("1B", hardware.Fault{Kind: hardware.StuckClosed}); err != nil {
		t.Fatal(err)
	}
	file, src := plan(t, "short")
	conduct(t, y, filepath.Base(file), src, rule(t))
	_, bundle, err := y.Archive.Export("", true)
	if err != nil {
		t.Fatal(err)
	}
	return bundle
}

// TestTheSameLawsGiveTheSameBytes: what the laws of a release wrote they write for ever. Where this fails, the draw,
// the engine or the score behaves in another way than before: give it a new law, and keep the old bundle.
func TestTheSameLawsGiveTheSameBytes(t *testing.T) {
	file := filepath.Join(goldenFolder, fmt.Sprintf("draw-%d-engine-%d-score-%d.zip", blind.DrawLaw, trial.Law, score.Law))
	made := golden(t)
	if *update {
		if err := os.MkdirAll(goldenFolder, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, made, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("the present laws have no golden bundle: go test ./simulator/yard -run Laws -update: %v", err)
	}
	if !bytes.Equal(made, kept) {
		t.Error("the same laws give another bundle than before: they need a new number (or, before their release, -update)")
	}
}

func TestEveryGoldenBundleVerifies(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(goldenFolder, "*.zip"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden bundles: %v", err)
	}
	for _, file := range files {
		bundle, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if r := verify.Verify(bundle, verify.Options{}); !r.Consistent || !r.Simulated || r.Replay != verify.ReplayChecked {
			t.Errorf("%s: consistent %t, replay %s: %v", file, r.Consistent, r.Replay, r.Problems)
		}
	}
}
