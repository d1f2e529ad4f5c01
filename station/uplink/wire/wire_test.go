package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestTopics(t *testing.T) {
	topics, err := NewTopics("Prishtinë", "line 1")
	if err != nil || topics.Journal != "scentpost/v1/Prishtinë/line 1/journal" {
		t.Errorf("topics %v, %v", topics, err)
	}
	if want := strings.ReplaceAll(AnyJournal, "+", "%s"); topics.Journal != fmt.Sprintf(want, "Prishtinë", "line 1") {
		t.Errorf("%s does not stand for %s", AnyJournal, topics.Journal)
	}
	for _, bad := range []string{"", "a/b", "a+", "#", "a\x00", "a\n", "\xff", strings.Repeat("x", 129)} {
		if _, err := NewTopics("site", bad); err == nil || !strings.Contains(err.Error(), "station") {
			t.Errorf("station %q: error %v", bad, err)
		}
		if _, err := NewTopics(bad, "station"); err == nil || !strings.Contains(err.Error(), "site") {
			t.Errorf("site %q: error %v", bad, err)
		}
	}
}

// TestTheBytesOfMessages: strangers read them, so they stay what they are within a schema.
func TestTheBytesOfMessages(t *testing.T) {
	for want, payload := range map[string][]byte{
		`{"version":"0.1","schema":1,"key":"k+1+A","epoch":"e1","devices":["beam-1","<&>"]}`: Info{Version: "0.1", Schema: Schema, Key: "k+1+A", Epoch: "e1", Devices: []string{"beam-1", "<&>"}}.Write(),
		`{"version":"","schema":1,"key":"","epoch":"","simulated":true,"devices":[]}`:        Info{Schema: Schema, Simulated: true}.Write(),
		`{"epoch":"e1","size":"9223372036854775807","state":{"phase":"idle"}}`:               State{Departed{Epoch: "e1", Size: 1<<63 - 1}, json.RawMessage(`{"phase":"idle"}`)}.Append(nil),
		`{"epoch":"e1","size":"2","checkpoint":"a\nb\n","state":null}`:                       State{Departed{"e1", 2, "a\nb\n"}, nil}.Append(nil),
		`before{"epoch":"","size":"0","state":null}`:                                         State{}.Append([]byte("before")),
		`{"online":true,"session":"7"}`:                                                      Status{Online: true, Session: 7}.Write(),
		`{"online":false,"session":"1"}`:                                                     Status{Session: 1}.Write(),
	} {
		if string(payload) != want {
			t.Errorf("got  %s\nwant %s", payload, want)
		}
	}
}

// TestWhatIsWrittenIsRead: every message, whatever names and numbers it has.
func TestWhatIsWrittenIsRead(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		text := rapid.StringMatching(`.+`)
		info := Info{Version: rapid.String().Draw(rt, "version"), Schema: Schema, Key: text.Draw(rt, "key"), Epoch: text.Draw(rt, "epoch"),
			Simulated: rapid.Bool().Draw(rt, "simulated"), Devices: rapid.SliceOfN(rapid.String(), 0, 4).Draw(rt, "devices")}
		if got, err := ParseInfo(info.Write()); err != nil || !reflect.DeepEqual(got, info) {
			rt.Errorf("info: got %+v, %v, want %+v", got, err, info)
		}
		state := State{Departed{text.Draw(rt, "epoch"), rapid.Int64Min(0).Draw(rt, "size"), rapid.String().Draw(rt, "checkpoint")},
			json.RawMessage(rapid.SampledFrom([]string{`null`, `{"a":[1,"b"]}`, `7`}).Draw(rt, "state"))}
		if got, err := ParseState(state.Append(nil)); err != nil || !reflect.DeepEqual(got, state) {
			rt.Errorf("state: got %+v, %v, want %+v", got, err, state)
		}
		status := Status{Online: rapid.Bool().Draw(rt, "online"), Session: rapid.Int64Min(1).Draw(rt, "session")}
		if got, err := ParseStatus(status.Write()); err != nil || got != status {
			rt.Errorf("status: got %+v, %v, want %+v", got, err, status)
		}
		line := rapid.SliceOfN(rapid.ByteRange(' ', 255), 1, 20)
		lines := rapid.SliceOfN(line, 1, 5).Draw(rt, "lines")
		payload, err := Batch(lines)
		if err != nil {
			rt.Fatal(err)
		}
		if got, err := ParseBatch(payload); err != nil || !reflect.DeepEqual(got, lines) {
			rt.Errorf("batch: got %q, %v, want %q", got, err, lines)
		}
	})
}

// none are messages that are none of ours, whatever is read.
var none = []string{``, `{}`, `null`, `[]`, `"x"`, `{"more":2}`, "\x00\x01\x02", strings.Repeat(" ", MaxMessage+1)}

// noStates, noInfos and noStatuses come near to one.
var (
	noStates = []string{`{"epoch":"e","size":"1"}`, `{"epoch":"","size":"1","state":1}`,
		`{"epoch":"e","size":1,"state":1}`, `{"epoch":"e","size":"-1","state":1}`, `{"epoch":"e","size":"1.5","state":1}`,
		`{"epoch":"e","size":"99999999999999999999","state":1}`, `{"epoch":"e","size":"1","state":1,"more":2}`,
		`{"epoch":"e","size":"1","state":1}{}`, `{"epoch":"e","size":"01","state":1}`, `{"Epoch":"e","size":"1","state":1}`,
		`{"epoch":"x","epoch":"e","size":"1","state":1}`, `{"epoch":"e","size":"1", "state":1}`, `{"size":"1","epoch":"e","state":1}`, `{"epoch":"e","size":"1","state":1} x`, `{"epoch":"e","size":"1","state":`, `{"epoch":"e","size":"1","checkpoint":"","state":1}`}
	noInfos = []string{`{"version":"1","schema":2,"key":"k","epoch":"e","devices":[]}`, `{"version":"1","schema":1,"key":"","epoch":"e","devices":[]}`,
		`{"version":"1","schema":1,"key":"k","epoch":"e"}`, `{"version":"1","schema":1,"key":"k","epoch":"e","devices":[1]}`}
	noStatuses = []string{`{"online":1,"session":"1"}`, `{"online":true,"session":1}`, `{"online":true,"session":"-1"}`}
)

func TestWhatIsNoMessageIsRefused(t *testing.T) {
	for _, c := range []struct {
		what  string
		parse func([]byte) error
		bad   []string
	}{
		{"retained state", func(p []byte) error { _, err := ParseState(p); return err }, noStates},
		{"info", func(p []byte) error { _, err := ParseInfo(p); return err }, noInfos},
		{"status", func(p []byte) error { _, err := ParseStatus(p); return err }, noStatuses},
		{"batch", func(p []byte) error { _, err := ParseBatch(p); return err }, []string{"", "\n", "a", "a\n\nb\n", "a\nb"}},
	} {
		bad := c.bad
		if c.what != "batch" {
			bad = append(slices.Clone(none), bad...)
		}
		for _, text := range bad {
			if err := c.parse([]byte(text)); err == nil || !strings.HasPrefix(err.Error(), c.what) {
				t.Errorf("%s: %.60q: %v", c.what, text, err)
			}
		}
	}
	for _, lines := range [][][]byte{{[]byte("")}, {[]byte("a"), []byte("b\n")}} {
		if _, err := Batch(lines); err == nil {
			t.Errorf("a batch of %q was written", lines)
		}
	}
}

// FuzzParse: whatever is read can be written and read again.
func FuzzParse(f *testing.F) {
	for _, texts := range [][]string{none[:len(none)-1], noStates, noInfos, noStatuses,
		{`{"epoch":"e","size":"12","state":{"phase":"idle"}}`, `{"epoch":"e","size":"12","checkpoint":"c\n","state":1}`, `{"version":"1","schema":1,"key":"k","epoch":"e","devices":["x"]}`, `{"online":true,"session":"3"}`, "a\nb\n"}} {
		for _, text := range texts {
			f.Add([]byte(text))
		}
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		if s, err := ParseState(payload); err == nil {
			if again, err := ParseState(s.Append(nil)); err != nil || !reflect.DeepEqual(again, s) {
				t.Errorf("state %v was read back as %v, %v", s, again, err)
			}
		}
		if i, err := ParseInfo(payload); err == nil {
			if again, err := ParseInfo(i.Write()); err != nil || !reflect.DeepEqual(again, i) {
				t.Errorf("info %v was read back as %v, %v", i, again, err)
			}
		}
		if s, err := ParseStatus(payload); err == nil {
			if again, err := ParseStatus(s.Write()); err != nil || again != s {
				t.Errorf("status %v was read back as %v, %v", s, again, err)
			}
		}
		if lines, err := ParseBatch(payload); err == nil {
			if again, err := Batch(lines); err != nil || !bytes.Equal(again, payload) {
				t.Errorf("a batch was written back as %q, %v", again, err)
			}
		}
	})
}
