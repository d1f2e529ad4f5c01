package hardware

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"scentpost/drivers/bus"
	"scentpost/simulator/world"
)

// heard is a bus.Sink that keeps everything.
type heard struct {
	edges []bus.Edge
	marks map[string]int64
	early []bus.Edge // edges that came before a promise made for their source
}

func (h *heard) Edge(e bus.Edge) {
	if e.Mono < h.marks[e.Source] {
		h.early = append(h.early, e)
	}
	h.edges = append(h.edges, e)
}

func (h *heard) Watermark(m bus.Watermark) {
	if h.marks == nil {
		h.marks = map[string]int64{}
	}
	h.marks[m.Source] = m.Mono
}

// of returns the edges of one line as text: "1@250ms".
func (h *heard) of(line string, from int64) string {
	var all []string
	for _, e := range h.edges {
		if e.Line == line {
			all = append(all, fmt.Sprintf("%s@%s", either(e.Level, "1", "0"), time.Duration(e.Mono-from).Round(time.Millisecond)))
		}
	}
	return strings.Join(all, " ")
}

// stand is a small station with a client that watches everything.
type stand struct {
	*Station
	world *world.World
	bus   *Connection
	heard *heard
	seen  bytes.Buffer
}

func newStand(t testing.TB, seed uint64, change func(*Layout)) *stand {
	t.Helper()
	layout := LineUp(2, 4, DefaultLoading)
	if change != nil {
		change(&layout)
	}
	w := world.New(seed)
	st, err := New(w, layout)
	if err != nil {
		t.Fatal(err)
	}
	s := &stand{Station: st, world: w, heard: &heard{}}
	st.Observe(&s.seen)
	if s.bus, err = st.Connect(); err != nil {
		t.Fatal(err)
	}
	var inputs []string
	for name, l := range st.lines {
		if l.drive == nil {
			inputs = append(inputs, name)
		}
	}
	if err := s.bus.Watch(inputs, s.heard); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *stand) out(t testing.TB, line string) bus.Output {
	t.Helper()
	o, err := s.bus.Output(line, false)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func (s *stand) state(name string) string {
	c, err := s.canister(name)
	if err != nil {
		return err.Error()
	}
	return c.state
}

// done keeps how a Set was answered.
type done struct {
	times int
	mono  int64
	err   error
}

func (d *done) note(mono int64, err error) { d.times, d.mono, d.err = d.times+1, mono, err }

func TestACanisterTravelsToItsEnds(t *testing.T) {
	s := newStand(t, 1, nil)
	drive := s.out(t, "c1a.drive")
	start := s.world.Mono() + int64(time.Second)
	var opened, closed done
	drive.Set(true, start, time.Minute, opened.note)
	if opened.times != 0 || s.state("1A") != "closed" {
		t.Fatal("it moved before its instant")
	}
	s.world.Run(start)
	if opened != (done{1, start, nil}) || s.state("1A") != "opening" {
		t.Fatalf("at its instant: %+v, %s", opened, s.state("1A"))
	}
	s.world.RunFor(time.Second)
	if s.state("1A") != "open" {
		t.Fatalf("a second later it is %s", s.state("1A"))
	}
	drive.Set(false, s.world.Mono()+int64(time.Hour), 0, closed.note) // to the safe level: never delayed
	if closed != (done{1, s.world.Mono(), nil}) {
		t.Fatalf("closing was answered with %+v", closed)
	}
	s.world.RunFor(time.Second)
	if s.state("1A") != "closed" || s.state("1B") != "closed" {
		t.Errorf("at the end 1A is %s and 1B %s", s.state("1A"), s.state("1B"))
	}
	var levels []string
	for _, e := range s.heard.edges {
		levels = append(levels, e.Line+either(e.Level, "+", "-"))
	}
	if want := []string{"c1a.closed-", "c1a.opened+", "c1a.opened-", "c1a.closed+"}; !slices.Equal(levels, want) {
		t.Errorf("edges %v, want %v", levels, want)
	}
	c, _ := s.canister("1A")
	travel := time.Duration(s.heard.edges[1].Mono - start)
	if travel < c.open-travelJitter || travel > c.open+travelJitter {
		t.Errorf("it travelled %s, its mean is %s", travel, c.open)
	}
	for _, e := range s.heard.edges {
		if e.Source != SourceLimits {
			t.Errorf("a limit switch gave an edge of source %s", e.Source)
		}
	}
}

func TestAJourneyTurnsRoundWhereItIs(t *testing.T) {
	s := newStand(t, 1, nil)
	drive := s.out(t, "c1a.drive")
	drive.Set(true, 0, time.Minute, nil)
	s.world.RunFor(100 * time.Millisecond)
	drive.Set(false, 0, 0, nil)
	from := s.world.Mono()
	s.world.RunFor(time.Second)
	got := s.heard.of("c1a.closed", from)
	if s.state("1A") != "closed" || s.heard.of("c1a.opened", from) != "" || !strings.HasPrefix(got, "0@-") || !strings.Contains(got, " 1@") {
		t.Errorf("edges %q and %q, it is %s", got, s.heard.of("c1a.opened", from), s.state("1A"))
	}
	if back := s.heard.edges[len(s.heard.edges)-1].Mono - from; back > int64(200*time.Millisecond) {
		t.Errorf("from a part of the way it took %s back", time.Duration(back))
	}
}

func TestEachCanisterHasItsOwnTravel(t *testing.T) {
	s := newStand(t, 1, nil)
	means := map[time.Duration]bool{}
	for _, c := range s.canisters {
		means[c.open] = true
		if c.open < openFastest || c.open > openSlowest {
			t.Errorf("canister %s opens in %s", c.spec.Name, c.open)
		}
	}
	if len(means) < len(s.canisters) {
		t.Errorf("%d canisters have %d mean travels", len(s.canisters), len(means))
	}
}

func TestFaults(t *testing.T) {
	for name, c := range map[string]struct {
		fault              Fault
		afterOpen, atEnd   string // states a second after each command
		openedTo, closedTo string // levels that the switches show at the end: opened, closed
	}{
		"sound":        {Fault{}, "open", "closed", "0", "1"},
		"stuck closed": {Fault{Kind: StuckClosed}, "closed", "closed", "0", "1"},
		"stuck open":   {Fault{Kind: StuckOpen}, "open", "open", "1", "0"},
		"slow":         {Fault{Kind: Slow, Factor: 20}, "opening", "closing", "0", "0"},
		"falls shut":   {Fault{Kind: FallsShut, After: 200 * time.Millisecond}, "closed", "closed", "0", "1"},
		"dead opened":  {Fault{Kind: DeadOpened}, "open", "closed", "0", "1"},
		"dead closed":  {Fault{Kind: DeadClosed}, "open", "closed", "0", "1"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStand(t, 1, nil)
			if err := s.Fail("1A", c.fault); err != nil {
				t.Fatal(err)
			}
			drive := s.out(t, "c1a.drive")
			drive.Set(true, 0, time.Minute, nil)
			s.world.RunFor(time.Second)
			if got := s.state("1A"); got != c.afterOpen {
				t.Errorf("a second after opening it is %s, want %s", got, c.afterOpen)
			}
			drive.Set(false, 0, 0, nil)
			s.world.RunFor(300 * time.Millisecond)
			if c.fault.Kind != Slow {
				s.world.RunFor(time.Second)
			}
			if got := s.state("1A"); got != c.atEnd {
				t.Errorf("after closing it is %s, want %s", got, c.atEnd)
			}
			opened, _ := s.bus.Level("c1a.opened")
			closed, _ := s.bus.Level("c1a.closed")
			if either(opened, "1", "0") != c.openedTo || either(closed, "1", "0") != c.closedTo {
				t.Errorf("switches show opened %v and closed %v", opened, closed)
			}
		})
	}
}

func TestDeadSwitchGivesNoEdge(t *testing.T) {
	s := newStand(t, 1, nil)
	if err := s.Fail("1A", Fault{Kind: DeadOpened}); err != nil {
		t.Fatal(err)
	}
	s.out(t, "c1a.drive").Set(true, 0, time.Second, nil)
	s.world.RunFor(3 * time.Second)
	if got := s.heard.of("c1a.opened", 0); got != "" || len(s.heard.edges) != 2 {
		t.Errorf("the dead switch gave %q, all edges are %v", got, s.heard.edges)
	}
}

func TestACanisterFallsShutInMidRun(t *testing.T) {
	s := newStand(t, 1, nil)
	s.out(t, "c1a.drive").Set(true, 0, time.Minute, nil)
	s.world.RunFor(time.Second)
	seen := s.seen.Len()
	if err := s.Fail("1A", Fault{Kind: FallsShut, After: 2 * time.Second}); err != nil {
		t.Fatal(err)
	}
	s.world.RunFor(1900 * time.Millisecond)
	if s.state("1A") != "open" {
		t.Fatal("it fell too early")
	}
	s.world.RunFor(time.Second)
	if s.state("1A") != "closed" || !s.Canisters()[0].Driven {
		t.Errorf("it is %+v", s.Canisters()[0])
	}
	if s.seen.Len() != seen {
		t.Error("a canister's own movement is not to be told from outside")
	}
}

// TestAFallIsForgottenWhenTheCanisterIsShut: shut just before it would have fallen, it makes one journey.
func TestAFallIsForgottenWhenTheCanisterIsShut(t *testing.T) {
	s := newStand(t, 1, nil)
	var states []string
	s.Subscribe(func(c Change) {
		if c.What == Travel {
			states = append(states, c.State)
		}
	})
	drive := s.out(t, "c1a.drive")
	drive.Set(true, 0, time.Minute, nil)
	s.world.RunFor(time.Second)
	if err := s.Fail("1A", Fault{Kind: FallsShut, After: time.Second}); err != nil {
		t.Fatal(err)
	}
	s.world.RunFor(990 * time.Millisecond)
	drive.Set(false, 0, 0, nil)
	s.world.RunFor(time.Minute)
	if got := strings.Join(states, " "); got != "opening open closing closed" {
		t.Errorf("it was %s", got)
	}
}

func TestFaultsThatAreNone(t *testing.T) {
	s := newStand(t, 1, nil)
	for says, err := range map[string]error{
		"no canister":     s.Fail("9Z", Fault{}),
		"unknown fault":   s.Fail("1A", Fault{Kind: "bent"}),
		"2 or more":       s.Fail("1A", Fault{Kind: Slow}),
		"0 or more":       s.Fail("1A", Fault{Kind: FallsShut, After: -1}),
		"no canister \"x": s.Load("x", "tnt"),
		"needs a name":    s.Load("1A", ""),
	} {
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want an error that says %q", err, says)
		}
	}
}

func TestOutputsFallBackByThemselves(t *testing.T) {
	s := newStand(t, 1, nil)
	drive := s.out(t, "c1a.drive")
	from := s.world.Mono()
	drive.Set(true, 0, 10*time.Second, nil)
	s.world.RunFor(8 * time.Second)
	drive.Set(true, 0, 10*time.Second, nil) // asked for again: the time starts anew
	s.world.RunFor(9 * time.Second)
	if s.state("1A") != "open" {
		t.Fatal("a renewed Set did not renew its longest time")
	}
	s.world.RunFor(time.Minute)
	if s.state("1A") != "closed" {
		t.Fatal("the canister stayed open past its longest time")
	}
	if want := fmt.Sprintf("%d movement 1  close\n", from+int64(18*time.Second)); !strings.HasSuffix(s.seen.String(), want) {
		t.Errorf("seen:\n%swant at the end %s", &s.seen, want)
	}
}

func TestANewerSetReplacesAPendingOne(t *testing.T) {
	s := newStand(t, 1, nil)
	drive := s.out(t, "c1a.drive")
	var first, second, third, last done
	soon := s.world.Mono() + int64(time.Second)
	drive.Set(true, soon, time.Minute, first.note)
	drive.Set(true, soon+int64(time.Second), time.Minute, second.note)
	if first.times != 1 || !errors.Is(first.err, bus.ErrReplaced) {
		t.Errorf("the first one was answered with %+v", first)
	}
	drive.Set(false, 0, 0, third.note)
	s.world.RunFor(time.Minute)
	if second.times != 1 || !errors.Is(second.err, bus.ErrReplaced) || third.err != nil || s.state("1A") != "closed" {
		t.Errorf("second %+v, third %+v, it is %s", second, third, s.state("1A"))
	}
	drive.Set(true, s.world.Mono()+1, time.Minute, last.note)
	_ = s.bus.Close()
	if last.times != 1 || !errors.Is(last.err, bus.ErrClosed) {
		t.Errorf("what was pending at the close was answered with %+v", last)
	}
	drive.Set(true, 0, 0, first.note)
	if first.times != 2 || !errors.Is(first.err, bus.ErrClosed) || s.Canisters()[0].Driven {
		t.Error("an output of a closed bus moved, or said nothing")
	}
}

func TestWithoutAClientEverythingFallsToItsSafeLevel(t *testing.T) {
	s := newStand(t, 1, nil)
	for _, line := range []string{"c1a.drive", "c2b.drive", "light.ready"} {
		s.out(t, line).Set(true, 0, 0, nil)
	}
	s.world.RunFor(time.Second)
	if _, err := s.Connect(); !errors.Is(err, ErrInUse) {
		t.Errorf("a second client: %v", err)
	}
	_ = s.bus.Close()
	if err := s.bus.Close(); err != nil {
		t.Errorf("closing twice: %v", err)
	}
	s.world.RunFor(time.Second)
	for _, c := range s.Canisters() {
		if c.State != "closed" || c.Driven {
			t.Errorf("%+v without a client", c)
		}
	}
	if !strings.Contains(s.seen.String(), "light 0 ready off") {
		t.Errorf("the light stayed on:\n%s", &s.seen)
	}
	// What happens meanwhile shows to the next client as a gap.
	before := s.heard.edges[len(s.heard.edges)-1].Seq
	s.Beam(1, true)
	s.Beam(1, false)
	again, err := s.Connect()
	if err != nil {
		t.Fatal(err)
	}
	h := &heard{}
	if err := again.Watch([]string{"beam1"}, h); err != nil {
		t.Fatal(err)
	}
	s.Beam(1, true)
	if len(h.edges) != 1 || h.edges[0].Seq != 3 || before == 0 {
		t.Errorf("edges %+v, want one with seq 3", h.edges)
	}
}

func TestBusRefuses(t *testing.T) {
	s := newStand(t, 1, nil)
	s.out(t, "c1a.drive")
	_, unknown := s.bus.Output("c9z.drive", false)
	_, input := s.bus.Output("beam1", false)
	_, twice := s.bus.Output("c1a.drive", false)
	_, level := s.bus.Level("nothing")
	again := s.bus.Watch(nil, s.heard)
	for says, err := range map[string]error{"no such line: \"c9z.drive\"": unknown, "is an input": input,
		"asked for before": twice, "no such line: \"nothing\"": level, "asked for twice": again} {
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want an error that says %q", err, says)
		}
	}
	if !errors.Is(unknown, bus.ErrUnknownLine) || !errors.Is(level, bus.ErrUnknownLine) {
		t.Error("an unknown line is not bus.ErrUnknownLine")
	}
	_ = s.bus.Close()
	other, _ := s.Connect()
	if err := other.Watch([]string{"light.ack"}, s.heard); err == nil || !strings.Contains(err.Error(), "is an output") {
		t.Errorf("watching an output: %v", err)
	}
	if err := other.Watch([]string{"nothing"}, s.heard); !errors.Is(err, bus.ErrUnknownLine) {
		t.Errorf("watching nothing: %v", err)
	}
	_, closed := s.bus.Level("beam1")
	_, closedOut := s.bus.Output("light.ack", false)
	for _, err := range []error{closed, closedOut, s.bus.Watch(nil, nil)} {
		if !errors.Is(err, bus.ErrClosed) {
			t.Errorf("after the close: %v", err)
		}
	}
	if err := s.Button("bell", true); err == nil || !strings.Contains(err.Error(), "no button") {
		t.Errorf("a button that is not there: %v", err)
	}
}

func TestInputs(t *testing.T) {
	s := newStand(t, 1, nil)
	s.Beam(2, true)
	s.Beam(2, true)
	s.world.RunFor(time.Second)
	s.Beam(2, false)
	_ = s.Button(ButtonAlert, true)
	_ = s.Button(ButtonAlert, true)
	_ = s.Button(ButtonAlert, false)
	s.Shout(2)
	s.Shout(0)
	from := world.Start
	if got := s.heard.of("beam2", from) + "; " + s.heard.of("button.alert", from); got != "1@0s 0@1s; 1@1s 0@1s" {
		t.Errorf("edges %s", got)
	}
	want := "1000000000 nose 2  in\n2000000000 nose 2  out\n2000000000 button 0 alert down\n2000000000 button 0 alert up\n" +
		"2000000000 shout 2  alert\n2000000000 shout 0  all clear\n"
	if s.seen.String() != want {
		t.Errorf("seen:\n%swant:\n%s", &s.seen, want)
	}
	s.bus.Mark()
	if s.heard.marks[SourceFront] != s.world.Mono() || s.heard.marks[SourceLimits] != s.world.Mono() {
		t.Errorf("marks %v", s.heard.marks)
	}
	if got := s.bus.Sources(); len(got) != 2 || got[SourceFront] != 0 {
		t.Errorf("sources %v", got)
	}
}

// TestContactsBounceAndSettle: whatever the bouncing, edges alternate, are numbered without gaps, come in order,
// break no promise, and end where the contact is held.
func TestContactsBounceAndSettle(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := newStand(t, rapid.Uint64().Draw(rt, "seed"), func(l *Layout) {
			l.Bounces, l.BounceTime = rapid.IntRange(1, 5).Draw(rt, "bounces"), 4*time.Millisecond
		})
		held := false
		for range rapid.IntRange(1, 8).Draw(rt, "changes") {
			held = !held
			s.Beam(1, held)
			s.world.RunFor(time.Duration(rapid.IntRange(1, 6000).Draw(rt, "us")) * time.Microsecond)
		}
		s.world.RunFor(time.Second)
		last := bus.Edge{}
		for _, e := range s.heard.edges {
			if e.Level == last.Level || e.Seq != last.Seq+1 || e.Mono < last.Mono {
				rt.Fatalf("edge %+v after %+v", e, last)
			}
			last = e
		}
		if last.Level != held || len(s.heard.early) > 0 {
			rt.Fatalf("settled at %v, held at %v; broken promises: %v", last.Level, held, s.heard.early)
		}
	})
}

func TestLayoutProblemsComeAllAtOnce(t *testing.T) {
	l := LineUp(1, 1, nil)
	l.Canisters = append(l.Canisters, Canister{Position: 0, Name: "1A", Drive: "beam1"})
	l.Beams = append(l.Beams, Beam{Position: 1, Line: ""}, Beam{Position: -1, Line: "b"})
	l.Lights[0].Name = ""
	l.Bounces = -1
	_, err := New(world.New(1), l)
	for _, says := range []string{`canister "1A": expected a name that no other`, "positions count from 1", `"beam1" is used twice`,
		`beam "1" has no line`, `beam "-1": positions`, `light "": expected a name`, "bounces -1"} {
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v\nwant it to say %q", err, says)
		}
	}
	if got := LineUp(6, 4, DefaultLoading); got.Check() != nil || got.Positions() != 6 || len(got.Canisters) != 24 || got.Canisters[23].Odour != NoOdour {
		t.Errorf("the usual line-up: %v, %d positions, %d canisters", got.Check(), got.Positions(), len(got.Canisters))
	}
}
