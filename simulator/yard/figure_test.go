package yard_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"scentpost/simulator/hardware"
	"scentpost/simulator/yard"
	"scentpost/station/event"
	"scentpost/station/verify"
)

var update = flag.Bool("update", false, "write the figure of the bundle that is made here")

// figureFile holds the hash of one bundle and the draft under which it was made.
const figureFile = "testdata/bundle.json"

type figure struct {
	Draft  int    `json:"draft"`
	SHA256 string `json:"sha256"`
	Bytes  int    `json:"bytes"`
}

// faulty makes the bundle of a short session in which a canister fails, so that a reserve run is in it too.
func faulty(t *testing.T) []byte {
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
	_, bundle, err := y.Archive.Bundle("", true)
	if err != nil {
		t.Fatal(err)
	}
	return bundle
}

// TestASeedGivesTheSameBytesAsEver: the same seed gives the same bundle on every machine and in every run, and what is
// changed in draw, engine, score or the form of the record is seen here.
func TestASeedGivesTheSameBytesAsEver(t *testing.T) {
	bundle := faulty(t)
	if r := verify.Verify(bundle, verify.Options{}); !r.Consistent || !r.Simulated || r.Replay != verify.ReplayChecked {
		t.Fatalf("consistent %t, replay %s: %v", r.Consistent, r.Replay, r.Problems)
	}
	sum := sha256.Sum256(bundle)
	made := figure{Draft: event.Draft, SHA256: hex.EncodeToString(sum[:]), Bytes: len(bundle)}
	if *update {
		text, err := json.MarshalIndent(made, "", "  ")
		if err == nil {
			err = os.WriteFile(figureFile, append(text, '\n'), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(figureFile)
	if err != nil {
		t.Fatal(err)
	}
	var kept figure
	if err := json.Unmarshal(text, &kept); err != nil {
		t.Fatal(err)
	}
	if made != kept {
		t.Errorf("the bundle is %+v, %s says %+v. If a law or a form was changed, raise event.Draft (CONTRIBUTING.md, How to change a law); "+
			"if the station, the plan or the simulation was, or the draft is raised: go test ./simulator/yard -run AsEver -update", made, figureFile, kept)
	}
}
