package verify

import (
	"bytes"
	"crypto/sha256"
	"math/rand/v2"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"scentpost/station/blind"
	"scentpost/station/event"
	"scentpost/station/record"
	"scentpost/station/trial"
)

// station writes a log as a station does: it numbers, seals, hashes and signs, and keeps all in memory.
type station struct {
	t       testing.TB
	log     record.Log
	private string
	key     string
	signer  *record.Signer
	chance  *rand.ChaCha8

	session string
	now     event.Stamp
	tree    record.Tree
	chain   record.Chain
	stored  []tlog.Hash
	lines   [][]byte
	records []record.Record
	bodies  map[int64]sealedBody
	notes   []record.Checkpoint
	people  []record.Identity
}

type sealedBody struct {
	nonce [32]byte
	body  []byte
	run   int
}

func newStation(t testing.TB, seed byte) *station {
	return newStationAfter(t, seed, func(*station, *event.Epoch) {})
}

// newStationAfter is newStation with another first record.
func newStationAfter(t testing.TB, seed byte, change func(*station, *event.Epoch)) *station {
	s := &station{
		t: t, log: record.Log{Site: "site", Station: "line-1", Epoch: "e0c4"},
		chance: rand.NewChaCha8([32]byte{seed}), bodies: map[int64]sealedBody{},
		now: event.Stamp{Boot: "boot-1", Mono: 1e9, Bound: 1000, UTC: 1795468123e9, Quality: event.Simulated},
	}
	var err error
	if s.private, s.key, err = record.NewKey(s.chance, record.SimulatedPrefix+"line-1"); err != nil {
		t.Fatal(err)
	}
	if s.signer, err = record.NewSigner(s.log, s.private); err != nil {
		t.Fatal(err)
	}
	began := event.Epoch{Draft: event.Draft, Site: s.log.Site, Why: "first", Key: s.key, Simulated: true}
	change(s, &began)
	s.append(event.Event{Type: event.EpochBegan, At: s.now, By: event.ByStation, Body: &began})
	return s
}

// append makes the event a record.
func (s *station) append(e event.Event) int64 {
	s.t.Helper()
	r := record.Record{Site: s.log.Site, Station: s.log.Station, Epoch: s.log.Epoch, Seq: s.tree.Size(), Event: e}
	s.chain.Link(&r)
	if e.Secret != nil {
		body, err := record.EncodeSecret(e.Type, e.Secret)
		if err != nil {
			s.t.Fatal(err)
		}
		sealed := sealedBody{body: body, run: e.Run}
		_, _ = s.chance.Read(sealed.nonce[:])
		s.bodies[r.Seq] = sealed
		r.Sealed = record.SealHash(r.Station, r.Epoch, r.Seq, e.Type, sealed.nonce, body)
	}
	line, err := record.Encode(nil, r)
	if err != nil {
		s.t.Fatal(err)
	}
	s.lines = append(s.lines, line)
	s.records = append(s.records, r)
	leaf := record.LeafHash(line)
	s.stored = append(s.stored, s.tree.AppendLeaf([]tlog.Hash{}, leaf)...)
	s.chain.Add(&r, leaf)
	return r.Seq
}

// event appends one of the session, a millisecond later.
func (s *station) event(t event.Type, run int, body, secret any) int64 {
	s.t.Helper()
	s.now = s.now.Add(1e6)
	return s.append(event.Event{Type: t, Session: s.session, Run: run, At: s.now, By: event.ByStation, Body: body, Secret: secret})
}

// setUp is the id of the set-up of every session.
const setUp = "0123456789abcdef"

// openings are those of the session alone.
func (s *station) openings() []string { return []string{hexOf(s.chain.First())} }

func (s *station) checkpoint(why string) {
	s.t.Helper()
	note, err := s.signer.Checkpoint(s.tree.Size(), s.tree.Root())
	if err != nil {
		s.t.Fatal(err)
	}
	s.notes = append(s.notes, record.Checkpoint{Size: s.tree.Size(), Why: why, Note: string(note)})
}

// open appends the openings of the sealed bodies of a run, 0 for all, that are not open yet, as change leaves them.
func (s *station) open(run int, at event.Stamp, change func(*event.Event)) {
	for seq := int64(0); seq < s.tree.Size(); seq++ {
		if b, ok := s.bodies[seq]; ok && (run == 0 || b.run == run) {
			delete(s.bodies, seq)
			e := record.Opening(s.session, b.run, at, seq, b.nonce, b.body)
			change(&e)
			s.append(e)
		}
	}
}

// asIs changes nothing.
func asIs(*event.Event) {}

func (s *station) person(name string) string {
	var salt [16]byte
	_, _ = s.chance.Read(salt[:])
	id := record.NewPerson(salt, name)
	s.people = append(s.people, id)
	return id.Ref
}

func (s *station) readHashes(ids []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(ids))
	for i, id := range ids {
		out[i] = s.stored[id]
	}
	return out, nil
}

// bundle assembles the session that began at from.
func (s *station) bundle(from int64) record.Bundle {
	s.t.Helper()
	b, err := record.Assemble(record.Bundle{
		Log: s.log, Session: s.session, Epoch: s.lines[0], Key: s.key,
		Lines: s.lines[from:], Checkpoints: s.notes, Identities: s.people,
	}, tlog.HashReaderFunc(s.readHashes))
	if err != nil {
		s.t.Fatal(err)
	}
	return b
}

func zipOf(t testing.TB, b record.Bundle) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := record.Write(&out, b); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// unrevealed is a session whose records end in the first run, before anything was opened.
func unrevealed(t testing.TB, seed byte) (*station, record.Bundle) {
	return unrevealedOf(t, newStation(t, seed))
}

// unrevealedOf is unrevealed of a station that has only begun its epoch.
func unrevealedOf(t testing.TB, s *station) (*station, record.Bundle) {
	s.session = "s-0"
	s.event(event.SessionOpened, 0, &event.Opening{Name: "another"}, nil) // an earlier session, to begin at an odd place
	s.event(event.SessionAborted, 0, &event.Why{Reason: "test"}, nil)
	s.session = "s-1"
	team := event.Team{Dog: s.person("Rex"), Handler: s.person("Agron Kelmendi")}
	from := s.event(event.SessionOpened, 0, &event.Opening{Name: "Short", Plan: "plan: Short\n", PlanHash: hexOf(sha256.Sum256([]byte("plan: Short\n"))), Mode: "double", Team: team,
		People: []event.Person{{Ref: s.person("Željko Đurić"), Roles: []event.Role{event.Assessor}}},
		Laws:   trial.Laws(), Draft: event.Draft, Simulated: true}, nil)
	loading := []event.Loaded{{Position: 1, Canister: "1A", Odour: "tnt"}}
	binding := blind.Binding{Station: s.log.Station, Epoch: s.log.Epoch, SetUp: setUp, PlanHash: sha256.Sum256([]byte("plan: Short\n"))}
	_, load, filling := blind.Load(binding, s.openings(), loading, [32]byte{1}, [32]byte{2})
	s.event(event.SessionLoaded, 0, load, filling)
	s.checkpoint("load")
	s.event(event.SessionSealed, 0, &event.Seed{Source: event.Alone}, &event.NonceSeed{Seed: "00"})
	for i := range 3 {
		s.event(event.RunCommitted, 0, &event.Commitment{Index: i + 1, Commitment: "00"}, nil)
	}
	s.checkpoint("seal")
	s.event(event.RunArmed, 1, &event.Arming{MoveAt: 1, PresentedAt: 2}, nil)
	for i := range 3 {
		s.event(event.CanisterMoved, 1, &event.Handling{Position: i + 1, Instant: event.Presented}, &event.Moves{Canister: "1A"})
	}
	s.event(event.RunPresented, 1, nil, nil)
	s.event(event.BeamEntered, 1, &event.Beam{Position: 2}, nil)
	s.event(event.RunLocked, 1, &event.Lock{Reason: event.LockTimeOut, At: 5}, nil)
	s.checkpoint("lock")
	return s, s.bundle(from)
}
