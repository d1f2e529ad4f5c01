package readiness_test

import (
	"fmt"
	"strings"
	"testing"

	"scentpost/station/readiness"
	"scentpost/station/refusal"
)

var (
	hold = readiness.Question{Positions: 6}
	run  = readiness.Question{Positions: 6, Run: true}
)

func TestJudge(t *testing.T) {
	failed := refusal.New("journal-failed", refusal.Detail, "input/output error")
	absent := func(n int) (all []readiness.Absent) {
		for i := range n {
			all = append(all, readiness.Absent{Device: fmt.Sprint("canister-", i+1), Why: "its cable"})
		}
		return all
	}
	for name, c := range map[string]struct {
		facts     readiness.Facts
		hold, run string
	}{
		"all is well":              {readiness.Facts{}, "", ""},
		"the journal failed":       {readiness.Facts{Failed: failed, Stopped: true, Absent: absent(1)}, "journal-failed (detail input/output error)", "journal-failed (detail input/output error)"},
		"no lines yet":             {readiness.Facts{Starting: true, Awaited: "gpio"}, "lines-awaited (on gpio)", "lines-awaited (on gpio)"},
		"starting":                 {readiness.Facts{Starting: true}, "station-starting", "station-starting"},
		"lines that went":          {readiness.Facts{Gone: "gpio", Stopped: true}, "lines-away (on gpio)", "lines-away (on gpio)"},
		"the stop is held":         {readiness.Facts{Stopped: true, Full: true}, "disk-full", "emergency-stop-held"},
		"somebody loads":           {readiness.Facts{Stopped: true}, "", "emergency-stop-held"},
		"a stuck button":           {readiness.Facts{Stuck: []string{"call", "start"}, Full: true}, "disk-full", "button-stuck (buttons call, start)"},
		"a full disk":              {readiness.Facts{Full: true, ReadOnly: true}, "disk-full", "disk-full"},
		"a disk that is read-only": {readiness.Facts{ReadOnly: true, Absent: absent(1)}, "disk-read-only", "disk-read-only"},
		"absent": {readiness.Facts{Absent: absent(1)},
			"devices-absent (detail canister-1 (its cable), devices canister-1, positions 6)", "device-untold"},
		"absent, sealed": {readiness.Facts{Absent: absent(1), Sealed: true}, "device-untold", "device-untold"},
		"more than can be named": {readiness.Facts{Absent: absent(6)},
			"devices-absent (detail canister-1 (its cable), canister-2 (its cable), canister-3 (its cable), canister-4 (its cable), 2 more, " +
				"devices canister-1, canister-2, canister-3, canister-4, canister-5, canister-6, positions 6)", "device-untold"},
	} {
		for _, ask := range []struct {
			q    readiness.Question
			want string
		}{{hold, c.hold}, {run, c.run}} {
			got := readiness.Judge(c.facts, ask.q)
			if (got == nil) != (ask.want == "") || got != nil && got.Error() != ask.want {
				t.Errorf("%s, %+v: %v, want %q", name, ask.q, got, ask.want)
			}
		}
	}
}

// TestNothingIsNamedWhileSealed: whatever else is so of a station, no reason names a device or what was seen of lines, be it
// asked for a session or for a run.
func TestNothingIsNamedWhileSealed(t *testing.T) {
	const secret = "canister-3b"
	lines := []string{"", "gpio"}
	for i := range 1 << 6 {
		is := func(bit int) bool { return i>>bit&1 == 1 }
		f := readiness.Facts{Starting: is(0), Stopped: is(1), Full: is(2), ReadOnly: is(3), Awaited: lines[i>>4&1], Gone: lines[i>>5&1],
			Absent: []readiness.Absent{{Device: secret, Why: "no line " + secret}}}
		for _, q := range []readiness.Question{hold, run} {
			f.Sealed = true
			if got := readiness.Judge(f, q); got == nil || strings.Contains(got.Error(), secret) {
				t.Errorf("sealed, %+v: %v", f, got)
			}
		}
		f.Sealed = false
		if got := readiness.Judge(f, run); got == nil || strings.Contains(got.Error(), secret) {
			t.Errorf("of a run, %+v: %v", f, got)
		}
	}
}
