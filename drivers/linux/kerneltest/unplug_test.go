//go:build linux

package kerneltest

import (
	"testing"
	"time"
)

// TestStationWithoutItsInputs: the chip of the inputs is removed in mid-run and put back. The run is void, every canister
// closed, and the session goes on.
func TestStationWithoutItsInputs(t *testing.T) {
	inGuest(t)
	s := newSite(t, options{split: true})
	s.serve()
	s.loses(inputChip, func() { s.checkOpen("while the inputs are away", 0) })
}

// TestStationWithoutItsOutputs: the same with the chip of the outputs, whose drives open when they are high. Back again,
// each is asked for at its safe level before anything else.
func TestStationWithoutItsOutputs(t *testing.T) {
	inGuest(t)
	s := newSite(t, options{split: true, activeHigh: true})
	s.serve()
	back := s.loses(outputChip, func() {})
	outputs, _ := s.at("light.ready")
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

// loses takes a chip out in mid-run, does something, and puts it back; it returns when that was.
func (s *site) loses(label string, meanwhile func()) (back int64) {
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
	if r := s.goesOn(1); r.Reason != "source lost" {
		s.Errorf("run 1 is void because of %q", r.Reason)
	}
	return back
}
