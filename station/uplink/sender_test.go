package uplink

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"scentpost/station/record"
	"scentpost/station/uplink/wire"
)

// logOf returns a reader of n records of one digit-padded line each.
func logOf(n int) Lines {
	log := make([][]byte, n)
	for i := range log {
		log[i] = fmt.Appendf(nil, `{"seq":"%d"}`, i)
	}
	return func(from int64, most, mostBytes int) ([][]byte, error) {
		var lines [][]byte
		for _, line := range log[min(from, int64(n)):] {
			if mostBytes -= len(line); len(lines) == most || (mostBytes < 0 && len(lines) > 0) {
				break
			}
			lines = append(lines, line)
		}
		return lines, nil
	}
}

// testOptions are options for a journal "e1" of size records.
func testOptions(t testing.TB, size int) Options {
	t.Helper()
	return Options{Site: "site", Station: "station", Key: signer(t, 1, "e1").Verifier(), Lines: logOf(size), Epoch: "e1", Size: int64(size), Limits: Limits{Grid: 100, Burst: 2, BatchLines: 4}}
}

// signer signs checkpoints of an epoch; key 1 is this station's.
func signer(t testing.TB, key byte, epoch string) *record.Signer {
	t.Helper()
	private, _, err := record.NewKey(bytes.NewReader(bytes.Repeat([]byte{key}, 32)), "station")
	if err != nil {
		t.Fatal(err)
	}
	s, err := record.NewSigner(record.Log{Site: "site", Station: "station", Epoch: epoch}, private)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// signed is what has departed of an epoch, with a checkpoint by a key.
func signed(t testing.TB, key byte, epoch string, size int64) wire.Departed {
	t.Helper()
	note, err := signer(t, key, epoch).Checkpoint(size, [32]byte{7})
	if err != nil {
		t.Fatal(err)
	}
	return wire.Departed{Epoch: epoch, Size: size, Checkpoint: string(note)}
}

// retainedBefore lets the broker give a retained state, "" for none, and then the fence.
func retainedBefore(s *Sender, state string) {
	if state != "" {
		s.Arrived(s.topics.State, []byte(state), true, 0)
	}
	fence := s.Fence()
	s.Arrived(fence.Topic, fence.Payload, false, 0)
}

// readBack is retainedBefore with a state of which so much has departed; zero for none.
func readBack(s *Sender, departed wire.Departed) {
	if departed.Epoch == "" {
		retainedBefore(s, "")
		return
	}
	retainedBefore(s, string(wire.State{Departed: departed}.Append(nil)))
}

// answer lets a good broker acknowledge what was published at now, and deliver it.
func answer(s *Sender, published []Publish, now int64) {
	for _, p := range slices.Clone(published) {
		s.Acked(p.ID, now)
		s.Arrived(p.Topic, p.Payload, false, now)
	}
}

func newSender(t testing.TB, o Options) *Sender {
	t.Helper()
	s, err := NewSender(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// heard names what a tick published, by the last word of the topic.
func heard(out Output) string {
	var names []string
	for _, p := range out.Publish {
		names = append(names, p.Topic[strings.LastIndex(p.Topic, "/")+1:])
	}
	return strings.Join(names, " ")
}

// The order at a connect: nothing before the read-back but the save; then status and info; then the state that names what
// may leave; only then lines, all that the window takes, since none was made just now.
func TestConnectOrder(t *testing.T) {
	o := testOptions(t, 60)
	o.Window = 12 // 3 for what is retained
	s := newSender(t, o)
	if err := errors.Join(s.Info([]byte(`{"v":1}`)), s.State([]byte(`"idle"`))); err != nil {
		t.Fatal(err)
	}
	s.Connected(7)
	if out := s.Tick(100); len(out.Publish) > 0 || out.Save != nil {
		t.Fatalf("before the read-back: %s, save %v", heard(out), out.Save)
	}
	readBack(s, wire.Departed{})
	out := s.Tick(130)
	if len(out.Publish) > 0 || out.Save == nil || *out.Save != (wire.Departed{Epoch: "e1", Size: 60}) {
		t.Fatalf("off the grid: %s, save %v", heard(out), out.Save)
	}
	if at, wanted := s.Next(); !wanted || at != 200 {
		t.Fatalf("next at %d %v, want 200", at, wanted)
	}
	if out := s.Tick(200); heard(out) != "status info" {
		t.Fatalf("at first: %s", heard(out))
	} else if got := string(out.Publish[0].Payload); got != `{"online":true,"session":"7"}` {
		t.Errorf("birth %s", got)
	}
	saved := signed(t, 1, "e1", 60)
	s.Saved(saved)
	if out := s.Tick(210); heard(out) != "" {
		t.Fatalf("off the grid, after the save: %s", heard(out))
	}
	out = s.Tick(300)
	if heard(out) != "state"+strings.Repeat(" journal", 9) {
		t.Fatalf("after the save: %s", heard(out))
	}
	if got := string(out.Publish[0].Payload); got != string(wire.State{Departed: saved, State: []byte(`"idle"`)}.Append(nil)) {
		t.Errorf("state %s", got)
	}
	if got, want := string(out.Publish[1].Payload), "{\"seq\":\"0\"}\n{\"seq\":\"1\"}\n{\"seq\":\"2\"}\n{\"seq\":\"3\"}\n"; got != want {
		t.Errorf("batch %q, want %q", got, want)
	}
	for i, p := range out.Publish {
		if retain := i == 0; p.QoS != 1 || p.Retain != retain {
			t.Errorf("%s: quality %d, retained %v", p.Topic, p.QoS, p.Retain)
		}
	}
	answer(s, out.Publish[:3], 310)
	if s.Cursor() != 8 {
		t.Errorf("cursor %d, want 8", s.Cursor())
	}
	if out = s.Tick(310); heard(out) != "journal journal" {
		t.Errorf("a backlog waits for the grid: %s", heard(out))
	}
}

// While records are made, what leaves keeps to the grid and to the burst.
func TestLiveKeepsToTheGrid(t *testing.T) {
	o := testOptions(t, 40)
	o.Size, o.LiveFor = 0, 1000
	s := newSender(t, o)
	s.Connected(1)
	readBack(s, wire.Departed{})
	answer(s, s.Tick(100).Publish, 100)
	s.Durable(40)
	s.Tick(110)
	s.Saved(signed(t, 1, "e1", 40))
	for now, want := range map[int64]string{110: "", 199: ""} {
		if out := s.Tick(now); heard(out) != want {
			t.Errorf("at %d: %s", now, heard(out))
		}
	}
	for _, now := range []int64{200, 300, 400, 500} {
		out := s.Tick(now)
		if got := strings.Count(heard(out), "journal"); got != 2 {
			t.Errorf("at %d: %s", now, heard(out))
		}
		answer(s, out.Publish, now+1)
		if out := s.Tick(now + 1); heard(out) != "" {
			t.Errorf("off the grid at %d: %s", now+1, heard(out))
		}
	}
	if out := s.Tick(1110); strings.Count(heard(out), "journal") != 2 {
		t.Errorf("when nothing is live any more, off the grid: %s", heard(out))
	}
}

// A record leaves while others are made all the time, whatever a save takes. (The next save was once begun before the one
// that had ended was stated, so that nothing left before the last record.)
func TestRecordsLeaveWhileOthersAreMade(t *testing.T) {
	o := testOptions(t, 100)
	o.Size = 0
	s := newSender(t, o)
	s.Connected(1)
	readBack(s, wire.Departed{})
	var save *wire.Departed
	saved := int64(0)
	for now := int64(0); now < 10_000; now += 10 {
		if now%100 == 90 {
			s.Durable(now/100 + 1)
		}
		if save != nil && now >= saved {
			s.Saved(signed(t, 1, "e1", save.Size))
			save = nil
		}
		out := s.Tick(now)
		if out.Save != nil {
			save, saved = out.Save, now+10
		}
		answer(s, out.Publish, now)
		if behind := now/100 + 1 - s.Cursor(); behind > 3 {
			t.Fatalf("at %d: %d records wait", now, behind)
		}
	}
}

// What did not change is not sent again, and a station at rest neither sends nor saves.
func TestQuietAtRest(t *testing.T) {
	o := testOptions(t, 3)
	o.Acknowledged, o.Departed = 3, signed(t, 1, "e1", 3)
	s := newSender(t, o)
	s.Connected(1)
	readBack(s, o.Departed)
	out := s.Tick(100)
	if heard(out) != "status state" || out.Save != nil {
		t.Fatalf("at the connect: %s, save %v", heard(out), out.Save)
	}
	answer(s, out.Publish, 100)
	if err := s.State([]byte(`1`)); err != nil {
		t.Fatal(err)
	}
	answer(s, s.Tick(200).Publish, 200)
	for range 3 {
		if err := s.State([]byte(`1`)); err != nil {
			t.Fatal(err)
		}
		s.Durable(2)
	}
	if at, wanted := s.Next(); wanted {
		t.Errorf("at rest, but a tick is wanted at %d", at)
	}
	if out := s.Tick(900); heard(out) != "" || out.Save != nil || out.Cursor != 0 || len(s.Troubles()) > 0 {
		t.Errorf("at rest, but %s, save %v, cursor %d, troubles %v", heard(out), out.Save, out.Cursor, s.Troubles())
	}
}

// Only the newest state waits for the answer to the one under way.
func TestNewestStateOnly(t *testing.T) {
	s := newSender(t, testOptions(t, 0))
	s.Connected(1)
	readBack(s, wire.Departed{})
	out := s.Tick(100)
	for i := range 5 {
		if err := s.State(fmt.Appendf(nil, "%d", i)); err != nil {
			t.Fatal(err)
		}
	}
	if more := s.Tick(200); len(more.Publish) > 0 {
		t.Fatalf("a second state while one is under way: %s", heard(more))
	}
	s.Acked(out.Publish[1].ID, 200)
	if out = s.Tick(300); heard(out) != "state" || !strings.HasSuffix(string(out.Publish[0].Payload), `"state":4}`) {
		t.Errorf("got %s", heard(out))
	}
}

// A broker that takes messages and never answers, or never gives the retained state back, loses the connection.
func TestSilentBroker(t *testing.T) {
	o := testOptions(t, 0)
	o.AckWithin = 1000
	s := newSender(t, o)
	s.Connected(1)
	s.Tick(100)
	if at, _ := s.Next(); at != 1100 {
		t.Errorf("next at %d, want 1100", at)
	}
	if out := s.Tick(1100); !strings.Contains(out.Drop, "site/station/fence") {
		t.Errorf("drop %q, want the topics that the broker has to allow", out.Drop)
	}
	s.Connected(2)
	readBack(s, wire.Departed{})
	s.Tick(1200)
	if out := s.Tick(2199); out.Drop != "" {
		t.Errorf("too early: %q", out.Drop)
	}
	if out := s.Tick(2200); !strings.Contains(out.Drop, "acknowledged nothing") {
		t.Errorf("drop %q", out.Drop)
	}
}

// What cannot stand in a batch, and a journal that fails or gives too little, is told and tried again, never skipped.
func TestJournalTrouble(t *testing.T) {
	cases := map[string]struct {
		lines [][]byte
		err   error
		want  string
	}{
		"cannot be read": {err: errors.New("disk gone"), want: "record 0: disk gone"},
		"no line":        {want: "gave 0 lines"},
		"too many lines": {lines: [][]byte{{'a'}, {'b'}, {'c'}}, want: "gave 3 lines"},
		"newline inside": {lines: [][]byte{{'a'}, []byte("b\n")}, want: "from 0 on: line 1"},
		"empty line":     {lines: [][]byte{{}}, want: "from 0 on: line 0"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			o := testOptions(t, 2)
			o.Departed, o.Retry = wire.Departed{Epoch: "e1", Size: 2}, 500
			good, reads := o.Lines, 0
			o.Lines = func(from int64, most, mostBytes int) ([][]byte, error) {
				if reads++; reads == 1 {
					return c.lines, c.err
				}
				return good(from, most, mostBytes)
			}
			s := newSender(t, o)
			s.Connected(1)
			readBack(s, wire.Departed{})
			if out := s.Tick(100); out.Problem == nil || !strings.Contains(out.Problem.Error(), c.want) || heard(out) != "status state" {
				t.Fatalf("problem %v, published %q", out.Problem, heard(out))
			}
			if at, _ := s.Next(); at != 600 {
				t.Errorf("next at %d, want 600", at)
			}
			if out := s.Tick(600); heard(out) != "journal" {
				t.Errorf("when it is well again: %q", heard(out))
			}
		})
	}
}

// While the departed file cannot be written, no line leaves, but state and status do.
func TestSaveFails(t *testing.T) {
	o := testOptions(t, 2)
	o.Retry = 500
	s := newSender(t, o)
	s.Connected(1)
	readBack(s, wire.Departed{})
	if out := s.Tick(100); out.Save == nil {
		t.Fatal("no save")
	}
	s.SaveFailed(100)
	if out := s.Tick(200); heard(out) != "state" || out.Save != nil {
		t.Errorf("published %q, save %v", heard(out), out.Save)
	}
	if out := s.Tick(600); len(out.Publish) > 0 || out.Save == nil {
		t.Errorf("published %q, save %v", heard(out), out.Save)
	}
}

// A pause after a failure holds up nothing but what failed. (It once held up the state.)
func TestPauseHoldsUpNothingElse(t *testing.T) {
	o := testOptions(t, 2)
	o.Retry = 5000
	s := newSender(t, o)
	s.Connected(1)
	readBack(s, wire.Departed{})
	s.Tick(100)
	s.SaveFailed(100)
	answer(s, s.Tick(200).Publish, 200)
	s.Tick(210)
	if err := s.State([]byte(`1`)); err != nil {
		t.Fatal(err)
	}
	s.Tick(220)
	if out := s.Tick(300); heard(out) != "state" {
		t.Errorf("published %q, want the state", heard(out))
	}
}

// The cut depends on the lines alone: count, bytes, and an overlong line goes by itself.
func TestBatchCut(t *testing.T) {
	o := testOptions(t, 0)
	sizes := []int{10, 10, 10, 500, 10, 10, 10, 10, 10}
	log := make([][]byte, len(sizes))
	for i, n := range sizes {
		log[i] = []byte(strings.Repeat("x", n))
	}
	o.Lines = func(from int64, most, mostBytes int) ([][]byte, error) {
		lines := [][]byte{log[from]}
		for _, line := range log[from+1:] {
			if mostBytes -= len(lines[len(lines)-1]); len(lines) == most || len(line) > mostBytes {
				break
			}
			lines = append(lines, line)
		}
		return lines, nil
	}
	o.Size, o.Departed, o.Limits = 9, wire.Departed{Epoch: "e1", Size: 9}, Limits{Grid: 1, BatchLines: 4, BatchBytes: 100}
	s := newSender(t, o)
	s.Connected(1)
	readBack(s, wire.Departed{})
	var counts []int
	for _, p := range s.Tick(1).Publish {
		if p.Topic == s.topics.Journal {
			counts = append(counts, strings.Count(string(p.Payload), "\n"))
		}
	}
	if fmt.Sprint(counts) != "[3 1 4 1]" {
		t.Errorf("batches of %v lines, want [3 1 4 1]", counts)
	}
}

func TestNewSenderRefuses(t *testing.T) {
	cases := map[string]struct {
		change func(*Options)
		want   string
	}{
		"no topics":      {func(o *Options) { o.Station = "a/b" }, "station \"a/b\" cannot stand"},
		"no key":         {func(o *Options) { o.Key = "" }, "no key"},
		"no reader":      {func(o *Options) { o.Lines = nil }, "no reader"},
		"no epoch":       {func(o *Options) { o.Epoch = "" }, "no epoch"},
		"negative size":  {func(o *Options) { o.Size = -1 }, "negative size -1"},
		"small window":   {func(o *Options) { o.Window = 3 }, "window is 3, want at least 4"},
		"negative burst": {func(o *Options) { o.Burst = -1 }, "burst is -1"},
		"negative grid":  {func(o *Options) { o.Grid = -time.Second }, "grid is -1s"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			o := testOptions(t, 1)
			c.change(&o)
			if _, err := NewSender(o); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
	s := newSender(t, testOptions(t, 1))
	if err := s.State([]byte(`{"a":`)); err == nil || !strings.Contains(err.Error(), "not JSON") {
		t.Errorf("half a state: %v", err)
	}
}
