package yard_test

import (
	"path/filepath"
	"testing"

	"scentpost/simulator/yard"
	"scentpost/station/archive"
	"scentpost/station/journal"
	"scentpost/station/verify"
)

// TestASessionOutlivesItsEpoch: whoever ends an epoch hides no session of it, whether it was finished or cut off.
func TestASessionOutlivesItsEpoch(t *testing.T) {
	dir := t.TempDir()
	store, err := journal.Open(filepath.Join(dir, "journal"), journal.Options{Departed: filepath.Join(dir, "departed.json"), Ballast: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	y := newYard(t, "virtual-six", func(o *yard.Options) { o.Store = store })
	file, src := plan(t, "lineup-six")
	conduct(t, y, file, src, rule(t))
	if err := y.Prepare(file, src, rule(t)); err != nil {
		t.Fatal(err)
	}
	if err := store.BeginEpoch("second", journal.WhyRestored); err != nil {
		t.Fatal(err)
	}
	if off, err := archive.CutOff(store, store.Epoch()); err != nil || len(off) != 1 || off[0] != y.Host.Snapshot().View.Session {
		t.Errorf("cut off: %q, %v", off, err)
	}
	a := archive.New(store)
	list, err := a.Sessions()
	if err != nil || len(list) != 2 {
		t.Fatalf("sessions: %+v, %v", list, err)
	}
	whole, cut := list[0], list[1]
	if whole.How != "completed" || !whole.Sealed || whole.Armed != 12 || whole.Epoch == "second" {
		t.Errorf("the finished session is listed as %+v", whole)
	}
	if cut.EpochEnded != "restored" || !cut.Sealed || cut.Armed != 0 {
		t.Errorf("the session that was cut off is listed as %+v", cut)
	}
	for _, s := range list {
		_, bundle, err := a.Bundle(s.ID, true)
		if err != nil {
			t.Fatal(err)
		}
		if r := verify.Verify(bundle, verify.Options{Keys: []string{y.Key()}}); !r.Consistent || r.Epoch != s.Epoch {
			t.Errorf("session %s: %+v", s.ID, r.Problems)
		}
	}
}
