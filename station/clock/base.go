package clock

import (
	"errors"
	"sync"
	"time"

	"scentpost/station/event"
)

// Base is where a Real takes its time from. All fields are needed.
type Base struct {
	// Boot is the id of the boot that Mono counts in.
	Boot string
	// Mono is the monotonic clock in nanoseconds; it never runs backwards.
	Mono func() int64
	// UTC is what is known of the UTC at the instant mono, which was read just before.
	UTC func(mono int64) UTC
	// Scale is how many seconds of Mono pass in a real one: 1, or the scale of a virtual station.
	Scale float64
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

// Kernel is what an operating system knows of the time; drivers/linux provides it.
type Kernel interface {
	Boot() string
	Mono() int64
	UTC() int64
	// Sync tells whether something disciplines the clock, and how far it may then be off.
	Sync() (synced bool, maxError time.Duration, err error)
}

const (
	// floor is the least error that is claimed for a kernel's UTC: the kernel's own figure trusts the time
	// server, and nobody here has checked it.
	floor = 100 * time.Millisecond
	// unsynced is the error claimed where the kernel does not say: at 16 s it calls itself unsynchronised.
	unsynced = 16 * time.Second
	// syncEvery is how often the kernel is asked.
	syncEvery = time.Second
)

// plausible is before the first release: a clock that shows less was never set.
var plausible = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).UnixNano()

// System returns the base of a machine.
func System(k Kernel) Base {
	s := system{kernel: k}
	return Base{Boot: k.Boot(), Mono: k.Mono, UTC: s.utc, Scale: 1}
}

// system remembers for a moment how good the kernel's clock is.
type system struct {
	kernel Kernel

	mu      sync.Mutex // guards what follows
	asked   bool
	askedAt int64
	quality event.Quality
	bound   int64
}

func (s *system) utc(mono int64) UTC {
	nanos := s.kernel.UTC()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.asked || mono-s.askedAt >= int64(syncEvery) {
		s.asked, s.askedAt = true, mono
		s.quality, s.bound = judge(s.kernel.Sync())
	}
	if nanos < plausible {
		return UTC{Nanos: nanos, Quality: event.Unset}
	}
	return UTC{Nanos: nanos, Bound: s.bound, Quality: s.quality}
}

// judge says what a kernel's answer is worth. A clock that is not disciplined, or that cannot be asked, holds over.
func judge(synced bool, maxError time.Duration, err error) (event.Quality, int64) {
	switch {
	case err != nil:
		return event.Holdover, int64(unsynced)
	case !synced:
		return event.Holdover, int64(max(maxError, floor))
	}
	return event.Synced, int64(max(maxError, floor))
}
