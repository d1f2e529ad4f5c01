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
	"scentpost/station/templates"
)

// Open puts the devices of a checked configuration to work on a bus. Before anything else every output is asked for
// at its safe level, and what does not rest closed is closed. The error names every device that failed.
//
// The caller keeps the bus and the clock, and closes them after the Station.
func Open(cfg config.Config, b bus.Bus, c clock.Clock, sink Sink) (*Station, error) {
	s := &Station{bus: b, clock: c, positions: cfg.Positions, lights: map[string]bus.Lamp{}, routes: map[string]route{}, levels: map[string]bool{}, stamps: map[string]*source{}, kept: newKeep(b)}
	s.drives.do, s.drives.alike, s.drives.alarm, s.apart = s.set, alike, s.overdue, func(f func()) { go f() }
	s.reports.do = func(r report) { r.give(sink) }
	declared := b.Sources()
	for _, name := range slices.Sorted(maps.Keys(declared)) {
		s.sources = append(s.sources, newSource(name, declared[name]))
	}
	var failed []error
	for _, d := range cfg.Devices {
		failed = append(failed, s.add(d))
	}
	if err := errors.Join(failed...); err != nil {
		return nil, err
	}
	s.veil(cfg.Devices)
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
func (s *Station) veil(all []config.Device) {
	carriers, buses := map[string]bool{}, map[string]bool{}
	for _, d := range all {
		if d.Type.Class == templates.Canister {
			for _, line := range d.Lines {
				carriers[hangsOn(line)] = true
			}
		}
	}
	delete(carriers, "") // whatever chip of this machine has it
	for _, d := range all {
		if carriers[d.Name] && d.Bus != "" {
			buses[d.Bus] = true
		}
	}
	for _, d := range all {
		if buses[d.Bus] && d.Type.Carries != nil {
			carriers[d.Name] = true
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

// fail says which line failed at what.
func fail(d config.Device, role string, err error) error {
	return fmt.Errorf("%s %q: %w", role, d.Lines[role], err)
}

// add makes one device and asks for its outputs.
func (s *Station) add(d config.Device) error {
	if err := s.become(d); err != nil {
		return fmt.Errorf("device %s: %w", d.Name, err)
	}
	return nil
}

// become goes by the contract of a device's part: this is the one place where a new contract is taken up.
func (s *Station) become(d config.Device) error {
	if d.Type.Part != nil {
		if err := d.Type.Part.Fits(d.Type.Template); err != nil {
			return err
		}
	}
	m := s.enlist(d)
	switch part := d.Type.Part.(type) {
	case catalog.Sensor:
		return s.addSensor(d, m, part)
	case catalog.Canister:
		return s.addCanister(d, m, part)
	case catalog.Lamp:
		return s.addLamp(d, part)
	case catalog.Burst:
		return s.addBurst(d, part)
	case catalog.Environment:
		return s.addAir(d, m, part)
	case catalog.Timekeeper:
		return s.addTimekeeper(d, m, part)
	case catalog.Carrier: // its lines are the bus's
		return nil
	default:
		return fmt.Errorf("the station has no use for a %s, whose part is a %T", d.Type.Name, part)
	}
}

func (s *Station) addSensor(d config.Device, m *member, make catalog.Sensor) error {
	part, err := make(d.Values)
	if err != nil {
		return err
	}
	made := &sensor{name: d.Name, class: d.Type.Class.Name, position: d.Position, line: d.Lines[templates.RoleLine], member: m, part: part,
		role: event.ButtonRole(d.Values.Choices[templates.SettingRole])}
	s.sensors = append(s.sensors, made)
	return s.route(d, templates.RoleLine, route{sensor: made, role: templates.RoleLine})
}

func (s *Station) addLamp(d config.Device, make catalog.Lamp) error {
	out, err := s.bus.Output(d.Lines[templates.RoleLine], false)
	if err != nil {
		return fail(d, templates.RoleLine, err)
	}
	s.lights[d.Name] = make(out)
	return nil
}

func (s *Station) addCanister(d config.Device, m *member, make catalog.Canister) error {
	part, err := make.Gate(d.Values)
	if err != nil {
		return err
	}
	c := &canister{name: d.Name, member: m, position: d.Position, canister: d.Canister, part: part, longest: d.Values.Durations[templates.SettingLongest]}
	s.canisters = append(s.canisters, c)
	outputs := map[string]bus.Output{}
	for _, line := range d.Type.Lines {
		if !line.Output {
			err = errors.Join(err, s.route(d, line.Role, route{canister: c, role: line.Role}))
			continue
		}
		out, failed := s.bus.Output(d.Lines[line.Role], false)
		if failed != nil {
			err = errors.Join(err, fail(d, line.Role, failed))
			continue
		}
		outputs[line.Role], c.drive = out, oneLine{out}
		c.lines = append(c.lines, d.Lines[line.Role])
	}
	if make.Drive == nil || err != nil {
		return err
	}
	c.rests = true
	c.drive, err = make.Drive(outputs, d.Values)
	return err
}

// route notes whose an input line is.
func (s *Station) route(d config.Device, role string, r route) error {
	line := d.Lines[role]
	if _, taken := s.routes[line]; taken || line == "" {
		return fail(d, role, errors.New("expected a line of its own"))
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
