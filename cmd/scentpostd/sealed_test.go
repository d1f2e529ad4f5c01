package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"scentpost/configs"
	"scentpost/station/archive"
	"scentpost/station/control"
	"scentpost/station/control/socket"
	"scentpost/station/event"
	"scentpost/station/folder"
	"scentpost/station/health"
	"scentpost/station/journal"
	"scentpost/station/trial"
)

// watcher follows the states of a daemon.
type watcher struct{ *socket.Client }

func (d daemon) watch(t *testing.T) watcher {
	t.Helper()
	client, err := socket.Dial(t.Context(), d.cfg.Socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	if _, err := client.Send(&control.Request{Command: "watch"}); err != nil {
		t.Fatal(err)
	}
	return watcher{client}
}

// until returns the first state for which is holds; every state before it is given to see.
func (w watcher) until(t *testing.T, see func(control.Status), is func(control.Status) bool) control.Status {
	t.Helper()
	for {
		response, err := w.Send(nil)
		if err != nil {
			t.Fatal(err)
		}
		if is(*response.Status) {
			return *response.Status
		}
		see(*response.Status)
	}
}

// must gives a command that is to be carried out.
func (d daemon) must(t *testing.T, r control.Request) {
	t.Helper()
	if got := d.send(t, r); !got.OK {
		t.Fatalf("%s: %v", r.Command, got.Refused)
	}
}

// sealing are the commands up to a sealed session.
func sealing(t *testing.T) []control.Request {
	t.Helper()
	file, plan, err := configs.Files{}.Read(configs.Plans, "short")
	if err != nil {
		t.Fatal(err)
	}
	return []control.Request{
		{Command: "open", As: "Assessor", PlanName: file, Plan: string(plan), Dog: "Rex", Handler: "Handler", Assessor: "Assessor"},
		{Command: "load", As: "Loader"}, {Command: "seal", As: "Assessor", Dice: "4 1 6 6 2"},
	}
}

// seal opens, loads and seals a session.
func (d daemon) seal(t *testing.T) {
	t.Helper()
	for _, r := range sealing(t) {
		d.must(t, r)
	}
}

func ofCanisters(c health.Condition) bool { return strings.HasPrefix(c.On, "canister-") }

// TestAFaultOfACanisterIsToldAfterTheReveal: with the whole daemon, in what watchers see and in the log.
func TestAFaultOfACanisterIsToldAfterTheReveal(t *testing.T) {
	cfg := testConfig(t)
	startStation(t, cfg, jam)
	d := startDaemon(t, cfg)
	d.out.wait(t, "sessions can be run: ", 1)
	w := d.watch(t)
	d.seal(t)
	d.must(t, control.Request{Command: "arm", As: "Assessor"})
	sealed := func(s control.Status) {
		if slices.ContainsFunc(s.Conditions, ofCanisters) || s.Phase == trial.Ended {
			t.Errorf("before the reveal it shows %+v", s.Conditions)
		}
	}
	w.until(t, sealed, func(s control.Status) bool { return s.Run != nil && s.Run.Cause == event.CauseMechanical })
	d.must(t, control.Request{Command: "abort", As: "Assessor", Reason: "enough"})
	w.until(t, sealed, func(s control.Status) bool { return s.Phase == trial.Ended })
	if now := d.send(t, control.Request{Command: "status"}).Status.Conditions; !slices.ContainsFunc(now, ofCanisters) {
		t.Errorf("after the reveal it shows %+v", now)
	}
	if err := d.end(); err != nil {
		t.Fatal(err)
	}
	lines := slices.DeleteFunc(strings.Split(d.log.String(), "\n"), func(line string) bool { return !strings.Contains(line, "canister-") })
	if len(lines) == 0 || slices.ContainsFunc(lines, func(line string) bool { return !strings.Contains(line, "since=") }) {
		t.Errorf("the log tells of canisters:\n%s", strings.Join(lines, "\n"))
	}
}

// TestAfterARestartNothingIsToldOfWhatIsFrozen: the daemon does not know what was so at the seal.
func TestAfterARestartNothingIsToldOfWhatIsFrozen(t *testing.T) {
	cfg := testConfig(t)
	startStation(t, cfg)
	d := startDaemon(t, cfg)
	d.out.wait(t, "sessions can be run: ", 1)
	d.seal(t)
	lines := func() string {
		untold := 0
		for _, line := range d.send(t, control.Request{Command: "doctor"}).Devices {
			if line.Untold {
				untold++
			}
		}
		return fmt.Sprint(untold, " untold")
	}
	if got := lines(); got != "0 untold" {
		t.Errorf("before the restart: %s", got)
	}
	if err := d.end(); err != nil {
		t.Fatal(err)
	}
	d = startDaemon(t, cfg)
	d.out.wait(t, "sessions can be run: ", 1)
	if got := lines(); got != "12 untold" { // all hang on the one virtual station
		t.Errorf("after the restart: %s", got)
	}
	w := d.watch(t)
	d.must(t, control.Request{Command: "abort", As: "Assessor", Reason: "enough"})
	w.until(t, func(control.Status) {}, func(s control.Status) bool { return s.Phase == trial.Ended })
	if got := lines(); got != "0 untold" {
		t.Errorf("after the reveal: %s", got)
	}
}

// TestTheJournalSaysWhetherASessionIsSealed, before anything else does.
func TestTheJournalSaysWhetherASessionIsSealed(t *testing.T) {
	cfg := testConfig(t)
	stop := startStation(t, cfg)
	d := startDaemon(t, cfg)
	d.out.wait(t, "sessions can be run: ", 1)
	steps := append(sealing(t), control.Request{Command: "abort", As: "Assessor", Reason: "enough"}, control.Request{Command: "close", As: "Loader", AllBack: true})
	for _, step := range steps {
		d.must(t, step)
		if err := d.end(); err != nil {
			t.Fatal(err)
		}
		j, err := journal.Open(folder.Folder(cfg.Data).Journal(), journal.Options{Departed: folder.Folder(cfg.Data).Departed()})
		if err != nil {
			t.Fatal(err)
		}
		size := j.Size()
		if got, err := archive.Sealed(j, size); err != nil || got != (step.Command == "seal") {
			t.Errorf("after %s: sealed %v, %v", step.Command, got, err)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		d = startDaemon(t, cfg)
		d.out.wait(t, "sessions can be run: ", 1)
	}
	if err := d.end(); err != nil {
		t.Error(err)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}
