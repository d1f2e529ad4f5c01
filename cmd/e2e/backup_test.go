package e2e

import (
	"bytes"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"scentpost/station/control"
	"scentpost/station/event"
	"scentpost/station/history"
	"scentpost/station/journal"
	"scentpost/station/record"
	"scentpost/station/trial"
	"scentpost/station/verify"
)

// half opens a session and goes on to the search of its second run.
func (r *rig) half() control.Status {
	r.t.Helper()
	w := r.watch()
	defer w.kill(r.t)
	r.tell("Assessor", "open", "../../configs/plans/short.yaml", "--dog", "Rex", "--handler", "Handler", "--assessor", "Assessor")
	r.tell("Loader", "load")
	r.tell("Assessor", "seal", "--dice", strings.Repeat("1 2 3 4 5 6 ", 5))
	for run := 1; ; run++ {
		r.tell("Assessor", "arm")
		if run == 2 {
			return w.until(r.t, "a search", func(s control.Status) bool { return s.Run != nil && s.Run.Run == run && s.Run.State == trial.Searching })
		}
		w.until(r.t, "the next run", func(s control.Status) bool { return between(s) && len(s.Runs) == run })
	}
}

// finish aborts the session that is under way and closes it.
func (r *rig) finish() {
	r.t.Helper()
	w := r.watch()
	defer w.kill(r.t)
	r.tell("Assessor", "abort", "rain")
	w.until(r.t, "the session's end", func(s control.Status) bool { return s.Phase == trial.Ended })
	r.tell("Loader", "close", "--all-back")
}

// export writes the bundle of a session and returns it.
func (r *rig) export(session string) []byte {
	r.t.Helper()
	name := r.path("export-" + session + ".zip")
	_ = os.Remove(name)
	r.must("record", "export", session, "-o", name)
	data, err := os.ReadFile(name)
	if err != nil {
		r.t.Fatal(err)
	}
	return data
}

// listed returns how a session is listed.
func (r *rig) listed(session string) history.Listed {
	r.t.Helper()
	all := r.list()
	at := slices.IndexFunc(all, func(l history.Listed) bool { return l.ID == session })
	if at < 0 {
		r.t.Fatalf("session %s is not listed: %+v", session, all)
	}
	return all[at]
}

// list returns the list of sessions.
func (r *rig) list() []history.Listed {
	r.t.Helper()
	var says struct{ Sessions []history.Listed }
	if err := json.Unmarshal([]byte(r.must("session", "list", "--json")), &says); err != nil {
		r.t.Fatal(err)
	}
	return says.Sessions
}

// secrets returns everything that is sealed and not opened in the current epoch: nonces, bodies, and what a body holds.
func (r *rig) secrets(epoch string) (secrets [][]byte) {
	r.t.Helper()
	db, err := sql.Open("sqlite", r.path("data/journal/epoch-"+epoch+".db"))
	if err != nil {
		r.t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Query("SELECT nonce, body FROM vault WHERE seq >= (SELECT max(first) FROM sessions)")
	if err != nil {
		r.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var nonce, body []byte
		if err := rows.Scan(&nonce, &body); err != nil {
			r.t.Fatal(err)
		}
		secrets = append(secrets, nonce, bytes.TrimSpace(body))
		var held map[string]any
		if err := json.Unmarshal(body, &held); err != nil {
			r.t.Fatal(err)
		}
		for _, name := range []string{"share", "seed"} {
			if text, ok := held[name].(string); ok {
				raw, err := hex.DecodeString(text)
				if err != nil {
					r.t.Fatal(err)
				}
				secrets = append(secrets, raw)
			}
		}
	}
	return secrets
}

// lookForSecrets wants none of them in a text, in any form in which it could be written.
func lookForSecrets(t *testing.T, text []byte, secrets [][]byte) {
	t.Helper()
	if len(secrets) < 8 { // two of each: the share, the nonces' seed, the moves of run 1
		t.Fatalf("only %d secrets: nothing is shown", len(secrets))
	}
	for _, s := range secrets {
		quoted, err := json.Marshal(string(s))
		if err != nil {
			t.Fatal(err)
		}
		for _, form := range [][]byte{s, []byte(hex.EncodeToString(s)), []byte(base64.StdEncoding.EncodeToString(s)),
			[]byte(base64.RawURLEncoding.EncodeToString(s)), bytes.Trim(quoted, `"`)} {
			if bytes.Contains(text, form) {
				t.Errorf("the backup holds %q", form)
			}
		}
	}
}

// firstRecord returns the first record of a stopped station's last epoch.
func (r *rig) firstRecord() event.Epoch {
	r.t.Helper()
	in, err := journal.Read(r.path("data/journal"))
	if err != nil {
		r.t.Fatal(err)
	}
	defer in.Close()
	epochs := in.Epochs()
	log, err := in.Log(epochs[len(epochs)-1].ID)
	if err != nil {
		r.t.Fatal(err)
	}
	lines, err := log.Lines(0, 1, 1<<20)
	if err != nil || len(lines) != 1 {
		r.t.Fatalf("%d lines, %v", len(lines), err)
	}
	first, err := record.Decode(lines[0].Bytes)
	if err != nil {
		r.t.Fatal(err)
	}
	return *first.Event.Body.(*event.Epoch)
}

// TestABackupRestoredElsewhere: a station that is backed up in the middle of a session comes up on another machine in a
// new epoch with a new key. The session is aborted and listed as such; what was exported before comes out the same.
func TestABackupRestoredElsewhere(t *testing.T) {
	t.Parallel()
	a := newRig(t, options{example: "virtual-two", name: "moved", plan: "../../configs/plans/short.yaml", scale: 10, seed: 1})
	a.serve()
	whole := a.half().Session
	a.finish()
	before := a.export(whole)
	cut := a.half()
	file := a.path("backup")
	said := a.must("station", "backup", a.config, "-o", file)
	if !strings.Contains(said, "session "+cut.Session+" has not ended") || !strings.Contains(said, "names of people and dogs") ||
		!strings.Contains(said, "does not hold the station's key") {
		t.Errorf("the backup says %s", said)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lookForSecrets(t, text, a.secrets(cut.Epoch))
	key := strings.TrimSpace(a.must("key", "show", a.path("data/station.key")))
	a.daemon.kill(t)
	a.station.stop(t)

	b := newRig(t, options{example: "virtual-two", name: "moved", plan: "../../configs/plans/short.yaml", scale: 10, seed: 2})
	said = b.must("station", "restore", file, b.config)
	if !strings.Contains(said, "session "+cut.Session+" had not ended: it is aborted") || !strings.Contains(said, "the station has no key") {
		t.Errorf("the restore says %s", said)
	}
	b.serve()
	if now := b.tell("", "status").Status; now.Epoch == cut.Epoch || now.Phase != trial.Idle || now.Size != 1 {
		t.Errorf("it goes on as %+v", now)
	}
	if log := b.daemon.said(); !strings.Contains(log, "restored from a backup of") {
		t.Errorf("the daemon says %s", log)
	}
	if got := b.listed(cut.Session); got.EpochEnded != "restored" || got.How != "" || !got.Sealed || got.Armed != 2 || got.Epoch != cut.Epoch {
		t.Errorf("the session that was cut off is listed as %+v", got)
	}
	if got := b.listed(whole); got.How != "aborted" || got.Epoch != cut.Epoch {
		t.Errorf("the session before is listed as %+v", got)
	}
	if after := b.export(whole); !bytes.Equal(before, after) {
		t.Error("the session before is exported otherwise than before")
	}
	if r := verify.Verify(b.export(cut.Session), verify.Options{Keys: []string{key}}); !r.Consistent || r.Session != cut.Session || r.Signer != verify.Pinned {
		t.Errorf("the session that was cut off: %+v", r)
	}
	b.half()
	b.finish()
	b.daemon.stop(t)
	b.station.stop(t)
	first := b.firstRecord()
	newKey := strings.TrimSpace(b.must("key", "show", b.path("data/station.key")))
	if first.Why != journal.WhyRestored || first.Prev != cut.Epoch || first.PrevSize < cut.Size || !slices.Equal(first.Aborted, []string{cut.Session}) ||
		first.Key != newKey || newKey == key {
		t.Errorf("the new epoch says %+v, its key was %s", first, key)
	}
}

// TestABackupRestoredInPlace: while a daemon runs, or over a journal, a restore is refused; told to, it puts the journal
// aside. What had left the station since is missed here, and by the broker when nothing here knows of it.
func TestABackupRestoredInPlace(t *testing.T) {
	t.Parallel()
	l := newLoser(t, "back")
	l.serve()
	was := l.work()
	file := l.path("backup")
	l.must("station", "backup", l.path("data"), "--with-key", "-o", file)
	l.drv.finishing = true
	l.drv.drive()
	_, wrong, code := l.cli("station", "restore", file, l.config, "--replace")
	if code != 1 || !strings.Contains(wrong, fmt.Sprint("is held by process ", l.daemon.Process.Pid)) {
		t.Errorf("while the daemon runs: exit %d, %s", code, wrong)
	}
	l.drv.finishing = false
	now := l.work()
	l.daemon.stop(t)
	_, wrong, code = l.cli("station", "restore", file, l.config)
	if code != 1 || !strings.Contains(wrong, "say --replace") {
		t.Errorf("over a journal: exit %d, %s", code, wrong)
	}
	type outcome struct {
		Size                  int64 `json:"epoch_records"`
		Aside, Epoch, Lacking string
	}
	var restored outcome
	restore := func() {
		t.Helper()
		restored = outcome{}
		if err := json.Unmarshal([]byte(l.must("station", "restore", file, l.config, "--replace", "--json")), &restored); err != nil {
			t.Fatal(err)
		}
	}
	restore()
	if restored.Size < was.Size || restored.Epoch != was.Epoch || !strings.Contains(restored.Lacking, fmt.Sprintf("records %d to ", restored.Size)) {
		t.Errorf("restored %+v, and %d records had left", restored, now.Size)
	}
	if _, err := os.Stat(restored.Aside + "/meta.json"); err != nil {
		t.Errorf("the journal that was there: %v", err)
	}
	l.serve()
	l.newEpoch(was.Epoch, restored.Size, journal.WhyRestored)
	if log := l.daemon.said(); !strings.Contains(log, "records of that epoch had left this station") {
		t.Errorf("the daemon says %s", log)
	}
	l.work()
	l.daemon.stop(t)

	for _, name := range []string{"departed.json", "station.key", "connections"} { // a machine that knows nothing
		if err := os.Remove(l.path("data/" + name)); err != nil {
			t.Fatal(err)
		}
	}
	restore()
	if restored.Lacking != "" {
		t.Errorf("lacking %s on a machine that knows nothing", restored.Lacking)
	}
	l.serve()
	l.daemon.line(t, "sessions") // it hears of the epoch between from the broker, and starts again
	l.until(func(s control.Status) bool { return s.Size > 0 && s.Obstacle == nil })
	l.daemon.stop(t)
	l.station.stop(t)
	in, err := journal.Read(l.path("data/journal"))
	if err != nil {
		t.Fatal(err)
	}
	epochs := in.Epochs()
	if n := len(epochs); n != 3 || epochs[1].Prev != was.Epoch || epochs[1].Why != journal.WhyRestored || epochs[2].Why != journal.WhyBeyond {
		t.Errorf("the epochs are %+v", epochs)
	}
	if err := in.Close(); err != nil {
		t.Error(err)
	}
	if first := l.firstRecord(); first.Why != journal.WhyBeyond || first.Key != strings.TrimSpace(l.must("key", "show", l.path("data/station.key"))) {
		t.Errorf("the last epoch says %+v", first)
	}
}
