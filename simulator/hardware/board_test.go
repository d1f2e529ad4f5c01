package hardware

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"scentpost/simulator/world"
)

// TestABoardIsSolderedIn: its pins are lines of the station, and the machine sees nothing of them.
func TestABoardIsSolderedIn(t *testing.T) {
	w := world.New(1)
	s, err := New(w, Layout{
		Canisters: []Canister{{Position: 1, Name: "1A", Odour: NoOdour, Drive: "b:D4", Opened: "b:D8", Closed: "b:D9"}},
		Beams:     []Beam{{Position: 1, Line: "b:D2"}, {Position: 2, Line: "beam2"}}, Lights: []Light{{Name: "ready", Line: "c:D5"}}})
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	b := s.Solder("b", func(pin string, level bool) { told = append(told, fmt.Sprint(pin, " ", level)) })
	if got := b.Pins(); !slices.Equal(got, []string{"D2", "D4", "D8", "D9"}) || !b.Level("D9") || b.Level("D8") {
		t.Errorf("pins %q, D9 %t, D8 %t", got, b.Level("D9"), b.Level("D8"))
	}
	lines, err := s.Connect()
	if err != nil {
		t.Fatal(err)
	}
	e := &heard{}
	if err := lines.Watch([]string{"b:D2", "beam2"}, e); err != nil {
		t.Fatal(err)
	}
	s.Beam(1, true)
	s.Beam(2, true)
	b.Drive("D4", true)
	b.Drive("D2", false) // an input
	b.Drive("D7", true)  // nothing ends there
	w.RunFor(5 * time.Second)
	if want := []string{"D2 true", "D9 false", "D8 true"}; !slices.Equal(told, want) {
		t.Errorf("the board was told %q, want %q", told, want)
	}
	if len(e.edges) != 1 || e.edges[0].Line != "beam2" || e.edges[0].Seq != 1 {
		t.Errorf("the machine heard %+v", e.edges)
	}
	if got := s.Canisters()[0].State; got != "open" {
		t.Errorf("the canister is %s", got)
	}
	if err := lines.Close(); err != nil {
		t.Fatal(err)
	}
	if got := s.Canisters()[0]; !got.Driven {
		t.Error("the machine has let go of its lines, and what the board drives has fallen")
	}
}
