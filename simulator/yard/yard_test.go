package yard_test

import (
	"testing"

	"scentpost/configs"
	"scentpost/simulator/yard"
	"scentpost/station/config"
	"scentpost/station/devices"
	"scentpost/station/event"
)

func newYard(t testing.TB, station string, change func(*yard.Options)) *yard.Yard {
	t.Helper()
	file, src, err := configs.Files{}.Read(configs.Stations, station)
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Read(file, src, devices.Types())
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

func TestASessionRunsFromPlanToVerdict(t *testing.T) {
	y := newYard(t, "virtual-six", nil)
	file, src := plan(t, "lineup-six")
	var rule []byte
	var err error
	if err != nil {
		t.Fatal(err)
	}
	if err := y.Prepare(file, src, rule); err != nil {
		t.Fatal(err)
	}
	if err := y.Conduct(); err != nil {
		t.Fatal(err)
	}
	for _, r := range y.Host.Snapshot().View.Runs {
		t.Logf("run %d %s %s %v %v", r.Index, r.State, r.Reason, r.Calls, r.Placement.Reveal())
	}
	lines, err := y.Store.Lines(0, 100000, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range lines[:min(60, len(lines))] {
		t.Logf("%.300s", l.Bytes)
	}
	t.Log(len(lines))
	_ = event.Assessor
}
