//go:build linux

package kerneltest

import (
	"strings"
	"testing"
	"time"
)

// TestAChipIsRemovedInARun: the run is void, the chip's outputs are safe again before anything else, and the session
// goes on with the next reserve.
func TestAChipIsRemovedInARun(t *testing.T) {
	inGuest(t)
	s := newSite(t)
	s.serve()
	w := s.watch()
	s.open(w)
	s.tell("Assessor", "arm")
	s.until(w, "the presentation", func(st status) bool { return st.Run != nil && st.Run.State == "presented" })
	s.replug(func() {
		if out := string(s.cli("session", "status", "--json", "--as", "Assessor")); !strings.Contains(out, `"device-absent"`) {
			t.Errorf("the state while the chip is away does not say so: %s", out)
		}
	})
	st := s.until(w, "the end of the run", func(st status) bool { return between(st) && len(st.Runs) == 1 })
	if st.Runs[0].State != "void" || st.Aborted != "" {
		t.Errorf("after the removal: %+v", st)
	}
	if got := s.opened(); got != 0 {
		t.Errorf("%d canisters are open after the chip came back", got)
	}
	s.tell("Assessor", "arm")
	s.until(w, "the next presentation", func(st status) bool { return st.Run != nil && st.Run.State == "presented" })
	if got := s.opened(); got != 2 {
		t.Errorf("%d canisters are open in the next run", got)
	}
}

// replug takes the chip out for a moment and puts it back; meanwhile is called while it is out.
func (s *site) replug(meanwhile func()) {
	s.Helper()
	s.mu.Lock()
	s.broken = true
	if err := s.Unplug(); err != nil {
		s.Error(err)
	}
	s.mu.Unlock()
	<-time.After(500 * time.Millisecond)
	meanwhile()
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.Plug(); err != nil {
		s.Error(err)
	}
	s.wire()
	s.broken = false
}
