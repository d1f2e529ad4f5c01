package journal

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"scentpost/station/event"
	"scentpost/station/record"
)

// place is where a test's journal lies.
type place struct{ dir, departed string }

func newPlace(t testing.TB) place {
	t.Helper()
	base := t.TempDir()
	return place{dir: filepath.Join(base, "journal"), departed: filepath.Join(base, "outside", "departed.json")}
}

// open opens the journal without a ballast, and begins epoch e1 when it is new.
func (p place) open(t testing.TB) *Journal {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(p.departed), 0o700); err != nil {
		t.Fatal(err)
	}
	j, err := Open(p.dir, Options{Departed: p.departed, Ballast: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	if j.Recovery().Why == WhyFirst {
		if err := j.BeginEpoch("e1", WhyFirst); err != nil {
			t.Fatal(err)
		}
	}
	return j
}

// kill ends the journal as a crash does: nothing is marked, the kernel lets go of the lock.
func (j *Journal) kill(t testing.TB) {
	t.Helper()
	j.failed = ErrClosed
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
}

// check runs the check and returns what it says.
func check(t testing.TB, j *Journal) Recovery {
	t.Helper()
	r, err := j.Check(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// secret is in every sealed body of the tests, and nowhere else.
const secret = "the target lies in 3C"

// row returns the record seq of a session; every third is sealed.
func row(seq int64, session string) Row {
	r := Row{Seq: seq, Session: session, Type: event.BeamEntered, Run: int(seq % 12),
		Line: fmt.Appendf(nil, `{"seq":"%d","session":"%s","filler":"%s"}`, seq, session, bytes.Repeat([]byte("x"), 400))}
	if seq%3 == 2 {
		r.Type, r.Sealed, r.Body = event.CanisterMoved, true, fmt.Appendf(nil, "%s %d", secret, seq)
		r.Nonce[0], r.Nonce[31] = byte(seq), 1
	}
	return r
}

// rows returns the records [from, to).
func rows(from, to int64, session string) []Row {
	out := make([]Row, 0, to-from)
	for seq := from; seq < to; seq++ {
		out = append(out, row(seq, session))
	}
	return out
}

func mustCommit(t testing.TB, s Committer, b Batch) {
	t.Helper()
	if err := s.Commit(b); err != nil {
		t.Fatal(err)
	}
}

// note returns an unsigned checkpoint of the store's first size records.
func note(t testing.TB, s tlog.HashReader, size int64) Checkpoint {
	t.Helper()
	root, err := Root(size, s)
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("test\n%d\n%s\n\n", size, base64.StdEncoding.EncodeToString(root[:]))
	return Checkpoint{Size: size, Why: "lock", Session: "s1", Note: []byte(text)}
}

// copyTree copies a folder's files.
func copyTree(t testing.TB, from, to string) {
	t.Helper()
	if err := os.RemoveAll(to); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
}

// seeded returns a generator that the test's output lets one repeat.
func seeded(t testing.TB, seed uint64) *rand.Rand {
	t.Helper()
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// arta and rex are a person and a dog.
var (
	arta = record.NewPerson([16]byte{1}, "Arta")
	rex  = record.NewDog([16]byte{2}, "Rex")
)
