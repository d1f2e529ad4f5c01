package devices

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"scentpost/drivers/bus"
	"scentpost/station/catalog"
	"scentpost/station/clock"
	"scentpost/station/config"
	"scentpost/station/event"
)

// wiring is one device of the configuration with the type it is of.
type wiring struct {
	name     string
	typ      catalog.Type
	values   catalog.Values
	position int
	canister string
	lines    map[string]string // by role
	// interrupt is the line that what is on a bus asks with, "" for none.
	interrupt string
	bus       string // the I2C bus of a device that is on one
}

// Open puts the devices of a checked configuration to work on a bus. Before anything else every output is asked for
// at its safe level, and what does not rest closed is closed. The error names every device that failed.
//
// The caller keeps the bus and the clock, and closes them after the Station.
func Open(cfg config.Config, b bus.Bus, c clock.Clock, sink Sink) (*Station, error) {
	var wirings []wiring
	var failed []error
	for _, d := range cfg.Devices {
		typ, known := catalog.Find(d.Type)
		if !known {
			failed = append(failed, fmt.Errorf("device %s: the catalogue has no type %q", d.Name, d.Type))
			continue
		}
		values, problems := typ.Check(d.Settings)
		for _, setting := range slices.Sorted(maps.Keys(problems)) {
			failed = append(failed, fmt.Errorf("device %s: %s: %w", d.Name, setting, problems[setting]))
		}
		wirings = append(wirings, wiring{name: d.Name, typ: typ, values: values, position: d.Position, canister: d.Canister, lines: d.Lines, interrupt: d.Interrupt, bus: d.Bus})
	}
	if err := errors.Join(failed...); err != nil {
		return nil, err
	}
	return open(wirings, cfg.Positions, b, c, sink)
}

// fail says which line of which device failed at what.
func (w wiring) fail(role string, err error) error {
	return fmt.Errorf("device %s: %s %q: %w", w.name, role, w.lines[role], err)
}

// open builds the station and puts it to work: the outputs first, each at its safe level from its first moment.
// Every device that fails is named in the error.
func open(wirings []wiring, positions int, b bus.Bus, c clock.Clock, sink Sink) (*Station, error) {
	s := &Station{bus: b, clock: c, positions: positions, lights: map[string]bus.Lamp{}, routes: map[string]route{}, levels: map[string]bool{}, stamps: map[string]*source{}, kept: newKeep(b)}
	s.drives.do, s.drives.alike, s.drives.alarm, s.apart = s.set, alike, s.overdue, func(f func()) { go f() }
	s.reports.do = func(r report) { r.give(sink) }
	declared := b.Sources()
	for _, name := range slices.Sorted(maps.Keys(declared)) {
		s.sources = append(s.sources, newSource(name, declared[name]))
	}
	var failed []error
	for _, w := range wirings {
		failed = append(failed, s.add(w))
	}
	if err := errors.Join(failed...); err != nil {
		return nil, err
	}
	s.veil(wirings)
	slices.SortStableFunc(s.canisters, byPosition)
	if err := b.Watch(slices.Sorted(maps.Keys(s.routes)), inlet{s}); err != nil {
		return nil, fmt.Errorf("watch the input lines: %w", err)
	}
	if err := s.start(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// veil finds what shares a carrier, a chip or a bus with a canister: what it meets may be what a canister did.
func (s *Station) veil(wirings []wiring) {
	carriers, buses := map[string]bool{}, map[string]bool{}
	for _, w := range wirings {
		if w.typ.Class == catalog.Canister {
			for _, line := range w.lines {
				carriers[hangsOn(line)] = true
			}
		}
	}
	delete(carriers, "") // whatever chip of this machine has it
	for _, w := range wirings {
		if carriers[w.name] && w.bus != "" {
			buses[w.bus] = true
		}
	}
	for _, w := range wirings {
		if buses[w.bus] && (w.typ.Class == catalog.Expander || w.typ.Class == catalog.Board) {
			carriers[w.name] = true
		}
	}
	for _, src := range s.sources {
		src.veiled = carriers[src.name] && !slices.ContainsFunc(s.sensors, func(d *sensor) bool { return hangsOn(d.line) == src.name })
	}
	for _, b := range s.bursts {
		b.veiled = carriers[b.on]
	}
	for _, a := range s.airs {
		a.veiled = buses[a.on]
	}
}

// add makes one device and asks for its outputs.
func (s *Station) add(w wiring) error {
	m := s.enlist(w)
	switch w.typ.Class {
	case catalog.Beam, catalog.Button:
		part, err := w.typ.Sensor(w.values)
		if err != nil {
			return fmt.Errorf("device %s: %w", w.name, err)
		}
		d := &sensor{name: w.name, position: w.position, line: w.lines[catalog.RoleLine], member: m, part: part, role: event.ButtonRole(w.values.Choices[catalog.SettingRole])}
		s.sensors = append(s.sensors, d)
		return s.route(w, catalog.RoleLine, route{sensor: d, role: catalog.RoleLine})
	case catalog.Canister:
		return s.addCanister(w, m)
	case catalog.Purge, catalog.Sound:
		return s.addBurst(w)
	case catalog.Environment:
		return s.addAir(w, m)
	case catalog.Timekeeper:
		return s.addTimekeeper(w, m)
	case catalog.Light:
		out, err := s.bus.Output(w.lines[catalog.RoleLine], false)
		if err != nil {
			return w.fail(catalog.RoleLine, err)
		}
		s.lights[w.name] = w.typ.Lamp(out)
		return nil
	case catalog.Expander, catalog.Board:
		return nil // its lines are the bus's
	}
	return fmt.Errorf("device %s: the station has no use for a %s", w.name, w.typ.Class)
}

func (s *Station) addCanister(w wiring, m *member) error {
	part, err := w.typ.Gate(w.values)
	if err != nil {
		return fmt.Errorf("device %s: %w", w.name, err)
	}
	c := &canister{name: w.name, member: m, position: w.position, canister: w.canister, part: part, longest: w.values.Durations[catalog.SettingLongest]}
	s.canisters = append(s.canisters, c)
	outputs := map[string]bus.Output{}
	for _, line := range w.typ.Lines {
		if !line.Output {
			err = errors.Join(err, s.route(w, line.Role, route{canister: c, role: line.Role}))
			continue
		}
		out, failed := s.bus.Output(w.lines[line.Role], false)
		if failed != nil {
			err = errors.Join(err, w.fail(line.Role, failed))
			continue
		}
		outputs[line.Role], c.drive = out, oneLine{out}
		c.lines = append(c.lines, w.lines[line.Role])
	}
	if w.typ.Drive == nil || err != nil {
		return err
	}
	c.rests = true
	if c.drive, err = w.typ.Drive(outputs, w.values); err != nil {
		return fmt.Errorf("device %s: %w", w.name, err)
	}
	return nil
}

// route notes whose an input line is.
func (s *Station) route(w wiring, role string, r route) error {
	line := w.lines[role]
	if _, taken := s.routes[line]; taken || line == "" {
		return w.fail(role, errors.New("expected a line of its own"))
	}
	s.routes[line] = r
	return nil
}

// start reads the levels of all inputs, closes what is not closed and lets in what came meanwhile. A line that is away
// is no failure.
func (s *Station) start() error {
	levels := map[string]bool{}
	away := map[string]error{}
	var failed []error
	for _, line := range slices.Sorted(maps.Keys(s.routes)) {
		level, err := s.bus.Level(line)
		switch {
		case errors.Is(err, bus.ErrGone):
			away[line] = err
		case err != nil:
			failed = append(failed, fmt.Errorf("level of %q: %w", line, err))
		}
		levels[line] = level
	}
	if err := errors.Join(failed...); err != nil {
		return err
	}
	s.change(func() { s.begin(levels, away) })
	if s.kept.keeper != nil {
		s.beat()
	}
	return nil
}

func (s *Station) begin(levels map[string]bool, away map[string]error) {
	now := s.clock.Now().Mono
	s.ready, s.levels = true, levels
	s.tellSound()
	for _, m := range s.members {
		for line := range m.lines {
			if err := away[line]; err != nil {
				m.away[line] = err
			}
		}
	}
	for _, c := range s.canisters {
		if c.member.here() {
			s.startCanister(c, now)
		}
	}
	s.closeAll(now)
	for _, d := range s.sensors {
		if d.member.here() {
			s.startSensor(d, now)
		}
	}
	s.tellPresence()
	for _, f := range s.early {
		f()
	}
	s.early = nil
	for _, a := range s.airs {
		s.measure(a)
	}
	for _, k := range s.timekeepers {
		s.lookAt(k)
	}
}
