package bus

import (
	"errors"
	"time"
)

// Timekeeper is a clock that goes on while the station has no power. It is looked at and never set: the kernel sets the
// time of day from it and it from the time of day. It keeps no goroutine and never sleeps. A call may block for as long as
// the wires do, so the one goroutine that owns them makes it.
type Timekeeper interface {
	// Look reads what it shows at the monotonic instant mono, in nanoseconds. An error says why that is not to be trusted:
	// it is absent (ErrNoAnswer), its battery was empty, or it stands still.
	Look(mono int64) (time.Time, error)
}

// ErrNoAnswer: nothing answers where the chip should be.
var ErrNoAnswer = errors.New("no answer")
