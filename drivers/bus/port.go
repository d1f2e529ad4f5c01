package bus

import "time"

// Port is an open line of bytes, such as a serial port. Read and Write may be called from a goroutine each.
type Port interface {
	// Read returns what has come, and 0 with no error when nothing has for a while that is short enough to look
	// whether to go on. ErrGone: the other end was unplugged.
	Read(p []byte) (int, error)
	// Write hands bytes to the line. It may wait for as long as the other end takes none.
	Write(p []byte) (int, error)
	// Flush throws away what waits in either direction.
	Flush() error
	// Close gives the port back. It may wait for as long as the line does: nobody's end waits for it.
	Close() error
}

// Keeper is a Bus whose outputs fall back to their safe level when they hear nothing for a while.
type Keeper interface {
	Bus
	// BeatEvery is how often it must hear one, 0 for never: then nothing of it falls back.
	BeatEvery() time.Duration
	// Beat is one sign of life. Only the loop that looks after the canisters may give it: from anywhere else it would
	// say that the wrong thing is alive. It never waits.
	Beat()
}

// Attendant is a Bus that looks at its inputs more often while somebody waits for what they tell, as while a run is armed:
// then its watermarks come often.
type Attendant interface {
	Bus
	// Attend says whether somebody does. It never waits.
	Attend(on bool)
}
