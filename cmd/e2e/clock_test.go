package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"scentpost/station/control"
	"scentpost/station/event"
	"scentpost/station/history"
	"scentpost/station/trial"
	"scentpost/station/verify"
)

// conduct runs the short plan to its end, and returns what the verifier says of it.
func (r *rig) conduct(opened func()) verify.Report {
	r.t.Helper()
	w := r.watch()
	r.tell("Assessor", "open", "short", "--dog", "Rex", "--handler", "Handler", "--assessor", "Assessor")
	opened()
	r.tell("Loader", "load")
	r.tell("Assessor", "seal", "--station-alone")
	status := w.until(r.t, "the first run to arm", func(s control.Status) bool { return between(s) && s.Session != "" })
	for status.Phase != trial.Ended {
		r.armNext(status)
		done := len(status.Runs) + 1
		status = w.until(r.t, fmt.Sprintf("the end of run %d", done), func(s control.Status) bool { return between(s) && len(s.Runs) == done })
	}
	r.tell("Loader", "close", "--all-back")
	bundle, key := r.path("session.zip"), r.path("verifier.key")
	r.must("record", "export", "-o", bundle)
	if err := os.WriteFile(key, []byte(r.must("key", "show", r.path("data/station.key"))), 0o600); err != nil {
		r.t.Fatal(err)
	}
	var report verify.Report
	out := r.must("verify", bundle, "--key", key, "--json")
	if err := json.Unmarshal([]byte(out), &report); err != nil || !report.Consistent || report.Replay != verify.ReplayChecked || !report.Simulated {
		r.t.Fatalf("scentpost verify says %v, %s", err, out)
	}
	if text := r.must("verify", bundle, "--key", key); !strings.Contains(text, "of this session: "+report.UTC) {
		r.t.Errorf("scentpost verify does not say what UTC is worth:\n%s", text)
	}
	return report
}

// TestAStationWhoseClockNobodySet: a person says the date, and everything says that it is a person's word.
func TestAStationWhoseClockNobodySet(t *testing.T) {
	t.Parallel()
	r := newRig(t, options{example: "virtual-two", name: "unset", plan: "short", clock: "unset", scale: 20, seed: 1})
	r.serve()
	report := r.conduct(func() {
		if out := r.must("session", "status"); !strings.Contains(out, "UTC of this session: never set") || !strings.Contains(out, "The time of day is not known") {
			t.Errorf("the status of a station whose clock nobody set:\n%s", out)
		}
		r.tell("Assessor", "date", "2027-03-04T14:05+01:00")
	})
	const want = "as said by Assessor: 2027-03-04T14:05+01:00"
	if report.UTC != want || report.Result.Clock.Quality != event.Unset {
		t.Errorf("verify says %q, %+v", report.UTC, report.Result.Clock)
	}
	if out := r.must("session", "status"); !strings.Contains(out, "UTC of this session: "+want) {
		t.Errorf("the status:\n%s", out)
	}
	if out := r.must("session", "list"); !strings.Contains(out, "as said by a named person: 2027-03-04T14:05+01:00") || !strings.Contains(out, "1970-01-01") {
		t.Errorf("the list:\n%s", out)
	}
}

// TestAStationWhoseClockIsStepped: an hour on in the second run and back in the third. Neither voids a run. A busy
// machine does, as seconds of this station last a quarter of one: such a session is run again on another station, where
// a station that minds the steps would void the same runs.
func TestAStationWhoseClockIsStepped(t *testing.T) {
	t.Parallel()
	const attempts = 3
	for attempt := range attempts {
		r := newRig(t, options{example: "virtual-two", name: fmt.Sprintf("stepped-%d", attempt+1), plan: "short", clock: "stepped", scale: 4, seed: 1})
		r.serve()
		report := r.conduct(func() {})
		if c := report.Result.Clock; c.Steps != 2 || time.Duration(c.LargestNS).Abs().Round(time.Second) != time.Hour || c.Quality != event.Unset {
			t.Errorf("%+v", c)
		}
		if !slices.ContainsFunc(report.Result.Runs, func(run history.Run) bool { return run.How != "completed" }) {
			return
		}
		t.Logf("attempt %d: %+v", attempt+1, report.Result.Runs)
	}
	t.Errorf("in %d of %d sessions the clock's steps voided a run", attempts, attempts)
}
