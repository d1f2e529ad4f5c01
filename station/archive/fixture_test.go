package archive

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"scentpost/station/event"
	"scentpost/station/history"
	"scentpost/station/journal"
	"scentpost/station/record"
)

const (
	site    = "site"
	station = "line-1"
)

// scribe writes records into a journal as a host does.
type scribe struct {
	t      testing.TB
	to     journal.Store
	signer *record.Signer
	tree   record.Tree
	chain  record.Chain
	lines  map[string]*history.Line
	batch  journal.Batch
	hasty  bool // commits a session in one piece
}

// begin begins an epoch and writes its first record.
func begin(t testing.TB, to journal.Store, id string) *scribe {
	t.Helper()
	why := to.Recovery().Why
	if why == "" {
		why = journal.WhyBeyond
	}
	if err := to.BeginEpoch(id, why); err != nil {
		t.Fatal(err)
	}
	private, _, err := record.NewKey(rand.NewChaCha8([32]byte{1}), record.SimulatedPrefix+station)
	if err != nil {
		t.Fatal(err)
	}
	s := &scribe{t: t, to: to, lines: map[string]*history.Line{}}
	if s.signer, err = record.NewSigner(record.Log{Site: site, Station: station, Epoch: id}, private); err != nil {
		t.Fatal(err)
	}
	s.write(event.Event{Type: event.EpochBegan, Body: &event.Epoch{Draft: event.Draft, Site: site, Why: why, Key: s.signer.Verifier(), Simulated: true}})
	s.commit()
	return s
}

// write adds a record to the batch.
func (s *scribe) write(e event.Event) {
	s.t.Helper()
	e.By, e.At = event.ByStation, event.Stamp{Boot: "b", Mono: s.tree.Size() * 1e9, UTC: 1_800_000_000e9 + s.tree.Size()*1e9, Quality: event.Simulated}
	row := journal.Row{Seq: s.tree.Size(), Session: e.Session, Type: e.Type, Run: e.Run}
	r := record.Record{Site: site, Station: station, Epoch: s.to.Epoch().ID, Seq: row.Seq, Event: e}
	s.chain.Link(&r)
	if event.IsSealed(e.Type) {
		row.Sealed, row.Body = true, []byte("sealed of "+e.Session)
		r.Sealed = record.SealHash(station, r.Epoch, r.Seq, e.Type, row.Nonce, row.Body)
	}
	var err error
	if row.Line, err = record.Encode(nil, r); err != nil {
		s.t.Fatal(err)
	}
	s.tree.Append(row.Line)
	s.chain.Add(&r, record.LeafHash(row.Line))
	s.batch.Rows = append(s.batch.Rows, row)
	if e.Session == "" {
		return
	}
	if s.lines[e.Session] == nil {
		s.lines[e.Session] = &history.Line{}
	}
	s.lines[e.Session].Take(&e)
	if text, last := s.lines[e.Session].Entry(e.Type); text != nil {
		s.batch.Entries = append(s.batch.Entries, journal.Entry{Session: e.Session, Known: row.Seq + 1, Last: last, Text: text})
	}
}

// sign adds a checkpoint of all that there is.
func (s *scribe) sign(why, session string) {
	s.t.Helper()
	note, err := s.signer.Checkpoint(s.tree.Size(), s.tree.Root())
	if err != nil {
		s.t.Fatal(err)
	}
	s.batch.Checkpoints = append(s.batch.Checkpoints, journal.Checkpoint{Size: s.tree.Size(), Why: why, Session: session, Note: note})
}

// commit makes durable what was written; a hasty scribe does so at the end of a session.
func (s *scribe) commit() {
	s.t.Helper()
	if n := len(s.batch.Rows); s.hasty && s.batch.Rows[n-1].Type != event.SessionClosed {
		return
	}
	if err := s.to.Commit(s.batch); err != nil {
		s.t.Fatal(err)
	}
	s.batch = journal.Batch{}
}

// person is who is named in every session, and nobody the name of whom no session refers to.
var (
	person = record.NewPerson([16]byte{1}, "Hari")
	nobody = record.NewPerson([16]byte{2}, "Nobody")
)

// begin writes a session up to the sealed draw.
func (s *scribe) begin(session string) {
	s.t.Helper()
	s.batch.Identities = append(s.batch.Identities, person, nobody)
	s.write(event.Event{Type: event.SessionOpened, Session: session, Body: &event.Opening{Draft: event.Draft, Name: "six", Plan: "plan: six\n", Mode: "double",
		Team: event.Team{Dog: person.Ref, Handler: person.Ref}, People: []event.Person{}, Beams: []int{}}})
	s.write(event.Event{Type: event.SessionLoaded, Session: session, Body: &event.Load{SetUp: "0123456789abcdef"}})
	s.sign("load", session)
	s.write(event.Event{Type: event.SessionSealed, Session: session, Body: &event.Seed{Source: event.Alone}})
	s.commit()
}

// runs writes runs of so many passages of a nose each.
func (s *scribe) runs(session string, from, to, passages int) {
	s.t.Helper()
	for run := from; run < to; run++ {
		s.write(event.Event{Type: event.RunArmed, Session: session, Run: run, Body: &event.Arming{}})
		for i := range passages {
			s.write(event.Event{Type: event.BeamEntered, Session: session, Run: run, Body: &event.Beam{Position: 1 + i%6}})
		}
		s.write(event.Event{Type: event.RunLocked, Session: session, Run: run, Body: &event.Lock{Reason: event.LockClear}})
		s.sign("lock", session)
		s.commit()
	}
}

// end writes the end of a session, and closes it.
func (s *scribe) end(session string) {
	s.t.Helper()
	s.write(event.Event{Type: event.SessionEnded, Session: session, Body: &event.End{How: "completed"}})
	s.write(event.Event{Type: event.SessionRevealed, Session: session})
	s.write(event.Event{Type: event.SessionClosed, Session: session, Body: &event.AidCount{}})
	s.sign("close", session)
	s.commit()
}

// whole writes a session from its beginning to its end.
func (s *scribe) whole(session string, runs, passages int) {
	s.t.Helper()
	s.begin(session)
	s.runs(session, 1, runs+1, passages)
	s.end(session)
}

// stores runs a test on a journal in memory and on one on the disk.
func stores(t *testing.T, test func(t *testing.T, to journal.Store)) {
	t.Run("memory", func(t *testing.T) { test(t, journal.NewMemory()) })
	t.Run("disk", func(t *testing.T) { test(t, onDisk(t, t.TempDir())) })
}

func onDisk(t testing.TB, dir string) *journal.Journal {
	t.Helper()
	j, err := journal.Open(filepath.Join(dir, "journal"), journal.Options{Departed: filepath.Join(dir, "departed.json"), Ballast: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	return j
}

// counting counts what is read of the lines of logs.
type counting struct {
	journal.Logs
	lines map[string]int // by session, "" for lines that were asked for by number
}

func (c *counting) Log(epoch string) (journal.Log, error) {
	log, err := c.Logs.Log(epoch)
	return countingLog{log, c}, err
}

type countingLog struct {
	journal.Log
	c *counting
}

func (l countingLog) Lines(from int64, max, maxBytes int) ([]journal.Line, error) {
	lines, err := l.Log.Lines(from, max, maxBytes)
	l.c.lines[""] += len(lines)
	return lines, err
}

func (l countingLog) LinesOf(s journal.Session, from int64, max, maxBytes int) ([]journal.Line, error) {
	lines, err := l.Log.LinesOf(s, from, max, maxBytes)
	l.c.lines[s.ID] += len(lines)
	return lines, err
}

func id(n int) string { return fmt.Sprintf("s%04d", n) }

// tied tells whether the last checkpoint of a bundle is over the log that the bundle shows.
func tied(b record.Bundle) bool {
	var tree record.Tree
	if len(b.Gaps) != 1 || tree.AppendGap(b.Gaps[0]) != nil {
		return false
	}
	for _, line := range b.Lines {
		tree.Append(line)
	}
	return holds(b, tree)
}

// damageOf returns what is missing of a session, and the lines that are not in its bundle.
func damageOf(a *Archive, session string) (d history.Damage, after []byte, err error) {
	e, err := a.Export(session, true)
	if err != nil || !e.Damage.Any() {
		return e.Damage, nil, err
	}
	var out bytes.Buffer
	err = e.Rest(&out)
	return e.Damage, out.Bytes(), err
}
