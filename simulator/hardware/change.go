package hardware

import (
	"fmt"
	"io"
)

// What says what a Change is a change of.
type What string

// The kinds of changes.
const (
	Drive    What = "drive"    // a canister's drive line; State "open" or "close"
	Travel   What = "canister" // the canister itself; State "closed", "opening", "open", "closing"
	Nose     What = "nose"     // at a beam; State "in" or "out"
	Press    What = "button"   // State "down" or "up"
	Lamp     What = "light"    // State "on" or "off"
	Blow     What = "blower"   // State "on" or "off"
	Call     What = "sounder"  // State "on" or "off"
	Flip     What = "switch"   // something else that is switched; State "on" or "off"
	Shout    What = "shout"    // what the handler called aloud; State "alert" or "all clear"
	PowerCut What = "power"    // the client of the lines is gone; State "off", or "on" when one came
)

// Change is one physical change in the station, known to nobody but the simulation: it tells which canister.
type Change struct {
	Mono     int64  `json:"mono,string"`
	What     What   `json:"what"`
	Position int    `json:"position,omitempty"`
	Name     string `json:"name,omitempty"`
	State    string `json:"state"`
}

// Sight is what somebody who stands before the station sees of a change.
type Sight struct {
	Mono     int64
	What     string // "movement", "nose", "button", "light", "blower", "sounder", "switch", "shout"
	Position int
	Name     string
	State    string
}

// Seen returns what is seen of a change, false when nothing is. A commanded movement is seen where and when it
// starts; which canister of the position it is, and how long that one travels, is not: the canisters of a position
// are taken to look and sound alike. A change of the canister's own is not seen for the same reason.
func (c Change) Seen() (Sight, bool) {
	switch c.What {
	case Drive:
		return Sight{Mono: c.Mono, What: "movement", Position: c.Position, State: c.State}, true
	case Nose, Press, Lamp, Blow, Call, Flip, Shout:
		return Sight{Mono: c.Mono, What: string(c.What), Position: c.Position, Name: c.Name, State: c.State}, true
	}
	return Sight{}, false
}

// String returns the sight as one line of text without its end.
func (s Sight) String() string {
	return fmt.Sprintf("%d %s %d %s %s", s.Mono, s.What, s.Position, s.Name, s.State)
}

// See calls f at every later sight. f must not change the station at once: it plans a call of the world.
func (s *Station) See(f func(Sight)) {
	s.Subscribe(func(c Change) {
		if seen, ok := c.Seen(); ok {
			f(seen)
		}
	})
}

// Observe writes every later sight to w as a line of text. It is how two worlds are compared byte by byte. An
// error of w is left to w.
func (s *Station) Observe(w io.Writer) {
	s.See(func(seen Sight) { _, _ = fmt.Fprintln(w, seen) })
}
