package uplink

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

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
	topics, err := wire.NewTopics("site", "station")
	if err != nil {
		t.Fatal(err)
	}
	return Options{Topics: topics, Lines: logOf(size), Epoch: "e1", Size: int64(size), Limits: Limits{Grid: 100, Burst: 2, BatchLines: 4}}
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

// The order at a connect: nothing before the read-back; then status, info, the save; then the state that names what
// may leave; only then lines, a burst at each instant of the grid, and what is live before them.
func TestConnectOrder(t *testing.T) {
	s := newSender(t, testOptions(t, 20))
	if err := errors.Join(s.Info([]byte(`{"v":1}`)), s.State([]byte(`"idle"`))); err != nil {
		t.Fatal(err)
	}
	s.Connected(7)
	if out := s.Tick(100); len(out.Publish) > 0 || out.Save != nil {
		t.Fatalf("before the read-back: %s, save %v", heard(out), out.Save)
	}
	s.RetainedState(wire.Departed{})
	if out := s.Tick(130); len(out.Publish) > 0 {
		t.Fatalf("off the grid: %s", heard(out))
	}
	if at, wanted := s.Next(); !wanted || at != 200 {
		t.Fatalf("next at %d %v, want 200", at, wanted)
	}
	out := s.Tick(200)
	if heard(out) != "status info" || out.Save == nil || *out.Save != (wire.Departed{Epoch: "e1", Size: 20}) {
		t.Fatalf("at first: %s, save %v", heard(out), out.Save)
	}
	if got := string(out.Publish[0].Payload); got != `{"online":true,"session":"7"}` {
		t.Errorf("birth %s", got)
	}
	s.Saved(*out.Save)
	out = s.Tick(200)
	if heard(out) != "state journal journal" {
		t.Fatalf("after the save: %s", heard(out))
	}
	if got := string(out.Publish[0].Payload); got != `{"epoch":"e1","size":"20","state":"idle"}` {
		t.Errorf("state %s", got)
	}
	if got, want := string(out.Publish[1].Payload), "{\"seq\":\"0\"}\n{\"seq\":\"1\"}\n{\"seq\":\"2\"}\n{\"seq\":\"3\"}\n"; got != want {
		t.Errorf("batch %q, want %q", got, want)
	}
	for i, p := range out.Publish {
		if retain := i == 0; p.QoS != 1 || p.Retain != retain {
			t.Errorf("%s: quality %d, retained %v", p.Topic, p.QoS, p.Retain)
		}
		s.Acked(p.ID)
	}
	if s.Cursor() != 8 {
		t.Errorf("cursor %d, want 8", s.Cursor())
	}
	if err := s.State([]byte(`"busy"`)); err != nil {
		t.Fatal(err)
	}
	if out = s.Tick(200); heard(out) != "state" {
		t.Errorf("live, at the instant of a full burst: %s", heard(out))
	}
	if out = s.Tick(300); heard(out) != "journal journal" {
		t.Errorf("at the next instant: %s", heard(out))
	}
}

// What did not change is not sent again, and a station at rest neither sends nor saves.
func TestQuietAtRest(t *testing.T) {
	o := testOptions(t, 3)
	o.Acknowledged, o.Departed = 3, wire.Departed{Epoch: "e1", Size: 3}
	s := newSender(t, o)
	settle := func(now int64) Output {
		s.Connected(now)
		s.RetainedState(wire.Departed{Epoch: "e1", Size: 3})
		out := s.Tick(now)
		for _, p := range out.Publish {
			s.Acked(p.ID)
		}
		return out
	}
	if out := settle(100); heard(out) != "status state" || out.Save != nil {
		t.Fatalf("at the connect: %s, save %v", heard(out), out.Save)
	}
	if err := s.State([]byte(`1`)); err != nil {
		t.Fatal(err)
	}
	out := s.Tick(200)
	s.Acked(out.Publish[0].ID)
	for range 3 {
		if err := s.State([]byte(`1`)); err != nil {
			t.Fatal(err)
		}
		s.Durable(2)
	}
	if at, wanted := s.Next(); wanted {
		t.Errorf("at rest, but a tick is wanted at %d", at)
	}
	if out := s.Tick(900); heard(out) != "" || out.Save != nil || out.Cursor != 0 {
		t.Errorf("at rest, but %s, save %v, cursor %d", heard(out), out.Save, out.Cursor)
	}
}

// Only the newest state waits for the answer to the one under way.
func TestNewestStateOnly(t *testing.T) {
	s := newSender(t, testOptions(t, 0))
	s.Connected(1)
	s.RetainedState(wire.Departed{})
	out := s.Tick(100)
	for i := range 5 {
		if err := s.State(fmt.Appendf(nil, "%d", i)); err != nil {
			t.Fatal(err)
		}
	}
	if more := s.Tick(200); len(more.Publish) > 0 {
		t.Fatalf("a second state while one is under way: %s", heard(more))
	}
	s.Acked(out.Publish[1].ID)
	if out = s.Tick(300); heard(out) != "state" || !strings.HasSuffix(string(out.Publish[0].Payload), `"state":4}`) {
		t.Errorf("got %s", heard(out))
	}
}

// A journal behind what has departed sends nothing at all until a new epoch begins.
func TestBehind(t *testing.T) {
	cases := map[string]struct {
		change   func(*Options)
		retained wire.Departed
		more     func(*Sender)
		want     wire.Departed
	}{
		"retained state of this epoch":       {retained: wire.Departed{Epoch: "e1", Size: 6}, want: wire.Departed{Epoch: "e1", Size: 6}},
		"retained state of an unknown epoch": {retained: wire.Departed{Epoch: "e9", Size: 1}, want: wire.Departed{Epoch: "e9", Size: 1}},
		"departed file":                      {change: func(o *Options) { o.Departed = wire.Departed{Epoch: "e1", Size: 9} }, want: wire.Departed{Epoch: "e1", Size: 9}},
		"departed file, other epoch":         {change: func(o *Options) { o.Departed = wire.Departed{Epoch: "e9", Size: 0} }, want: wire.Departed{Epoch: "e9", Size: 0}},
		"cursor beyond the journal":          {change: func(o *Options) { o.Acknowledged = 8 }, want: wire.Departed{Epoch: "e1", Size: 8}},
		"acknowledged beyond":                {more: func(s *Sender) { s.Acknowledged(7) }, want: wire.Departed{Epoch: "e1", Size: 7}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			o := testOptions(t, 5)
			o.Past = []string{"e0"}
			if c.change != nil {
				c.change(&o)
			}
			s := newSender(t, o)
			s.Connected(1)
			s.RetainedState(c.retained)
			if c.more != nil {
				c.more(s)
			}
			out := s.Tick(100)
			if out.Behind == nil || *out.Behind != c.want || len(out.Publish) > 0 || out.Save != nil {
				t.Fatalf("behind %v, published %q, save %v; want behind %v and nothing sent", out.Behind, heard(out), out.Save, c.want)
			}
			if out = s.Tick(200); out.Behind != nil || len(out.Publish) > 0 {
				t.Fatalf("said again, or sent: %v %q", out.Behind, heard(out))
			}
			s.Begin("e2", 2, []string{"e0", "e1", c.want.Epoch})
			out = s.Tick(300)
			if heard(out) != "status" || out.Save == nil || *out.Save != (wire.Departed{Epoch: "e2", Size: 2}) || out.Behind != nil {
				t.Fatalf("in the new epoch: %q, save %v, behind %v", heard(out), out.Save, out.Behind)
			}
			s.Saved(*out.Save)
			if out = s.Tick(300); heard(out) != "state journal" {
				t.Errorf("in the new epoch, then: %q", heard(out))
			}
		})
	}
}

func TestNotBehind(t *testing.T) {
	cases := map[string]wire.Departed{
		"nothing retained": {},
		"as far as we are": {Epoch: "e1", Size: 5},
		"less":             {Epoch: "e1", Size: 4},
		"of a past epoch":  {Epoch: "e0", Size: 99},
	}
	for name, retained := range cases {
		t.Run(name, func(t *testing.T) {
			o := testOptions(t, 5)
			o.Past = []string{"e0"}
			s := newSender(t, o)
			s.Connected(1)
			s.RetainedState(retained)
			if out := s.Tick(100); out.Behind != nil || heard(out) != "status" {
				t.Errorf("behind %v, published %q", out.Behind, heard(out))
			}
		})
	}
}

// An acknowledgement of the old epoch's batch must not move the new epoch's cursor: the connection is given up.
func TestBeginGivesUpConnection(t *testing.T) {
	o := testOptions(t, 5)
	o.Departed = wire.Departed{Epoch: "e1", Size: 5}
	s := newSender(t, o)
	s.Connected(1)
	s.RetainedState(wire.Departed{})
	old := s.Tick(100).Publish
	s.Begin("e2", 5, []string{"e1"})
	for _, p := range old {
		s.Acked(p.ID)
	}
	if out := s.Tick(200); out.Drop == "" || len(out.Publish) > 0 || s.Cursor() != 0 {
		t.Errorf("drop %q, published %q, cursor %d", out.Drop, heard(out), s.Cursor())
	}
	if out := s.Tick(300); out.Drop != "" || len(out.Publish) > 0 {
		t.Errorf("said again, or sent: %q %q", out.Drop, heard(out))
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
	s.RetainedState(wire.Departed{})
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
			s.RetainedState(wire.Departed{})
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
	s.RetainedState(wire.Departed{})
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
	s.RetainedState(wire.Departed{})
	s.Tick(100)
	s.SaveFailed(100)
	for _, p := range s.Tick(200).Publish {
		s.Acked(p.ID)
	}
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
	s.RetainedState(wire.Departed{})
	var counts []int
	for _, p := range s.Tick(1).Publish {
		if p.Topic == o.Topics.Journal {
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
		"no topics":      {func(o *Options) { o.Topics = wire.Topics{} }, "no topics"},
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
