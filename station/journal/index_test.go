package journal

import (
	"bytes"
	"fmt"
	"os"
	"reflect"
	"slices"
	"testing"
)

// indexedJournal has three sessions of 40 records after one of none; the first is known whole, the second in part.
func indexedJournal(t testing.TB, p place) *Journal {
	t.Helper()
	j := p.open(t)
	mustCommit(t, j, Batch{Rows: rows(0, 1, "")})
	mustCommit(t, j, Batch{Rows: rows(1, 41, "s1"), Entries: []Entry{{Session: "s1", Known: 41, Last: true, Text: []byte("first")}}})
	mustCommit(t, j, Batch{Rows: rows(41, 81, "s2"), Entries: []Entry{{Session: "s2", Known: 50, Text: []byte("second")}}})
	mustCommit(t, j, Batch{Rows: rows(81, 121, "s3")})
	return j
}

// wholeIndex is the index of indexedJournal.
var wholeIndex = []Session{
	{ID: "s1", From: 1, To: 41, Entry: []byte("first"), Known: 41},
	{ID: "s2", From: 41, To: 121, Entry: []byte("second"), Known: 50},
	{ID: "s3", From: 81, To: 121, Known: 81},
}

func TestTheIndexOfSessions(t *testing.T) {
	p := newPlace(t)
	j := indexedJournal(t, p)
	for range 2 {
		got, err := j.Sessions()
		if err != nil || !reflect.DeepEqual(got, wholeIndex) {
			t.Errorf("got  %+v (%v)\nwant %+v", got, err, wholeIndex)
		}
		for _, want := range wholeIndex {
			if got, found, err := j.Session(want.ID); err != nil || !found || !reflect.DeepEqual(got, want) {
				t.Errorf("%s: %+v, %t, %v", want.ID, got, found, err)
			}
		}
		if _, found, err := j.Session("none"); found || err != nil {
			t.Errorf("a session that is not there: %t, %v", found, err)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		j = p.open(t)
	}
	if err := j.BeginEpoch("e2", WhyBeyond); err != nil {
		t.Fatal(err)
	}
	ended, err := j.Log("e1")
	if err != nil {
		t.Fatal(err)
	}
	ended.(*ledger).endedAt(45) // as if no more were good
	if got, err := ended.Sessions(); err != nil || !reflect.DeepEqual(got, wholeIndex) || ended.Size() != 45 {
		t.Errorf("with what is behind the good: %+v (%v), want %+v", got, err, wholeIndex)
	}
	if _, found, err := ended.Session("s3"); !found || err != nil {
		t.Errorf("a session behind what is good: %t, %v", found, err)
	}
}

// TestADamagedIndexHidesNoSession changes what the index says, and damages its pages; the sessions are found in the
// records then.
func TestADamagedIndexHidesNoSession(t *testing.T) {
	for name, damage := range map[string]string{
		"the beginning": "UPDATE sessions SET first = first + 1 WHERE session = 's2'",
		"the id":        "UPDATE sessions SET session = 's9' WHERE session = 's2'",
		"the entry":     "UPDATE sessions SET entry = x'66697271' WHERE session = 's2'",
		"how much":      "UPDATE sessions SET known = 49 WHERE session = 's2'",
		"the end":       "UPDATE sessions SET last = 1 WHERE session = 's2'",
	} {
		p := newPlace(t)
		j := indexedJournal(t, p)
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		execute(t, p, damage)
		j = p.open(t)
		allFound(t, name, j)
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestABitOfTheIndexHidesNoSession flips each byte of the index's page in turn.
func TestABitOfTheIndexHidesNoSession(t *testing.T) {
	p := newPlace(t)
	if err := indexedJournal(t, p).Close(); err != nil {
		t.Fatal(err)
	}
	path := epochPath(p.dir, "e1")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const page = 4096
	entry := bytes.Index(whole, []byte("second"))
	begin := entry - entry%page
	step := 1
	if testing.Short() {
		step = 7
	}
	tried := 0
	for at := begin; at < begin+page; at += step {
		if at > begin+16 && at < entry-60 { // the free room between the page's head and its rows
			continue
		}
		changed := slices.Clone(whole)
		changed[at] ^= 0x04
		if err := os.WriteFile(path, changed, 0o600); err != nil {
			t.Fatal(err)
		}
		r := reading(t, p.dir)
		log := logOf(t, r, "e1")
		allFound(t, fmt.Sprintf("byte %d of the page", at-begin), log)
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		tried++
	}
	t.Logf("%d bytes", tried)
}

// allFound expects that all sessions are found, wherever the index is wrong, and none is cut short.
func allFound(t *testing.T, name string, log Log) {
	t.Helper()
	all, err := log.Sessions()
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	for i, want := range wholeIndex {
		if i >= len(all) || all[i].ID != want.ID || all[i].From != want.From || all[i].To < min(want.From+40, want.To) {
			t.Errorf("%s: %+v, want %+v", name, all, want)
			return
		}
		if all[i].Entry != nil && !bytes.Equal(all[i].Entry, want.Entry) {
			t.Errorf("%s: the entry of %s is %q", name, want.ID, all[i].Entry)
		}
		one, there, err := log.Session(want.ID)
		if err != nil || !there || one.From != want.From || one.To < min(want.From+40, want.To) {
			t.Errorf("%s: %s alone is %+v (%t, %v)", name, want.ID, one, there, err)
		}
	}
	if len(all) != len(wholeIndex) {
		t.Errorf("%s: %d sessions, want %d", name, len(all), len(wholeIndex))
	}
}
