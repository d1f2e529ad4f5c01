package message

import (
	"bytes"
	"errors"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"scentpost/firmware-bridge/frame"
)

// samples are messages of every type, with the least and the most of each field.
func samples() map[string]Message {
	most := func(b byte) (id ID) { return ID(bytes.Repeat([]byte{b}, len(id))) }
	all := &Configure{BeatMS: 500}
	for i := range all.Modes {
		all.Modes[i] = Mode(i % 5)
	}
	return map[string]Message{
		"hello": &Hello{Session: 0x12345678, Lowest: 1, Highest: 1}, "hello-most": &Hello{Session: 0xFFFFFFFF, Lowest: 1, Highest: 255},
		"describe": &Describe{Index: 3}, "describe-none": &Describe{Index: 255},
		"configure": all, "configure-nothing": &Configure{BeatMS: 50}, "configure-most": &Configure{BeatMS: 10000, Modes: [MaxPins]Mode{OutHigh, OutLow}},
		"set": &Set{Pin: 4, Level: true, At: 1234567890123, Longest: 240_000_000}, "set-low": &Set{Pin: 63},
		"set-most": &Set{Pin: 255, Level: true, At: 1<<64 - 1, Longest: 1<<32 - 1},
		"safe":     &Safe{Pins: 1 << 4, Before: 9}, "safe-all": &Safe{Pins: 1<<64 - 1, Before: 255}, "safe-none": &Safe{},
		"beat": &Beat{Count: 1}, "beat-most": &Beat{Count: 65535}, "beat-zero": &Beat{},
		"ping": &Ping{Cookie: 0xDEADBEEF}, "ping-zero": &Ping{},
		"held": &Held{Next: 513}, "held-again": &Held{Next: 65535, Again: true},
		"nothing": &Nothing{}, "name": &Name{ID: ID{'n', 'a', 'n', 'o', '-', '0', '0', '1'}}, "name-most": &Name{ID: most(0xFE)},
		"board": &Board{Session: 0x12345678, Boot: 7, Cause: CauseWatchdog, Configured: true, Beating: true, Named: true, Firmware: [3]byte{1, 2, 3},
			Build: [8]byte{1, 2, 3, 4, 5, 6, 7, 8}, ID: most('x'), Configuration: 0xCAFEBABE, Discarded: 3, Pins: 18, Room: 128, ResolutionNS: 500, Kind: "m328p", Time: 42},
		"board-new": &Board{Boot: NoBoot, ID: NoID, Kind: "", Time: 0},
		"board-most": &Board{Session: 0xFFFFFFFF, Boot: 1, Cause: CauseBrownOut, Configuration: 1<<32 - 1, Discarded: 65535, Pins: MaxPins, Room: 65535,
			ResolutionNS: 65535, Kind: "12345678", Time: 1<<64 - 1},
		"pin": &Pin{Index: 4, Abilities: AbleInput | AbleOutput | AblePullUp | AbleTimed, Name: "D6"}, "pin-none": &Pin{Index: 255},
		"ack": &Ack{Of: TypeSet}, "ack-late": &Ack{Of: TypeSet, Result: Late}, "ack-safe": &Ack{Of: TypeSafe}, "ack-not-now": &Ack{Of: TypeName, Result: NotNow},
		"pong":   &Pong{Cookie: 0xDEADBEEF, Received: 100, Levels: 0x35, Unsafe: 0x40, Next: 12, Dropped: 1, Glitches: 2, Errors: 3, Time: 101},
		"events": &Events{First: 10, Time: 1000, List: []Event{{Kind: Edge, Time: 100, Pin: 5, Level: true}, {Kind: Edge, Time: 150, Pin: 5}}},
		"events-done": &Events{First: 65535, Time: 1 << 40, List: []Event{{Kind: Done, Time: 1<<40 - 70000, Pin: 4, Number: 17, Level: true},
			{Kind: Lost, Time: 1<<40 - 10_000, Lost: 300}, {Kind: Done, Time: 1<<40 - 10_000, Pin: 63, How: ByLoss}, {Kind: Done, Time: 1 << 40, Pin: 4, Number: 3, How: BySafe}}},
		"events-none": &Events{First: 3, Time: 99},
		"events-most": &Events{First: 0, Time: 70000, List: full()},
	}
}

// full is as many edges as one frame holds.
func full() []Event {
	var list []Event
	for i := range 13 {
		list = append(list, Event{Kind: Edge, Time: uint64(1 + i*50), Pin: byte(i), Level: i%2 == 0})
	}
	return list
}

func TestMessagesComeBack(t *testing.T) {
	seen := map[Type]bool{}
	for name, m := range samples() {
		number := byte(0)
		if m.Type().numbered() {
			number = 200
		}
		body := Append(nil, 0x78, number, m)
		if len(body) > frame.MaxBody {
			t.Errorf("%s has %d bytes, want at most %d", name, len(body), frame.MaxBody)
		}
		h, got, err := Parse(body)
		if err != nil || !reflect.DeepEqual(got, m) || h != (Header{Version, m.Type(), 0x78, number}) {
			t.Errorf("%s: %+v %+v, %v", name, h, got, err)
		}
		seen[m.Type()] = true
	}
	for typ := range kinds {
		if !seen[typ] {
			t.Errorf("no sample of type 0x%02X", byte(typ))
		}
	}
}

// TestLengthsAreExact: a byte less or more is no message.
func TestLengthsAreExact(t *testing.T) {
	for name, m := range samples() {
		body := Append(nil, 1, 0, m)
		for _, other := range [][]byte{body[:len(body)-1], append(bytes.Clone(body), 0)} {
			if _, got, err := Parse(other); err == nil {
				t.Errorf("%s with %d bytes instead of %d was taken: %+v", name, len(other), len(body), got)
			}
		}
	}
}

func TestWhatIsNoMessage(t *testing.T) {
	body := func(m Message, change func(b []byte)) []byte {
		b := Append(nil, 1, 0, m)
		change(b)
		return b
	}
	at := func(i int, c byte) func([]byte) { return func(b []byte) { b[i] = c } }
	edges := &Events{First: 1, Time: 1000, List: []Event{{Kind: Edge, Time: 900}, {Kind: Edge, Time: 950}}}
	done := &Events{Time: 9, List: []Event{{Kind: Done, Time: 9, How: ByLongest}}}
	lost := &Events{Time: 9, List: []Event{{Kind: Lost, Time: 9, Lost: 1}}}
	for name, c := range map[string]struct {
		body []byte
		want error
	}{
		"no header":           {[]byte{1, 6, 0}, ErrLength},
		"a later version":     {body(&Beat{}, at(0, 2)), ErrVersion},
		"an unknown type":     {body(&Beat{}, at(1, 0x3F)), ErrType},
		"a number for a beat": {body(&Beat{}, at(3, 1)), ErrValue},
		"no level":            {body(&Set{}, at(5, 2)), ErrValue},
		"versions reversed":   {body(&Hello{Lowest: 1, Highest: 1}, at(9, 0)), ErrValue},
		"a filled ping":       {body(&Ping{}, at(47, 1)), ErrValue},
		"neither again":       {body(&Held{}, at(6, 2)), ErrValue},
		"an unknown cause":    {body(&Board{}, at(12, 5)), ErrValue},
		"an unknown state":    {body(&Board{}, at(13, 8)), ErrValue},
		"too many pins":       {body(&Board{}, at(39, 65)), ErrValue},
		"a kind in no ASCII":  {body(&Board{Kind: "m328p"}, at(45, 7)), ErrValue},
		"a zero in the kind":  {body(&Board{Kind: "m328p"}, at(45, 0)), ErrValue},
		"unknown abilities":   {body(&Pin{}, at(5, 16)), ErrValue},
		"an unknown result":   {body(&Ack{Of: TypeSet}, at(5, 10)), ErrValue},
		"an ack of a beat":    {body(&Ack{Of: TypeBeat}, func([]byte) {}), ErrValue},
		"answered before":     {body(&Pong{Received: 9, Time: 8}, func([]byte) {}), ErrValue},
		"before the clock":    {body(edges, func(b []byte) { copy(b[7:], make([]byte, 8)) }), ErrValue},
		"behind the time":     {body(edges, at(22, 101)), ErrValue},
		"a delayed first":     {body(edges, at(19, 1)), ErrValue},
		"more than it says":   {body(edges, at(6, 1)), ErrLength},
		"fewer than it says":  {body(edges, at(6, 3)), ErrLength},
		"an unknown event":    {body(done, at(21, 0x82)), ErrValue},
		"done by nothing":     {body(done, at(24, 8)), ErrValue},
		"done by a number":    {body(done, at(23, 1)), ErrValue},
		"done on no pin":      {body(done, at(22, 64)), ErrValue},
		"nothing lost":        {body(lost, at(23, 0)), ErrValue},
		"a filled loss":       {body(lost, at(22, 1)), ErrValue},
		"an age of nothing":   {body(&Events{Time: 9}, at(15, 1)), ErrValue},
	} {
		if _, m, err := Parse(c.body); !errors.Is(err, c.want) {
			t.Errorf("%s: %+v, %v, want %v", name, m, err, c.want)
		}
	}
	if _, _, err := Parse(body(&Board{}, at(0, 9))); err != nil {
		t.Errorf("BOARD of a later version: %v", err)
	}
}

func TestFitFillsFrames(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var events []Event
		at := uint64(rapid.IntRange(0, 1<<40).Draw(t, "start"))
		for range rapid.IntRange(1, 40).Draw(t, "events") {
			at += uint64(rapid.OneOf(rapid.IntRange(0, 300), rapid.IntRange(0, 200_000)).Draw(t, "pause"))
			e := Event{Kind: EventKind(rapid.IntRange(0, 2).Draw(t, "kind")), Time: at}
			if e.Kind == Lost {
				e.Lost = 1
			}
			events = append(events, e)
		}
		first, now := uint16(65530), at
		for len(events) > 0 {
			n := Fit(events, now)
			time := now
			if n < len(events) { // more wait: what follows is not before the last of these
				n = max(n, Fit(events, events[0].Time))
				time = events[n-1].Time
			}
			if n == 0 {
				t.Fatalf("none of %d events fits", len(events))
			}
			body := Append(nil, 1, 0, &Events{First: first, Time: time, List: events[:n]})
			if len(body) > frame.MaxBody {
				t.Fatalf("%d bytes", len(body))
			}
			_, m, err := Parse(body)
			if err != nil || !reflect.DeepEqual(m.(*Events).List, events[:n]) {
				t.Fatalf("%+v, %v, want %+v", m, err, events[:n])
			}
			first, events = first+uint16(n), events[n:]
		}
	})
}

func TestWords(t *testing.T) {
	if got := CauseBrownOut.String() + ", " + Cause(200).String(); got != "brown-out, watchdog" {
		t.Errorf("causes %q", got)
	}
	for r := Taken; r <= NotNow; r++ {
		if r.String() == "" || r > 0 && r.String() == (r-1).String() {
			t.Errorf("result %d is %q", r, r)
		}
	}
	if !OutHigh.Output() || !OutHigh.Safe() || OutLow.Safe() || PullUp.Output() {
		t.Error("modes and their safe levels disagree")
	}
}

func FuzzParse(f *testing.F) {
	for _, m := range samples() {
		f.Add(Append(nil, 7, 0, m))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		h, m, err := Parse(body)
		if err != nil {
			return
		}
		if again := Append(nil, h.Session, h.Number, m); !bytes.Equal(again[1:], body[1:]) {
			t.Fatalf("%x was taken and is written as %x", body, again)
		}
	})
}

func BenchmarkEvents(b *testing.B) {
	m := &Events{First: 1, Time: 70000, List: full()}
	body := make([]byte, 0, frame.MaxBody)
	b.ReportAllocs()
	for b.Loop() {
		body = Append(body[:0], 1, 0, m)
		if _, _, err := Parse(body); err != nil {
			b.Fatal(err)
		}
	}
}
