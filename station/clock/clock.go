// Package clock tells a station's time: monotonic instants with what is known of their UTC, and calls at an
// instant.
package clock

import "scentpost/station/event"

// Clock is the time of one station. In the real world its methods may be called from any goroutine; in a virtual
// world everything runs on one.
type Clock interface {
	// Now returns the present instant with its errors.
	Now() event.Stamp
	// At calls f once, on the clock's own goroutine, at or as soon as possible after the monotonic instant mono
	// (in nanoseconds); never from within At itself. Calls whose instants differ come in the order of their
	// instants, equal ones in the order in which they were asked for. stop prevents a call that has not begun
	// and may be called any number of times. f must return quickly.
	At(mono int64, f func()) (stop func())
}

// Resumer is a Clock that can go on with the map of an earlier process of the same boot.
type Resumer interface {
	// Resume takes the latest stamp that was made by that map. A map that does not hold any more is not gone on with; of
	// the same boot no instant before that stamp is given out.
	Resume(last event.Stamp)
}
