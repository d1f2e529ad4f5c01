package clock

import (
	"sync"
	"time"

	"scentpost/station/event"
)

// Kernel is what an operating system knows of the time; drivers/linux provides it.
type Kernel interface {
	Boot() string
	Mono() int64
	UTC() int64
	// Sync tells whether something disciplines the clock now, and how far the kernel thinks that it may be off.
	Sync() (synced bool, maxError time.Duration, err error)
}

const (
	// DefaultFloor is the least error that is claimed for a kernel's UTC: the kernel's own figure trusts the time
	// server, and nobody here has checked it.
	DefaultFloor = 100 * time.Millisecond
	// DriftPPM is how fast a clock that nothing disciplines is taken to run away. The crystals of Pi-class boards are
	// given as 20 to 50 ppm when new and at room temperature; a yard in January and age add to that.
	DriftPPM = 100
	// neverSynced is where the kernel's maximum error stands from boot, or from when somebody set the clock by hand,
	// to the first synchronisation (NTP_PHASE_LIMIT). It grows back to there at 500 ppm, in nine hours.
	neverSynced = 16 * time.Second
	// lookEvery is the least time between two looks; a fix more often than that is of no use to anybody.
	lookEvery = time.Second
	// readWithin is how close together the two clocks have to be read: what is between them looks like a step.
	readWithin = time.Millisecond
	// readTries is how often that is tried. A board under load interrupts one reading, not five.
	readTries = 5
)

// plausible is before the first release: a clock that shows less was never set.
var plausible = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).UnixNano()

// Keeper makes one map from monotonic time to UTC of a kernel's clocks, and keeps it for as long as it holds: what it
// gives out never steps but with a change of the map. It may be used from any goroutine.
//
// The kernel is looked at when Look is called, and never because somebody asks for the time: who asks and when may depend
// on what must not be seen. The map is made anew when the kernel's UTC is further from it than the floor: it was stepped
// (by hand, by a time server, by a leap second), or slewed for long enough.
type Keeper struct {
	kernel Kernel
	floor  int64

	mu       sync.Mutex // guards what follows
	looked   bool
	lookedAt int64
	offset   int64 // UTC is the monotonic time and this
	quality  event.Quality
	vouched  bool // a synchronisation stands behind the map: known is how far it may be off
	known    known
	syncedAt int64 // the last look that saw the kernel synchronised, 0 for none
	err      error // why the kernel does not say how good its clock is
}

// known is an instant at which the error of the UTC was known; from there it grows.
type known struct{ at, bound int64 }

// NewKeeper returns the keeper of a kernel's clocks, and looks at them. floor is the least error that it claims,
// DefaultFloor for 0.
func NewKeeper(k Kernel, floor time.Duration) *Keeper {
	if floor <= 0 {
		floor = DefaultFloor
	}
	keeper := &Keeper{kernel: k, floor: int64(floor)}
	keeper.look()
	return keeper
}

// Base returns the base of the machine whose clocks are kept.
func (k *Keeper) Base() Base {
	return Base{Boot: k.kernel.Boot(), Mono: k.kernel.Mono, UTC: k.UTC, Scale: 1, Resume: k.Resume}
}

// UTC returns the UTC of a monotonic instant by the map in force.
func (k *Keeper) UTC(mono int64) UTC {
	k.mu.Lock()
	defer k.mu.Unlock()
	return UTC{Nanos: mono + k.offset, Bound: k.bound(mono), Quality: k.quality}
}

// Look looks at the kernel now, unless that was done within the last second. Call it at a steady pace.
func (k *Keeper) Look() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.kernel.Mono()-k.lookedAt >= int64(lookEvery) {
		k.look()
	}
}

// Resume goes on with the map of an earlier process of the same boot, given the last stamp that was made by it, where
// the kernel's clock still agrees with it: then a restart of the daemon is no step.
func (k *Keeper) Resume(last event.Stamp) {
	k.mu.Lock()
	defer k.mu.Unlock()
	apart := distance(k.offset, last.Offset())
	if last.Boot != k.kernel.Boot() || apart > k.floor {
		return
	}
	k.offset = last.Offset()
	k.known.bound += apart
	if k.quality != event.Synced && (last.Quality == event.Synced || last.Quality == event.Holdover) {
		k.quality, k.vouched, k.known = event.Holdover, true, known{at: last.Mono, bound: last.UTCBound}
	}
}

// State is what is known of a kept clock, for those who look after it.
type State struct {
	Quality event.Quality
	Bound   time.Duration // 0 when it was never set
	// SinceSync is how long ago the kernel was last seen synchronised, -1 for never in this process.
	SinceSync time.Duration
	// Err is why the kernel does not say how good its clock is, nil when it does.
	Err error
}

// State tells what is known as of the last look.
func (k *Keeper) State() State {
	mono := k.kernel.Mono()
	k.mu.Lock()
	defer k.mu.Unlock()
	s := State{Quality: k.quality, Bound: time.Duration(k.bound(mono)), SinceSync: -1, Err: k.err}
	if k.syncedAt != 0 {
		s.SinceSync = time.Duration(mono - k.syncedAt)
	}
	return s
}

// bound is how far the map may be off at an instant.
func (k *Keeper) bound(mono int64) int64 {
	if k.quality == event.Unset {
		return 0
	}
	passed := max(mono-k.known.at, 0)
	return max(k.known.bound+passed/1e6*DriftPPM, k.floor)
}

// look reads the kernel's clocks and makes the map anew where it does not hold any more.
func (k *Keeper) look() {
	mono, utc, exact := k.read()
	k.lookedAt = mono
	if !exact && k.looked {
		return // a board that is that busy is looked at again in a second
	}
	synced, maxError, err := k.kernel.Sync()
	k.err = err
	moved := !k.looked || distance(utc-mono, k.offset) > k.floor
	if moved {
		k.offset = utc - mono
		k.vouched = false // whoever moved it, what was known of it is gone
	}
	k.looked = true
	apart := distance(utc-mono, k.offset)
	switch {
	case err == nil && synced:
		k.syncedAt = mono
		k.vouched, k.known = true, known{at: mono, bound: int64(max(maxError, 0)) + apart}
	case err == nil && !k.vouched && maxError >= 0 && maxError < neverSynced:
		k.vouched, k.known = true, known{at: mono, bound: int64(maxError) + apart} // within the last nine hours
	}
	switch {
	case utc < plausible:
		k.quality, k.vouched = event.Unset, false
	case !k.vouched:
		k.quality = event.Unset
	case err == nil && synced:
		k.quality = event.Synced
	default:
		k.quality = event.Holdover
	}
}

// read reads both clocks as close together as it can; exact tells whether that was close enough.
func (k *Keeper) read() (mono, utc int64, exact bool) {
	best := int64(-1)
	for range readTries {
		before := k.kernel.Mono()
		now := k.kernel.UTC()
		apart := k.kernel.Mono() - before
		if best < 0 || apart < best {
			mono, utc, best = before+apart/2, now, apart
		}
		if best <= int64(readWithin) {
			return mono, utc, true
		}
	}
	return mono, utc, false
}

func distance(a, b int64) int64 {
	if a > b {
		return a - b
	}
	return b - a
}
