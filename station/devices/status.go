package devices

// Status is what is known of the devices' health. It tells nothing of canisters but whether they are there: their faults
// are sealed.
type Status struct {
	// Lost counts, by source, the edges that were numbered and never came. A source may stamp limit switches too:
	// like every counter it is not shown between seal and reveal. Gaps counts how often edges were missing that nobody
	// had numbered.
	Lost, Gaps map[string]uint64
	// Active names the beams that are broken and the buttons that are held, in the order of the configuration.
	Active []string
	// Stopped is set while an emergency stop is held.
	Stopped bool
	// Stuck names the buttons that are held for longer than a hand holds them, in the order of the configuration.
	Stuck []string
	// Devices are whether each device is there, in the order of the configuration. See Presence for what may be shown.
	Devices []Presence
}

// Status returns what is known now.
func (s *Station) Status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := Status{Lost: map[string]uint64{}, Gaps: map[string]uint64{}, Stopped: s.stopped(), Devices: s.presences()}
	for _, src := range s.sources {
		now.Lost[src.name], now.Gaps[src.name] = src.lost, src.gaps
	}
	for _, d := range s.sensors {
		if d.part.Active() {
			now.Active = append(now.Active, d.name)
		}
		if d.stuck {
			now.Stuck = append(now.Stuck, d.name)
		}
	}
	return now
}
