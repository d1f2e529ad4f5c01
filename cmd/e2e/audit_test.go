package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"scentpost/station/control"
	"scentpost/station/event"
	"scentpost/station/journal"
	"scentpost/station/record"
	"scentpost/station/trial"
	"scentpost/station/uplink/brokertest"
	"scentpost/station/uplink/wire"
)

// identity is what may never stand for two different records.
type identity struct {
	epoch string
	seq   int64
}

// ledger is what a subscriber has been sent, by identity, over all epochs.
type ledger struct {
	subscriber *brokertest.Subscriber
	topic      string
	messages   int // looked at so far
	lines      map[identity][]byte
}

// topicsOf returns the topics of a station of the examples.
func topicsOf(t testing.TB, name string) wire.Topics {
	t.Helper()
	topics, err := wire.NewTopics("demo", name)
	if err != nil {
		t.Fatal(err)
	}
	return topics
}

func newLedger(t testing.TB, broker *brokertest.Mosquitto, name string) *ledger {
	t.Helper()
	topic := topicsOf(t, name).Journal
	return &ledger{subscriber: broker.Subscribe(t, topic), topic: topic, lines: map[identity][]byte{}}
}

// read takes in what came since: a repeat must be the same byte for byte.
func (l *ledger) read(t testing.TB) {
	t.Helper()
	messages := l.subscriber.Messages()
	for _, m := range messages[l.messages:] {
		lines, err := wire.ParseBatch(m.Payload)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range lines {
			r, err := record.Decode(line)
			if err != nil {
				t.Fatalf("what was sent is no record: %v", err)
			}
			id := identity{r.Epoch, r.Seq}
			if was, repeat := l.lines[id]; repeat && !bytes.Equal(was, line) {
				t.Fatalf("record %d of epoch %s was sent as\n%s\nand as\n%s", id.seq, id.epoch, was, line)
			}
			l.lines[id] = line
		}
	}
	l.messages = len(messages)
}

// size returns how many records of an epoch were sent without a gap.
func (l *ledger) size(epoch string) (n int64) {
	for l.lines[identity{epoch, n}] != nil {
		n++
	}
	return n
}

// copyJournal copies the journal of a daemon that is gone, and what lies beside it, to a new folder.
func (r *rig) copyJournal(t testing.TB) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "journal"), 0o700); err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob(r.path("data/journal/*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(names, r.path("data/departed.json")) {
		rel, err := filepath.Rel(r.path("data"), name)
		if err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(name)
		if os.IsNotExist(err) || filepath.Base(name) == "ballast" {
			continue
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, rel), text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// openCopy opens a copy of a journal and checks it. The caller closes it.
func openCopy(t testing.TB, dir string) (*journal.Journal, journal.Recovery) {
	t.Helper()
	j, err := journal.Open(filepath.Join(dir, "journal"), journal.Options{Departed: filepath.Join(dir, "departed.json"), Ballast: -1})
	if err != nil {
		t.Fatal(err)
	}
	found, err := j.Check(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return j, found
}

// audit holds a journal as a kill left it against what was shown, answered and sent before.
func audit(t testing.TB, r *rig, was seen, sent *ledger) {
	t.Helper()
	dir := r.copyJournal(t)
	defer os.RemoveAll(dir)
	j, found := openCopy(t, dir)
	defer j.Close()
	if found.NewEpochNeeded && found.Why != journal.WhyFirst {
		t.Fatalf("a kill lost what had left the station: %+v", found)
	}
	lines, err := j.Lines(0, 1<<30, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	sent.read(t)
	for id, line := range sent.lines {
		if id.epoch != j.Epoch().ID || id.seq >= int64(len(lines)) || !bytes.Equal(lines[id.seq].Bytes, line) {
			t.Fatalf("record %d of epoch %s was sent and is not in the journal of %d", id.seq, id.epoch, len(lines))
		}
	}
	for _, a := range was.answers {
		if a.epoch != j.Epoch().ID || a.seq >= int64(len(lines)) {
			t.Fatalf("%s was answered with record %d, and the journal has %d", a.command, a.seq, len(lines))
		}
		got, err := record.Decode(lines[a.seq].Bytes)
		if err != nil || got.Event.Type != recorded[a.command] {
			t.Fatalf("%s was answered with record %d, which is %s: %v", a.command, a.seq, got.Event.Type, err)
		}
	}
	auditShown(t, j, lines, was.statuses)
}

// auditShown runs the engine over the journal up to each state that was shown, and compares what it shows then.
func auditShown(t testing.TB, j *journal.Journal, lines []journal.Line, shown []control.Status) {
	t.Helper()
	notes := map[string]bool{"": true}
	checkpoints, err := j.Checkpoints("")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range checkpoints {
		notes[string(c.Note)] = true
	}
	replays := map[string]map[int64]control.Status{}
	for _, s := range shown {
		if s.Epoch != j.Epoch().ID && s.Size > 0 || s.Size > int64(len(lines)) {
			t.Fatalf("%d records of epoch %s were shown, and the journal has %d of %s", s.Size, s.Epoch, len(lines), j.Epoch().ID)
		}
		if !notes[s.Checkpoint] {
			t.Fatalf("a checkpoint was shown that the journal does not hold:\n%s", s.Checkpoint)
		}
		if s.Session == "" || s.Phase == trial.Interrupted { // before the journal is brought back no run of it is shown
			continue
		}
		if replays[s.Session] == nil {
			replays[s.Session] = replay(t, j, lines, s.Session)
		}
		said := replays[s.Session][s.Size]
		if s.Obstacle != nil { // which no journal knows
			s.Obstacle, s.Next = nil, said.Next
		}
		s.Checkpoint, s.Request, s.Conditions = "", "", nil
		s.Commands = nil                 // they go by who asked, and a record is nobody
		s.NextIn, said.NextIn = nil, nil // it goes by when it was asked
		got, _ := json.Marshal(s)
		want, _ := json.Marshal(said)
		if !bytes.Equal(got, want) {
			t.Fatalf("with %d records there was shown\n%s\nand the journal says\n%s", s.Size, got, want)
		}
	}
}

// still is an inbox of which nothing is asked.
type still struct{ control.Inbox }

// empty is an archive of which nothing is asked.
type empty struct{ control.Archive }

// replay returns what the public is shown after each record of a session, by the size of the log.
func replay(t testing.TB, j *journal.Journal, lines []journal.Line, session string) map[int64]control.Status {
	t.Helper()
	vault, names := secrets(t, j, session)
	first, err := record.Decode(lines[0].Bytes)
	if err != nil {
		t.Fatal(err)
	}
	view, err := control.New(control.Options{Site: first.Site, Station: first.Station, Simulated: true, Inbox: still{}, Archive: empty{}})
	if err != nil {
		t.Fatal(err)
	}
	player := trial.Player{Machine: trial.New(first.Station, first.Epoch)}
	out := map[int64]control.Status{}
	for _, line := range lines {
		if line.Session != session {
			continue
		}
		r, err := record.Decode(line.Bytes)
		if err == nil && vault[line.Seq] != nil {
			r.Event.Secret, err = record.DecodeSecret(r.Event.Type, vault[line.Seq])
		}
		if err == nil {
			err = player.Play(r.Seq, r.Event)
		}
		if err != nil {
			t.Fatalf("record %d: %v", line.Seq, err)
		}
		state := trial.Snapshot{View: player.Machine.View(), Names: names, Epoch: r.Epoch, Size: r.Seq + 1}
		out[state.Size] = view.Status(state, control.Person{})
	}
	return out
}

// secrets returns the sealed bodies of a session by record, and the names behind references.
func secrets(t testing.TB, j *journal.Journal, session string) (vault map[int64][]byte, names map[string]string) {
	t.Helper()
	rows, err := j.Vault(session)
	if err != nil {
		t.Fatal(err)
	}
	vault = map[int64][]byte{}
	for _, row := range rows {
		vault[row.Seq] = row.Body
	}
	known, err := j.Identities()
	if err != nil {
		t.Fatal(err)
	}
	names = map[string]string{}
	for _, id := range known {
		names[id.Ref] = id.Name
	}
	return vault, names
}

// endings counts how often each armed run of a session ended in each way, from its records alone.
func endings(t testing.TB, lines [][]byte) map[int]map[string]int {
	t.Helper()
	runs := map[int]map[string]int{}
	for _, line := range lines {
		r, err := record.Decode(line)
		if err != nil {
			t.Fatal(err)
		}
		switch run := runs[r.Event.Run]; r.Event.Type {
		case event.RunArmed:
			if run != nil {
				t.Fatalf("run %d was armed twice", r.Event.Run)
			}
			runs[r.Event.Run] = map[string]int{}
		case event.RunLocked:
			run["completed"]++
		case event.RunVoided:
			run["voided"]++
		case event.RunClosed:
			if len(run) == 0 {
				run["aborted"]++
			}
		}
	}
	return runs
}

// how returns the one way in which a run ended, an error when there is none or more.
func how(ways map[string]int) (string, error) {
	for way, n := range ways {
		if n == 1 && len(ways) == 1 {
			return way, nil
		}
	}
	return "", fmt.Errorf("it ended as %v, want one of completed, voided, aborted", ways)
}
