package rig

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"scentpost/drivers/bus"
	"scentpost/drivers/linux"
	"scentpost/simulator/hardware"
	"scentpost/simulator/world"
	"scentpost/station/catalog"
	"scentpost/station/templates"
)

// patience bounds what these tests wait for in real time; nothing is asserted of how long it took.
const patience = 30 * time.Second

// held is a rig that is served, with a station of one canister, one beam and one light on a board.
type held struct {
	*testing.T
	rig    *Rig
	server *hardware.Server
	st     *hardware.Station
	link   string
}

func hold(t *testing.T) *held {
	t.Helper()
	st, err := hardware.New(world.New(1), hardware.Layout{
		Canisters: []hardware.Canister{{Position: 1, Name: "1A", Odour: hardware.NoOdour, Drive: "b:D4", Opened: "b:D8", Closed: "b:D9"}},
		Beams:     []hardware.Beam{{Position: 1, Line: "b:D2"}}, Lights: []hardware.Light{{Name: "ready", Line: "b:D5"}}})
	if err != nil {
		t.Fatal(err)
	}
	server, err := hardware.NewServer(st, "rig", 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	h := &held{T: t, server: server, st: st, link: filepath.Join(t.TempDir(), "board")}
	h.rig, err = Plug(server, st, []Board{{Name: "b", Link: h.link, ID: "b", Baud: 500_000, Pins: map[string]Pin{
		"D4": {Line: "b:D4", Output: true, ActiveLow: true}, "D5": {Line: "b:D5", Output: true},
		"D8": {Line: "b:D8"}, "D9": {Line: "b:D9"}, "D2": {Line: "b:D2", ActiveLow: true}}}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ctx, nil, nil) }()
	t.Cleanup(func() {
		if err := h.rig.Close(); err != nil {
			t.Error(err)
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return h
}

// ear hears what the bus of a board tells, and lets the test wait for it.
type ear struct {
	mu    sync.Mutex
	heard []string
	news  chan struct{}
}

func (e *ear) add(format string, args ...any) {
	e.mu.Lock()
	e.heard = append(e.heard, fmt.Sprintf(format, args...))
	e.mu.Unlock()
	select {
	case e.news <- struct{}{}:
	default:
	}
}

func (e *ear) Edge(x bus.Edge)         { e.add("%s %t", x.Line, x.Level) }
func (e *ear) Watermark(bus.Watermark) {}
func (e *ear) Gap(bus.Gap)             { e.add("gap") }
func (e *ear) Presence(p bus.Presence) { e.add("here %t", p.Here) }

// until waits for one thing, and forgets what came before it.
func (e *ear) until(t *testing.T, what string) {
	t.Helper()
	limit := time.After(patience)
	for {
		e.mu.Lock()
		for i, h := range e.heard {
			if h == what {
				e.heard = e.heard[i+1:]
				e.mu.Unlock()
				return
			}
		}
		heard := e.heard
		e.mu.Unlock()
		select {
		case <-e.news:
		case <-limit:
			t.Fatalf("%q did not come; heard %q", what, heard)
		}
	}
}

// board is a carrier of the catalogue behind the rig's port, kept alive.
func (h *held) board(typ templates.Type) (bus.Bus, *ear) {
	h.Helper()
	clock, err := linux.NewClock()
	if err != nil {
		h.Fatal(err)
	}
	values, problems := typ.Check(nil)
	if problems != nil {
		h.Fatal(problems)
	}
	c, err := typ.Part.(catalog.Carrier)(catalog.Reach{ID: "b", Now: clock.Mono, Chance: func() uint32 { return uint32(clock.Mono()) },
		Open: func(baud int) (bus.Port, error) { return linux.OpenSerial(h.link, baud) }},
		catalog.Carried{Name: "b", Pins: map[string]catalog.Wiring{"D4": {Output: true, ActiveLow: true}, "D5": {Output: true}, "D8": {}, "D9": {}, "D2": {ActiveLow: true}}}, values)
	if err != nil {
		h.Fatal(err)
	}
	h.Cleanup(func() {
		if err := c.Bus.Close(); err != nil {
			h.Error(err)
		}
	})
	e := &ear{news: make(chan struct{}, 1)}
	if err := c.Bus.Watch([]string{"D2", "D8", "D9"}, e); err != nil {
		h.Fatal(err)
	}
	keeper := c.Bus.(bus.Keeper)
	beats := time.NewTicker(keeper.BeatEvery())
	done := make(chan struct{})
	go func() {
		for {
			select {
			case <-beats.C:
				keeper.Beat()
			case <-done:
				return
			}
		}
	}()
	h.Cleanup(func() { beats.Stop(); close(done) })
	return c.Bus, e
}

// TestEveryBoardRunsInTheSimulator: each template of a board drives a canister, sees its limit switches and a nose, and
// comes back after its cable was out and after a reset.
func TestEveryBoardRunsInTheSimulator(t *testing.T) {
	boards := 0
	for _, typ := range catalog.Types() {
		if typ.Port == "" {
			continue
		}
		boards++
		t.Run(typ.Name, func(t *testing.T) { playBoard(t, typ) })
	}
	if boards == 0 {
		t.Error("there is no template of a board")
	}
}

func playBoard(t *testing.T, typ templates.Type) {
	h := hold(t)
	b, e := h.board(typ)
	out, err := b.Output("D4", false)
	if err != nil {
		t.Fatal(err)
	}
	e.until(t, "here true")
	open := func() {
		out.Set(true, 0, time.Minute, nil)
		e.until(t, "D8 true")
	}
	open()
	out.Set(false, 0, 0, nil)
	e.until(t, "D9 true")
	h.server.Do(func() { h.st.Beam(1, true) })
	e.until(t, "D2 true")
	h.server.Do(func() { h.st.Beam(1, false) })
	e.until(t, "D2 false")
	open()
	if err := h.rig.Unplug("b"); err != nil {
		t.Fatal(err)
	}
	e.until(t, "here false")
	if err := h.rig.Plug("b"); err != nil {
		t.Fatal(err)
	}
	e.until(t, "here true")
	open()
	if err := h.rig.Reset("b"); err != nil {
		t.Fatal(err)
	}
	e.until(t, "here false")
	e.until(t, "here true")
	states := make(chan []hardware.CanisterState, 1)
	h.server.Do(func() { states <- h.st.Canisters() })
	if s := (<-states)[0]; s.Driven {
		t.Errorf("after a reset: %+v", s)
	}
	open()
}

func TestOrdersThatMakeNoSense(t *testing.T) {
	h := hold(t)
	for what, err := range map[string]error{"unplug a board that is not there": h.rig.Unplug("c"), "plug one in that is": h.rig.Plug("b")} {
		if err == nil {
			t.Errorf("%s: done", what)
		}
	}
	if err := h.rig.Unplug("b"); err != nil {
		t.Fatal(err)
	}
	if err := h.rig.Unplug("b"); err == nil {
		t.Error("unplugged twice")
	}
}
