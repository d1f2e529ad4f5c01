// Package bus holds the contracts between the parts of a station and what carries their signals: timed input
// edges and output lines.
//
// A real GPIO chip, a board behind a wire and a simulated station all stand behind these interfaces. Levels are
// logical: true is active, whatever the voltage. Instants are nanoseconds of the bus's monotonic clock.
package bus

import (
	"errors"
	"time"
)

// Edge is one raw change of an input line, not debounced.
type Edge struct {
	// Line is the name of the line, as it was given to Watch.
	Line string
	// Level is the logical level after the change.
	Level bool
	// Mono is when it changed, in nanoseconds of the bus's monotonic clock, and Bound how far that may be off.
	Mono, Bound int64
	// Source names what stamped the edge; see Bus.Sources.
	Source string
	// Seq counts the edges of Source from 1; a gap is an edge that was lost.
	Seq uint64
}

// Watermark promises that Source will give no edge that is stamped earlier than Mono. Marks come at regular
// instants of the bus's own and never because an edge came: a canister's limit switch is an edge too, and what
// happens at a mark can be seen.
type Watermark struct {
	Source string
	Mono   int64
}

// Sink takes what a bus gives. It is called from the bus's own goroutine, one call at a time for each source,
// must return quickly and must not wait for the bus.
type Sink interface {
	Edge(Edge)
	Watermark(Watermark)
}

// Output is one output line.
type Output interface {
	// Set drives the line to level at the monotonic instant at (at or before now: at once), and back to its safe
	// level after longest. A longest of 0 means for as long as it likes, which is for the safe level and for
	// outputs that harm nobody.
	//
	// Set never waits. done, unless nil, is called once, possibly before Set returns: with the instant at which
	// it was done, or with an error: ErrReplaced when a newer Set came first. A newer Set replaces a pending
	// one. A Set to the safe level is never delayed: it is done now, whatever at says.
	Set(level bool, at int64, longest time.Duration, done func(mono int64, err error))
}

// Bus is a set of named lines with one clock.
type Bus interface {
	// Watch asks for all timed inputs in one go, so that a lost edge of any of them shows, and sends every edge
	// to sink from then on. It may be called once. What of absent lines: see Presence.
	Watch(lines []string, sink Sink) error
	// Output asks for a line as an output, driven to its safe level from the first moment. While it is absent, Set
	// fails with ErrGone.
	Output(line string, safe bool) (Output, error)
	// Level reads the present level of a line; ErrGone while it is absent.
	Level(line string) (bool, error)
	// Sources names everything that stamps edges here, each with the lateness it declares: how much later than
	// its stamp an edge may come while all is well.
	Sources() map[string]time.Duration
	// Close gives the lines back, outputs at their safe level.
	Close() error
}

// The errors of a Bus, to be tested with errors.Is.
var (
	// ErrReplaced: a newer Set of the same output came before this one was done.
	ErrReplaced = errors.New("replaced by a newer command")
	// ErrUnknownLine: the bus has no line of that name.
	ErrUnknownLine = errors.New("no such line")
	// ErrGone: the line, or what carries it, is away; the bus tries again by itself.
	ErrGone = errors.New("bus is away")
	// ErrClosed: the bus was closed.
	ErrClosed = errors.New("bus is closed")
)
