package backup

import (
	"bytes"
	"context"
	"encoding/hex"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"scentpost/station/event"
	"scentpost/station/folder"
	"scentpost/station/history"
	"scentpost/station/journal"
	"scentpost/station/record"
)

// The station of the tests.
const (
	site    = "pristina"
	station = "line-1"
	made    = "2026-11-26T09:30:00Z"
)

// What must not be in a backup.
const (
	secretBody  = `{"share":"the share of the station, which nobody may see"}`
	secretNonce = "a nonce of thirty-two bytes, too"
)

// house is a station's folder.
type house struct{ dir string }

func newHouse(t testing.TB) house {
	t.Helper()
	return house{t.TempDir()}
}

func (h house) data() string { return filepath.Join(h.dir, "journal") }

func (h house) path(name string) string { return filepath.Join(h.dir, name) }

func (h house) target() Target {
	return Target{Site: site, Station: station, Simulated: true, Folder: folder.Folder(h.dir)}
}

// open opens the journal as a daemon does.
func (h house) open(t testing.TB) *journal.Journal {
	t.Helper()
	j, err := journal.Open(h.data(), journal.Options{Departed: h.path("departed.json"), Ballast: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	if _, err := j.Check(context.Background()); err != nil {
		t.Fatal(err)
	}
	return j
}

// scribe writes records into a journal as a host does.
type scribe struct {
	t       testing.TB
	j       *journal.Journal
	private string
	signer  *record.Signer
	tree    record.Tree
	chain   record.Chain
	line    history.Line
}

// newKey makes a station's key.
func newKey(t testing.TB, seed byte) string {
	t.Helper()
	private, _, err := record.NewKey(rand.NewChaCha8([32]byte{seed}), record.SimulatedPrefix+station)
	if err != nil {
		t.Fatal(err)
	}
	return private
}

// begin begins an epoch and writes its first record.
func begin(t testing.TB, j *journal.Journal, id, private string) *scribe {
	t.Helper()
	why := j.Recovery().Why
	if why == "" {
		why = journal.WhyBeyond
	}
	if err := j.BeginEpoch(id, why); err != nil {
		t.Fatal(err)
	}
	s := &scribe{t: t, j: j, private: private}
	var err error
	if s.signer, err = record.NewSigner(record.Log{Site: site, Station: station, Epoch: id}, private); err != nil {
		t.Fatal(err)
	}
	b := j.Epoch()
	first := &event.Epoch{Draft: event.Draft, Site: site, Why: b.Why, Prev: b.Prev, PrevSize: b.PrevSize, PrevDraft: b.PrevDraft, Key: s.signer.Verifier(), Simulated: true}
	if b.Prev != "" {
		first.PrevRoot = hex.EncodeToString(b.PrevRoot[:])
	}
	s.write(event.Event{Type: event.EpochBegan, Body: first})
	return s
}

// write commits one record; names come with it.
func (s *scribe) write(e event.Event, names ...journal.Identity) {
	s.t.Helper()
	e.By, e.At.Quality = event.ByStation, event.Simulated
	row := journal.Row{Seq: s.tree.Size(), Session: e.Session, Type: e.Type, Run: e.Run}
	r := record.Record{Site: site, Station: station, Epoch: s.j.Epoch().ID, Seq: row.Seq, Event: e}
	s.chain.Link(&r)
	if e.Type == event.SessionLoaded {
		row.Sealed, row.Nonce, row.Body = true, [32]byte([]byte(secretNonce)), []byte(secretBody)
		r.Sealed = record.SealHash(station, r.Epoch, r.Seq, e.Type, row.Nonce, row.Body)
	}
	var err error
	if row.Line, err = record.Encode(nil, r); err != nil {
		s.t.Fatal(err)
	}
	s.tree.Append(row.Line)
	s.chain.Add(&r, record.LeafHash(row.Line))
	batch := journal.Batch{Rows: []journal.Row{row}, Identities: names}
	if e.Session != "" {
		if e.Session != s.line.ID {
			s.line = history.Line{}
		}
		s.line.Take(&e)
		if entry, last := s.line.Entry(e.Type); entry != nil {
			batch.Entries = []journal.Entry{{Session: e.Session, Known: row.Seq + 1, Last: last, Text: entry}}
		}
	}
	if err := s.j.Commit(batch); err != nil {
		s.t.Fatal(err)
	}
}

// sign commits a checkpoint of all that there is.
func (s *scribe) sign(why, session string) {
	s.t.Helper()
	note, err := s.signer.Checkpoint(s.tree.Size(), s.tree.Root())
	if err != nil {
		s.t.Fatal(err)
	}
	c := journal.Checkpoint{Size: s.tree.Size(), Why: why, Session: session, Note: note}
	if err := s.j.Commit(journal.Batch{Checkpoints: []journal.Checkpoint{c}}); err != nil {
		s.t.Fatal(err)
	}
}

// session writes a session as far as its load, or to its end.
func (s *scribe) session(id string, whole bool) {
	s.t.Helper()
	name := record.NewPerson([16]byte{1}, "Hari <& "+id+">")
	s.write(event.Event{Type: event.SessionOpened, Session: id, Body: &event.Opening{Name: "p.yaml", Plan: "plan: <x> & y\n", Mode: "double",
		Team: event.Team{Dog: name.Ref, Handler: name.Ref}, People: []event.Person{}, Beams: []int{1}}}, name)
	s.write(event.Event{Type: event.SessionLoaded, Session: id, Body: &event.Load{SetUp: "0123456789abcdef"}})
	s.sign("load", id)
	if !whole {
		s.write(event.Event{Type: event.SessionPaused, Session: id, Body: &event.Why{Reason: "rain"}})
		return
	}
	s.write(event.Event{Type: event.SessionEnded, Session: id, Body: &event.End{How: "completed"}})
	s.write(event.Event{Type: event.SessionClosed, Session: id, Body: &event.AidCount{}})
	s.sign("close", id)
}

// live makes a station with two epochs: one with a session that was closed, one with one that was left half way.
func live(t testing.TB, h house) *scribe {
	t.Helper()
	j := h.open(t)
	private := newKey(t, 1)
	begin(t, j, "e1", private).session("s1", true)
	s := begin(t, j, "e2", private)
	s.session("s2", true)
	s.session("s3", false)
	if err := os.WriteFile(h.path("station.key"), []byte(private+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

// text makes a backup of a station in memory.
func text(t testing.TB, h house, key string) []byte {
	t.Helper()
	r, err := journal.Read(h.data())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var out bytes.Buffer
	if err := Write(&out, r, Options{Made: made, Program: "test", Connections: 7, Key: key}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// content is what a journal says of itself.
type content struct {
	epochs []journal.Beginning
	lines  map[string][]string
	heads  map[string][]journal.Checkpoint
	index  map[string][]journal.Session
	names  []journal.Identity
}

// contentOf reads a journal, the zero content when there is none.
func contentOf(t testing.TB, dir string) content {
	t.Helper()
	r, err := journal.Read(dir)
	if err != nil {
		return content{}
	}
	defer r.Close()
	c := content{epochs: r.Epochs(), lines: map[string][]string{}, heads: map[string][]journal.Checkpoint{}, index: map[string][]journal.Session{}}
	for _, b := range c.epochs {
		log, err := r.Log(b.ID)
		if err != nil {
			t.Fatal(err)
		}
		lines, err := log.Lines(0, 1<<20, 1<<30)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range lines {
			c.lines[b.ID] = append(c.lines[b.ID], l.Session+" "+string(l.Bytes))
		}
		if c.heads[b.ID], err = log.Checkpoints(""); err != nil {
			t.Fatal(err)
		}
		if c.index[b.ID], err = log.Sessions(); err != nil {
			t.Fatal(err)
		}
	}
	if c.names, err = r.Identities(); err != nil {
		t.Fatal(err)
	}
	return c
}
