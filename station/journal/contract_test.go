package journal

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"scentpost/station/event"
	"scentpost/station/record"
)

var (
	_ Store      = (*Memory)(nil)
	_ Store      = (*Journal)(nil)
	_ Logs       = (*Reading)(nil)
	_ Operations = (*Memory)(nil)
	_ Operations = (*Journal)(nil)
)

// both is a store with its operational log.
type both interface {
	Store
	Operations
}

// stores runs a test on each store of the contract, in epoch e1.
func stores(t *testing.T, test func(t *testing.T, s both)) {
	t.Run("memory", func(t *testing.T) {
		m := NewMemory()
		if err := m.BeginEpoch("e1", WhyFirst); err != nil {
			t.Fatal(err)
		}
		test(t, m)
	})
	t.Run("sqlite", func(t *testing.T) { test(t, newPlace(t).open(t)) })
}

func TestCommitRefusesWhatDoesNotFollow(t *testing.T) {
	unsealed := row(3, "s1")
	unsealed.Body = []byte("x")
	bodiless := row(5, "s1")
	bodiless.Seq, bodiless.Body = 3, nil
	long := row(3, "s1")
	long.Line = make([]byte, record.MaxLine+1)
	empty := row(3, "s1")
	empty.Line = nil
	for name, bad := range map[string]Batch{
		"gap":                     {Rows: rows(4, 5, "s1")},
		"again":                   {Rows: rows(2, 3, "s1")},
		"gap within":              {Rows: []Row{row(3, "s1"), row(5, "s1")}},
		"body unsealed":           {Rows: []Row{unsealed}},
		"sealed without body":     {Rows: []Row{bodiless}},
		"line too long":           {Rows: []Row{long}},
		"no line":                 {Rows: []Row{empty}},
		"checkpoint beyond":       {Checkpoints: []Checkpoint{{Size: 4, Note: []byte("n")}}},
		"checkpoint without note": {Checkpoints: []Checkpoint{{Size: 1}}},
		"entry beyond":            {Entries: []Entry{{Session: "s1", Known: 4, Text: []byte("t")}}},
		"entry of nothing":        {Entries: []Entry{{Session: "s1", Text: []byte("t")}}},
		"entry without text":      {Entries: []Entry{{Session: "s1", Known: 1}}},
		"entry without session":   {Entries: []Entry{{Known: 1, Text: []byte("t")}}},
	} {
		stores(t, func(t *testing.T, s both) {
			mustCommit(t, s, Batch{Rows: rows(0, 3, "s1")})
			bad.Identities = []Identity{{Ref: "p-1", Salt: "00", Name: "Arta"}}
			if err := s.Commit(bad); !errors.Is(err, ErrGap) {
				t.Errorf("%s: %v, want ErrGap", name, err)
			}
			if ids, err := s.Identities(); err != nil || len(ids) != 0 {
				t.Errorf("%s: names of a refused batch: %v, %v", name, ids, err)
			}
			mustCommit(t, s, Batch{Rows: rows(3, 4, "s1")}) // a refusal is no failure
		})
	}
}

func TestNothingIsWrittenBeforeAnEpoch(t *testing.T) {
	p := newPlace(t)
	j := p.open(t) // begins one
	_ = j.Close()
	for name, s := range map[string]Store{"memory": NewMemory(), "sqlite": emptyJournal(t)} {
		if r := s.Recovery(); !r.NewEpochNeeded || r.Why != WhyFirst {
			t.Errorf("%s: %+v", name, r)
		}
		if err := s.Commit(Batch{Rows: rows(0, 1, "")}); !errors.Is(err, ErrNoEpoch) {
			t.Errorf("%s: %v, want ErrNoEpoch", name, err)
		}
		if lines, err := s.Lines(0, 1, 1); err != nil || len(lines) != 0 {
			t.Errorf("%s: %v, %v", name, lines, err)
		}
		for _, bad := range []string{"", "../x", "A", "e 1", fmt.Sprintf("%065d", 0)} {
			if err := s.BeginEpoch(bad, WhyFirst); err == nil {
				t.Errorf("%s: epoch id %q was taken", name, bad)
			}
		}
	}
}

func emptyJournal(t *testing.T) *Journal {
	t.Helper()
	base := t.TempDir()
	j, err := Open(base+"/journal", Options{Departed: base + "/departed.json", Ballast: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	return j
}

func TestOperationalLogIsNoPartOfTheRecord(t *testing.T) {
	stores(t, func(t *testing.T, s both) {
		for i := range 5 {
			at := event.Stamp{Boot: "b", Mono: int64(i), UTC: int64(100 + i), Quality: event.Synced}
			if err := s.LogOperation(Operation{At: at, Name: "link", Detail: fmt.Sprint(i)}); err != nil {
				t.Fatal(err)
			}
		}
		got, err := s.Operations(2, 3)
		if err != nil {
			t.Fatal(err)
		}
		var want []Operation
		for i := 1; i < 4; i++ {
			want = append(want, Operation{ID: int64(i + 1), At: event.Stamp{Boot: "b", Mono: int64(i), UTC: int64(100 + i)}, Name: "link", Detail: fmt.Sprint(i)})
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		if s.Size() != 0 {
			t.Error("an operation became a record")
		}
	})
}

// TestHashesAreThoseOfTlog: what is stored with a record is what tlog would store, and gives the root at each size.
func TestHashesAreThoseOfTlog(t *testing.T) {
	stores(t, func(t *testing.T, s both) {
		const total = 130
		var want []tlog.Hash
		for seq := int64(0); seq < total; seq++ {
			stored, err := tlog.StoredHashes(seq, row(seq, "s").Line, tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
				out := make([]tlog.Hash, len(indexes))
				for i, index := range indexes {
					out[i] = want[index]
				}
				return out, nil
			}))
			if err != nil {
				t.Fatal(err)
			}
			want = append(want, stored...)
		}
		mustCommit(t, s, Batch{Rows: rows(0, total, "s")})
		for i := range want {
			got, err := s.ReadHashes([]int64{int64(i)})
			if err != nil || got[0] != want[i] {
				t.Fatalf("hash %d: %v, want %v (%v)", i, got, want[i], err)
			}
		}
		if _, err := s.ReadHashes([]int64{int64(len(want))}); err == nil {
			t.Error("a hash beyond the log")
		}
	})
}

// TestMemoryIsSQLite drives both stores with the same steps and wants the same answers.
func TestMemoryIsSQLite(t *testing.T) {
	var runs int
	rapid.Check(t, func(rt *rapid.T) {
		runs++
		p := newPlace(t)
		j, m := p.open(t), NewMemory()
		defer func() { _ = j.Close() }()
		if err := m.BeginEpoch("e1", WhyFirst); err != nil {
			rt.Fatal(err)
		}
		epochs := 1
		steps := map[string]func(*rapid.T){
			"commit": func(rt *rapid.T) {
				b := drawBatch(rt, m.Size())
				first, second := m.Commit(b), j.Commit(b)
				if errors.Is(first, ErrGap) != errors.Is(second, ErrGap) || (first == nil) != (second == nil) {
					rt.Fatalf("commit: memory %v, sqlite %v", first, second)
				}
			},
			"cursor": func(rt *rapid.T) {
				size := rapid.Int64Range(-1, 40).Draw(rt, "cursor")
				if first, second := m.SetCursor("hub", size), j.SetCursor("hub", size); (first == nil) != (second == nil) {
					rt.Fatalf("cursor: memory %v, sqlite %v", first, second)
				}
			},
			"epoch": func(rt *rapid.T) {
				epochs++
				id := fmt.Sprintf("e%d", rapid.IntRange(1, epochs).Draw(rt, "epoch"))
				if first, second := m.BeginEpoch(id, WhyBeyond), j.BeginEpoch(id, WhyBeyond); (first == nil) != (second == nil) {
					rt.Fatalf("epoch %s: memory %v, sqlite %v", id, first, second)
				}
			},
			"reopen": func(rt *rapid.T) {
				if rapid.Bool().Draw(rt, "clean") {
					_ = j.Close()
				} else {
					j.kill(t)
				}
				j = p.open(t)
				if r := check(t, j); r.NewEpochNeeded {
					rt.Fatalf("after a reopening: %+v", r)
				}
			},
		}
		kinds := rapid.SampledFrom([]string{"commit", "commit", "commit", "cursor", "epoch", "reopen"})
		for _, kind := range rapid.SliceOfN(kinds, 1, 10).Draw(rt, "steps") {
			steps[kind](rt)
		}
		sameAnswers(rt, m, j)
	})
	t.Logf("%d sequences", runs)
}

func drawBatch(rt *rapid.T, size int64) Batch {
	b := Batch{}
	from := size
	if rapid.IntRange(0, 9).Draw(rt, "slip") == 0 {
		from++
	}
	for i := range int64(rapid.IntRange(0, 5).Draw(rt, "rows")) {
		b.Rows = append(b.Rows, row(from+i, rapid.SampledFrom([]string{"", "s1", "s2"}).Draw(rt, "session")))
	}
	if rapid.Bool().Draw(rt, "checkpoint") {
		b.Checkpoints = []Checkpoint{{Size: size, Why: "seal", Session: "s1", Note: []byte("no note")}}
	}
	if rapid.Bool().Draw(rt, "entry") {
		b.Entries = []Entry{{Session: rapid.SampledFrom([]string{"s1", "s2", "s9"}).Draw(rt, "of"), Text: []byte("known"),
			Known: rapid.Int64Range(0, size+6).Draw(rt, "known"), Last: rapid.Bool().Draw(rt, "last")}}
	}
	if rapid.Bool().Draw(rt, "name") {
		b.Identities = []Identity{record.NewPerson([16]byte{rapid.Byte().Draw(rt, "salt")}, rapid.StringN(1, 9, -1).Draw(rt, "name"))}
	}
	return b
}

// sameAnswers asks both stores everything.
func sameAnswers(rt *rapid.T, m, j Store) {
	ask := func(s Store) []any {
		var out []any
		note := func(v any, err error) { out = append(out, fmt.Sprintf("%+v %t", v, err == nil)) }
		size := s.Size()
		out = append(out, size)
		for _, limit := range [][3]int{{0, 100, 1 << 20}, {1, 2, 1 << 20}, {0, 100, 1000}, {2, 5, 0}, {-1, 5, 5}, {int(size), 1, 1}} {
			lines, err := s.Lines(int64(limit[0]), limit[1], limit[2])
			out = append(out, len(lines), err == nil)
			for _, l := range lines {
				out = append(out, l.Seq, l.Session, string(l.Bytes))
			}
		}
		for _, session := range []string{"", "s1", "s2", "s3"} {
			one, found, err := s.Session(session)
			note(text(one), err)
			out = append(out, found)
			vault, err := s.Vault(session)
			out = append(out, len(vault), err == nil)
			for _, v := range vault {
				out = append(out, v.Seq, v.Type, v.Run, v.Nonce, string(v.Body))
			}
			note(s.Checkpoints(session))
		}
		note(s.Identities())
		note(s.Cursor("hub"))
		note(s.Epoch(), nil)
		note(s.Epochs(), nil)
		for _, b := range append(s.Epochs(), Beginning{ID: "none"}) {
			log, err := s.Log(b.ID)
			note(b.ID, err)
			if err != nil {
				continue
			}
			lines, err := log.Lines(0, 100, 1<<20)
			note(len(lines), err)
			sessions, err := log.Sessions()
			for _, one := range sessions {
				out = append(out, text(one))
			}
			note(log.Size(), err)
		}
		hashes := tlog.StoredHashCount(size)
		for i := int64(-1); i <= hashes; i++ {
			note(s.ReadHashes([]int64{i}))
		}
		return out
	}
	first, second := ask(m), ask(j)
	for i := range first {
		if !reflect.DeepEqual(first[i], second[i]) {
			rt.Fatalf("answer %d: memory %v, sqlite %v", i, first[i], second[i])
		}
	}
	if len(first) != len(second) {
		rt.Fatalf("memory gave %d answers, sqlite %d", len(first), len(second))
	}
}

// text writes a session of an index.
func text(s Session) string {
	return fmt.Sprintf("%s %d-%d %d %q %t", s.ID, s.From, s.To, s.Known, s.Entry, s.Entry == nil)
}

func TestCheckOfAMemoryIsAtOnce(t *testing.T) {
	m := NewMemory()
	if r, err := m.Check(context.Background()); err != nil || !r.Checked {
		t.Errorf("%+v, %v", r, err)
	}
}
