package uplink

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"scentpost/station/event"
	"scentpost/station/health"
	"scentpost/station/record"
	"scentpost/station/uplink/wire"
)

// says returns the evidence of a trouble, "" when it is not there.
func says(s *Sender, code health.Code) string {
	for _, t := range s.Troubles() {
		if t.Code == code {
			return t.Evidence
		}
	}
	return ""
}

// stateOf is the message of a retained state.
func stateOf(d wire.Departed) string { return string(wire.State{Departed: d}.Append(nil)) }

// A journal behind what has departed sends nothing at all. From outside that counts only with a checkpoint of this
// station's key; at any time of the connection.
func TestBehind(t *testing.T) {
	cases := map[string]struct {
		change func(*Options)
		state  string
		want   wire.Departed
	}{
		"more of this epoch":           {state: stateOf(signed(t, 1, "e1", 6)), want: signed(t, 1, "e1", 6)},
		"an unknown epoch":             {state: stateOf(signed(t, 1, "e9", 1)), want: signed(t, 1, "e9", 1)},
		"more, after an unknown epoch": {change: func(o *Options) { o.Met = true }, state: stateOf(signed(t, 1, "e1", 6)), want: signed(t, 1, "e1", 6)},
		"departed file":                {change: func(o *Options) { o.Departed = signed(t, 1, "e1", 9) }, want: signed(t, 1, "e1", 9)},
		"departed file, other epoch":   {change: func(o *Options) { o.Departed = wire.Departed{Epoch: "e9"} }, want: wire.Departed{Epoch: "e9"}},
		"cursor beyond the journal":    {change: func(o *Options) { o.Acknowledged = 8 }, want: wire.Departed{Epoch: "e1", Size: 8}},
	}
	for name, c := range cases {
		for _, live := range []bool{false, true} {
			t.Run(fmt.Sprint(name, " live ", live), func(t *testing.T) {
				o := testOptions(t, 5)
				o.Past = []string{"e0"}
				if c.change != nil {
					c.change(&o)
				}
				s := newSender(t, o)
				s.Connected(1)
				if live {
					retainedBefore(s, "")
					s.Arrived(s.topics.State, []byte(c.state), false, 0)
				} else {
					retainedBefore(s, c.state)
				}
				out := s.Tick(100)
				if out.Behind == nil || *out.Behind != c.want || len(out.Publish) > 0 || out.Save != nil {
					t.Fatalf("behind %v, published %q, save %v; want behind %v and nothing sent", out.Behind, heard(out), out.Save, c.want)
				}
				if out = s.Tick(200); out.Behind != nil || len(out.Publish) > 0 {
					t.Fatalf("said again, or sent: %v %q", out.Behind, heard(out))
				}
			})
		}
	}
}

// What proves nothing ends no epoch and holds nothing up; whoever else speaks is named until it has been silent for long.
func TestRivals(t *testing.T) {
	broken := signed(t, 1, "e9", 5)
	broken.Size = 6 // the checkpoint is of another size
	elsewhere := signed(t, 1, "e9", 5)
	elsewhere.Epoch = "e8" // the checkpoint is of another epoch
	foreign := wire.Info{Version: "2", Schema: wire.Schema, Key: "other+1+A", Epoch: "e9"}
	cases := map[string]struct {
		topic   string
		payload string
		live    bool
		want    string // in the evidence, "" for no rival
	}{
		"as far as we are":              {"state", stateOf(signed(t, 1, "e1", 5)), false, ""},
		"less":                          {"state", stateOf(signed(t, 1, "e1", 4)), false, ""},
		"less, alive":                   {"state", stateOf(signed(t, 1, "e1", 4)), true, ""},
		"less, no sign":                 {"state", stateOf(wire.Departed{Epoch: "e1", Size: 2, Checkpoint: "none"}), true, "epoch e1 without"},
		"a past epoch, retained":        {"state", stateOf(wire.Departed{Epoch: "e0", Size: 99}), false, ""},
		"a past epoch, alive":           {"state", stateOf(signed(t, 1, "e0", 99)), true, "a copy of this station, with its key, still reports epoch e0"},
		"an unknown epoch, no sign":     {"state", stateOf(wire.Departed{Epoch: "78f3aa0b11c2d4e5", Size: 812}), false, "epoch 78f3aa0b11c2d4e5 without a checkpoint of this station's key"},
		"an unknown epoch, no sign (2)": {"state", stateOf(wire.Departed{Epoch: "78f3aa0b11c2d4e5", Size: 812}), true, "epoch 78f3aa0b11c2d4e5 without"},
		"another key":                   {"state", stateOf(signed(t, 2, "e9", 5)), false, "epoch e9 without"},
		"more of ours, another key":     {"state", stateOf(signed(t, 2, "e1", 50)), true, "epoch e1 without"},
		"a checkpoint of another size":  {"state", stateOf(broken), false, "epoch e9 without"},
		"one of another epoch":          {"state", stateOf(elsewhere), false, "epoch e8 without"},
		"junk":                          {"state", "junk", false, "what no station of this version writes"},
		"too long a message":            {"state", strings.Repeat(" ", wire.MaxMessage+1), true, "at most 1048576"},
		"a foreign info":                {"info", string(foreign.Write()), false, "its key is other+1+A, its program 2"},
		"our own info of before":        {"info", string(wire.Info{Version: "1", Schema: wire.Schema, Key: signer(t, 1, "e").Verifier(), Epoch: "e0"}.Write()), false, ""},
		"no batch":                      {"journal", "x", true, "no batch"},
		"no records":                    {"journal", "x\n", true, "no record"},
		"records of another epoch":      {"journal", line(t, "e9", 0, "1") + "\n", true, "records of epoch e9"},
		"records of an ended epoch":     {"journal", line(t, "e0", 0, "1") + "\n", true, ""},
		"another record of this epoch":  {"journal", line(t, "e1", 0, "1") + "\n", true, "another record 0 of this epoch"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			o := testOptions(t, 5)
			o.Past, o.RivalFor, o.Departed = []string{"e0"}, 2000, signed(t, 1, "e1", 5)
			s := newSender(t, o)
			topic := "scentpost/v1/site/station/" + c.topic
			s.Connected(1)
			if c.live {
				retainedBefore(s, "")
			}
			s.Arrived(topic, []byte(c.payload), !c.live, 0)
			retainedBefore(s, "")
			out := s.Tick(100)
			if out.Compare != nil { // it is ours, and so is the journal
				s.Compared(*out.Compare, true)
				out = s.Tick(100)
			}
			if out.Behind != nil || !strings.HasPrefix(heard(out), "status state journal") || s.Copy() != nil {
				t.Errorf("behind %v, published %q", out.Behind, heard(out))
			}
			if got := says(s, health.Rival); !strings.Contains(got, c.want) || (got == "") != (c.want == "") {
				t.Fatalf("evidence %q, want %q", got, c.want)
			}
			answer(s, out.Publish, 100)
			for now := int64(200); now < 2100; now += 100 {
				answer(s, s.Tick(now).Publish, now)
			}
			if got := says(s, health.Rival); !strings.Contains(got, c.want) {
				t.Errorf("a moment later %q", got)
			}
			if s.Tick(2200); len(s.Troubles()) > 0 {
				t.Errorf("after a while of silence: %v", s.Troubles())
			}
		})
	}
}

// line is a record of an epoch, whose note tells it from others.
func line(t testing.TB, epoch string, seq int64, note string) string {
	t.Helper()
	text, err := record.Encode(nil, record.Record{Site: "site", Station: "station", Epoch: epoch, Seq: seq, N: 1,
		Event: event.Event{Type: event.SessionResumed, Session: "s-" + note, At: event.Stamp{Quality: event.Unset}}})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// A journal that was put back as it had been, and then grew past the departed size at the broker, is of another history: its
// epoch ends, and nothing is sent before the journal was asked.
func TestAnotherHistory(t *testing.T) {
	for _, live := range []bool{false, true} {
		for _, same := range []bool{false, true} {
			t.Run(fmt.Sprint("live ", live, " same ", same), func(t *testing.T) {
				o := testOptions(t, 5)
				o.Departed = signed(t, 1, "e1", 5)
				s := newSender(t, o)
				s.Connected(1)
				said := signed(t, 1, "e1", 4)
				retainedBefore(s, "")
				s.Arrived(s.topics.State, []byte(stateOf(said)), !live, 0)
				for now := int64(100); now <= 200; now += 100 {
					out := s.Tick(now)
					if (out.Compare != nil) != (now == 100) || out.Compare != nil && *out.Compare != said || out.Behind != nil || len(out.Publish) > 0 {
						t.Fatalf("at %d: asks for %v, behind %v, published %q", now, out.Compare, out.Behind, heard(out))
					}
				}
				s.CompareFailed(200) // the disk could not tell: it is asked again
				if at, wanted := s.Next(); !wanted || at != 200+int64(DefaultRetry) {
					t.Fatalf("wants to be called at %d, %v", at, wanted)
				}
				now := 200 + int64(DefaultRetry)
				if out := s.Tick(now); out.Compare == nil || len(out.Publish) > 0 {
					t.Fatalf("asks for %v, published %q", out.Compare, heard(out))
				}
				s.Compared(said, same)
				out := s.Tick(now + 100)
				if same && (out.Behind != nil || len(out.Publish) == 0) || !same && (out.Behind == nil || *out.Behind != said || len(out.Publish) > 0) {
					t.Errorf("same %v: behind %v, published %q", same, out.Behind, heard(out))
				}
				if says(s, health.Rival) != "" {
					t.Errorf("a rival: %v", s.Troubles())
				}
			})
		}
	}
}

// What this program itself said comes back, and costs no look at the journal; nor does its own departed size after a start.
func TestOurOwnStateIsNotCompared(t *testing.T) {
	o := testOptions(t, 5)
	o.Size, o.Departed = 3, signed(t, 1, "e1", 3)
	s := newSender(t, o)
	s.Connected(1)
	readBack(s, o.Departed)
	for now := int64(100); now < 1000; now += 100 {
		out := s.Tick(now)
		if out.Compare != nil {
			t.Fatalf("compares %v", out.Compare)
		}
		if out.Save != nil {
			s.Saved(signed(t, 1, "e1", out.Save.Size))
		}
		answer(s, out.Publish, now)
		s.Durable(5)
	}
	if s.Cursor() != 5 || len(s.Troubles()) > 0 {
		t.Errorf("%d records were delivered, %v", s.Cursor(), s.Troubles())
	}
}

// A second unknown epoch under this station's key is a copy: no other epoch begins, and nothing is sent any more.
func TestCopy(t *testing.T) {
	o := testOptions(t, 5)
	o.Met, o.Past = true, []string{"e0", "e8"}
	s := newSender(t, o)
	s.Connected(1)
	retainedBefore(s, stateOf(signed(t, 1, "e9", 2)))
	out := s.Tick(100)
	if out.Behind != nil || len(out.Publish) > 0 || out.Save != nil || s.Copy() == nil {
		t.Errorf("behind %v, published %q, save %v", out.Behind, heard(out), out.Save)
	}
	if got := says(s, health.Rival); !strings.Contains(got, "a copy of this station, with its key, reports epoch e9") {
		t.Errorf("evidence %q", got)
	}
	if at, wanted := s.Next(); wanted {
		t.Errorf("a tick is wanted at %d", at)
	}
	if s.Tick(int64(time.Hour)); says(s, health.Rival) == "" {
		t.Error("a copy is forgotten")
	}
}
