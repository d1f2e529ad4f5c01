package devices

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"scentpost/drivers/bus"
	"scentpost/station/catalog"
	"scentpost/station/config"
	"scentpost/station/event"
	"scentpost/station/health"
	"scentpost/station/templates"
)

// burst is a device that works for a bounded time between runs: it changes the air, or it sounds.
type burst struct {
	name   string
	class  templates.Class
	sounds string // when a device that sounds calls people: a choice of SettingSounds
	part   bus.Burst
	faulty bool   // the latest command failed
	on     string // what its line hangs on
	veiled bool   // that is what a canister hangs on: when one fails there, so does the other
}

// purgeSlack is how much of a purge may have gone by when its devices are told: the beginning must be durable first.
const purgeSlack = 500 * time.Millisecond

// LeastPurge returns the shortest purge in which everything of a checked configuration that changes the air can work
// and come to rest; 0 where nothing does.
func LeastPurge(cfg config.Config) (time.Duration, error) {
	var least time.Duration
	for _, d := range cfg.Of(templates.Purge) {
		make, works := d.Type.Part.(catalog.Burst)
		if !works {
			return 0, fmt.Errorf("device %s: its part is a %T, and what purges works for a bounded time", d.Name, d.Type.Part)
		}
		part, err := make(nowhere{}, d.Values)
		if err != nil {
			return 0, fmt.Errorf("device %s: %w", d.Name, err)
		}
		least = max(least, purgeSlack+part.Shortest()+part.Rundown())
	}
	return least, nil
}

// Settings returns the numbers that a trial runs by at the station of a checked configuration.
func Settings(cfg config.Config) (event.Settings, error) {
	settings := cfg.Settings()
	least, err := LeastPurge(cfg)
	settings.PurgeMS = int(least / time.Millisecond)
	return settings, err
}

// nowhere is an output that drives nothing.
type nowhere struct{}

// Set does nothing.
func (nowhere) Set(bool, int64, time.Duration, func(int64, error)) {}

// addBurst makes one device that changes the air or sounds; its output is asked for at off.
func (s *Station) addBurst(d config.Device, make catalog.Burst) error {
	line := d.Lines[templates.RoleLine]
	out, err := s.bus.Output(line, false)
	if err != nil {
		return fail(d, templates.RoleLine, err)
	}
	part, err := make(out, d.Values)
	if err != nil {
		return err
	}
	s.bursts = append(s.bursts, &burst{name: d.Name, class: d.Type.Class, sounds: d.Values.Choices[templates.SettingSounds], part: part, on: hangsOn(line)})
	return nil
}

// Purge changes the air of the whole station, the same at every position: everything that can runs from now on, each as
// long as it may, and has come to rest at the monotonic instant until. What does not run is noted in the record. Purge
// never waits.
func (s *Station) Purge(until int64) {
	s.change(func() {
		left := time.Duration(until - s.clock.Now().Mono)
		why := s.silent()
		for _, b := range s.bursts {
			switch {
			case b.class != templates.Purge:
			case why != "":
				s.unpurged(b, errors.New(why))
			default:
				s.drives.add(order{burst: b, level: true, longest: min(left-b.part.Rundown(), b.part.Longest())})
			}
		}
	})
}

// Sound has what calls people sound, each device for its longest time: at the end of a session all of them, at another
// of the engine's reasons those whose setting it is. While a canister is to be open nothing sounds. It never waits.
func (s *Station) Sound(why string) {
	s.change(func() {
		if s.silent() != "" {
			return
		}
		for _, b := range s.bursts {
			if b.class == templates.Sound && (b.sounds == why || why == templates.AtSessionEnd) {
				s.drives.add(order{burst: b, level: true, longest: b.part.Longest()})
			}
		}
	})
}

// Hush ends every sound now.
func (s *Station) Hush() {
	s.change(func() { s.rest(func(b *burst) bool { return b.class == templates.Sound }) })
}

// silent returns why nothing may change the air or sound, "" when it may. That a canister is to be open is no secret;
// which one is, and whether it is, is not asked.
func (s *Station) silent() string {
	barred := s.barred()
	switch {
	case s.down:
		return FaultClosed
	case barred != "":
		return barred
	case slices.ContainsFunc(s.canisters, func(c *canister) bool { return c.open }):
		return "the canisters are not commanded to close"
	}
	return ""
}

// rest takes bursts to off, all of them when which is nil.
func (s *Station) rest(which func(*burst) bool) {
	for _, b := range s.bursts {
		if which == nil || which(b) {
			s.drives.add(order{burst: b})
		}
	}
}

// setBurst gives an order to a burst. It runs from the queue of drives, outside the mutex.
func (s *Station) setBurst(o order) {
	if !o.level {
		o.burst.part.Off(nil)
		return
	}
	done := func(err error) {
		if errors.Is(err, bus.ErrReplaced) {
			return
		}
		s.change(func() {
			s.judgeBurst(o.burst, err)
			if err != nil {
				s.undriven(o.burst, err)
			}
		})
	}
	if err := o.burst.part.On(0, o.longest, func(_ int64, err error) { done(err) }); err != nil {
		s.change(func() { s.refused(o.burst, err) })
	}
}

// refused takes that a burst would not do what it was told before anything was driven: it is the same for every placement.
func (s *Station) refused(b *burst, err error) {
	s.judgeBurst(b, err)
	s.unpurged(b, err)
}

// undriven takes that the line of a burst did not do what it was told. What was seen of it stands in its condition. The
// record says nothing of one beside a canister, nor of one that is away with its chip: it may have been a canister's
// command that they went by, and a note would tell which. The canister's own moves say so behind the curtain.
func (s *Station) undriven(b *burst, err error) {
	if !b.veiled && !errors.Is(err, bus.ErrGone) {
		s.unpurged(b, errNotDriven)
	}
}

// errNotDriven stands in the record for whatever an output has met.
var errNotDriven = errors.New("its output did not take the command (its condition says more)")

// judgeBurst says whether a burst does what it is told. That its line is away is told as its absence.
func (s *Station) judgeBurst(b *burst, err error) {
	switch {
	case errors.Is(err, bus.ErrGone):
	case err != nil:
		b.faulty = true
		s.condition(health.DeviceFault, b.name, err.Error())
	case b.faulty:
		b.faulty = false
		s.over(health.DeviceFault, b.name)
	}
}

// unpurged notes that the air was not changed as it should have been. Why must be the same for every placement.
func (s *Station) unpurged(b *burst, err error) {
	if b.class != templates.Purge {
		return
	}
	s.tell(event.Event{Type: event.Noted, At: s.clock.Now(), By: event.ByStation,
		Body: &event.Why{Cause: event.CausePurge, Reason: fmt.Sprintf("%s did not run: %v", b.name, err)}})
}
