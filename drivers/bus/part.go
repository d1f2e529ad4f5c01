package bus

import "time"

// FactKind says what a part made of its edges.
type FactKind string

// The kinds of facts.
const (
	Entered   FactKind = "entered"   // something broke the beam
	Left      FactKind = "left"      // the beam is free again
	Pressed   FactKind = "pressed"   // a button was pressed and let go; an e-stop when it is pressed
	Stuck     FactKind = "stuck"     // a button is held longer than a hand holds it
	Confirmed FactKind = "confirmed" // a commanded move arrived
	Failed    FactKind = "failed"    // a commanded move did not arrive, or what stood moved
)

// Fact is what a part made of its edges, stamped with the first edge of what it tells.
type Fact struct {
	Kind        FactKind
	Mono, Bound int64
	// Held is how long a button was held.
	Held time.Duration
	// Open is the commanded state, Commanded when the drive changed (0: never), Fault what went wrong; of a
	// Confirmed or Failed alone.
	Open      bool
	Commanded int64
	Fault     string
	// Overdue is set where all that went wrong is that a commanded move did not arrive in time.
	Overdue bool
}

// Sensor is a part that makes facts of the edges of one line. It is pure: edges and what is known of the time go
// in, facts come out, appended to dst in the order of their stamps.
type Sensor interface {
	// Start gives the level that the line has before its first edge.
	Start(dst []Fact, level bool, mono int64) []Fact
	// Edge takes an edge; edges come in the order of their stamps.
	Edge(dst []Fact, level bool, mono, bound int64) []Fact
	// Advance says that every edge stamped before known has been given.
	Advance(dst []Fact, known int64) []Fact
	// Due is the known time at which Advance will have something to do.
	Due() (mono int64, ok bool)
	// Hold is the longest that a fact may come after its stamp.
	Hold() time.Duration
	// Pending is the stamp of the earliest fact that may yet come of the edges so far.
	Pending() (mono int64, ok bool)
	// Active tells whether the line was active when it last stood still.
	Active() bool
}

// Lamp is a part that shows something to people.
type Lamp interface {
	// Set switches it at once, and off again after lasting when that is not 0. It never waits.
	Set(on bool, lasting time.Duration)
}

// Drive moves a canister: an Output whose true level is open and whose safe level is closed, made of one output line or of
// several.
type Drive interface {
	Output
	// Rest says that a move was found to be over at the monotonic instant mono: it has arrived at its end, or it has not.
	// What needs no power to stay there is switched off. It never waits.
	Rest(arrived bool, mono int64)
}

// Gate is a part that presents and closes one canister. It is pure, as a Sensor is; its drive is not its
// business, only when it was told to move.
type Gate interface {
	// Start gives the levels of the limit switches by role before their first edges.
	Start(dst []Fact, mono int64, limits map[string]bool) []Fact
	// Resting tells whether the canister is where it was commanded to be.
	Resting() bool
	// Command says that a move is to start at the instant at. A command that is still under way fails.
	Command(dst []Fact, open bool, at int64) []Fact
	// Driven says that the drive changed for the latest command, at mono.
	Driven(dst []Fact, mono int64) []Fact
	// Fail ends the command under way, if one is, with a fault.
	Fail(dst []Fact, mono int64, fault string) []Fact
	// Limit takes an edge of the limit switch of a role.
	Limit(dst []Fact, role string, level bool, mono, bound int64) []Fact
	// Advance says that every edge stamped before known has been given.
	Advance(dst []Fact, known int64) []Fact
	// Due is the known time at which Advance will have something to do.
	Due() (mono int64, ok bool)
}
