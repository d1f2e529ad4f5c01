package archive

import (
	"testing"
	"time"

	"scentpost/station/journal"
)

// TestWhereALogEnds: after each step of a session, what a start finds.
func TestWhereALogEnds(t *testing.T) {
	stores(t, func(t *testing.T, to journal.Store) {
		var s *scribe
		for _, step := range []struct {
			name       string
			do         func()
			unfinished string
			sealed     bool
			bodies     int
			records    int64
		}{
			{"an epoch began", func() { s = begin(t, to, "e1") }, "", false, 0, 0},
			{"a session was held", func() { s.whole("s1", 2, 5) }, "", false, 0, 20},
			{"a draw was sealed", func() { s.begin("s2") }, "s2", true, 2, 3},
			{"a run was searched", func() { s.runs("s2", 1, 2, 5) }, "s2", true, 2, 10},
			{"the session was closed", func() { s.end("s2") }, "", false, 0, 13},
		} {
			step.do()
			size := to.Size()
			if got, err := Unfinished(to, size); err != nil || got != step.unfinished {
				t.Errorf("%s: unfinished %q, %v", step.name, got, err)
			}
			if got, err := Sealed(to, size); err != nil || got != step.sealed {
				t.Errorf("%s: sealed %t, %v", step.name, got, err)
			}
			lines, bodies, err := Interrupted(to, to, size)
			want := step.records
			if step.unfinished == "" {
				want = 0
			}
			if err != nil || int64(len(lines)) != want || len(bodies) != step.bodies {
				t.Errorf("%s: interrupted with %d records and %d sealed bodies, %v", step.name, len(lines), len(bodies), err)
			}
			records, lasted, err := Pace(to, size)
			if err != nil || records != step.records || records > 0 && lasted != time.Duration(records-1)*time.Second {
				t.Errorf("%s: %d records in %s, %v", step.name, records, lasted, err)
			}
		}
	})
}

func TestNothingWasCutOff(t *testing.T) {
	stores(t, func(t *testing.T, to journal.Store) {
		begin(t, to, "e1").whole("s1", 1, 5)
		if off, err := CutOff(to, to.Epoch()); err != nil || off != nil {
			t.Errorf("by the first epoch: %q, %v", off, err)
		}
		begin(t, to, "e2")
		if off, err := CutOff(to, to.Epoch()); err != nil || off != nil {
			t.Errorf("a session that was closed: %q, %v", off, err)
		}
		if off, err := CutOff(to, journal.Beginning{ID: "e3", Prev: "unknown", PrevSize: 5}); err != nil || off != nil {
			t.Errorf("an epoch that the journal does not know: %q, %v", off, err)
		}
	})
}
