package dog

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"scentpost/drivers/bus"
	"scentpost/simulator/hardware"
	"scentpost/simulator/world"
)

// yard is a place without a station: it holds the air it is told and notes what is done.
type yard struct {
	world *world.World
	air   map[int][]hardware.Scent
	see   func(hardware.Sight)
	log   bytes.Buffer
	mute  bool // without buttons
	in    int
	down  int
}

func (y *yard) Positions() int                      { return 6 }
func (y *yard) Smell(position int) []hardware.Scent { return y.air[position] }
func (y *yard) See(f func(hardware.Sight))          { y.see = f }
func (y *yard) note(format string, args ...any)     { fmt.Fprintf(&y.log, format+"\n", args...) }
func (y *yard) light(on string)                     { y.see(hardware.Sight{What: "light", Name: "ready", State: on}) }
func (y *yard) seconds() float64                    { return float64(y.world.Mono()-world.Start) / 1e9 }
func (y *yard) Beam(position int, broken bool) {
	if broken {
		y.in++
	} else {
		y.in--
	}
	y.note("%.1f nose %d %v", y.seconds(), position, broken)
}

func (y *yard) Button(name string, down bool) error {
	if y.mute {
		return fmt.Errorf("no button %s", name)
	}
	if down {
		y.down++
	} else {
		y.down--
	}
	y.note("%.1f %s %v", y.seconds(), name, down)
	return nil
}

// yardWith returns a yard with a team in it that the test calls the lights of.
func yardWith(t *testing.T, seed uint64, d Dog, h Handler, calls *[]Call) (*yard, *Team) {
	t.Helper()
	y := &yard{world: world.New(seed), air: map[int][]hardware.Scent{}}
	team, err := Enter(y.world, y, d, h, func(c Call) {
		if calls != nil {
			*calls = append(*calls, c)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return y, team
}

// sure returns a dog that is never wrong.
func sure() Dog {
	d := Default()
	d.Hit, d.FalseDistractor, d.FalseBlank = 1, 0, 0
	return d
}

func TestASearchEndsAtTheTarget(t *testing.T) {
	var calls []Call
	y, _ := yardWith(t, 1, sure(), ByButton(), &calls)
	y.air[2] = []hardware.Scent{{Odour: "glove", Strength: hardware.Full}}
	y.air[4] = []hardware.Scent{{Odour: "glove", Strength: hardware.Full}, {Odour: "tnt", Strength: hardware.Full / 10}}
	y.light("on")
	y.world.RunWhile(func() bool { return len(calls) == 0 }, 1<<62)
	y.world.RunFor(time.Second) // the button is let go, the nose still in
	if len(calls) != 1 || calls[0].Position != 4 || y.in != 1 || y.down != 0 {
		t.Fatalf("calls %v, noses in %d, buttons down %d:\n%s", calls, y.in, y.down, &y.log)
	}
	y.light("off")
	y.world.RunFor(time.Minute)
	if y.in != 0 || y.world.Step() {
		t.Errorf("after the lock the nose is in, or somebody still has plans:\n%s", &y.log)
	}
	var what []string
	for line := range strings.Lines(y.log.String()) {
		_, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		what = append(what, rest)
	}
	want := "start true,start false,nose 1 true,nose 1 false,nose 2 true,nose 2 false,nose 3 true,nose 3 false," +
		"nose 4 true,alert true,alert false,nose 4 false"
	if got := strings.Join(what, ","); got != want {
		t.Errorf("they did\n%s, want\n%s", got, want)
	}
}

func TestAllClearIsALongPress(t *testing.T) {
	var calls []Call
	y, _ := yardWith(t, 1, sure(), ByButton(), &calls)
	y.air[3] = []hardware.Scent{{Odour: "tnt", Strength: hardware.Full/10 - 1}} // under the threshold
	y.light("on")
	y.world.RunFor(time.Minute)
	log := y.log.String()
	if len(calls) != 1 || calls[0].Position != 0 || strings.Count(log, "nose 6") != 2 {
		t.Fatalf("calls %v:\n%s", calls, log)
	}
	var down, up float64
	if _, err := fmt.Sscanf(log[strings.Index(log, "nose 6 false\n")+len("nose 6 false\n"):], "%f alert true\n%f alert false", &down, &up); err != nil {
		t.Fatal(err, log)
	}
	if held := up - down; math.Abs(held-ByButton().Long.Seconds()) > 0.11 { // the log has one decimal
		t.Errorf("the button was held %.1f s", held)
	}
}

func TestTheLightGoingOffEndsTheSearch(t *testing.T) {
	y, team := yardWith(t, 1, sure(), ByButton(), nil)
	for range 40 { // at many instants of a search
		y.light("on")
		y.world.RunFor(time.Duration(y.world.Rand("instant").Below(20_000)) * time.Millisecond)
		y.light("off")
		y.world.RunFor(5 * time.Second)
		if y.in != 0 || y.down != 0 || y.world.Step() {
			t.Fatalf("noses in %d, buttons down %d, or plans left:\n%s", y.in, y.down, &y.log)
		}
		team.Go() // without the light nobody goes
		if y.world.Step() {
			t.Fatal("the dog went without the light")
		}
	}
}

func TestWhereTheRunGoesOnAfterACallSoDoThey(t *testing.T) {
	var calls []Call
	y, _ := yardWith(t, 1, sure(), ByButton(), &calls)
	for _, p := range []int{2, 5} {
		y.air[p] = []hardware.Scent{{Odour: "smokeless-powder", Strength: hardware.Full}}
	}
	y.light("on")
	y.world.RunFor(2 * time.Minute)
	if len(calls) != 3 || calls[0].Position != 2 || calls[1].Position != 5 || calls[2].Position != 0 || y.in != 0 {
		t.Errorf("calls %v, noses in %d", calls, y.in)
	}
}

func TestWhoStartsAndWhoEnters(t *testing.T) {
	for name, c := range map[string]struct {
		change      func(*Handler)
		gone        bool // Go is called
		buttons     bool // any was pressed
		nose, calls bool
	}{
		"by button":           {func(*Handler) {}, false, true, true, true},
		"shouts":              {func(h *Handler) { h.Starts, h.Calls, h.GoAfter = false, false, time.Second }, false, false, true, true},
		"waits for a command": {func(h *Handler) { h.Starts = false }, false, false, false, false},
		"has the command":     {func(h *Handler) { h.Starts, h.Calls = false, false }, true, false, true, true},
	} {
		h := ByButton()
		c.change(&h)
		var calls []Call
		y, team := yardWith(t, 1, sure(), h, &calls)
		y.light("on")
		if c.gone {
			team.Go()
			team.Go()
		}
		y.world.RunFor(2 * time.Minute)
		log := y.log.String()
		if strings.Contains(log, "start") != c.buttons || strings.Contains(log, "alert") != c.buttons ||
			strings.Contains(log, "nose 1") != c.nose || (len(calls) == 1) != c.calls {
			t.Errorf("%s: calls %v:\n%s", name, calls, log)
		}
	}
}

func TestAStationWithoutButtons(t *testing.T) {
	var calls []Call
	y, _ := yardWith(t, 1, sure(), ByButton(), &calls)
	y.mute = true
	y.light("on")
	y.world.RunFor(time.Minute)
	if len(calls) != 1 || !strings.Contains(y.log.String(), "nose 6") {
		t.Errorf("calls %v:\n%s", calls, &y.log)
	}
}

// TestRates holds the dog to its parameters over many runs at a real virtual station: the bounds are four standard
// deviations, the seed is fixed.
func TestRates(t *testing.T) {
	const runs = 3000
	d := Default()
	d.Hit, d.FalseDistractor, d.FalseBlank, d.Skip = 0.8, 0.15, 0.05, 0.1
	for _, c := range []struct {
		canister string
		rate     float64
	}{{"1A", d.Hit}, {"1B", d.Hit}, {"1C", d.FalseDistractor}, {"1D", d.FalseBlank}} {
		w := world.New(11)
		st, err := hardware.New(w, hardware.LineUp(1, 4, hardware.DefaultLoading))
		if err != nil {
			t.Fatal(err)
		}
		lines, _ := st.Connect()
		var canister, ready bus.Output
		if canister, err = lines.Output("c"+strings.ToLower(c.canister)+".drive", false); err == nil {
			ready, err = lines.Output("light.ready", false)
		}
		if err != nil {
			t.Fatal(err)
		}
		visits, alerts, over := 0, 0, false
		st.See(func(s hardware.Sight) {
			if s.What == "nose" && s.State == "in" {
				visits++
			}
		})
		if _, err := Enter(w, st, d, ByButton(), func(call Call) {
			over = true
			if call.Position == 1 {
				alerts++
			}
		}); err != nil {
			t.Fatal(err)
		}
		for range runs {
			over = false
			canister.Set(true, 0, time.Hour, nil)
			w.RunFor(2 * time.Second)
			ready.Set(true, 0, 0, nil)
			if !w.RunWhile(func() bool { return !over }, w.Mono()+int64(time.Minute)) {
				t.Fatal("a run without a call")
			}
			ready.Set(false, 0, 0, nil)
			canister.Set(false, 0, 0, nil)
			w.RunFor(40 * time.Second)
		}
		near(t, "visits to "+c.canister, visits, runs, 1-d.Skip)
		near(t, "alerts at "+c.canister, alerts, visits, c.rate)
	}
}

func near(t *testing.T, what string, got, n int, p float64) {
	t.Helper()
	if sd := math.Sqrt(p * (1 - p) / float64(n)); math.Abs(float64(got)/float64(n)-p) > 4*sd {
		t.Errorf("%s: %d of %d, the rate is %.2f", what, got, n, p)
	}
}

func TestChecks(t *testing.T) {
	w := world.New(1)
	for says, change := range map[string]func(*Dog, *Handler){
		`"hit" is 1.5`:        func(d *Dog, _ *Handler) { d.Hit = 1.5 },
		`"skip" is NaN`:       func(d *Dog, _ *Handler) { d.Skip = math.NaN() },
		"walk takes 0s":       func(d *Dog, _ *Handler) { d.Walk = Span{} },
		"hold takes 2s to 1s": func(d *Dog, _ *Handler) { d.Hold = Span{2 * time.Second, time.Second} },
		"reacts in 1s to 0s":  func(_ *Dog, h *Handler) { h.React = Span{Least: time.Second} },
		"presses 1s and 1s":   func(_ *Dog, h *Handler) { h.Short, h.Long = time.Second, time.Second },
	} {
		d, h := Default(), ByButton()
		change(&d, &h)
		if _, err := Enter(w, &yard{}, d, h, nil); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want an error that says %q", err, says)
		}
	}
	if _, err := Enter(w, &yard{}, Default(), ByButton(), nil); err != nil {
		t.Error(err)
	}
}
