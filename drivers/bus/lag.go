package bus

import "time"

// Lag says that a command came so long after its instant that what hangs on the line may miss its own time. Only what
// simulates lines lags: the simulation is late, and the device has done nothing wrong.
//
// It comes before the answer to the command, and before any watermark past the instant by which it was late. By goes by when
// the command came, and never by what the device did with it.
type Lag struct {
	// Line is the output that was commanded.
	Line string
	// By is the time from the instant of the command to when it was done, or until now where it has not come yet.
	By time.Duration
}

// LagSink is a Sink that wants to hear of commands that come late. A Bus that simulates lines looks whether the Sink it is
// given is one.
type LagSink interface {
	Sink
	Lag(Lag)
}
