//go:build linux

package kerneltest

import (
	"strings"
	"testing"
	"time"
)

// TestStationWithoutItsInputs: the chip of the inputs, limit switches among them, is removed in mid-run and put back. The run
// is void as by a canister's fault, every canister closed, and the session goes on.
func TestStationWithoutItsInputs(t *testing.T) {
	unplugging(t)
	s := newSite(t, options{split: true})
	s.serve()
	s.loses(inputChip, "mechanical", func() { s.checkOpen("while the inputs are away", 0) })
}

// TestStationWithoutItsOutputs: the same with the chip of the outputs, whose drives open when they are high. Back again,
// each is asked for at its safe level before anything else. That its outputs were unknown meanwhile is told at the reveal:
// what carries canisters is frozen before.
func TestStationWithoutItsOutputs(t *testing.T) {
	unplugging(t)
	s := newSite(t, options{split: true, activeHigh: true})
	s.serve()
	back := s.loses(outputChip, "mechanical", func() {})
	outputs, _ := s.at("light.ready")
	s.tell("Assessor", "abort", "the test has seen enough")
	st := s.until("the reveal", func(st status) bool { return st.Phase == "ended" && len(st.Conditions) > 0 })
	s.checkUnknown(st, outputs)
	first := map[string]Movement{}
	for _, m := range s.trace() {
		line := outputs.Global(m.Line)
		if _, seen := first[line]; line != "" && !seen && m.Mono > back {
			first[line] = m
		}
	}
	for _, line := range outputs.lines {
		if m, seen := first[line]; !seen || m.Kind != "set" || m.Value {
			t.Errorf("the first that was done to %s after its return is %+v, want its safe level", line, m)
		}
	}
}

// checkUnknown checks that the levels of all outputs of a chip were reported as unknown while it was away.
func (s *site) checkUnknown(st status, outputs *Chip) {
	s.Helper()
	var told string
	for _, c := range st.Conditions {
		if c.Code == "device-absent" {
			if _, unknown, ok := strings.Cut(c.Evidence, "unknown: the level of "); ok {
				told += unknown + " "
			}
		}
	}
	for _, line := range outputs.lines {
		if !strings.Contains(told, line) {
			s.Errorf("%s is not among the outputs that were reported as unknown: %q, of %+v", line, told, st.Conditions)
		}
	}
}

// loses takes a chip out in mid-run, which voids it for a cause, does something, and puts it back; it returns when that
// was.
func (s *site) loses(label, cause string, meanwhile func()) (back int64) {
	s.Helper()
	s.seal()
	s.search()
	s.press("beam1", 800*time.Millisecond)
	var chip *Chip
	for _, c := range s.chips {
		if c.label == label {
			chip = c
		}
	}
	s.mechanics.out(chip)
	s.untilRun("void")
	meanwhile()
	<-time.After(500 * time.Millisecond)
	back = s.clock.Mono()
	s.mechanics.in(chip)
	if r := s.goesOn(1); r.Cause != cause {
		s.Errorf("run 1 is void because of %q, want %q", r.Cause, cause)
	}
	return back
}
