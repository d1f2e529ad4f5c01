package e2e

import (
	"os"
	"strings"
	"testing"

	"scentpost/station/folder"
	"scentpost/station/journal"
	"scentpost/station/verify"
)

// TestAStationIsRenamedAndLosesItsKey: each begins an epoch that says so, and nothing else does. The session of each epoch
// verifies under the name and key that it was made with.
func TestAStationIsRenamedAndLosesItsKey(t *testing.T) {
	t.Parallel()
	r := newRig(t, options{example: "virtual-two", name: "east", plan: "../../configs/plans/short.yaml", scale: 10, seed: 1})
	r.serve()
	own := folder.Folder(r.path("data"))
	key := func() string { return strings.TrimSpace(r.must("key", "show", own.Key())) }
	session := func() string { id := r.half().Session; r.finish(); return id }
	stop := func() { r.daemon.stop(t); r.station.stop(t) }
	again := func() {
		r.station = start(t, "scentsim", "station", r.config, "--seed", "1", "--scale", "10", "--plan", "../../configs/plans/short.yaml")
		r.station.line(t, "ready")
		r.serve()
	}
	verified := func(id, station, key string) {
		t.Helper()
		report := verify.Verify(r.export(id), verify.Options{Keys: []string{key}})
		if !report.Consistent || report.Signer != verify.Pinned || report.Station != station {
			t.Errorf("session %s, of %s: %+v", id, station, report)
		}
	}
	oldKey, first := key(), session()
	cut := r.half().Session
	stop()
	text, err := os.ReadFile(r.config)
	if err != nil {
		t.Fatal(err)
	}
	called := func(name string) {
		t.Helper()
		if err := os.WriteFile(r.config, []byte(strings.Replace(string(text), "station: east", "station: "+name, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	called("west")
	for range 2 {
		if _, wrong, code := call("scentpostd", nil, "run", r.config); code != 2 || !strings.Contains(wrong, "scentpost station rename CONFIG") {
			t.Fatalf("under another name: exit %d, %s", code, wrong)
		}
	}
	if _, wrong, code := r.cli("station", "rename", r.config); code != 2 || !strings.Contains(wrong, "session "+cut+" of station demo/east (simulated) has not ended") {
		t.Errorf("a new name within a session: exit %d, %s", code, wrong)
	}
	called("east")
	again()
	r.finish()
	if now := r.firstRecord(); now.Why != journal.WhyFirst {
		t.Errorf("what was refused began an epoch: %+v", now)
	}
	stop()
	called("west")
	if said := r.must("station", "rename", r.config); !strings.Contains(said, "is now demo/west (simulated); it was demo/east (simulated)") {
		t.Errorf("it says %s", said)
	}
	again()
	if now := r.firstRecord(); now.Why != journal.WhyRenamed || now.Key != oldKey {
		t.Errorf("the epoch of the new name says %+v", now)
	}
	second := session()
	stop()
	if err := os.Remove(own.Key()); err != nil {
		t.Fatal(err)
	}
	again()
	if now := r.firstRecord(); now.Why != journal.WhyKeyLost || now.Key == oldKey || now.Key != key() {
		t.Errorf("the epoch of the new key says %+v", now)
	}
	third := session()
	stop()
	again()
	if now := r.firstRecord(); now.Why != journal.WhyKeyLost {
		t.Errorf("a start in which nothing changed: %+v", now)
	}
	verified(first, "east", oldKey)
	verified(cut, "east", oldKey)
	verified(second, "west", oldKey)
	verified(third, "west", key())
	stop()
}
