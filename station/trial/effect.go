package trial

import (
	"time"

	"scentpost/station/event"
)

// EffectKind says what an Effect asks for.
type EffectKind uint8

// The kinds of effects.
const (
	// Record appends Event to the journal. The first one of a step is the input itself, or what it became.
	Record EffectKind = iota + 1
	// Move starts all Moves at the instant At. It waits until its cause is durable.
	Move
	// CloseAll takes everything to its safe state: canisters closed, what purges or sounds off. It waits for nothing.
	CloseAll
	// Purge changes the air with all that the station has for it, the same whatever lay where, so that it has come to
	// rest at the instant At. It waits until its cause is durable, and is off again with the next CloseAll.
	Purge
	// Sound calls people, for the reason Name. It waits until its cause is durable; by then no run may be under way.
	Sound
	// Hush ends every sound. It waits for nothing.
	Hush
	// Light switches the light Name on or off. It waits until its cause is durable.
	Light
	// Sample asks for what each sensor of the air says of the instant At, as events of type AirSampled with the stamp of this
	// step's input. It waits for nothing: what is told are samples that were taken before. It is the last of a step.
	Sample
	// SetTimer asks for an event of type Timer at the instant At, replacing an earlier one of that type. A Stage keeps it.
	SetTimer
	// StopTimers forgets every timer. A Stage keeps it.
	StopTimers
	// Checkpoint asks for a signed checkpoint of the log up to here, because of Name.
	Checkpoint
	// Open asks for a record like Event for each sealed body of run Run (0: of the session) that is not open yet, in their
	// order, with its run and body.
	Open
	// Heard tells at each lock which sources have not reported past its instant: Silent, which is nearly always empty. It
	// waits for nothing.
	Heard
)

// Effect is one thing that the engine wants done. Only the fields that its kind names are set.
type Effect struct {
	Kind   EffectKind
	On     bool          // Light
	Event  event.Event   // Record, Open
	At     int64         // Move, Purge, Sample, SetTimer: monotonic nanoseconds
	Timer  event.Type    // SetTimer
	Moves  []event.Move  // Move, in position order
	Name   string        // Light, Sound, Checkpoint
	For    time.Duration // Light: how long it stays on, 0 for until it is switched; Move: the longest that a canister may stay open
	Run    int           // Move, Purge, Open
	Silent []string      // Heard, sorted
}

// Waits tells whether an effect may be carried out only when every record before it is durable.
func (e *Effect) Waits() bool {
	switch e.Kind {
	case Move, Purge, Sound, Light:
		return true
	}
	return false
}

// Safe tells whether an effect leads towards the safe state: it is carried out even when the journal has failed.
func (e *Effect) Safe() bool { return e.Kind == CloseAll || e.Kind == Hush }

// The lights. Their protocol depends on public facts only: ready is on from presented to the lock, ack is on for
// AckFor at each lock, the same for every call.
const (
	LightReady = "ready"
	LightAck   = "ack"
	AckFor     = time.Second
)

// The reasons for a sound: fixed instants at which nobody searches, whatever was found.
const (
	SoundRunEnd     = "run-end"     // the air of a run is purged, and the next one may be armed
	SoundSessionEnd = "session-end" // the last run is over, and everything is open
)

// The reasons for checkpoints.
const (
	CheckpointLoad   = "load"
	CheckpointSeal   = "seal"
	CheckpointLock   = "lock"
	CheckpointReveal = "reveal"
	CheckpointClose  = "close"
)
