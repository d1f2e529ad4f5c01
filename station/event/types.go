package event

// The kinds of events. Those marked "fact" are inputs of the engine; those marked "derived" are written by the
// engine itself and come out again, byte for byte, when it is run over the facts of a record.
const (
	EpochBegan Type = "epoch.began" // the first record of every epoch; outside sessions

	SessionOpened    Type = "session.opened"    // fact
	SessionLoaded    Type = "session.loaded"    // fact; sealed: the station's share
	SessionSealed    Type = "session.sealed"    // fact; sealed: the seed of the nonces
	SessionPaused    Type = "session.paused"    // fact
	SessionResumed   Type = "session.resumed"   // fact
	SessionAborted   Type = "session.aborted"   // fact
	SessionRestarted Type = "session.restarted" // fact: the daemon came back in mid-session
	SessionEnded     Type = "session.ended"     // derived
	SessionRevealed  Type = "session.revealed"  // derived, after every opening
	SessionScored    Type = "session.scored"    // derived
	SessionClosed    Type = "session.closed"    // fact: aids counted back

	RunCommitted    Type = "run.committed"    // derived
	RunArmed        Type = "run.armed"        // fact
	RunPresented    Type = "run.presented"    // fact: its timer fired
	RunStarted      Type = "run.started"      // fact
	RunFinished     Type = "run.finished"     // fact: the handler says that the search is over
	RunLocked       Type = "run.locked"       // fact: its timer fired
	RunVoided       Type = "run.voided"       // fact when commanded or mechanical, derived otherwise
	RunClosed       Type = "run.closed"       // fact: its timer fired
	RunPurged       Type = "run.purged"       // fact: its timer fired
	RunScored       Type = "run.scored"       // derived
	PlacementShown  Type = "placement.shown"  // derived: who is served the placement of the run before the reveal
	PlacementOpened Type = "placement.opened" // derived: opens a commitment

	CallMade      Type = "call.made"      // fact when entered, derived when a button stands for it
	CallWithdrawn Type = "call.withdrawn" // fact
	CallClaimed   Type = "call.claimed"   // fact: said after the lock; changes nothing
	Observed      Type = "observed"       // fact
	Noted         Type = "noted"          // fact: a fault that can void nothing any more

	CanisterMoved Type = "canister.moved" // fact; sealed: which canister, its stamps and faults
	BeamEntered   Type = "beam.entered"   // fact
	BeamLeft      Type = "beam.left"      // fact
	ButtonPressed Type = "button.pressed" // fact
	Edge          Type = "edge"           // fact: a raw edge of a public line
	EdgesSummed   Type = "edges.summed"   // stands for the edge that is one too many: the budget is spent
	EdgesLost     Type = "edges.lost"     // fact; sealed: how many are missing, when and why

	AirSampled Type = "air.sampled" // fact: what a sensor of the air says when a session is sealed and a run armed
	ClockFixed Type = "clock.fixed" // fact: from here on UTC goes by another map
	ClockSaid  Type = "clock.said"  // fact: what a person says that the time is
	Refused    Type = "refused"     // what came in and made no sense in this state
	Late       Type = "late"        // what came in after the instant that it was stamped at had been closed
	Opened     Type = "opened"      // the sealed body and nonce of an earlier record
)

// body says how one kind of event is carried.
type body struct {
	public func() any // a new pointer to the public body's struct, nil when there is none
	sealed func() any // the same for the sealed body
}

// bodies is the one table of kinds; a kind that is not in it is not an event.
var bodies = map[Type]body{
	EpochBegan: {public: func() any { return new(Epoch) }},

	SessionOpened:    {public: func() any { return new(Opening) }},
	SessionLoaded:    {public: func() any { return new(Load) }, sealed: func() any { return new(StationShare) }},
	SessionSealed:    {public: func() any { return new(Seed) }, sealed: func() any { return new(NonceSeed) }},
	SessionPaused:    {public: func() any { return new(Reason) }},
	SessionResumed:   {},
	SessionAborted:   {public: func() any { return new(Reason) }},
	SessionRestarted: {public: func() any { return new(Restart) }},
	SessionEnded:     {public: func() any { return new(End) }},
	SessionRevealed:  {},
	SessionScored:    {public: func() any { return new(Verdict) }},
	SessionClosed:    {public: func() any { return new(AidCount) }},

	RunCommitted:    {public: func() any { return new(Commitment) }},
	RunArmed:        {public: func() any { return new(Arming) }},
	RunPresented:    {},
	RunStarted:      {},
	RunFinished:     {},
	RunLocked:       {public: func() any { return new(Lock) }},
	RunVoided:       {public: func() any { return new(Void) }},
	RunClosed:       {},
	RunPurged:       {},
	RunScored:       {public: func() any { return new(RunResult) }},
	PlacementShown:  {public: func() any { return new(Shown) }},
	PlacementOpened: {public: func() any { return new(PlacementOpening) }},

	CallMade:      {public: func() any { return new(Call) }},
	CallWithdrawn: {public: func() any { return new(Reason) }},
	CallClaimed:   {public: func() any { return new(Call) }},
	Observed:      {public: func() any { return new(Observation) }},
	Noted:         {public: func() any { return new(Reason) }},

	CanisterMoved: {public: func() any { return new(Handling) }, sealed: func() any { return new(Moves) }},
	BeamEntered:   {public: func() any { return new(Beam) }},
	BeamLeft:      {public: func() any { return new(Beam) }},
	ButtonPressed: {public: func() any { return new(Press) }},
	Edge:          {public: func() any { return new(RawEdge) }},
	EdgesSummed:   {public: func() any { return new(EdgeSum) }},
	EdgesLost:     {public: func() any { return new(LostEdges) }, sealed: func() any { return new(Loss) }},

	AirSampled: {public: func() any { return new(Air) }},
	ClockFixed: {public: func() any { return new(ClockFix) }},
	ClockSaid:  {public: func() any { return new(TimeSaid) }},
	Refused:    {public: func() any { return new(Refusal) }},
	Late:       {public: func() any { return new(Lateness) }},
	Opened:     {public: func() any { return new(OpenedBody) }},
}

// Known tells whether t is a kind of event.
func Known(t Type) bool { _, ok := bodies[t]; return ok }

// NewBody returns a pointer to a new public body of kind t, nil when the kind has none or is unknown.
func NewBody(t Type) any {
	if b := bodies[t]; b.public != nil {
		return b.public()
	}
	return nil
}

// NewSecret returns a pointer to a new sealed body of kind t, nil when the kind has none or is unknown.
func NewSecret(t Type) any {
	if b := bodies[t]; b.sealed != nil {
		return b.sealed()
	}
	return nil
}

// IsSealed tells whether records of kind t carry a sealed body.
func IsSealed(t Type) bool { return bodies[t].sealed != nil }

// Types returns every kind of event, in no particular order.
func Types() []Type {
	all := make([]Type, 0, len(bodies))
	for t := range bodies {
		all = append(all, t)
	}
	return all
}
