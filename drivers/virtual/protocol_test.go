package virtual

import (
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// whole holds one message of each kind as a peer would send it.
var whole = []Message{
	{Kind: Hello, Version: Version, Station: "virtual-1", Scale: 20, Boot: "b-1", Mono: 5, UTC: 7, Lines: []string{"beam-1"}, Buses: []string{"i2c-1"}, Sources: map[string]time.Duration{"gpio": time.Second},
		Loaded: []Loaded{{Position: 1, Canister: "1A", Odour: "tnt"}}, Finds: []string{"tnt"}},
	{Kind: Watch, ID: 1, Lines: []string{"beam-1", "call"}},
	{Kind: Output, ID: 2, Line: "canister-1A", Safe: true},
	{Kind: Set, ID: 3, Line: "canister-1A", Level: true, At: 1 << 60, Longest: time.Minute},
	{Kind: Level, ID: 4, Line: "beam-1"},
	{Kind: I2C, ID: 5, Bus: "i2c-1", Address: 0x76, Write: []byte{0xD0, 0xFF}, Read: 1},
	{Kind: Beat},
	{Kind: Done, ID: 5, Data: []byte{0x60}},
	{Kind: Done, ID: 3, Mono: 1<<60 + 1},
	{Kind: Done, ID: 3, Error: ErrorRefused, Why: "not asked for"},
	{Kind: Edge, Line: "beam-1", Level: true, Mono: 9, Bound: 1, Source: "gpio", Seq: 1},
	{Kind: Mark, Now: 20, Mono: 10, Source: "gpio"},
	{Kind: Clock, Wall: &Wall{Mono: 3, Offset: -1, Synced: true, MaxError: time.Second}},
}

func TestEveryKindComesBack(t *testing.T) {
	seen := map[Kind]bool{}
	var stream []byte
	for _, m := range whole {
		seen[m.Kind] = true
		var err error
		if stream, err = Append(stream, m); err != nil {
			t.Fatal(err)
		}
	}
	for kind := range needs {
		if !seen[kind] {
			t.Errorf("no example of %s", kind)
		}
	}
	r := NewReader(strings.NewReader(string(stream)))
	for _, want := range whole {
		got, err := r.Next()
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("read %+v, %v; want %+v", got, err, want)
		}
	}
	if _, err := r.Next(); err != io.EOF {
		t.Errorf("after the last message: %v, want io.EOF", err)
	}
}

func TestRefuses(t *testing.T) {
	for name, c := range map[string]struct{ text, says string }{
		"nothing":         {"", "EOF"},
		"not JSON":        {"\x00\x01", "invalid character"},
		"a list":          {"[]", "cannot unmarshal"},
		"two messages":    {`{"kind":"heartbeat"}{"kind":"heartbeat"}`, "after the message"},
		"unknown kind":    {`{"kind":"open"}`, `unknown kind "open"`},
		"unknown field":   {`{"kind":"heartbeat","odour":"x"}`, "unknown field"},
		"another version": {`{"kind":"hello","version":1}`, "same release"},
		"no boot":         {`{"kind":"hello","version":4,"station":"s"}`, "no boot"},
		"standing clock":  {`{"kind":"hello","version":4,"station":"s","boot":"b"}`, "scale 0"},
		"too fast":        {`{"kind":"hello","version":4,"station":"s","boot":"b","scale":1e9}`, "scale 1e+09"},
		"no sources":      {`{"kind":"hello","version":4,"station":"s","boot":"b","scale":1}`, "no sources"},
		"early source":    {`{"kind":"hello","version":4,"station":"s","boot":"b","scale":1,"sources":{"a":-1}}`, "lateness"},
		"no odour":        {`{"kind":"hello","version":4,"station":"s","boot":"b","scale":1,"sources":{"a":0},"loaded":[{"position":1,"canister":"1A"}]}`, "odour"},
		"no id":           {`{"kind":"set","line":"a"}`, "no id"},
		"no line":         {`{"kind":"set","id":1}`, "no line"},
		"negative length": {`{"kind":"set","id":1,"line":"a","longest":-1}`, "longest -1ns"},
		"fractional":      {`{"kind":"set","id":1,"line":"a","at":1.5}`, "cannot unmarshal"},
		"enormous":        {`{"kind":"set","id":1,"line":"a","at":99999999999999999999}`, "cannot unmarshal"},
		"no bus":          {`{"kind":"i2c","id":1,"address":118,"read":1}`, "no bus"},
		"no transfer":     {`{"kind":"i2c","id":1,"bus":"i2c-1","read":-1}`, "-1 in"},
		"a long transfer": {`{"kind":"i2c","id":1,"bus":"i2c-1","read":4097}`, "up to 4096"},
		"no address":      {`{"kind":"i2c","id":1,"bus":"i2c-1","address":-1}`, "cannot unmarshal"},
		"nameless line":   {`{"kind":"watch","id":1,"lines":["a",""]}`, "without a name"},
		"no seq":          {`{"kind":"edge","line":"a","source":"s"}`, "no seq"},
		"no source":       {`{"kind":"edge","line":"a","seq":1}`, "no source"},
		"mark ahead":      {`{"kind":"mark","source":"s","now":1,"mono":2}`, "after now"},
		"too long":        {`{"kind":"heartbeat","why":"` + strings.Repeat("x", MaxMessage) + `"}`, "limit"},
	} {
		_, err := Parse([]byte(c.text))
		if !errors.Is(err, ErrMessage) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want an ErrMessage that says %q", name, err, c.says)
		}
	}
}

func TestReaderStopsAtDamage(t *testing.T) {
	for name, c := range map[string]struct {
		stream string
		want   error
	}{
		"cut":     {`{"kind":"heart`, io.ErrUnexpectedEOF},
		"endless": {strings.Repeat("x", MaxMessage+1), ErrMessage},
		"blank":   {"\n", ErrMessage},
	} {
		if _, err := NewReader(strings.NewReader(c.stream)).Next(); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestAppendRefusesWhatParseWould(t *testing.T) {
	for name, m := range map[string]Message{
		"no kind":  {},
		"too long": {Kind: Beat, Why: strings.Repeat("x", MaxMessage)},
	} {
		if b, err := Append([]byte("kept"), m); !errors.Is(err, ErrMessage) || string(b) != "kept" {
			t.Errorf("%s: %q, %v", name, b, err)
		}
	}
}

func TestMessagesComeBack(t *testing.T) {
	name := rapid.StringMatching(`[a-z][a-z0-9-]{0,20}`)
	rapid.Check(t, func(t *rapid.T) {
		m := Message{Kind: Edge, Line: name.Draw(t, "line"), Level: rapid.Bool().Draw(t, "level"),
			Mono: rapid.Int64().Draw(t, "mono"), Bound: rapid.Int64().Draw(t, "bound"),
			Source: name.Draw(t, "source"), Seq: rapid.Uint64Min(1).Draw(t, "seq")}
		text, err := Append(nil, m)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := Parse(text); err != nil || !reflect.DeepEqual(got, m) {
			t.Fatalf("%+v came back as %+v, %v", m, got, err)
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, m := range whole {
		text, err := Append(nil, m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte(`{"kind":"set","KIND":"edge","id":1,"line":"a"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := Parse(text)
		if err != nil {
			if !errors.Is(err, ErrMessage) {
				t.Fatalf("error without ErrMessage: %v", err)
			}
			return
		}
		again, err := Append(nil, m)
		if err != nil {
			if len(text) > MaxMessage/8 { // escapes may lengthen a long one past the limit
				return
			}
			t.Fatalf("parsed %q and cannot write it: %v", text, err)
		}
		if back, err := Parse(again); err != nil || !reflect.DeepEqual(normal(back), normal(m)) {
			t.Fatalf("%+v came back as %+v, %v", m, back, err)
		}
	})
}

// normal makes empty lists nil, which the wire does not tell apart.
func normal(m Message) Message {
	if len(m.Lines) == 0 {
		m.Lines = nil
	}
	return m
}
