package clock

import (
	"errors"

	"scentpost/station/event"
)

// Base is where a Real takes its time from. All fields but Resume are needed.
type Base struct {
	// Boot is the id of the boot that Mono counts in.
	Boot string
	// Mono is the monotonic clock in nanoseconds; it never runs backwards.
	Mono func() int64
	// UTC is what is known of the UTC at the instant mono, which was read just before.
	UTC func(mono int64) UTC
	// Scale is how many seconds of Mono pass in a real one: 1, or the scale of a virtual station.
	Scale float64
	// Resume goes on with the map of an earlier process; see Resumer.
	Resume func(last event.Stamp)
}

// UTC is a reading of the UTC, in nanoseconds since 1970, with how far it may be off.
type UTC struct {
	Nanos, Bound int64
	Quality      event.Quality
}

func (b Base) check() error {
	if b.Boot == "" || b.Mono == nil || b.UTC == nil || !(b.Scale > 0) {
		return errors.New("clock: a base needs a boot id, both clocks and a scale above 0")
	}
	return nil
}

// Simulated returns the base of a virtual station, whose UTC is exact and marked as simulated.
func Simulated(boot string, scale float64, mono func() int64, utc func(mono int64) int64) Base {
	return Base{Boot: boot, Mono: mono, Scale: scale, UTC: func(mono int64) UTC {
		return UTC{Nanos: utc(mono), Quality: event.Simulated}
	}}
}
