package journal

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// spoilt makes a journal of some records that left the station, stops it, and lets the test damage the database.
func spoilt(t *testing.T, records int64, damage func(content []byte) []byte) place {
	t.Helper()
	p := newPlace(t)
	j := p.open(t)
	for from := int64(0); from < records; from += 50 {
		mustCommit(t, j, Batch{Rows: rows(from, min(from+50, records), "s1")})
	}
	mustCommit(t, j, Batch{Checkpoints: []Checkpoint{note(t, j, records/2)}})
	depart(t, j)
	_ = j.Close()
	path := epochPath(p.dir, "e1")
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, damage(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

// unclean makes the next start believe that the last stop was none.
func unclean(t *testing.T, p place) { execute(t, p, "UPDATE state SET clean = 0") }

// execute changes the database of epoch e1 behind the journal's back.
func execute(t *testing.T, p place, statement string) {
	t.Helper()
	db, err := openDB(epochPath(p.dir, "e1"), 1, writePragmas)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(statement); err != nil {
		t.Fatal(err)
	}
}

// pageOf returns the offset of the 4 KiB page that holds the text.
func pageOf(t *testing.T, content []byte, text string) int {
	t.Helper()
	at := bytes.Index(content, []byte(text))
	if at < 0 {
		t.Fatalf("%q is not in the database", text)
	}
	return at / 4096 * 4096
}

func TestMalformedPageInTheMiddle(t *testing.T) {
	p := spoilt(t, 400, func(content []byte) []byte {
		page := pageOf(t, content, `{"seq":"200"`)
		copy(content[page:page+4096], bytes.Repeat([]byte{0xa5}, 4096))
		return content
	})
	unclean(t, p)
	j := p.open(t)
	if lines, err := j.Lines(0, 10, 1<<20); err != nil || len(lines) != 10 {
		t.Errorf("no views before the check: %d lines, %v", len(lines), err)
	}
	if err := j.Commit(Batch{Rows: rows(400, 401, "s1")}); !errors.Is(err, ErrUnchecked) {
		t.Errorf("commit before the check: %v", err)
	}
	if err := j.BeginEpoch("e2", WhyTailLost); !errors.Is(err, ErrUnchecked) {
		t.Errorf("a new epoch before the check: %v", err)
	}
	r := check(t, j)
	if !r.NewEpochNeeded || r.Why != WhyTailLost || r.PrevSize < 190 || r.PrevSize > 200 || r.Quarantined < 1 || r.Quarantined > 10 {
		t.Fatalf("%+v", r)
	}
	root, err := Root(r.PrevSize, j)
	if err != nil || root != r.PrevRoot {
		t.Errorf("root %v, want %v (%v)", r.PrevRoot, root, err)
	}
	var listed int
	if err := j.desk.db.QueryRow("SELECT count(*) FROM quarantine WHERE epoch = 'e1'").Scan(&listed); err != nil || listed != r.Quarantined {
		t.Errorf("%d rows in the quarantine, want %d (%v)", listed, r.Quarantined, err)
	}
	_ = j.Close()
	needs(t, p, WhyTailLost, r.PrevSize)
	if size := archived(t, p, "e1"); size != r.PrevSize {
		t.Errorf("%d records in the archive, want %d", size, r.PrevSize)
	}
}

// TestFlippedByteInALine: no page is malformed, only the hash tells; and a reader never gets the line.
func TestFlippedByteInALine(t *testing.T) {
	p := spoilt(t, 100, func(content []byte) []byte {
		for _, text := range []string{`{"seq":"70"`, `{"seq":"90"`} {
			content[bytes.Index(content, []byte(text))+60] ^= 1
		}
		return content
	})
	unclean(t, p)
	j := p.open(t)
	if _, err := j.Lines(60, 20, 1<<20); !errors.Is(err, ErrDamaged) {
		t.Errorf("reading a changed line: %v", err)
	}
	if r := check(t, j); r.NewEpochNeeded || r.Quarantined != 2 {
		t.Fatalf("two bad lines cost more than two records: %+v", r)
	}
	mustCommit(t, j, Batch{Rows: rows(100, 110, "s2")})
	if lines, err := j.Lines(91, 100, 1<<20); err != nil || len(lines) != 19 {
		t.Errorf("%d lines behind them, %v", len(lines), err)
	}
}

// TestChangedHashBeforeTheCheckpoint: the stored hashes no longer give the checkpoint's root, so that the check
// begins at the first record instead.
func TestChangedHashBeforeTheCheckpoint(t *testing.T) {
	p := spoilt(t, 100, func(c []byte) []byte { return c })
	db, err := openDB(epochPath(p.dir, "e1"), 1, writePragmas)
	if err != nil {
		t.Fatal(err)
	}
	// Record 31 completes the subtree of the first 32, which is the frontier of a checkpoint at 50.
	if _, err := db.Exec("UPDATE records SET hashes = CAST(substr(hashes, 1, 160) || zeroblob(32) AS BLOB) WHERE seq = 31"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	unclean(t, p)
	j := p.open(t)
	if r := check(t, j); !r.NewEpochNeeded || r.PrevSize != 31 || r.Quarantined != 1 {
		t.Fatalf("%+v", r)
	}
}

func TestDatabaseThatIsNone(t *testing.T) {
	for name, damage := range map[string]func([]byte) []byte{
		"empty":  func([]byte) []byte { return nil },
		"junk":   func([]byte) []byte { return bytes.Repeat([]byte("junk"), 5000) },
		"header": func(c []byte) []byte { copy(c, make([]byte, 100)); return c },
	} {
		t.Run(name, func(t *testing.T) { needs(t, spoilt(t, 60, damage), WhyTailLost, 0) })
	}
}

// TestTruncatedDatabase: the last pages are gone, and the check finds what is left.
func TestTruncatedDatabase(t *testing.T) {
	p := spoilt(t, 400, func(c []byte) []byte { return c[:len(c)/2/4096*4096] })
	j := p.open(t)
	r := check(t, j)
	if !r.NewEpochNeeded || r.Why != WhyTailLost || r.PrevSize >= 400 {
		t.Fatalf("%+v", r)
	}
	t.Logf("%d of 400 records are good", r.PrevSize)
	_ = j.Close()
	needs(t, p, WhyTailLost, r.PrevSize)
}

// TestDamagedDesk: names and cursors are put aside, and the station starts.
func TestDamagedDesk(t *testing.T) {
	p := newPlace(t)
	j := p.open(t)
	mustCommit(t, j, Batch{Rows: rows(0, 3, "s1"), Identities: []Identity{arta}})
	_ = j.Close()
	desk := filepath.Join(p.dir, "station.db")
	if err := os.WriteFile(desk, []byte("junk, and enough of it to be no empty file"), 0o600); err != nil {
		t.Fatal(err)
	}
	j = p.open(t)
	if r := j.Recovery(); r.NewEpochNeeded || !strings.Contains(r.Names, "1 names came back") || r.NamesLost {
		t.Errorf("%+v", r)
	}
	if ids, err := j.Identities(); err != nil || len(ids) != 1 || ids[0] != arta {
		t.Errorf("%v, %v", ids, err)
	}
	if _, err := os.Stat(desk + ".damaged-1"); err != nil {
		t.Error(err)
	}
	mustCommit(t, j, Batch{Rows: rows(3, 4, "s1"), Identities: []Identity{arta}})
}

func TestCheckObeysItsContext(t *testing.T) {
	p := spoilt(t, 60, func(c []byte) []byte { return c })
	unclean(t, p)
	j := p.open(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := j.Check(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want canceled", err)
	}
	if j.Recovery().Checked {
		t.Error("a cancelled check counts")
	}
	if r := check(t, j); r.NewEpochNeeded {
		t.Errorf("%+v", r)
	}
}

func TestNoteHead(t *testing.T) {
	hash := "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
	for text, want := range map[string]bool{
		"o\n7\n" + hash + "\n\nsig":  true,
		"o\n-7\n" + hash + "\n\nsig": false,
		"o\n7\nshort\n\nsig":         false,
		"o\nx\n" + hash + "\n\n":     false,
		"o\n7":                       false,
		"":                           false,
	} {
		if _, _, ok := noteHead([]byte(text)); ok != want {
			t.Errorf("%q: %t", text, ok)
		}
	}
}
