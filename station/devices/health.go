package devices

import (
	"slices"
	"strings"

	"scentpost/drivers/bus"
	"scentpost/station/config"
	"scentpost/station/health"
	"scentpost/station/templates"
)

// What holds all lines of a station, as conditions name it.
const (
	OnVirtual = "virtual-station"
	OnGPIO    = "gpio"
)

// HealthSink is implemented by a Sink that wants to hear what is wrong with the devices. Conditions of canisters are
// among them: they may be shown only by the rule of Exposure.
type HealthSink interface {
	// Condition says that a condition of a device holds, or that it is over.
	Condition(code health.Code, on, evidence string, holds bool)
}

// condition is what waits to be told to a HealthSink.
type condition struct {
	code         health.Code
	on, evidence string
	holds        bool
}

func (c condition) give(sink Sink) {
	if s, wants := sink.(HealthSink); wants {
		s.Condition(c.code, c.on, c.evidence, c.holds)
	}
}

// condition says that a condition holds.
func (s *Station) condition(code health.Code, on, evidence string) {
	if !s.down {
		s.reports.add(report{condition: condition{code, on, evidence, true}})
	}
}

// over says that a condition is over.
func (s *Station) over(code health.Code, on string) {
	if !s.down {
		s.reports.add(report{condition: condition{code: code, on: on}})
	}
}

// tellSound takes back what another Station said of these devices before this one.
func (s *Station) tellSound() {
	s.over(health.SessionsLimited, "")
	s.over(health.SimulationLate, OnVirtual)
	for _, src := range s.sources {
		s.over(health.EdgesLost, src.name)
		s.over(health.SourceSilent, src.name)
	}
	for _, m := range s.members {
		s.over(health.DeviceAbsent, m.name)
	}
	for _, c := range s.canisters {
		s.over(health.DeviceFault, c.name)
	}
	for _, b := range s.bursts {
		s.over(health.DeviceFault, b.name)
	}
	for _, a := range s.airs {
		s.over(health.DeviceFault, a.name)
	}
	for _, k := range s.timekeepers {
		s.over(health.ClockNotKept, k.name)
	}
	for _, d := range s.sensors {
		s.over(health.EmergencyStop, d.name)
		s.over(health.ButtonStuck, d.name)
	}
}

// judge says whether a canister does what it is told. One that did not open is at fault until it does; that it can be
// closed proves nothing.
func (s *Station) judge(c *canister, facts []bus.Fact) {
	for _, f := range facts {
		failed := &c.faulty[0]
		if f.Open {
			failed = &c.faulty[1]
		}
		switch {
		case f.Fault != "" && f.Overdue && c.lag > 0: // the simulation is at fault
		case f.Fault != "":
			*failed = true
			s.condition(health.DeviceFault, c.name, f.Fault)
		case f.Kind == bus.Confirmed && *failed:
			*failed = false
			if c.faulty == [2]bool{} {
				s.over(health.DeviceFault, c.name)
			}
		}
	}
}

// tellButtons says which emergency stops are pressed, and which buttons were let go that had been stuck.
func (s *Station) tellButtons() {
	for _, d := range s.sensors {
		pressed := d.emergency() && d.part.Active()
		switch {
		case pressed && !d.stopping:
			s.condition(health.EmergencyStop, d.name, "pressed")
		case !pressed && d.stopping:
			s.over(health.EmergencyStop, d.name)
		}
		d.stopping = pressed
		if d.stuck && !d.part.Active() {
			d.stuck = false
			s.over(health.ButtonStuck, d.name)
		}
	}
}

// Exposure is the rule of how much of a device's condition may be seen from seal to reveal: nothing of a canister, of
// what carries one, of what stamps its limit switches, and of what is on its carrier or on the bus of that; of its
// company on one chip of this machine not that it is absent, and no fault of what the station drives there. A chip
// or a virtual station that holds every canister is commanded in every run, whatever is drawn: that it is away may be
// seen, and not what was seen of it.
func Exposure(cfg config.Config) health.Rule {
	r := exposure{devices: map[string]config.Device{}, carriers: map[string]bool{}, canisters: map[string]bool{}, buses: map[string]bool{}}
	for _, d := range cfg.Devices {
		r.devices[d.Name] = d
		for _, line := range d.Lines {
			on := hangsOn(line)
			r.carriers[on] = true
			if d.Type.Class == templates.Canister {
				r.canisters[on] = true
			}
		}
	}
	for on := range r.canisters {
		if d := r.devices[on]; d.Bus != "" {
			r.buses[d.Bus] = true
		}
	}
	return r.of
}

// Listed is a device as those who show it need to know it.
type Listed struct {
	Name, Type string
	// On are the names of all that it hangs on, as conditions name them.
	On []string
	// Frozen is set when its absence may not be told from seal to reveal.
	Frozen bool
}

// List returns the devices of a configuration in its order.
func List(cfg config.Config) []Listed {
	rule := Exposure(cfg)
	list := make([]Listed, 0, len(cfg.Devices))
	for _, d := range cfg.Devices {
		list = append(list, Listed{Name: d.Name, Type: d.Type.Name, On: hangs(cfg, d), Frozen: rule(health.DeviceAbsent, d.Name) != health.Open})
	}
	return list
}

// hangs returns what a device hangs on.
func hangs(cfg config.Config, d config.Device) []string {
	names := []string{OnGPIO}
	if cfg.Simulated() {
		names[0] = OnVirtual
	}
	for _, line := range d.Lines {
		if on := hangsOn(line); on != "" {
			names = append(names, on)
		}
	}
	if d.Bus != "" {
		names = append(names, d.Bus)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// exposure knows what carries lines, what carries those of canisters, and which buses these are on.
type exposure struct {
	devices                    map[string]config.Device
	carriers, canisters, buses map[string]bool
}

// hangsOn is what a line hangs on: the chip or device before the colon; "" for whatever chip of this machine has it.
func hangsOn(line string) string {
	name, _, named := strings.Cut(line, ":")
	if !named {
		return ""
	}
	return name
}

func (r exposure) of(code health.Code, on string) health.Exposure {
	d, device := r.devices[on]
	switch {
	case len(r.canisters) == 0:
		return health.Open
	case code == health.DeviceAbsent && (on == OnVirtual || on == OnGPIO):
		return health.Bare
	case device && open(d) && !r.aboard(d) && !(code == health.DeviceAbsent && r.beside(d)):
		return health.Open
	case on == "" || !r.carriers[on] || device && r.holds(on):
		return health.Frozen
	case !r.holds(on):
		return health.Open
	case code == health.DeviceAbsent && r.canisters[on] && len(r.canisters) == 1:
		return health.Bare
	}
	return health.Frozen
}

// holds tells whether a carrier holds a line of a canister, or may for all that the configuration says. One that is on
// the bus of another which does meets what that one does to the wires.
func (r exposure) holds(on string) bool {
	if d, device := r.devices[on]; device {
		return r.canisters[on] || r.buses[d.Bus]
	}
	if on == "" {
		for c := range r.canisters {
			if _, device := r.devices[c]; !device {
				return true
			}
		}
	}
	return r.canisters[on] || r.canisters[""]
}

// aboard tells whether a device is on the carrier of a canister or on the bus of one: what one of them meets there, both
// do, and it may have been the canister that was told to move. On a named chip of this machine that is so of what the
// station drives.
func (r exposure) aboard(d config.Device) bool {
	if r.buses[d.Bus] {
		return true
	}
	for _, line := range d.Lines {
		on := hangsOn(line)
		_, carried := r.devices[on]
		if on != "" && (carried || d.Type.Drives()) && r.holds(on) {
			return true
		}
	}
	return false
}

// open tells whether nothing that a device gives or fails at can tell what a canister did, by itself: its template says so. What
// carries lines may tell what is on them.
func open(d config.Device) bool { return d.Type.Tells == templates.Nothing && d.Type.Carries == nil }

// beside tells whether a device hangs on what carries a canister too.
func (r exposure) beside(d config.Device) bool {
	for _, line := range d.Lines {
		if r.holds(hangsOn(line)) {
			return true
		}
	}
	return false
}
