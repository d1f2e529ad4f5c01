package devices

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"

	"scentpost/drivers/bus"
	"scentpost/drivers/catalog"
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
		wirings = append(wirings, wiring{name: d.Name, typ: typ, values: values, position: d.Position, canister: d.Canister, lines: d.Lines})
	}
	if err := errors.Join(failed...); err != nil {
		return nil, err
	}
	return open(wirings, b, c, sink)
}

// fail says which line of which device failed at what.
func (w wiring) fail(role string, err error) error {
	return fmt.Errorf("device %s: %s %q: %w", w.name, role, w.lines[role], err)
}

// open builds the station and puts it to work: the outputs first, each at its safe level from its first moment.
// Every device that fails is named in the error.
func open(wirings []wiring, b bus.Bus, c clock.Clock, sink Sink) (*Station, error) {
	s := &Station{bus: b, clock: c, lights: map[string]bus.Lamp{}, routes: map[string]route{}}
	s.drives.do = s.set
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
	slices.SortStableFunc(s.canisters, func(a, b *canister) int {
		return cmp.Or(cmp.Compare(a.position, b.position), cmp.Compare(a.canister, b.canister))
	})
	if err := b.Watch(slices.Sorted(maps.Keys(s.routes)), inlet{s}); err != nil {
		return nil, fmt.Errorf("watch the input lines: %w", err)
	}
	if err := s.start(wirings); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// add makes one device and asks for its outputs.
func (s *Station) add(w wiring) error {
	switch w.typ.Class {
	case catalog.Beam, catalog.Button:
		part, err := w.typ.Sensor(w.values)
		if err != nil {
			return fmt.Errorf("device %s: %w", w.name, err)
		}
		d := &sensor{name: w.name, position: w.position, part: part, role: event.ButtonRole(w.values.Choices[catalog.SettingRole])}
		s.sensors = append(s.sensors, d)
		return s.route(w, catalog.RoleLine, route{sensor: d, role: catalog.RoleLine})
	case catalog.Canister:
		return s.addCanister(w)
	case catalog.Light:
		out, err := s.bus.Output(w.lines[catalog.RoleLine], false)
		if err != nil {
			return w.fail(catalog.RoleLine, err)
		}
		s.lights[w.name] = w.typ.Lamp(out)
		return nil
	}
	return fmt.Errorf("device %s: the station has no use for a %s", w.name, w.typ.Class)
}

func (s *Station) addCanister(w wiring) error {
	part, err := w.typ.Gate(w.values)
	if err != nil {
		return fmt.Errorf("device %s: %w", w.name, err)
	}
	c := &canister{name: w.name, position: w.position, canister: w.canister, part: part, longest: w.values.Durations[catalog.SettingLongest]}
	s.canisters = append(s.canisters, c)
	for _, line := range w.typ.Lines {
		if !line.Output {
			err = errors.Join(err, s.route(w, line.Role, route{canister: c, role: line.Role}))
			continue
		}
		out, failed := s.bus.Output(w.lines[line.Role], false)
		if failed != nil {
			err = errors.Join(err, w.fail(line.Role, failed))
		}
		c.drive = out
	}
	return err
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

// start reads the levels of all inputs, closes what is not closed and lets the edges in that came meanwhile.
func (s *Station) start(wirings []wiring) error {
	levels := map[string]bool{}
	var failed []error
	for _, w := range wirings {
		for _, line := range w.typ.Lines {
			if line.Output {
				continue
			}
			level, err := s.bus.Level(w.lines[line.Role])
			if err != nil {
				failed = append(failed, w.fail(line.Role, err))
			}
			levels[w.lines[line.Role]] = level
		}
	}
	if err := errors.Join(failed...); err != nil {
		return err
	}
	s.change(func() { s.begin(levels) })
	return nil
}

func (s *Station) begin(levels map[string]bool) {
	now := s.clock.Now().Mono
	s.ready = true
	s.tellSound()
	limits := map[*canister]map[string]bool{}
	for line, r := range s.routes {
		if r.canister == nil {
			continue
		}
		if limits[r.canister] == nil {
			limits[r.canister] = map[string]bool{}
		}
		limits[r.canister][r.role] = levels[line]
	}
	for _, c := range s.canisters {
		s.moved(c, c.part.Start(s.moves[:0], now, limits[c]))
		c.settled = c.part.Resting()
	}
	s.closeAll(now)
	for line, r := range s.routes {
		if r.sensor != nil {
			r.sensor.level = levels[line]
		}
	}
	for _, d := range s.sensors {
		s.sensed(d, d.part.Start(s.facts[:0], d.level, now))
	}
	for _, e := range s.early {
		s.take(e)
	}
	s.early = nil
}
