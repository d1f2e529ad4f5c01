package uplink

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"scentpost/station/record"
	"scentpost/station/uplink/wire"
)

// TestMain lets the properties look longer than rapid does by itself; the command line still decides.
func TestMain(m *testing.M) {
	if err := flag.Set("rapid.checks", "1000"); err != nil {
		panic(err)
	}
	m.Run()
}

// world is a journal, a departed file, a network that loses and repeats, a broker and one subscriber, around a Sender.
type world struct {
	sender  *Sender
	signer  *record.Signer
	now     int64
	session int64

	log      [][]byte // all records; the first durable ones are synced
	durable  int64
	broken   bool           // the journal cannot be read
	file     wire.Departed  // the departed file
	doubt    *wire.Departed // a comparison that is under way
	save     *wire.Departed // a save that is under way
	cursor   int64          // as remembered
	retained wire.Departed  // at the broker

	connected, readBack bool
	stated              int64     // by the state messages sent on this connection
	sent                int64     // end of the last batch sent on this connection, -1 for none
	wire                []Publish // sent, not yet at the broker
	acks                []uint64  // on their way back, of this connection
	echoes              [][]byte  // batches on their way back, of this connection
	deaf                bool      // the broker acknowledges batches and throws them away
	stale               []uint64  // acknowledgements of earlier connections
	open                map[uint64]bool
	waiting             int64 // since when the broker may owe an answer, at the earliest

	known  map[int64]bool // the records that the subscriber has
	whole  int64          // it has all before this one
	thrown map[int64]bool // the records that were thrown away at least once
	status []string
}

const worldEpoch = "e1"

var worldLimits = Limits{Window: 7, BatchLines: 3, BatchBytes: 40, Grid: 10, Burst: 2, AckWithin: 3000, EchoWithin: 200, Retry: 25, ProbeEvery: 400, CursorEvery: 50}

func newWorld(t *rapid.T, signer *record.Signer) *world {
	w := &world{signer: signer, known: map[int64]bool{}, thrown: map[int64]bool{}, open: map[uint64]bool{}, sent: -1}
	w.start(t)
	return w
}

func (w *world) start(t *rapid.T) {
	var err error
	w.save, w.doubt = nil, nil
	w.sender, err = NewSender(Options{
		Site: "site", Station: "station", Key: w.signer.Verifier(), Lines: w.lines, Epoch: worldEpoch, Size: w.durable, Acknowledged: w.cursor, Departed: w.file, Limits: worldLimits,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.sender.State([]byte(`{"phase":"idle"}`)), w.sender.Info([]byte(`{"version":1}`))); err != nil {
		t.Fatal(err)
	}
}

func (w *world) lines(from int64, most, mostBytes int) ([][]byte, error) {
	if w.broken {
		return nil, errors.New("broken")
	}
	var lines [][]byte
	for _, line := range w.log[from:] {
		if mostBytes -= len(line); len(lines) == most || (mostBytes < 0 && len(lines) > 0) {
			break
		}
		lines = append(lines, line)
	}
	return lines, nil
}

func (w *world) tick(t *rapid.T) {
	if w.doubt != nil { // the broker keeps what this journal said, and nothing else
		w.sender.Compared(*w.doubt, true)
	}
	out := w.sender.Tick(w.now)
	w.doubt = out.Compare
	if out.Behind != nil {
		t.Fatalf("barred by %v: nothing was lost", out.Behind)
	}
	if out.Drop != "" {
		if w.now-w.waiting < int64(worldLimits.AckWithin) || len(out.Publish) > 0 {
			t.Fatalf("dropped (%s) after %d", out.Drop, w.now-w.waiting)
		}
		w.disconnect()
	}
	if out.Problem != nil && !w.broken {
		t.Fatal(out.Problem)
	}
	if out.Save != nil {
		if w.save != nil {
			t.Fatal("a second save while one is under way")
		}
		w.save = out.Save
	}
	if w.cursor = max(w.cursor, out.Cursor); w.cursor > w.whole {
		t.Fatalf("cursor %d to remember, but the subscriber has %d records", w.cursor, w.whole)
	}
	if len(out.Publish) > 0 && !w.readBack {
		t.Fatal("sent before the retained state was read back")
	}
	for _, p := range out.Publish {
		w.checkSent(t, p)
		w.wire = append(w.wire, p)
		w.open[p.ID] = true
	}
	if len(w.open) > worldLimits.Window {
		t.Fatalf("%d messages under way, the window is %d", len(w.open), worldLimits.Window)
	}
}

func (w *world) checkSent(t *rapid.T, p Publish) {
	switch p.Topic {
	case w.sender.topics.State:
		departed, err := wire.ParseState(p.Payload)
		if err != nil {
			t.Fatal(err)
		}
		w.stated = departed.Size
	case w.sender.topics.Journal:
		lines, err := wire.ParseBatch(p.Payload)
		if err != nil || len(lines) > worldLimits.BatchLines {
			t.Fatalf("a batch of %d lines, %v", len(lines), err)
		}
		for _, line := range lines {
			seq := w.seq(line)
			if seq < 0 || seq >= w.durable || seq >= w.file.Size || seq >= w.stated {
				t.Fatalf("record %d left, with %d durable, %d in the departed file, %d in the state", seq, w.durable, w.file.Size, w.stated)
			}
			if w.sent >= 0 && seq > w.sent {
				t.Fatalf("record %d follows %d on one connection", seq, w.sent-1)
			}
			w.sent = seq + 1
		}
	}
}

// arrive takes the next message on the wire to the broker and on to the subscriber.
func (w *world) arrive(t *rapid.T) {
	p := w.wire[0]
	w.wire = w.wire[1:]
	w.acks = append(w.acks, p.ID)
	switch p.Topic {
	case w.sender.topics.State:
		state, _ := wire.ParseState(p.Payload)
		w.retained = state.Departed
	case w.sender.topics.Status:
		w.status = append(w.status, string(p.Payload))
	case w.sender.topics.Journal:
		if !w.deaf {
			w.echoes = append(w.echoes, p.Payload)
		}
		for line := range bytes.Lines(p.Payload) {
			seq := w.seq(bytes.TrimSuffix(line, []byte("\n")))
			if w.deaf {
				w.thrown[seq] = true
				continue
			}
			w.known[seq] = true
			for missing := w.whole; missing < seq; missing++ {
				if !w.known[missing] && !w.thrown[missing] {
					t.Fatalf("the subscriber has record %d before record %d, which was not thrown away", seq, missing)
				}
			}
			for w.known[w.whole] {
				w.whole++
			}
		}
	}
}

// seq returns which record a line is, -1 for none.
func (w *world) seq(line []byte) int64 {
	return int64(slices.IndexFunc(w.log, func(l []byte) bool { return bytes.Equal(l, line) }))
}

func (w *world) disconnect() {
	w.stale = append(w.stale, w.acks...)
	for _, p := range w.wire {
		w.stale = append(w.stale, p.ID)
	}
	w.connected, w.readBack, w.stated, w.sent = false, false, 0, -1
	w.wire, w.acks, w.echoes, w.open = nil, nil, nil, map[uint64]bool{}
	w.sender.Disconnected()
}

func (w *world) connect() {
	w.session++
	w.connected, w.waiting = true, w.now
	w.sender.Connected(w.session)
}

func (w *world) ack(i int, forget bool) {
	id := w.acks[i]
	if forget {
		w.acks = slices.Delete(w.acks, i, i+1)
		w.stale = append(w.stale, id) // it may come again
	}
	delete(w.open, id)
	w.sender.Acked(id, w.now)
}

// echo lets the broker deliver the next batch to the station itself.
func (w *world) echo() {
	w.sender.Arrived(w.sender.topics.Journal, w.echoes[0], false, w.now)
	w.echoes = w.echoes[1:]
}

// backRead gives the sender the retained state and the fence.
func (w *world) backRead() {
	readBack(w.sender, w.retained)
	w.readBack = true
}

func (w *world) endSave(ok bool) {
	if ok {
		w.file = *w.save
		note, err := w.signer.Checkpoint(w.save.Size, [32]byte{7})
		if err != nil {
			panic(err)
		}
		w.file.Checkpoint = string(note)
		w.sender.Saved(w.file)
	} else {
		w.sender.SaveFailed(w.now)
	}
	w.save = nil
}

// flow is a while in which all goes well, if slowly.
func (w *world) flow(t *rapid.T) {
	for range rapid.IntRange(1, 8).Draw(t, "instants") {
		if w.tick(t); w.save != nil {
			w.endSave(true)
		}
		for range rapid.IntRange(0, len(w.wire)).Draw(t, "arrive") {
			w.arrive(t)
		}
		for range rapid.IntRange(0, len(w.acks)).Draw(t, "ack") {
			w.ack(0, true)
		}
		for range rapid.IntRange(0, len(w.echoes)).Draw(t, "echo") {
			w.echo()
		}
		w.now += int64(worldLimits.Grid)
	}
}

func (w *world) actions() map[string]func(*rapid.T) {
	need := func(t *rapid.T, ok bool) {
		if !ok {
			t.Skip()
		}
	}
	return map[string]func(*rapid.T){
		"append": func(t *rapid.T) {
			for range rapid.IntRange(1, 30).Draw(t, "records") {
				pad := rapid.IntRange(0, 50).Draw(t, "pad")
				w.log = append(w.log, fmt.Appendf(nil, `{"seq":%d}%s`, len(w.log), bytes.Repeat([]byte{'x'}, pad)))
			}
		},
		"sync": func(t *rapid.T) {
			w.durable = rapid.Int64Range(w.durable, int64(len(w.log))).Draw(t, "durable")
			w.sender.Durable(w.durable)
		},
		"wait": func(t *rapid.T) { w.now += rapid.Int64Range(0, 30).Draw(t, "wait") },
		"wait as told": func(t *rapid.T) {
			at, wanted := w.sender.Next()
			need(t, wanted)
			w.now = max(w.now, at)
		},
		"connect":    func(t *rapid.T) { need(t, !w.connected); w.connect() },
		"flow":       func(t *rapid.T) { need(t, w.readBack); w.flow(t) },
		"disconnect": func(t *rapid.T) { need(t, w.connected); w.disconnect() },
		"read back": func(t *rapid.T) {
			need(t, w.connected)
			w.backRead()
		},
		"arrive": func(t *rapid.T) { need(t, len(w.wire) > 0); w.arrive(t) },
		"ack": func(t *rapid.T) {
			need(t, len(w.acks) > 0)
			w.ack(rapid.IntRange(0, len(w.acks)-1).Draw(t, "which"), rapid.Bool().Draw(t, "last time"))
		},
		"lose ack": func(t *rapid.T) { need(t, len(w.acks) > 0); w.acks = w.acks[1:] },
		"late ack": func(t *rapid.T) {
			need(t, len(w.stale) > 0)
			w.sender.Acked(rapid.SampledFrom(w.stale).Draw(t, "id"), w.now)
		},
		"echo":        func(t *rapid.T) { need(t, len(w.echoes) > 0); w.echo() },
		"deafen":      func(t *rapid.T) { w.deaf = !w.deaf },
		"saved":       func(t *rapid.T) { need(t, w.save != nil); w.endSave(true) },
		"save failed": func(t *rapid.T) { need(t, w.save != nil); w.endSave(false) },
		"crash": func(t *rapid.T) {
			if w.save != nil && rapid.Bool().Draw(t, "saved in time") {
				w.endSave(true)
			}
			w.disconnect()
			w.stale = nil // a new process hears no old acknowledgement
			w.start(t)
		},
		"break journal": func(t *rapid.T) { w.broken = !w.broken },
		"state": func(t *rapid.T) {
			if err := w.sender.State(fmt.Appendf(nil, "%d", rapid.Int().Draw(t, "state"))); err != nil {
				t.Fatal(err)
			}
		},
		"": func(t *rapid.T) {
			w.tick(t)
			if w.sender.Cursor() > w.whole {
				t.Fatalf("cursor %d, but the subscriber has %d records", w.sender.Cursor(), w.whole)
			}
		},
	}
}

// settle lets everything that is under way arrive, on a network that loses nothing, until the sender wants nothing.
func (w *world) settle(t *rapid.T) {
	w.broken, w.deaf = false, false
	if w.connected {
		w.disconnect()
	}
	w.durable = int64(len(w.log))
	w.sender.Durable(w.durable)
	w.connect()
	w.backRead()
	for range 20*len(w.log) + 100 {
		w.tick(t)
		if w.save != nil {
			w.endSave(true)
			continue
		}
		if w.doubt != nil {
			continue // the next tick answers
		}
		heard := len(w.wire) + len(w.acks) + len(w.echoes)
		for len(w.wire) > 0 {
			w.arrive(t)
		}
		for len(w.acks) > 0 {
			w.ack(len(w.acks)-1, true)
		}
		for len(w.echoes) > 0 {
			w.echo()
		}
		if heard > 0 {
			continue // a Tick follows each input
		}
		at, wanted := w.sender.Next()
		if !wanted {
			return
		}
		w.now = max(w.now, at)
	}
	t.Fatal("the sender never comes to rest")
}

// Whatever the network, the disk and the process do: the subscriber gets no record before an earlier one, but for what the
// broker threw away and is sent again; the cursor never passes what it has; nothing is sent beyond what is durable, in the
// departed file and in the state; the window holds; and in the end all has come, and the cursor says so.
func TestSenderDeliversWhole(t *testing.T) {
	key := signer(t, 1, worldEpoch)
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t, key)
		for range 5 { // rapid's own run is too short to fill a window
			t.Repeat(w.actions())
		}
		w.settle(t)
		if w.whole != int64(len(w.log)) {
			t.Fatalf("%d of %d records came", w.whole, len(w.log))
		}
		if w.sender.Cursor() != w.durable || w.cursor != w.durable {
			t.Fatalf("cursor %d, remembered %d, want %d", w.sender.Cursor(), w.cursor, w.durable)
		}
		if w.retained.Epoch != worldEpoch || w.retained.Size != w.durable {
			t.Fatalf("retained state names %v, want all %d records", w.retained, w.durable)
		}
		if want := fmt.Sprintf(`{"online":true,"session":"%d"}`, w.session); w.status[len(w.status)-1] != want {
			t.Fatalf("status %s, want %s", w.status[len(w.status)-1], want)
		}
	})
}
