package e2e

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"testing"

	"scentpost/station/event"
	"scentpost/station/folder"
	"scentpost/station/history"
	"scentpost/station/journal"
	"scentpost/station/record"
)

// passages is how many times a nose passes a beam in a run of a filled journal: with it a session of 12 runs has 823 records.
const passages = 66

// filler writes closed sessions into the journal of a daemon that does not run, a session a commit.
type filler struct {
	t             testing.TB
	site, station string
	journal       *journal.Journal
	signer        *record.Signer
	tree          record.Tree
	chain         record.Chain
	line          history.Line
	batch         journal.Batch
}

// fill makes the folder of a rig's station, which has never run, with as many closed sessions of so many runs each.
func (r *rig) fill(site string, runs ...int) (records int64) {
	r.t.Helper()
	own := folder.Folder(r.path("data"))
	private, _, err := record.NewKey(rand.Reader, record.SimulatedPrefix+r.name)
	if err == nil {
		err = errors.Join(os.MkdirAll(string(own), 0o700), os.WriteFile(own.Key(), []byte(private+"\n"), 0o600))
	}
	if err != nil {
		r.t.Fatal(err)
	}
	f := &filler{t: r.t, site: site, station: r.name}
	if f.journal, err = journal.Open(own.Journal(), journal.Options{Departed: own.Departed(), Ballast: -1}); err != nil {
		r.t.Fatal(err)
	}
	if err := f.journal.BeginEpoch("e1", journal.WhyFirst); err != nil {
		r.t.Fatal(err)
	}
	if f.signer, err = record.NewSigner(record.Log{Site: site, Station: r.name, Epoch: "e1"}, private); err != nil {
		r.t.Fatal(err)
	}
	f.write(event.Event{Type: event.EpochBegan, Body: &event.Epoch{Draft: event.Draft, Site: site, Why: journal.WhyFirst, Key: f.signer.Verifier(), Simulated: true}})
	for n, runs := range runs {
		f.session(sessionID(n), runs)
	}
	if err := f.journal.Close(); err != nil {
		r.t.Fatal(err)
	}
	return f.tree.Size()
}

// sessionID is that of the n-th session of a filled journal.
func sessionID(n int) string { return fmt.Sprintf("s%05d", n) }

// session writes a session and commits it.
func (f *filler) session(id string, runs int) {
	f.line = history.Line{}
	person := record.NewPerson([16]byte{1}, "Hari")
	f.batch.Identities = append(f.batch.Identities, person)
	f.write(event.Event{Type: event.SessionOpened, Session: id, Body: &event.Opening{Draft: event.Draft, Name: "six", Plan: "plan: six\n", Mode: "double",
		Team: event.Team{Dog: person.Ref, Handler: person.Ref}, People: []event.Person{}, Beams: []int{}}})
	f.write(event.Event{Type: event.SessionLoaded, Session: id, Body: &event.Load{SetUp: "0123456789abcdef"}})
	f.sign("load", id)
	f.write(event.Event{Type: event.SessionSealed, Session: id, Body: &event.Seed{Source: event.Alone}})
	for run := 1; run <= runs; run++ {
		f.write(event.Event{Type: event.RunArmed, Session: id, Run: run, Body: &event.Arming{}})
		for i := range passages {
			f.write(event.Event{Type: event.BeamEntered, Session: id, Run: run, Body: &event.Beam{Position: 1 + i%6}})
		}
		f.write(event.Event{Type: event.RunLocked, Session: id, Run: run, Body: &event.Lock{Reason: event.LockClear}})
		f.sign("lock", id)
	}
	f.write(event.Event{Type: event.SessionEnded, Session: id, Body: &event.End{How: "completed"}})
	f.write(event.Event{Type: event.SessionRevealed, Session: id})
	f.write(event.Event{Type: event.SessionClosed, Session: id, Body: &event.AidCount{}})
	f.sign("close", id)
	if err := f.journal.Commit(f.batch); err != nil {
		f.t.Fatal(err)
	}
	f.batch = journal.Batch{}
}

// write adds a record to the batch.
func (f *filler) write(e event.Event) {
	f.t.Helper()
	e.By, e.At = event.ByStation, event.Stamp{Boot: "b", Mono: f.tree.Size() * 1e9, UTC: 1_700_000_000e9 + f.tree.Size()*1e9, Quality: event.Simulated}
	r := record.Record{Site: f.site, Station: f.station, Epoch: "e1", Seq: f.tree.Size(), Event: e}
	f.chain.Link(&r)
	row := journal.Row{Seq: r.Seq, Session: e.Session, Type: e.Type, Run: e.Run}
	if event.IsSealed(e.Type) {
		row.Sealed, row.Body = true, []byte("sealed of "+e.Session)
		r.Sealed = record.SealHash(f.station, r.Epoch, r.Seq, e.Type, row.Nonce, row.Body)
	}
	var err error
	if row.Line, err = record.Encode(nil, r); err != nil {
		f.t.Fatal(err)
	}
	f.tree.Append(row.Line)
	f.chain.Add(&r, record.LeafHash(row.Line))
	f.batch.Rows = append(f.batch.Rows, row)
	if e.Session == "" {
		return
	}
	f.line.Take(&e)
	if text, last := f.line.Entry(e.Type); text != nil {
		f.batch.Entries = append(f.batch.Entries, journal.Entry{Session: e.Session, Known: row.Seq + 1, Last: last, Text: text})
	}
}

// sign adds a checkpoint of all that there is.
func (f *filler) sign(why, session string) {
	f.t.Helper()
	note, err := f.signer.Checkpoint(f.tree.Size(), f.tree.Root())
	if err != nil {
		f.t.Fatal(err)
	}
	f.batch.Checkpoints = append(f.batch.Checkpoints, journal.Checkpoint{Size: f.tree.Size(), Why: why, Session: session, Note: note})
}
