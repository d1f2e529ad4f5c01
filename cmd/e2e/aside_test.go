package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"scentpost/station/event"
	"scentpost/station/history"
	"scentpost/station/journal"
)

// undraft writes the file as the first draft did, which named none.
func (r *rig) undraft(name string) {
	r.t.Helper()
	text, err := os.ReadFile(r.path(name))
	if err != nil {
		r.t.Fatal(err)
	}
	says := bytes.ReplaceAll(text, fmt.Appendf(nil, `"draft": %d,`, event.Draft), []byte(`"version": 1,`))
	says = bytes.ReplaceAll(says, fmt.Appendf(nil, `"draft":%d,`, event.Draft), []byte(`"version":1,`))
	if bytes.Equal(says, text) {
		r.t.Fatalf("%s names no draft: %s", name, text)
	}
	if err := os.WriteFile(r.path(name), says, 0o600); err != nil {
		r.t.Fatal(err)
	}
}

// undraftDatabase says in the header of a database that it is of the first draft: in user_version, see
// https://www.sqlite.org/fileformat.html.
func (r *rig) undraftDatabase(name string) {
	r.t.Helper()
	const userVersion = 60
	f, err := os.OpenFile(r.path(name), os.O_WRONLY, 0)
	if err != nil {
		r.t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt([]byte{0, 0, 0, event.FirstDraft}, userVersion); err != nil {
		r.t.Fatal(err)
	}
}

// TestAStationWithAJournalOfAnotherDraft: an upgrade in the middle of a session, against all advice. The old journal is put
// aside whole and listed, a new epoch says why and which session it cut off, and sessions are run and exported again.
func TestAStationWithAJournalOfAnotherDraft(t *testing.T) {
	t.Parallel()
	r := newRig(t, options{example: "virtual-two", name: "drafted", plan: "../../configs/plans/short.yaml", scale: 10, seed: 1})
	r.serve()
	whole := r.half().Session
	r.finish()
	cut := r.half()
	r.daemon.kill(t)
	held, err := os.ReadDir(r.path("data/journal"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range held {
		if strings.HasSuffix(file.Name(), ".db") {
			r.undraftDatabase("data/journal/" + file.Name())
		}
	}
	r.undraft("data/journal/meta.json")
	r.undraft("data/departed.json")
	_, wrong, code := r.cli("station", "backup", r.path("data"), "-o", r.path("early.backup"))
	want := fmt.Sprintf("made under draft 1, this program reads draft %d: use the version that wrote it", event.Draft)
	if code != 4 || !strings.Contains(wrong, want) {
		t.Errorf("a backup of it: exit %d, %s", code, wrong)
	}

	r.serve()
	if log := r.daemon.said(); !strings.Contains(log, "made under draft 1") {
		t.Errorf("the daemon says %s", log)
	}
	var says struct {
		Sessions []history.Listed
		PutAside []history.Aside `json:"put_aside"`
	}
	if err := json.Unmarshal([]byte(r.must("record", "list", "--json")), &says); err != nil {
		t.Fatal(err)
	}
	folder := r.path("data/journal/put-aside/draft-1-" + cut.Epoch + "/journal")
	if one := (history.Aside{Draft: 1, Epoch: cut.Epoch, Sessions: 2, Unfinished: cut.Session, Folder: folder}); len(says.Sessions) != 0 || !slices.Equal(says.PutAside, []history.Aside{one}) {
		t.Errorf("listed are %+v", says)
	}
	if said := r.must("session", "list"); !strings.Contains(said, "put aside: draft 1, 2 sessions ("+cut.Session+" had not ended), "+folder) {
		t.Errorf("session list says %s", said)
	}
	for _, e := range held {
		if e.Name() == "lock" || e.Name() == "ballast" || strings.HasSuffix(e.Name(), "-shm") || strings.HasSuffix(e.Name(), "-wal") {
			continue
		}
		if _, err := os.Stat(folder + "/" + e.Name()); err != nil {
			t.Errorf("%s is not aside: %v", e.Name(), err)
		}
	}
	if _, wrong, code := r.cli("record", "export", whole, "-o", r.path("old.zip")); code != 1 || !strings.Contains(wrong, "holds no session") {
		t.Errorf("an old session's export: exit %d, %s", code, wrong)
	}
	said := r.must("station", "backup", r.path("data"), "-o", r.path("late.backup"))
	if !strings.Contains(said, "NOT in it: the journal of draft 1 that was put aside; copy its folder, "+strings.TrimSuffix(folder, "/journal")) {
		t.Errorf("a backup says %s", said)
	}
	r.tell("Assessor", "open", "../../configs/plans/short.yaml", "--dog", "Rex", "--handler", "Handler", "--assessor", "Assessor")
	r.finish()
	r.daemon.stop(t)
	r.serve() // and nothing more is put aside
	if r.listed(r.lastSession()).How != "aborted" {
		t.Error("the session after it is not listed")
	}
	r.daemon.stop(t)
	r.station.stop(t)
	first := r.firstRecord()
	if first.Draft != event.Draft || first.Why != journal.WhyDraft || first.Prev != cut.Epoch || first.PrevDraft != 1 || first.PrevSize < cut.Size ||
		!slices.Equal(first.Aborted, []string{cut.Session}) {
		t.Errorf("the new epoch says %+v", first)
	}
	if list, err := journal.PutAside(r.path("data/journal")); err != nil || len(list) != 1 {
		t.Errorf("put aside are %+v, %v", list, err)
	}
}

// lastSession returns the last session that is listed.
func (r *rig) lastSession() string {
	r.t.Helper()
	var says struct{ Sessions []history.Listed }
	if err := json.Unmarshal([]byte(r.must("session", "list", "--json")), &says); err != nil || len(says.Sessions) == 0 {
		r.t.Fatalf("%+v, %v", says, err)
	}
	return says.Sessions[len(says.Sessions)-1].ID
}
