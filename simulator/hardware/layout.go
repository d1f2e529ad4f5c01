// Package hardware is a virtual station: canisters that travel and fail, beams, buttons, lights, fans, chips on I2C and
// the air between them, behind drivers/bus.
package hardware

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"periph.io/x/conn/v3/i2c"
)

// NoOdour is the odour of a carrier that smells of nothing.
const NoOdour = "blank"

// DefaultLoading is what lies in the canisters A, B, C and D of a position when nobody says otherwise. Further
// canisters are blank.
var DefaultLoading = []string{"tnt", "smokeless-powder", "glove", NoOdour}

// The sources that stamp edges. Limit switches have one of their own: their edges tell which canister moved, so
// neither their number nor their promises may show in what beams and buttons give.
const (
	SourceFront  = "front"  // beams and buttons
	SourceLimits = "limits" // limit switches
)

// Layout says what a station is built of and on which lines. Every line name is used once.
type Layout struct {
	Canisters []Canister
	Beams     []Beam
	Buttons   []Button
	Lights    []Light
	Blowers   []Blower
	Sounders  []Sounder
	Switches  []Switch
	Contacts  []Contact
	Chips     []Chip
	// Bounces is how many times a button's or beam's contact opens again at most, within BounceTime of each
	// change; 0 gives clean edges.
	Bounces    int
	BounceTime time.Duration
}

// Canister is one canister: what lies in it and its lines. Drive true opens it; without power it shuts, unless Shut names
// a line that shuts it: then a motor moves it while one of the two is on, and holds it where it is otherwise. Opened and
// Closed are the lines of its limit switches, empty for none.
type Canister struct {
	Position              int    // from 1
	Name                  string // "1A"
	Odour                 string // NoOdour for a blank
	Drive, Opened, Closed string
	Shut                  string
}

// Beam is a light beam that a nose at Position breaks.
type Beam struct {
	Position int
	Line     string
}

// Button is a push button.
type Button struct{ Name, Line string }

// Light is a lamp that people see.
type Light struct{ Name, Line string }

// Blower changes the air of a position, or of all of them where Position is 0, while its line is on.
type Blower struct {
	Name     string
	Position int
	Line     string
}

// Sounder is heard while its line is on.
type Sounder struct{ Name, Line string }

// Switch is something else that a line switches; nothing comes of it.
type Switch struct{ Name, Line string }

// Contact is something else that gives a line its level; it rests, inactive, until it is touched.
type Contact struct {
	Name, Line string
	// Sealed is set where what it tells is sealed, so that its edges are stamped beside those of limit switches.
	Sealed bool
}

// Chip is a chip at an address of an I2C bus, at register level.
type Chip struct {
	Name    string
	Bus     string // "i2c-1"
	Address uint16
	Chip    i2c.Bus
	// Interrupt is the line that a chip which carries lines asks with, "" for none. Several may share one.
	Interrupt string

	off bool // unplugged
}

// The names of the buttons and lights of a LineUp.
const (
	ButtonAlert = "alert"
	ButtonStart = "start"
	ButtonAbort = "abort"
	ButtonEStop = "e-stop"
	LightReady  = "ready"
	LightAck    = "ack"
)

// LineUp returns the usual layout: canisters 1A, 1B... with lines "c1a.drive", "c1a.opened", "c1a.closed", loaded
// by letter from loading, beams "beam1"..., buttons "button.alert", ..., lights "light.ready" and "light.ack".
func LineUp(positions, each int, loading []string) Layout {
	var l Layout
	for p := 1; p <= positions; p++ {
		for i := range each {
			name := fmt.Sprintf("%d%c", p, 'A'+rune(i))
			line := "c" + strings.ToLower(name)
			odour := NoOdour
			if i < len(loading) {
				odour = loading[i]
			}
			l.Canisters = append(l.Canisters, Canister{Position: p, Name: name, Odour: odour,
				Drive: line + ".drive", Opened: line + ".opened", Closed: line + ".closed"})
		}
		l.Beams = append(l.Beams, Beam{Position: p, Line: fmt.Sprintf("beam%d", p)})
	}
	for _, name := range []string{ButtonAlert, ButtonStart, ButtonAbort, ButtonEStop} {
		l.Buttons = append(l.Buttons, Button{Name: name, Line: "button." + strings.ReplaceAll(name, "-", "")})
	}
	for _, name := range []string{LightReady, LightAck} {
		l.Lights = append(l.Lights, Light{Name: name, Line: "light." + name})
	}
	return l
}

// Positions returns the highest position of the layout.
func (l Layout) Positions() int {
	n := 0
	for _, c := range l.Canisters {
		n = max(n, c.Position)
	}
	for _, b := range l.Beams {
		n = max(n, b.Position)
	}
	return n
}

// Check returns all that is wrong with the layout, nil when nothing is.
func (l Layout) Check() error {
	var problems []error
	lines, names := map[string]bool{}, map[string]bool{}
	use := func(what, line string) {
		switch {
		case line == "":
			problems = append(problems, fmt.Errorf("%s has no line: name one", what))
		case lines[line]:
			problems = append(problems, fmt.Errorf("%s: line %q is used twice: give each device its own", what, line))
		}
		lines[line] = true
	}
	name := func(kind, n string) string {
		what := fmt.Sprintf("%s %q", kind, n)
		if n == "" || names[what] {
			problems = append(problems, fmt.Errorf("%s: expected a name that no other %s has", what, kind))
		}
		names[what] = true
		return what
	}
	for _, c := range l.Canisters {
		what := name("canister", c.Name)
		if c.Position < 1 {
			problems = append(problems, fmt.Errorf("%s is at position %d: positions count from 1", what, c.Position))
		}
		use(what, c.Drive)
		if c.Shut != "" {
			use(what, c.Shut)
		}
		for _, limit := range []string{c.Opened, c.Closed} {
			if limit != "" {
				use(what, limit)
			}
		}
	}
	for _, b := range l.Beams {
		what := name("beam", fmt.Sprint(b.Position))
		if b.Position < 1 {
			problems = append(problems, fmt.Errorf("%s: positions count from 1", what))
		}
		use(what, b.Line)
	}
	for _, d := range l.simple() {
		use(name(d.kind, d.name), d.line)
	}
	interrupts := map[string]bool{}
	for _, c := range l.Chips {
		if c.Interrupt != "" && !interrupts[c.Interrupt] {
			interrupts[c.Interrupt] = true
			use("chip "+c.Name, c.Interrupt)
		}
	}
	problems = append(problems, l.checkChips()...)
	if l.Bounces < 0 || l.BounceTime < 0 {
		problems = append(problems, fmt.Errorf("bounces %d within %s: neither can be negative", l.Bounces, l.BounceTime))
	}
	return errors.Join(problems...)
}

// simple is a device with a name and one line.
type simple struct{ kind, name, line string }

// simple returns the devices that have a name and one line.
func (l Layout) simple() (all []simple) {
	for _, b := range l.Buttons {
		all = append(all, simple{"button", b.Name, b.Line})
	}
	for _, b := range l.Lights {
		all = append(all, simple{"light", b.Name, b.Line})
	}
	for _, b := range l.Blowers {
		all = append(all, simple{"blower", b.Name, b.Line})
	}
	for _, b := range l.Sounders {
		all = append(all, simple{"sounder", b.Name, b.Line})
	}
	for _, o := range l.Switches {
		all = append(all, simple{"switch", o.Name, o.Line})
	}
	for _, o := range l.Contacts {
		all = append(all, simple{"contact", o.Name, o.Line})
	}
	return all
}

// checkChips returns what is wrong with the chips.
func (l Layout) checkChips() (problems []error) {
	type place struct {
		bus     string
		address uint16
	}
	seen := map[place]bool{}
	for _, c := range l.Chips {
		at := place{c.Bus, c.Address}
		switch {
		case c.Bus == "" || c.Chip == nil:
			problems = append(problems, fmt.Errorf("chip %q: expected a bus and what is there", c.Name))
		case seen[at]:
			problems = append(problems, fmt.Errorf("chip %q: something else is at 0x%02X of %s", c.Name, c.Address, c.Bus))
		}
		seen[at] = true
	}
	return problems
}
