package archive

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"scentpost/station/history"
	"scentpost/station/journal"
	"scentpost/station/record"
)

func archiveOf(logs journal.Logs) *Archive {
	return New(logs)
}

// list returns the sessions in short.
func list(t *testing.T, a *Archive) []string {
	t.Helper()
	all, err := a.Sessions()
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, l := range all {
		text := fmt.Sprintf("%s in %s: %s %s, %d runs", l.ID, l.Epoch, l.State, l.How, l.Armed)
		if l.EpochEnded != "" {
			text += ", epoch ended: " + l.EpochEnded
		}
		if l.Fault != "" {
			text += ", fault"
		}
		out = append(out, text)
	}
	return out
}

// bundle exports a session and reads the bundle's form back.
func bundle(t *testing.T, a *Archive, session string, names bool) record.Bundle {
	t.Helper()
	name, data, err := a.Bundle(session, names)
	if err != nil {
		t.Fatalf("export %q: %v", session, err)
	}
	b, faults := record.Read(data, record.DefaultLimits())
	if len(faults) > 0 {
		t.Fatalf("export %q: %v", session, faults)
	}
	if want := "scentpost-line-1-" + b.Session + ".zip"; name != want {
		t.Errorf("the bundle is called %s, want %s", name, want)
	}
	return b
}

// TestSessionsOfAllEpochs: each is listed and exported from its own epoch, whether it was finished, cut off or goes on.
func TestSessionsOfAllEpochs(t *testing.T) {
	stores(t, func(t *testing.T, to journal.Store) {
		a := archiveOf(to)
		if got := list(t, a); got != nil {
			t.Errorf("an empty journal lists %q", got)
		}
		if _, _, err := a.Bundle("", true); err == nil || !strings.Contains(err.Error(), "holds no session") {
			t.Errorf("export of an empty journal: %v", err)
		}
		s := begin(t, to, "e1")
		s.whole("s1", 3, 5)
		s.begin("s2")
		s.runs("s2", 1, 3, 5)
		s = begin(t, to, "e2")
		if off, err := CutOff(to, to.Epoch()); err != nil || !slices.Equal(off, []string{"s2"}) {
			t.Errorf("cut off: %q, %v", off, err)
		}
		s.whole("s3", 1, 5)
		s.begin("s4")
		s.runs("s4", 1, 2, 5)
		want := []string{"s1 in e1: closed completed, 3 runs", "s2 in e1: unfinished , 2 runs, epoch ended: acknowledged beyond",
			"s3 in e2: closed completed, 1 runs", "s4 in e2: unfinished , 1 runs"}
		if got := list(t, a); !slices.Equal(got, want) {
			t.Errorf("got  %q\nwant %q", got, want)
		}
		for session, epoch := range map[string]string{"s1": "e1", "s2": "e1", "s3": "e2", "s4": "e2", "": "e2"} {
			b := bundle(t, a, session, true)
			if b.Log.Epoch != epoch || session != "" && b.Session != session || session == "" && b.Session != "s4" {
				t.Errorf("%q is exported as %s of %s", session, b.Session, b.Log.Epoch)
			}
			if len(b.Identities) != 1 || b.Identities[0] != person {
				t.Errorf("%q comes with the names %v", session, b.Identities)
			}
		}
		if b := bundle(t, a, "s1", false); b.Identities != nil {
			t.Errorf("without names there are %v", b.Identities)
		}
		if _, _, err := a.Bundle("s9", true); err == nil || !strings.Contains(err.Error(), `holds no session "s9"`) {
			t.Errorf("a session that is not there: %v", err)
		}
	})
}

// readings are how often an export reads its session: to find what can be read, to make report and sums, and to write
// the lines.
const readings = 3

// TestNoAnswerReadsOtherSessions counts lines: however many sessions there are, the list reads the end of the one that
// goes on, and an export its own.
func TestNoAnswerReadsOtherSessions(t *testing.T) {
	stores(t, func(t *testing.T, to journal.Store) {
		s := begin(t, to, "e1")
		for n := range 20 {
			s.whole(id(n), 2, 10)
		}
		s.begin("last")
		s.runs("last", 1, 4, 10)
		counted := &counting{Logs: to, lines: map[string]int{}}
		a := archiveOf(counted)
		if got := list(t, a); len(got) != 21 {
			t.Errorf("%d sessions", len(got))
		}
		if want := map[string]int{"last": 11}; !reflect.DeepEqual(counted.lines, want) {
			t.Errorf("the list read %v, want %v: what came after the last arming", counted.lines, want)
		}
		clear(counted.lines)
		b := bundle(t, a, id(7), true)
		if want := map[string]int{id(7): readings * len(b.Lines), "": 1}; !reflect.DeepEqual(counted.lines, want) {
			t.Errorf("an export read %v, want %v", counted.lines, want)
		}
	})
}

// TestTheIndexSaysWhatTheRecordsSay: a list by the index is that of one that has to read everything.
func TestTheIndexSaysWhatTheRecordsSay(t *testing.T) {
	stores(t, func(t *testing.T, to journal.Store) {
		s := begin(t, to, "e1")
		s.whole("s1", 3, 5)
		s.begin("s2")
		s.runs("s2", 1, 3, 5)
		indexed, err := archiveOf(to).Sessions()
		if err != nil {
			t.Fatal(err)
		}
		read, err := archiveOf(forgetful{to}).Sessions()
		if err != nil || !reflect.DeepEqual(indexed, read) {
			t.Errorf("by the index %+v\nby the records %+v, %v", indexed, read, err)
		}
	})
}

// forgetful has logs whose index knows nothing of a session, or something of another one.
type forgetful struct{ journal.Logs }

func (f forgetful) Log(epoch string) (journal.Log, error) {
	log, err := f.Logs.Log(epoch)
	return forgetfulLog{log}, err
}

type forgetfulLog struct{ journal.Log }

func (l forgetfulLog) Sessions() ([]journal.Session, error) {
	all, err := l.Log.Sessions()
	for i := range all {
		if all[i].Entry, all[i].Known = nil, all[i].From; i == 0 {
			all[i].Entry, _ = history.Line{ID: "another"}.Entry("session.closed")
			all[i].Known = all[i].To
		}
	}
	return all, err
}

// TestADamagedRecordCostsItsSessionAlone flips a byte of a record; all other sessions are listed and exported, and a new
// one is held.
func TestADamagedRecordCostsItsSessionAlone(t *testing.T) {
	for name, c := range map[string]struct{ session, says string }{
		"of a session that was closed": {"s2", "closed completed, 2 runs"},
		"of the session that goes on":  {"s4", "unfinished , 2 runs, fault"},
	} {
		dir := t.TempDir()
		j := onDisk(t, dir)
		s := begin(t, j, "e1")
		s.whole("s1", 2, 20)
		s.whole("s2", 2, 20)
		s.whole("s3", 2, 20)
		s.begin("s4")
		s.runs("s4", 1, 3, 20)
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		spoil(t, dir, c.session)
		j = onDisk(t, dir)
		a := archiveOf(j)
		want := []string{"s1 in e1: closed completed, 2 runs", "s2 in e1: closed completed, 2 runs", "s3 in e1: closed completed, 2 runs", "s4 in e1: unfinished , 2 runs"}
		at := slices.Index([]string{"s1", "s2", "s3", "s4"}, c.session)
		want[at] = c.session + " in e1: " + c.says
		if got := list(t, a); !slices.Equal(got, want) {
			t.Errorf("%s: got  %q\nwant %q", name, got, want)
		}
		for _, session := range []string{"s1", "s2", "s3", "s4"} {
			_, data, err := a.Bundle(session, true)
			b, faults := record.Read(data, record.DefaultLimits())
			if err != nil || len(faults) > 0 || b.Session != session || !tied(b) {
				t.Errorf("%s: the export of %s: %v, %v", name, session, err, faults)
			}
			d, after, err := damageOf(a, session)
			if err != nil || (len(d.Missing) == 1) != (session == c.session) || (len(after) > 0) != (session == c.session) {
				t.Errorf("%s: the damage of %s: %s missing, %d bytes after it, %v", name, session, d.Text(), len(after), err)
			}
			if session == c.session && b.To() > d.Missing[0] {
				t.Errorf("%s: its bundle ends at record %d, and %d is missing", name, b.To(), d.Missing[0])
			}
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// spoil changes a digit in the last passage of a session in the database of epoch e1.
func spoil(t *testing.T, dir, session string) {
	t.Helper()
	path := filepath.Join(dir, "journal", "epoch-e1.db")
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	passages := regexp.MustCompile(`,"session":"`+session+`","n":[0-9]+,"prev":"[0-9a-f]{64}","run":2,"data":{"position":`).FindAllIndex(content, -1)
	if len(passages) == 0 {
		t.Fatalf("no passage of %s is in the database", session)
	}
	at := passages[len(passages)-1][1] - len(`2,"data":{"position":`)
	content[at]++
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestAnEpochThatCannotBeReadHidesNoOther: its sessions are said to be unread.
func TestAnEpochThatCannotBeReadHidesNoOther(t *testing.T) {
	dir := t.TempDir()
	j := onDisk(t, dir)
	begin(t, j, "e1").whole("s1", 1, 5)
	begin(t, j, "e2").whole("s2", 1, 5)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "journal", "epoch-e1.db"), bytes.Repeat([]byte("junk"), 4096), 0o600); err != nil {
		t.Fatal(err)
	}
	a := archiveOf(onDisk(t, dir))
	if got, want := list(t, a), []string{" in e1:  , 0 runs, epoch ended: acknowledged beyond, fault", "s2 in e2: closed completed, 1 runs"}; !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if b := bundle(t, a, "s2", true); b.Session != "s2" {
		t.Errorf("%s was exported", b.Session)
	}
	if _, _, err := a.Bundle("s1", true); err == nil || !strings.Contains(err.Error(), "e1") {
		t.Errorf("a session of the epoch that cannot be read: %v", err)
	}
}

// TestSessionsThatInterleave: a session that waits while another is held has its own records and no others.
func TestSessionsThatInterleave(t *testing.T) {
	stores(t, func(t *testing.T, to journal.Store) {
		s := begin(t, to, "e1")
		s.begin("s1")
		s.begin("s2")
		s.runs("s1", 1, 2, 5)
		s.runs("s2", 1, 3, 5)
		s.end("s1")
		s.runs("s2", 3, 4, 5)
		want := []string{"s1 in e1: closed completed, 1 runs", "s2 in e1: unfinished , 3 runs"}
		if got := list(t, archiveOf(to)); !slices.Equal(got, want) {
			t.Errorf("got  %q\nwant %q", got, want)
		}
		if got := list(t, archiveOf(forgetful{to})); !slices.Equal(got, want) {
			t.Errorf("by the records %q\nwant %q", got, want)
		}
	})
}

// TestAListIsTheSameAgain: what is kept of closed sessions changes no list, and what goes on is read each time.
func TestAListIsTheSameAgain(t *testing.T) {
	stores(t, func(t *testing.T, to journal.Store) {
		s := begin(t, to, "e1")
		s.whole(id(0), 2, 3)
		s.whole(id(1), 1, 1)
		s.begin(id(2))
		a := archiveOf(to)
		list := func(a *Archive) []history.Listed {
			all, err := a.Sessions()
			if err != nil {
				t.Fatal(err)
			}
			return all
		}
		if first := list(a); len(a.closed) != 2 || len(first) != 3 || !slices.Equal(list(a), first) {
			t.Errorf("%d lines are kept; the list is %+v, and again %+v", len(a.closed), first, list(a))
		}
		s.runs(id(2), 1, 4, 1)
		if now := list(a); now[2].Armed != 3 || !slices.Equal(now, list(archiveOf(to))) {
			t.Errorf("after three runs: %+v", now)
		}
		s.end(id(2))
		if now := list(a); now[2].State != history.Closed || !slices.Equal(now, list(archiveOf(to))) {
			t.Errorf("after its end: %+v", now)
		}
	})
}
