package devices

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"scentpost/drivers/bus"
	"scentpost/station/config"
	"scentpost/station/event"
	"scentpost/station/health"
	"scentpost/station/templates"
)

// FaultAway is the fault of a move of a canister that has a line which is not there.
const FaultAway = "its lines are not all there"

// Presence is whether a device is there: all its lines, or the device itself where it is reached over a bus. Of a
// canister, and of what carries one, it may be shown only by the rule of Exposure.
type Presence struct {
	Device   string
	Class    templates.Class
	Position int    // 0 for a device that has none
	Canister string // its id, "" for other classes
	Here     bool
	// Why is what was seen of it while it is not there. It names the outputs whose levels are unknown.
	Why string
}

// member is one device of the configuration, whatever its class.
type member struct {
	name     string
	class    templates.Class
	position int
	canister string
	lines    map[string]bool  // its lines, and whether the station drives them
	away     map[string]error // its lines that are absent
	gone     error            // why the device itself is, where it carries lines or is reached over a bus
	told     string           // the evidence that the sink has, "" while it is there
}

func (m *member) here() bool { return len(m.away) == 0 && m.gone == nil }

// why is the evidence of an absent device: its lines by what was seen, and the outputs that nobody knows the level of. What
// was seen of a carrier is told of that, with what it carries, and not once more of each device there.
func (s *Station) why(m *member) string {
	var parts, unknown []string
	if m.gone != nil {
		parts = append(parts, m.gone.Error()+s.carries(m))
	}
	lines := map[string][]string{} // by what was seen
	carriers := map[string]bool{}
	for _, line := range slices.Sorted(maps.Keys(m.away)) {
		if on := hangsOn(line); s.gone(on) {
			carriers[on] = true
		} else {
			seen := m.away[line].Error()
			lines[seen] = append(lines[seen], line)
		}
		if m.lines[line] {
			unknown = append(unknown, line)
		}
	}
	for _, on := range slices.Sorted(maps.Keys(carriers)) {
		parts = append(parts, on+" is absent")
	}
	for _, seen := range slices.Sorted(maps.Keys(lines)) {
		parts = append(parts, fmt.Sprintf("%s: %s", strings.Join(lines[seen], ", "), seen))
	}
	if len(unknown) > 0 {
		parts = append(parts, "unknown: the level of "+strings.Join(unknown, ", "))
	}
	return strings.Join(parts, "; ")
}

// gone tells whether what has a name is a device that is away itself.
func (s *Station) gone(name string) bool {
	return slices.ContainsFunc(s.members, func(m *member) bool { return m.name == name && m.gone != nil })
}

// carries names the devices that have a line on a device, "" for none.
func (s *Station) carries(on *member) string {
	var names []string
	for _, m := range s.members {
		for line := range m.lines {
			if hangsOn(line) == on.name {
				names = append(names, m.name)
				break
			}
		}
	}
	if names == nil {
		return ""
	}
	return " (carries " + strings.Join(names, ", ") + ")"
}

// presence is what is told of a device.
func (s *Station) presence(m *member) Presence {
	p := Presence{Device: m.name, Class: m.class, Position: m.position, Canister: m.canister, Here: m.here()}
	if !p.Here {
		p.Why = s.why(m)
	}
	return p
}

// enlist makes a device a member. drives tells of each of its lines whether the station drives it.
func (s *Station) enlist(d config.Device) *member {
	m := &member{name: d.Name, class: d.Type.Class, position: d.Position, canister: d.Canister,
		lines: map[string]bool{}, away: map[string]error{}}
	for _, l := range d.Type.Lines {
		m.lines[d.Lines[l.Role]] = l.Output
	}
	if d.Interrupt != "" {
		m.lines[d.Interrupt] = false
	}
	s.members = append(s.members, m)
	return m
}

// Presence takes which lines went and came. It implements bus.PresenceSink.
func (i inlet) Presence(p bus.Presence) {
	i.s.change(func() { i.s.soon(func() { i.s.present(p) }) })
}

// soon does f now, or when the levels have been read.
func (s *Station) soon(f func()) {
	switch {
	case s.down:
	case s.ready:
		f()
	default:
		s.early = append(s.early, f)
	}
}

// present takes that lines went or came. Where a beam or a button went, a nose or a call may be missing since it was last
// seen; what went of a canister is told behind the curtain.
func (s *Station) present(p bus.Presence) {
	maps.Copy(s.levels, p.Levels)
	since, _ := s.past(cmp.Or(p.From, p.Mono), 0)
	s.changed(since, func(m *member) {
		for _, line := range p.Lines {
			if _, own := m.lines[line]; own {
				delete(m.away, line)
				if !p.Here {
					m.away[line] = p.Why
				}
			}
		}
		if p.Carrier != "" && p.Carrier == m.name {
			m.gone = p.Why
		}
	})
}

// changed lets f change what is there of each member, and does what follows. What went was last seen at the instant since.
func (s *Station) changed(since int64, f func(*member)) {
	before := map[*member]bool{}
	for _, m := range s.members {
		before[m] = m.here()
		f(m)
	}
	now := s.clock.Now().Mono
	if slices.ContainsFunc(s.sensors, func(d *sensor) bool { return d.emergency() && before[d.member] && !d.member.here() }) {
		s.closeAll(now) // nobody could stop anything any more; whatever the host makes of it
	}
	missed, beside := false, false // a canister went with them
	for _, c := range s.canisters {
		beside = beside || before[c.member] && !c.member.here()
	}
	for _, d := range s.sensors {
		switch here := d.member.here(); {
		case here && !before[d.member]:
			s.startSensor(d, now)
		case !here && before[d.member]:
			missed = true
			s.dropSensor(d, now)
		}
	}
	switch {
	case missed && beside: // perhaps as that canister was told to move
		s.lost("devices", true, event.Loss{From: since, To: now, Why: "lines of sensors and of canisters went together"})
	case missed:
		s.void(since, 0)
	}
	for _, c := range s.canisters {
		switch here := c.member.here(); {
		case here && !before[c.member]:
			s.startCanister(c, now)
			s.close(c, now)
		case !here && before[c.member]:
			s.dropCanister(c, now)
		}
	}
	s.tellPresence()
}

// tellPresence tells of the devices that went and came, of what is seen of those that are away, and of which sessions can
// be held without them.
func (s *Station) tellPresence() {
	for _, m := range s.members {
		seen := s.presence(m).Why
		switch {
		case seen == m.told:
		case seen == "":
			s.over(health.DeviceAbsent, m.name)
		default:
			s.condition(health.DeviceAbsent, m.name, seen)
		}
		m.told = seen
	}
	limits := s.limits()
	switch {
	case limits == s.limited:
	case limits == "":
		s.over(health.SessionsLimited, "")
	default:
		s.condition(health.SessionsLimited, "", limits)
	}
	s.limited = limits
}

// limits says which sessions can be held, "" for all.
func (s *Station) limits() string {
	switch n := s.serves(s.positions); {
	case len(s.missing(s.positions)) == 0:
		return ""
	case n == 0:
		return "no session can be held: see which devices are absent"
	default:
		return fmt.Sprintf("sessions of at most %d of %d positions can be held: see which devices are absent", n, s.positions)
	}
}

// startSensor lets a part begin at the level that its line has.
func (s *Station) startSensor(d *sensor, now int64) {
	s.sensed(d, d.part.Start(s.facts[:0], s.levels[d.line], now))
}

// dropSensor forgets what a part was about to tell. An emergency stop that was held when it went is held until it is back
// and says otherwise.
func (s *Station) dropSensor(d *sensor, now int64) {
	if !d.emergency() {
		s.facts = d.part.Start(s.facts[:0], false, now)[:0]
	}
}

// startCanister lets a part begin at the levels that its limit switches have.
func (s *Station) startCanister(c *canister, now int64) {
	limits := map[string]bool{}
	for line, r := range s.routes {
		if r.canister == c {
			limits[r.role] = s.levels[line]
		}
	}
	s.moved(c, c.part.Start(s.moves[:0], now, limits))
	c.open, c.moving, c.settled = false, false, c.part.Resting()
	s.rested(c)
}

// dropCanister ends what a canister was commanded, as a fault, and drives it to its safe state if its drive is there.
func (s *Station) dropCanister(c *canister, now int64) {
	failed := c.part.Fail(s.moves[:0], now, FaultAway)
	if len(failed) == 0 {
		s.tellMove(c.position, c.at, event.Moves{Canister: c.canister, Open: c.open, Fault: FaultAway})
	}
	s.tellMoves(c, failed)
	c.open, c.moving, c.settled = false, false, false
	c.command++ // whoever is asked to move it meanwhile answers to nobody
	s.drives.add(order{canister: c, at: now, again: true})
}

// Absent returns what is not there, so that no session over the positions 1 to n can be held: a device, or in its place the
// carrier of its lines where that is absent itself, which is what people can mend. Which sessions need a device is said by its
// class. What is returned may tell of canisters.
func (s *Station) Absent(n int) []Presence {
	s.mu.Lock()
	defer s.mu.Unlock()
	var absent []Presence
	for _, m := range s.missing(n) {
		for _, cause := range s.awayOf(m) {
			if !slices.ContainsFunc(absent, func(p Presence) bool { return p.Device == cause.name }) {
				absent = append(absent, s.presence(cause))
			}
		}
	}
	return absent
}

// awayOf returns what is absent of a device: what carries its lines, and the device itself where nothing that is absent does.
func (s *Station) awayOf(m *member) (causes []*member) {
	for _, line := range slices.Sorted(maps.Keys(m.away)) {
		on := hangsOn(line)
		for _, carrier := range s.members {
			if carrier.name == on && carrier.gone != nil && !slices.Contains(causes, carrier) {
				causes = append(causes, carrier)
			}
		}
	}
	if causes == nil {
		causes = []*member{m}
	}
	return causes
}

// missing returns the absent devices without which no session over the positions 1 to n can be held.
func (s *Station) missing(n int) []*member {
	var absent []*member
	for _, m := range s.members {
		if !m.here() && m.needed(n) {
			absent = append(absent, m)
		}
	}
	return absent
}

// needed tells whether a session over the positions 1 to n needs the device.
func (m *member) needed(n int) bool {
	return m.class.Needed == templates.ByAll || m.class.Needed == templates.ThatReach && m.position <= n
}

// Serves returns the largest number of positions from 1, up to most, for which no device is absent, and 0 when none can be
// served.
func (s *Station) Serves(most int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.serves(most)
}

func (s *Station) serves(most int) int {
	for _, m := range s.members {
		switch {
		case m.here():
		case m.class.Needed == templates.ByAll:
			return 0
		case m.class.Needed == templates.ThatReach:
			most = min(most, max(m.position-1, 0))
		}
	}
	return most
}

// presences are what is known of every device, in the order of the configuration.
func (s *Station) presences() []Presence {
	all := make([]Presence, 0, len(s.members))
	for _, m := range s.members {
		all = append(all, s.presence(m))
	}
	return all
}

// byPosition orders canisters.
func byPosition(a, b *canister) int {
	return cmp.Or(cmp.Compare(a.position, b.position), cmp.Compare(a.canister, b.canister))
}
