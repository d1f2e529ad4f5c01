package trial_test

import (
	"strings"
	"testing"
)

const (
	several = "calls: several"
	first   = "calls: first-ends"
	shown   = "armed 1, presented"
	begun   = shown + ", started"
)

// TestRules plays one script for each rule of the engine and reads the story that its records tell.
func TestRules(t *testing.T) {
	for _, c := range []struct{ rule, plan, script, want string }{
		// Calls.
		{"a call by button locks at once", first, "arm; 4s; beam 2; 1s; press alert; 2s", begun + ", call 2, lock call"},
		{"an entered call waits for its withdrawal", first, "arm; 4s; beam 2; 1s; call 3; 2900ms", begun + ", call 3"},
		{"an entered call locks when its time is over", first, "arm; 4s; beam 2; 1s; call 3; 3s", begun + ", call 3, lock call"},
		{"a call starts a search that nobody started", first, "arm; 4s; call 1; 3s", shown + ", call 1, started, lock call"},
		{"a long press is all clear", first, "arm; 4s; beam 1; press long; 1s", begun + ", call clear, lock all clear"},
		{"a press without a nose is at no position", first, "arm; 4s; start; press alert; 1s", begun + ", call nowhere, lock call"},
		{"the first call ends the run", first, "arm; 4s; start; call 1; 1s; call 2; 3s", begun + ", call 1, claim 2, lock call"},
		{"several calls lock themselves", several, "arm; 4s; start; call 1; 1s; call 2; 5s; press clear; 1s", begun + ", call 1, call 2, call clear, lock all clear"},
		{"after all clear there are claims", several, "source beam 1s; arm; 4s; start; press clear; ago 0s call 1; 10ms; mark beam; call 2; 1s", begun + ", call clear, call 1, lock all clear, claim 2"},
		{"the earlier stamp is the first call", first, "source beam 1s; arm; 4s; start; 1s; press alert; ago 100ms press clear; 2s", begun + ", call nowhere, call clear, lock all clear"},
		{"overlapping bounds decide nothing", first, "source beam 1s; arm; 4s; start; 1s; about 60ms press alert; ago 100ms about 60ms press clear; 2s", begun + ", call nowhere, call clear, lock? all clear"},
		{"a claim within the bounds leaves it open", first, "source beam 1s; arm; 4s; start; 1s; beam 1; about 5ms press alert; 4ms; about 5ms press clear; 2s", begun + ", call 1, claim clear, lock? call"},
		{"a call after the lock is a claim", first, "arm; 4s; start; press clear; 500ms; call 2", begun + ", call clear, lock all clear, claim 2"},
		{"a call between two", first, "arm; 4s; between 1 2; 3s", shown + ", call between, started, lock call"},
		{"calls of no position of the line", first, "arm; 4s; call 0; call 4; between 1 1; between 1 4; clear 2", shown + ", refused, refused, refused, refused, refused"},
		{"a call before it is presented", first, "arm; 1s; call 1; press alert; press start; ago 5s start", "armed 1, refused, refused, refused, refused"},
		{"a press stamped before it was presented", first, "arm; 3600ms; ago 500ms press alert; ago 500ms call 1; ago 500ms press start", shown + ", refused, refused, refused"},
		{"a call without a run", first, "call 1; press alert; withdraw; start; finish; void x", "refused, refused, refused, refused, refused, refused"},
		{"positions follow the stamps of beams", first, "source beam 1s; arm; 4s; beam 1; 1s; press alert; ago 50ms beam 2; 2s", begun + ", call 1, call 2, lock call"},
		{"a nose within the bounds of the press", first, "source beam 1s; arm; 4s; beam 1; 1s; about 30ms press alert; ago 20ms about 20ms beam 2; 2s", begun + ", call 1, call 2, lock? call"},
		{"a position outside the plan is no call", first, "arm; 4s; beam 5; start; press alert; 1s", begun + ", call nowhere, lock call"},
		// Withdrawal.
		{"a call can be withdrawn", first, "arm; 4s; start; call 1; 2s; withdraw oops; 1s; call 2; 3s", begun + ", call 1, call.withdrawn oops, call 2, lock call"},
		{"after three seconds it cannot", first, "arm; 4s; start; call 1; 3s; withdraw", begun + ", call 1, lock call, refused"},
		{"a button's call stands", first, "source beam 1s; arm; 4s; start; press alert; withdraw; 2s", begun + ", call nowhere, refused, lock call"},
		{"withdrawn past the time-out", first, "arm; 4s; start; 39s; call 1; 2s; withdraw; 1s", begun + ", call 1, call.withdrawn , lock time-out"},
		{"withdrawing one of several", several, "arm; 4s; start; call 1; withdraw; call 2; 4s; finish; 1s", begun + ", call 1, call.withdrawn , call 2, finished, lock finished"},
		{"withdrawing does not undo what ended the run", several, "source beam 1s; arm; 4s; start; call 1; finish; withdraw; 10ms; mark beam; 2s", begun + ", call 1, finished, call.withdrawn , lock finished"},
		{"an all clear can be withdrawn", several, "arm; 4s; start; clear; 1s; withdraw; call 2; 36s; 4s", begun + ", call clear, call.withdrawn , call 2, lock time-out"},
		// The end of a search.
		{"finished", first, "arm; 4s; start; 1s; finish; 1s", begun + ", finished, lock finished"},
		{"time-out", first, "arm; 4s; start; 40s", begun + ", lock time-out"},
		{"a call stamped after the time-out is a claim", first, "source beam 1s; arm; 4s; start; 40500ms; press alert; mark beam; 1s", begun + ", claim nowhere, lock time-out"},
		{"a call stamped before the time-out counts", first, "source beam 1s; arm; 4s; start; 40500ms; ago 600ms press alert; 1s", begun + ", call nowhere, lock call"},
		{"a call about the time-out is inconclusive", first, "source beam 1s; arm; 4s; start; 40500ms; ago 490ms about 20ms press alert; mark beam; 1s", begun + ", claim nowhere, lock? time-out"},
		{"a call about the time-out, earlier", first, "source beam 1s; arm; 4s; start; 40500ms; ago 510ms about 20ms press alert; 1s", begun + ", call nowhere, lock? call"},
		{"finished after the time-out", first, "source beam 1s; arm; 4s; start; 40500ms; finish; mark beam; 1s", begun + ", finished, lock time-out"},
		{"a call stamped before finished", first, "source beam 1s; arm; 4s; start; 1s; finish; ago 10ms press alert; 2s", begun + ", finished, call nowhere, lock call"},
		{"edges lost before the time-out, told while the lock waits", first, "source beam 1s; arm; 4s; start; 40500ms; ago 600ms lose 1; 1s", begun + ", edges of gpio lost, void edges lost"},
		{"edges lost after the time-out, then before it", first, "source beam 1s; arm; 4s; start; 40500ms; lose 1; ago 600ms lose 1; ago 600ms lose 1; 1s", begun + ", edges of gpio lost, edges of gpio lost, void edges lost"},
		{"edges lost after the time-out", first, "source beam 1s; arm; 4s; start; 40500ms; ago 400ms lose 1; lose 1; mark beam; 1s", begun + ", edges of gpio lost, lock time-out"},
		{"edges lost before finished", several, "source beam 1s; arm; 4s; start; 1s; call 1; 3s; finish; 100ms; ago 200ms lose 1; 1s", begun + ", call 1, finished, edges of gpio lost, void edges lost"},
		{"edges lost after finished", first, "source beam 1s; arm; 4s; start; 1s; finish; 100ms; lose 1; mark beam; 1s", begun + ", finished, edges of gpio lost, lock finished"},
		{"a source lost before the time-out", first, "source beam 1s; arm; 4s; start; 40500ms; ago 600ms trouble source lost; 1s", begun + ", void source lost"},
		{"a call that locks is not voided by what was lost before it", first, "source beam 1s; arm; 4s; start; 1s; press alert; 100ms; ago 200ms lose 1; 1s", begun + ", call nowhere, edges of gpio lost, lock call"},
		{"a button stuck since before finished", first, "source beam 1s; arm; 4s; start; 1s; finish; 500ms; ago 600ms press stuck; 10s", begun + ", finished, void stuck button, purged"},
		{"a fact behind the horizon is late", first, "arm; 4s; beam 1; 1s; press alert; 1s; ago 1500ms beam 2; ago 1500ms press clear", begun + ", call 1, lock call, late beam.entered, late button.pressed"},
		{"a fact within the horizon counts", first, "source beam 1s; arm; 4s; start; 1s; press alert; 500ms; ago 600ms beam 2; 1s", begun + ", call nowhere, call 2, lock call"},
	} {
		t.Run(c.rule, func(t *testing.T) {
			s := ready(t, first, c.plan)
			from := len(s.records)
			s.play(c.script)
			if got := s.story(from); got != c.want {
				t.Errorf("script %s\n got %s\nwant %s", c.script, got, c.want)
			}
			s.replay()
		})
	}
}

// TestVoidsAndEnds plays what goes wrong.
func TestVoidsAndEnds(t *testing.T) {
	const run = "arm; 4s; start; 1s; press clear; 1s; 10s;"
	const ran = ", presented, started, call clear, lock all clear, purged"
	const over = ", ended completed, opened 1, opened 2, opened 3, opened 4"
	open := func(how string) string { return ", ended " + how + ", opened 1, opened 2, opened 3, opened 4" }
	for _, c := range []struct{ rule, script, want string }{
		{"two runs and the end", run + run + "close", "armed 1" + ran + ", armed 2" + ran + over + ", closed"},
		{"a void takes the next reserve run", "arm; 4s; void a cat; 10s;" + run + run, shown + ", void a cat, purged, armed 3" + ran + ", armed 2" + ran + over},
		{"a void needs a reason", "arm; 4s; void", shown + ", refused"},
		{"the reserve is used up", strings.Repeat("arm; 4s; void x; 10s;", 4), "armed 1, presented, void x, purged, armed 3, presented, void x, purged, armed 4, presented, void x, purged, armed 2, presented, void x, purged" + open("not valid")},
		{"nothing voids after the lock", "arm; 4s; start; press clear; 500ms; void x; press stuck; trouble source lost; trouble mechanical", begun + ", call clear, lock all clear, refused, noted source lost"},
		{"nothing voids a call that stands", "arm; 4s; start; call 1; void x; 3s", begun + ", call 1, refused, lock call"},
		{"nothing voids what ran out of time", "source beam 1s; arm; 4s; start; 40500ms; void x; trouble mechanical; press stuck; mark beam; 1s", begun + ", refused, lock time-out"},
		{"a jam before the presentation", "arm; 3s; jam 2; 2s", shown + ", void mechanical"},
		{"the second mechanical void pauses", "arm; jam 2; 12s; arm; jam 1; 12s; arm; resume; arm; jam 1; 12s", "armed 1, presented, void mechanical, purged, armed 3, presented, void mechanical, paused mechanical voids, purged, refused, armed 4, presented, void mechanical, paused mechanical voids, purged"},
		{"a person's mechanical void is none of the station's", "arm; 4s; void mechanical; 12s; arm; 4s; void mechanical; 12s; arm", "armed 1, presented, void mechanical, purged, armed 3, presented, void mechanical, purged, armed 4"},
		{"a stuck button", "arm; 4s; start; press stuck", begun + ", void stuck button"},
		{"the abort button", "arm; 4s; start; press abort; 10s; arm", begun + ", void abort button, paused abort button, purged, refused"},
		{"the abort button between runs", "press abort; arm", "paused abort button, refused"},
		{"e-stop", "arm; 4s; start; press e-stop; 10s; resume; arm", begun + ", void emergency stop, paused emergency stop, purged, armed 3"},
		{"e-stop behind a call lets it stand", "arm; 4s; start; call 1; 1s; press e-stop; withdraw; 1s", begun + ", call 1, paused emergency stop, lock call, refused"},
		{"e-stop between runs", "press e-stop; arm", "paused emergency stop, refused"},
		{"edges that are lost", "arm; 4s; lose 3; 100ms; lose 2", shown + ", edges of gpio lost, void edges lost"},
		{"edges that are lost behind a call", "arm; 4s; beam 1; 100ms; call 1; 100ms; lose 1; lose 1", shown + ", started, call 1, edges of gpio lost"},
		{"edges that are lost between runs", "lose 1", ""},
		{"edges past the budget", "arm; 4s; edges beam-1 20; edges beam-2 3; edges beam-1 9", shown + ", edges summed, void edge budget spent"},
		{"a clock that jumps voids nothing", "arm; 4s; start; clock 900; clock -1000; 2s; clear", begun + ", call clear"},
		{"a run that nobody starts", "arm; 2s; 76900ms; 100ms", shown + ", void not started in time"},
		{"pausing keeps the run", "arm; 4s; pause rain; pause; start; press clear; 10s; arm; resume; resume; arm", shown + ", paused rain, refused, started, call clear, lock all clear, purged, refused, refused, armed 2"},
		{"abort without a run", "abort over; abort; arm; close", "aborted over" + open("aborted") + ", refused, refused, closed"},
		{"abort in a run", "arm; 4s; start; abort over; 1500ms", begun + ", aborted over" + open("aborted")},
		{"abort behind a call", "arm; 4s; start; call 1; abort over; 2s", begun + ", call 1, aborted over, lock call" + open("aborted")},
		{"abort behind a call waits for its sources", "source beam 1s; arm; 4s; start; 1s; press clear; abort over; ago 100ms press alert; 4s", begun + ", call clear, aborted over, call nowhere, lock call" + open("aborted")},
		{"abort while it purges", "arm; 4s; start; press clear; 2s; abort over; 5s", begun + ", call clear, lock all clear, aborted over, purged" + open("aborted")},
		{"abort behind a void", "arm; 4s; void x; abort over; 2s", shown + ", void x, aborted over" + open("aborted")},
		{"abort twice in a run", "arm; abort a; abort b; arm; 9s", "armed 1, aborted a, refused, refused" + open("aborted")},
		{"restart before it is presented", "arm; restart power cut; 10s; arm", "armed 1, restarted, void power cut, purged, armed 3"},
		{"restart in a search", "arm; 4s; start; restart; 10s; arm", begun + ", restarted, void daemon restarted, purged, armed 3"},
		{"restart behind a call", "arm; 4s; start; call 1; restart journal failed; 10s; arm", begun + ", call 1, restarted, lock call, purged, armed 2"},
		{"restart behind the lock", "arm; 4s; press clear; 1s; restart; 1400ms; 200ms; 5s; arm", shown + ", call clear, started, lock all clear, restarted, purged, armed 2"},
		{"restart while it purges", "arm; 4s; void x; 2s; restart; 4900ms; arm; 100ms; arm", shown + ", void x, restarted, refused, purged, armed 3"},
		{"restart between runs", "restart; arm", "restarted, armed 1"},
		{"restart in an abort", "arm; 4s; abort x; restart; 2s; restart", shown + ", aborted x, restarted" + open("aborted") + ", restarted"},
		{"two runs at once", "arm; arm", "armed 1, refused"},
		{"observations", "observe 1; arm; 4s; observe 2; observe 4; press clear; 2s; observe 1; observe", "armed 1, presented, refused, call clear, started, lock all clear"},
		{"close before the end", "close; arm; close", "refused, armed 1, refused"},
	} {
		t.Run(c.rule, func(t *testing.T) {
			s := ready(t)
			from := len(s.records)
			s.play(c.script)
			if got := s.story(from); got != c.want {
				t.Errorf("script %s\n got %s\nwant %s", c.script, got, c.want)
			}
			s.replay()
		})
	}
}
