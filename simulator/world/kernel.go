package world

import (
	"time"

	"scentpost/station/clock"
	"scentpost/station/event"
)

// unsynced is where a kernel's maximum error stands before its first synchronisation (NTP_PHASE_LIMIT), and growth
// how fast it gets there after one, in ppm (MAXFREQ), as in Linux.
const (
	unsynced = 16 * time.Second
	growth   = 500
)

// Kernel is the clock state of a simulated machine: a wall clock that can be stepped, and a time server that comes and
// goes. It implements clock.Kernel.
type Kernel struct {
	world    *World
	step     time.Duration
	synced   bool
	maxError time.Duration // at since
	since    int64
	denied   error
	// Changed, unless nil, is called after every change.
	Changed func()
}

// NewKernel returns a machine's clock as it is after a boot without a network and without a hardware clock: it shows
// the beginning of 1970, and nobody has set it.
func NewKernel(w *World) *Kernel {
	return &Kernel{world: w, step: -time.Duration(utcAtZero), maxError: unsynced, since: w.now}
}

// Boot returns the boot of the world.
func (k *Kernel) Boot() string { return k.world.boot }

// Mono returns the world's instant.
func (k *Kernel) Mono() int64 { return k.world.now }

// UTC returns what the wall clock shows.
func (k *Kernel) UTC() int64 { return utcAtZero + k.world.now + int64(k.step) }

// Sync returns what the kernel thinks of its clock.
func (k *Kernel) Sync() (synced bool, maxError time.Duration, err error) {
	grown := k.maxError + time.Duration((k.world.now-k.since)/1e6*growth)
	if grown >= unsynced {
		k.synced, grown = false, unsynced
	}
	return k.synced, grown, k.denied
}

// Set steps the wall clock by hand: the kernel forgets that it was ever synchronised.
func (k *Kernel) Set(step time.Duration) {
	k.step += step
	k.synced, k.maxError, k.since = false, unsynced, k.world.now
	k.changed()
}

// Slew puts the wall clock off without anybody's leave, as a time server does that corrects it little by little.
func (k *Kernel) Slew(by time.Duration) {
	k.step += by
	k.changed()
}

// Serve lets a time server set the clock right, and says how well.
func (k *Kernel) Serve(maxError time.Duration) {
	k.step, k.synced, k.maxError, k.since = 0, true, maxError, k.world.now
	k.changed()
}

// Lose takes the time server away: the clock runs on, and nothing disciplines it.
func (k *Kernel) Lose() {
	_, k.maxError, _ = k.Sync()
	k.synced, k.since = false, k.world.now
	k.changed()
}

func (k *Kernel) changed() {
	if k.Changed != nil {
		k.Changed()
	}
}

// Deny lets the kernel give no answer about its clock, as within a sandbox; nil lets it answer again.
func (k *Kernel) Deny(err error) { k.denied = err }

// Kept is a world's time with the UTC of a simulated machine, as a station's clock keeps it. It implements
// clock.Clock and clock.Resumer.
type Kept struct {
	*World
	*clock.Keeper
}

// Keep returns the clock that a newly started program makes of a machine's; floor is that of clock.NewKeeper.
func Keep(k *Kernel, floor time.Duration) Kept {
	return Kept{World: k.world, Keeper: clock.NewKeeper(k, floor)}
}

// Now returns the present instant with what is known of its UTC.
func (k Kept) Now() event.Stamp {
	mono := k.World.now
	utc := k.Keeper.UTC(mono)
	return event.Stamp{Boot: k.World.boot, Mono: mono, UTC: utc.Nanos, UTCBound: utc.Bound, Quality: utc.Quality}
}

// Pace looks at the machine's clock at the instants that are multiples of every, and calls looked after each look, until
// stop is called.
func (k Kept) Pace(every time.Duration, looked func()) (stop func()) {
	var cancel func()
	var look func()
	plan := func() {
		now := k.World.now
		cancel = k.World.At(now-now%int64(every)+int64(every), look)
	}
	look = func() {
		k.Look()
		looked()
		plan()
	}
	plan()
	return func() { cancel() }
}
