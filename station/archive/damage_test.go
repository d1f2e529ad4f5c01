package archive

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"scentpost/station/record"
)

// recordsOf are those of a whole session of fourSessions, and of the one that goes on.
const (
	recordsOfAWhole = 3 + 2*22 + 3
	recordsOfTheRun = 3 + 2*22
)

// fourSessions makes a stopped journal of three whole sessions and one that goes on, and returns the path of its database.
func fourSessions(t *testing.T, dir string) string {
	t.Helper()
	j := onDisk(t, dir)
	s := begin(t, j, "e1")
	for n := range 3 {
		s.whole(fmt.Sprint("s", n+1), 2, 20)
	}
	s.begin("s4")
	s.runs("s4", 1, 3, 20)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "journal", "epoch-e1.db")
}

// TestAByteCostsWhatItIsIn changes one bit of a database at many places. The journal opens and is checked, an epoch begins where
// one is needed, and each record of each session is in a bundle that holds, or given after it, or said to be missing: few are.
// A session is given up only with the first pages of the database, of which there are five.
func TestAByteCostsWhatItIsIn(t *testing.T) {
	flips := 300
	if testing.Short() {
		flips = 60
	}
	dir := t.TempDir()
	path := fourSessions(t, dir)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"meta.json", "station.db", "names.json"} {
		if _, err := os.Stat(filepath.Join(dir, "journal", name)); err != nil {
			t.Fatal(err)
		}
	}
	chance := rand.New(rand.NewPCG(1, 2))
	whole0, lost, unread := 0, 0, 0
	for n := range flips {
		at, bit := chance.IntN(len(whole)), byte(1)<<chance.IntN(8)
		content := bytes.Clone(whole)
		content[at] ^= bit
		name := fmt.Sprintf("flip %d (bit %#x of byte %d)", n, bit, at)
		copied := t.TempDir()
		if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(copied, "journal", "epoch-e1.db"), content, 0o600); err != nil {
			t.Fatal(err)
		}
		missing, readable := costs(t, name, copied)
		switch {
		case !readable:
			unread++
		case missing == 0:
			whole0++
		default:
			lost += missing
		}
	}
	t.Logf("of %d flips %d cost nothing, %d the whole database, the others %d records", flips, whole0, unread, lost)
	if lost > 2*flips || unread > flips/10 {
		t.Errorf("%d flips cost %d records, and %d times the whole database", flips, lost, unread)
	}
}

// costs opens a journal in which something is damaged, and returns how many records cannot be given out. readable is false when
// the database cannot be read at all, which the list must say.
func costs(t *testing.T, name, dir string) (missing int, readable bool) {
	t.Helper()
	j := onDisk(t, dir)
	defer func() {
		if err := j.Close(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}()
	r, err := j.Check(context.Background())
	if err != nil {
		t.Fatalf("%s: the check: %v", name, err)
	}
	if r.NewEpochNeeded {
		begin(t, j, "e2")
	}
	a := archiveOf(j)
	all, err := a.Sessions()
	if err != nil {
		t.Fatalf("%s: the list: %v", name, err)
	}
	if len(all) == 1 && all[0].ID == "" && all[0].Fault != "" {
		return 0, false
	}
	for n := range 4 {
		session, want := fmt.Sprint("s", n+1), recordsOfAWhole
		if n == 3 {
			want = recordsOfTheRun
		}
		d, after, err := damageOf(a, session)
		if err != nil {
			t.Errorf("%s: %s: %v", name, session, err)
			continue
		}
		_, zip, err := a.Bundle(session, true)
		lines := 0
		if err == nil {
			b, faults := record.Read(zip, record.DefaultLimits())
			if len(faults) > 0 || !tied(b) {
				t.Errorf("%s: the bundle of %s does not hold: %v", name, session, faults)
			}
			lines = len(b.Lines)
		} else if !d.Any() {
			t.Errorf("%s: %s is whole, and not exported: %v", name, session, err)
		}
		if !d.Any() && lines != want {
			t.Errorf("%s: %s has %d records of %d", name, session, lines, want)
		}
		if given := bytes.Count(after, []byte("\n")); d.Any() && lines+given+len(d.Missing) != want {
			t.Errorf("%s: %s: %d in the bundle, %d after it and %d missing of %d", name, session, lines, given, len(d.Missing), want)
		}
		missing += len(d.Missing)
	}
	return missing, true
}
