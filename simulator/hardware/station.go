package hardware

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"scentpost/drivers/bus"
	"scentpost/drivers/bus/bustest"
	"scentpost/drivers/virtual"
	"scentpost/simulator/world"
)

// Station is the physical station. It goes on whether anybody holds its lines or not.
type Station struct {
	world       *world.World
	layout      Layout
	canisters   []*canister
	lines       map[string]*line
	beams       map[int]*line
	buttons     map[string]*line
	contacts    map[string]*line
	buses       map[string]*bustest.Chips // by the name of the I2C bus
	blown       map[int]int               // how many blowers run at a position; at 0 those of all positions
	seq         map[string]uint64
	bounce      *world.Stream
	subscribers []func(Change)
	client      *Connection
	carriers    []*expander
}

// line is one electric line. Outputs have a drive, inputs a source.
type line struct {
	name    string
	source  string
	drive   func(level bool)
	level   bool
	held    bool     // what the contact is held at, while level may still bounce
	bounces []func() // stop what is still to bounce
	follow  func()   // of an input that hangs on a chip: the chip sees its level; nil for a line of the machine
}

// New builds a station in w: all canisters shut, all lines inactive, nobody at the lines.
func New(w *world.World, layout Layout) (*Station, error) {
	if err := layout.Check(); err != nil {
		return nil, fmt.Errorf("virtual station: %w", err)
	}
	s := &Station{world: w, layout: layout, lines: map[string]*line{}, beams: map[int]*line{},
		buttons: map[string]*line{}, contacts: map[string]*line{}, buses: map[string]*bustest.Chips{}, blown: map[int]int{}, seq: map[string]uint64{}, bounce: w.Rand("bounce")}
	for _, spec := range layout.Canisters {
		c := newCanister(s, spec)
		s.lines[spec.Drive] = &line{name: spec.Drive, drive: c.drive}
		if spec.Shut != "" {
			s.lines[spec.Drive].drive = func(level bool) { c.motor(true, level) }
			s.lines[spec.Shut] = &line{name: spec.Shut, drive: func(level bool) { c.motor(false, level) }}
		}
		if spec.Opened != "" {
			c.opened = s.input(spec.Opened, SourceLimits)
		}
		if spec.Closed != "" {
			c.closed = s.input(spec.Closed, SourceLimits)
			c.closed.level = true
		}
		s.canisters = append(s.canisters, c)
	}
	for _, b := range layout.Beams {
		s.beams[b.Position] = s.input(b.Line, SourceFront)
	}
	for _, b := range layout.Buttons {
		s.buttons[b.Name] = s.input(b.Line, SourceFront)
	}
	for _, l := range layout.Lights {
		s.lines[l.Line] = &line{name: l.Line, drive: func(on bool) { s.changed(Lamp, 0, l.Name, either(on, "on", "off")) }}
	}
	for _, b := range layout.Blowers {
		s.lines[b.Line] = &line{name: b.Line, drive: func(on bool) { s.blow(b, on) }}
	}
	for _, b := range layout.Sounders {
		s.lines[b.Line] = &line{name: b.Line, drive: func(on bool) { s.changed(Call, 0, b.Name, either(on, "on", "off")) }}
	}
	for _, o := range layout.Switches {
		s.lines[o.Line] = &line{name: o.Line, drive: func(on bool) { s.changed(Flip, 0, o.Name, either(on, "on", "off")) }}
	}
	for _, o := range layout.Contacts {
		s.contacts[o.Name] = s.input(o.Line, either(o.Sealed, SourceLimits, SourceFront))
	}
	s.layout.Chips = slices.Clone(layout.Chips)
	for i := range s.layout.Chips {
		c := &s.layout.Chips[i]
		if s.buses[c.Bus] == nil {
			s.buses[c.Bus] = &bustest.Chips{}
		}
		if model, ok := c.Chip.(*bustest.MCP23017); ok {
			c.Chip = s.carry(*c, model)
		}
		s.buses[c.Bus].Put(c.Address, c.Chip)
		if clock, follows := c.Chip.(interface{ Follow(func() time.Time) }); follows {
			clock.Follow(func() time.Time { return w.Now().Time() })
		}
	}
	return s, nil
}

func (s *Station) input(name, source string) *line {
	l := &line{name: name, source: source}
	s.lines[name] = l
	return l
}

// World returns the world that the station stands in.
func (s *Station) World() *world.World { return s.world }

// Positions returns how many positions the station has.
func (s *Station) Positions() int { return s.layout.Positions() }

// Subscribe calls f at every later change, in the order of subscription. f must not change the station at once:
// it plans a call of the world.
func (s *Station) Subscribe(f func(Change)) { s.subscribers = append(s.subscribers, f) }

func (s *Station) changed(what What, position int, name, state string) {
	c := Change{Mono: s.world.Mono(), What: what, Position: position, Name: name, State: state}
	for _, f := range s.subscribers {
		f(c)
	}
}

// Beam breaks the beam of a position, or lets it through again. A position without a beam is no error: the nose
// is there all the same.
func (s *Station) Beam(position int, broken bool) {
	l := s.beams[position]
	if l != nil && l.held == broken {
		return
	}
	s.changed(Nose, position, "", either(broken, "in", "out"))
	if l != nil {
		s.contact(l, broken)
	}
}

// Button presses a button or lets it go. It returns an error when the station has no such button.
func (s *Station) Button(name string, down bool) error {
	l := s.buttons[name]
	if l == nil {
		return fmt.Errorf("virtual station: it has no button %q", name)
	}
	if l.held == down {
		return nil
	}
	s.changed(Press, 0, name, either(down, "down", "up"))
	s.contact(l, down)
	return nil
}

// Touch closes or opens one of the contacts that nothing else moves. It returns an error when the station has no such one.
func (s *Station) Touch(name string, closed bool) error {
	l := s.contacts[name]
	if l == nil {
		return fmt.Errorf("virtual station: it has no contact %q", name)
	}
	s.contact(l, closed)
	return nil
}

// Shout is a call that is made aloud: at a position, or all clear when position is 0.
func (s *Station) Shout(position int) {
	s.changed(Shout, position, "", either(position == 0, "all clear", "alert"))
}

// contact closes or opens a mechanical contact, which may bounce.
func (s *Station) contact(l *line, level bool) {
	for _, stop := range l.bounces {
		stop()
	}
	l.bounces, l.held = nil, level
	s.set(l, level)
	if s.layout.Bounces == 0 {
		return
	}
	at := time.Duration(0)
	times := s.bounce.Below(s.layout.Bounces + 1)
	for i := range 2 * times {
		at += s.bounce.Between(1, s.layout.BounceTime/time.Duration(2*times))
		l.bounces = append(l.bounces, s.world.After(at, func() { s.set(l, level == (i%2 == 1)) }))
	}
}

// set changes the level of an input line, which gives one edge. Edges count also while nobody listens, so that
// who comes back sees a gap.
func (s *Station) set(l *line, level bool) {
	if l.level == level {
		return
	}
	l.level = level
	if l.follow != nil {
		l.follow()
		return
	}
	s.seq[l.source]++
	if s.client != nil {
		s.client.edge(l, bus.Edge{Line: l.name, Level: level, Mono: s.world.Mono(), Source: l.source, Seq: s.seq[l.source]})
	}
}

// chatterEdges is how many edges of a chattering switch nobody can follow.
const chatterEdges = 41

// chatter loses edges as a machine does whose lines are all asked for together: those of a switch fill the buffer, and the
// edges of any line may be among those that are missing.
func (s *Station) chatter() {
	s.seq[SourceFront] += chatterEdges
	if s.client != nil {
		s.client.missed(SourceFront, chatterEdges)
	}
}

// drive changes the level of an output line.
func (s *Station) drive(l *line, level bool) {
	if l.level != level {
		l.level = level
		l.drive(level)
	}
}

// CanisterState is how one canister stands. It tells the placement: it is for tests and for the simulation's owner.
type CanisterState struct {
	Name     string `json:"name"`
	Position int    `json:"position"`
	State    string `json:"state"` // "closed", "opening", "open", "closing"; "between" where a motor stands
	Driven   bool   `json:"driven"`
	Shutting bool   `json:"shutting,omitempty"` // the line of a motor that shuts is on
	// Shorted is how often both lines of a motor were on at once.
	Shorted int   `json:"shorted,omitempty"`
	Since   int64 `json:"since,string"` // monotonic nanoseconds of the last change of State
}

// Canisters returns the state of every canister, in the layout's order.
func (s *Station) Canisters() []CanisterState {
	all := make([]CanisterState, len(s.canisters))
	for i, c := range s.canisters {
		all[i] = CanisterState{Name: c.spec.Name, Position: c.spec.Position, State: c.state, Driven: c.driven, Shutting: c.shutting, Shorted: c.shorted, Since: c.changed}
	}
	return all
}

// Load puts another odour into a canister; what it held before is gone from its air.
func (s *Station) Load(name, odour string) error {
	c, err := s.canister(name)
	if err != nil {
		return err
	}
	if odour == "" {
		return errors.New("an odour needs a name; a carrier without one is " + NoOdour)
	}
	c.spec.Odour = odour
	c.plume = plume{open: c.state != "closed", blown: c.plume.blown, since: s.world.Mono()}
	return nil
}

// loaded is what lies in every canister, in the layout's order.
func (s *Station) loaded() []virtual.Loaded {
	all := make([]virtual.Loaded, len(s.canisters))
	for i, c := range s.canisters {
		all[i] = virtual.Loaded{Position: c.spec.Position, Canister: c.spec.Name, Odour: c.spec.Odour}
	}
	return all
}

func (s *Station) canister(name string) (*canister, error) {
	for _, c := range s.canisters {
		if c.spec.Name == name {
			return c, nil
		}
	}
	return nil, fmt.Errorf("virtual station: it has no canister %q", name)
}

func either(yes bool, a, b string) string {
	if yes {
		return a
	}
	return b
}
