package hardware

import (
	"testing"
	"time"

	"scentpost/drivers/bus"
	"scentpost/drivers/bus/bustest"
	"scentpost/drivers/mcp23017"
	"scentpost/simulator/world"
)

// onExpander is a station of one canister and two buttons, the canister and one of them on a port expander.
func onExpander(t *testing.T) *Station {
	t.Helper()
	s, err := New(world.New(1), Layout{
		Canisters: []Canister{{Position: 1, Name: "1A", Drive: "exp:A0", Opened: "exp:B0", Closed: "exp:B1"}},
		Buttons:   []Button{{Name: "alert", Line: "exp:A1"}, {Name: "abort", Line: "abort"}},
		Chips:     []Chip{{Name: "exp", Bus: "i2c-1", Address: 0x20, Chip: bustest.NewMCP23017(0x20, 0), Interrupt: "asks"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// talk connects a daemon with its part of the expander.
func talk(t *testing.T, s *Station) (*Connection, *mcp23017.Expander, *ears) {
	t.Helper()
	c, err := s.Connect()
	if err != nil {
		t.Fatal(err)
	}
	wires, err := c.Wires("i2c-1")
	if err != nil {
		t.Fatal(err)
	}
	chip, err := mcp23017.New(wires, wires, mcp23017.Options{Name: "exp", Address: 0x20, Lateness: time.Second,
		Pins: map[string]mcp23017.Pin{"A0": {Number: 0}, "A1": {Number: 1}, "B0": {Number: 8}, "B1": {Number: 9}}})
	if err != nil {
		t.Fatal(err)
	}
	heard := &ears{chip: chip}
	if err := c.Watch([]string{"abort", "asks"}, heard); err != nil {
		t.Fatal(err)
	}
	chip.Attend(250 * time.Millisecond)
	return c, chip, heard
}

// ears hear edges, and ring the chip when it asks.
type ears struct {
	chip  *mcp23017.Expander
	edges []bus.Edge
}

func (e *ears) Edge(x bus.Edge) {
	if e.edges = append(e.edges, x); x.Line == "asks" && x.Level {
		e.chip.Interrupt(x.Mono, 0)
	}
}
func (e *ears) Watermark(bus.Watermark) {}

func state(s *Station) (string, bool) {
	c := s.Canisters()[0]
	return c.State, c.Driven
}

// TestACanisterOnAnExpander: it opens over the wires, its switches ask by the interrupt's line, which gives the stamp; it
// stays open when the daemon is gone, and closes when one is back.
func TestACanisterOnAnExpander(t *testing.T) {
	s := onExpander(t)
	c, chip, _ := talk(t, s)
	drive, err := chip.Output("A0", false)
	if err != nil {
		t.Fatal(err)
	}
	limits := &ears{chip: chip}
	if err := chip.Watch([]string{"A1", "B0", "B1"}, limits); err != nil {
		t.Fatal(err)
	}
	s.world.RunFor(100 * time.Millisecond)
	began := s.world.Mono()
	drive.Set(true, 0, time.Hour, nil)
	s.world.RunFor(5 * time.Second)
	if at, driven := state(s); at != "open" || !driven {
		t.Fatalf("the canister is %s, driven %t", at, driven)
	}
	if n := len(limits.edges); n != 2 || limits.edges[0].Line != "B1" || limits.edges[0].Level || limits.edges[1].Line != "B0" || !limits.edges[1].Level {
		t.Fatalf("%+v", limits.edges)
	}
	for _, e := range limits.edges {
		if e.Bound != 0 || e.Mono <= began || e.Mono%int64(250*time.Millisecond) == 0 {
			t.Errorf("%+v: the stamp is not that of the interrupt", e)
		}
	}
	if err := s.Button("alert", true); err != nil {
		t.Fatal(err)
	}
	s.world.RunFor(time.Second)
	if n := len(limits.edges); n != 3 || limits.edges[2].Line != "A1" || limits.edges[2].Bound != 0 {
		t.Errorf("a button on it: %+v", limits.edges[2:])
	}
	if err := c.Close(); err != nil { // without the part's own end, as a killed daemon
		t.Fatal(err)
	}
	chip.Close()
	s.world.RunFor(time.Minute)
	if at, driven := state(s); at != "open" || !driven {
		t.Errorf("without a daemon the canister is %s, driven %t: an expander holds", at, driven)
	}
	_, _, _ = talk(t, s)
	s.world.RunFor(10 * time.Second)
	if at, driven := state(s); at != "closed" || driven {
		t.Errorf("with the daemon back the canister is %s, driven %t", at, driven)
	}
}

// TestAnExpanderWithoutPower: what it drives falls to its pull, and it is as new when it is back.
func TestAnExpanderWithoutPower(t *testing.T) {
	s := onExpander(t)
	_, chip, _ := talk(t, s)
	drive, err := chip.Output("A0", false)
	if err != nil {
		t.Fatal(err)
	}
	s.world.RunFor(100 * time.Millisecond)
	drive.Set(true, 0, time.Hour, nil)
	s.world.RunFor(100 * time.Millisecond)
	if err := s.Unplug("exp"); err != nil {
		t.Fatal(err)
	}
	if _, driven := state(s); driven {
		t.Error("a chip without power drives")
	}
	s.world.RunFor(2 * time.Second)
	if chip.Err() == nil {
		t.Error("nobody noticed")
	}
	if err := s.Unplug("exp"); err != nil {
		t.Fatal(err)
	}
	s.world.RunFor(3 * time.Second)
	if _, driven := state(s); chip.Err() != nil || driven {
		t.Errorf("back: %v, driven %t", chip.Err(), driven)
	}
}
