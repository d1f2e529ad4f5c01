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

	AirSampled     Type = "air.sampled"     // fact: what a sensor of the air says when a session is sealed and a run armed
	ClockFixed     Type = "clock.fixed"     // fact: from here on UTC goes by another map
	ClockSaid      Type = "clock.said"      // fact: what a person says that the time is
	Refused        Type = "refused"         // what came in and made no sense in this state
	RefusalsSummed Type = "refusals.summed" // fact: stands for refusals of one person that came too fast
	Late           Type = "late"            // what came in after the instant that it was stamped at had been closed
	Opened         Type = "opened"          // the sealed body and nonce of an earlier record
)

// body says how one kind of event is carried: in public, and sealed.
type body struct{ public, sealed carried }

// carried is a struct of package event that a kind of event carries; the zero value is none.
type carried struct {
	build func() any     // a new pointer to it
	holds func(any) bool // whether a value is a pointer to one
}

func of[T any]() carried {
	return carried{
		build: func() any { return new(T) },
		holds: func(v any) bool {
			p, ok := v.(*T)
			return ok && p != nil
		},
	}
}

// fresh returns a new pointer to what is carried, nil for none.
func (c carried) fresh() any {
	if c.build == nil {
		return nil
	}
	return c.build()
}

// is tells whether a value is what is carried; nil is for none.
func (c carried) is(v any) bool {
	if c.holds == nil {
		return v == nil
	}
	return c.holds(v)
}

// bodies is the one table of kinds; a kind that is not in it is not an event.
var bodies = map[Type]body{
	EpochBegan: {public: of[Epoch]()},

	SessionOpened:    {public: of[Opening]()},
	SessionLoaded:    {public: of[Load](), sealed: of[Filling]()},
	SessionSealed:    {public: of[Seed](), sealed: of[NonceSeed]()},
	SessionPaused:    {public: of[Why]()},
	SessionResumed:   {},
	SessionAborted:   {public: of[Why]()},
	SessionRestarted: {public: of[Restart]()},
	SessionEnded:     {public: of[End]()},
	SessionRevealed:  {},
	SessionScored:    {public: of[Verdict]()},
	SessionClosed:    {public: of[AidCount]()},

	RunCommitted:    {public: of[Commitment]()},
	RunArmed:        {public: of[Arming]()},
	RunPresented:    {},
	RunStarted:      {},
	RunFinished:     {},
	RunLocked:       {public: of[Lock]()},
	RunVoided:       {public: of[Void]()},
	RunClosed:       {},
	RunPurged:       {},
	RunScored:       {public: of[RunResult]()},
	PlacementShown:  {public: of[Shown]()},
	PlacementOpened: {public: of[PlacementOpening]()},

	CallMade:      {public: of[Call]()},
	CallWithdrawn: {public: of[Why]()},
	CallClaimed:   {public: of[Call]()},
	Observed:      {public: of[Observation]()},
	Noted:         {public: of[Why]()},

	CanisterMoved: {public: of[Handling](), sealed: of[Moves]()},
	BeamEntered:   {public: of[Beam]()},
	BeamLeft:      {public: of[Beam]()},
	ButtonPressed: {public: of[Press]()},
	Edge:          {public: of[RawEdge]()},
	EdgesSummed:   {public: of[EdgeSum]()},
	EdgesLost:     {public: of[LostEdges](), sealed: of[Loss]()},

	AirSampled:     {public: of[Air]()},
	ClockFixed:     {public: of[ClockFix]()},
	ClockSaid:      {public: of[TimeSaid]()},
	Refused:        {public: of[Refusal]()},
	RefusalsSummed: {public: of[RefusalSum]()},
	Late:           {public: of[Lateness]()},
	Opened:         {public: of[OpenedBody]()},
}

// Known tells whether t is a kind of event.
func Known(t Type) bool { _, ok := bodies[t]; return ok }

// NewBody returns a pointer to a new public body of kind t, nil when the kind has none or is unknown.
func NewBody(t Type) any { return bodies[t].public.fresh() }

// NewSecret returns a pointer to a new sealed body of kind t, nil when the kind has none or is unknown.
func NewSecret(t Type) any { return bodies[t].sealed.fresh() }

// HoldsBody tells whether v is a public body of kind t: a pointer to its struct, and nil when the kind has none or is
// unknown.
func HoldsBody(t Type, v any) bool { return bodies[t].public.is(v) }

// HoldsSecret tells the same of a sealed body.
func HoldsSecret(t Type, v any) bool { return bodies[t].sealed.is(v) }

// IsSealed tells whether records of kind t carry a sealed body.
func IsSealed(t Type) bool { return bodies[t].sealed.build != nil }

// Types returns every kind of event, in no particular order.
func Types() []Type {
	all := make([]Type, 0, len(bodies))
	for t := range bodies {
		all = append(all, t)
	}
	return all
}
