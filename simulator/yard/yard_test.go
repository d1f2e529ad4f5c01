package yard_test

import (
	"bytes"
	"testing"

	"scentpost/configs"
	"scentpost/simulator/yard"
	"scentpost/station/catalog"
	"scentpost/station/config"
	"scentpost/station/event"
	"scentpost/station/trial"
	"scentpost/station/verify"
)

func newYard(t testing.TB, station string, change func(*yard.Options)) *yard.Yard {
	t.Helper()
	file, src, err := configs.Files{}.Read(configs.Stations, station)
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Read(file, src, catalog.Types())
	if err != nil {
		t.Fatal(err)
	}
	opt := yard.Options{Seed: 1, Secrets: 1, Config: cfg}
	if change != nil {
		change(&opt)
	}
	y, err := yard.New(opt)
	if err != nil {
		t.Fatal(err)
	}
	return y
}

func plan(t testing.TB, name string) (file string, src []byte) {
	t.Helper()
	file, src, err := configs.Files{}.Read(configs.Plans, name)
	if err != nil {
		t.Fatal(err)
	}
	return file, src
}

func TestASessionRunsFromPlanToVerifiedRecord(t *testing.T) {
	for _, name := range []string{"lineup-six", "go-nogo"} {
		t.Run(name, func(t *testing.T) {
			y := newYard(t, "virtual-six", nil)
			file, src := plan(t, name)
			conduct(t, y, file, src, rule(t))
			v := y.Host.Snapshot().View
			completed := 0
			for _, r := range v.Runs() {
				if r.State == trial.Completed && r.Result != nil {
					completed++
				}
			}
			if completed != v.Scheduled || v.Phase != trial.Idle || v.Verdict == nil {
				t.Errorf("%d of %d runs completed, phase %s, verdict %v", completed, v.Scheduled, v.Phase, v.Verdict)
			}
			for _, c := range y.Hardware.Canisters() {
				if c.State != "closed" {
					t.Errorf("canister %s is left %s", c.Name, c.State)
				}
			}
			_, bundle, err := y.Archive.Bundle("", true)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Contains(bundle, []byte(`"pinch":["out-of-reach"]`)) {
				t.Error("the record does not say what protects noses from the canisters")
			}
			report := verify.Verify(bundle, verify.Options{Keys: []string{y.Key()}})
			if !report.Consistent || report.Replay != verify.ReplayChecked || report.Seed != string(event.TwoParty) {
				t.Errorf("the record: %+v", report)
			}
		})
	}
}

func TestTheNextSessionFollowsInTheSameLog(t *testing.T) {
	y := newYard(t, "virtual-six", nil)
	file, src := plan(t, "lineup-six")
	for range 2 {
		conduct(t, y, file, src, rule(t))
	}
	list, err := y.Archive.Sessions()
	if err != nil || len(list) != 2 || list[0].ID == list[1].ID || list[1].How != "completed" {
		t.Fatalf("sessions: %+v, %v", list, err)
	}
	for _, s := range list {
		_, bundle, err := y.Archive.Bundle(s.ID, true)
		if err != nil {
			t.Fatal(err)
		}
		if r := verify.Verify(bundle, verify.Options{Keys: []string{y.Key()}}); !r.Consistent {
			t.Errorf("session %s: %+v", s.ID, r.Problems)
		}
	}
	if _, _, err := y.Archive.Bundle("nosuch", true); err == nil {
		t.Error("a session that is not there was exported")
	}
}
