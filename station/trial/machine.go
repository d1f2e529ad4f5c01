// Package trial is the engine of a detection trial: a state machine into which events go and from which effects
// come.
//
// It reads no clock, disk, network or global chance. Time arrives inside events, timers are effects that come
// back as events, chance is the seed that was sealed. The same machine runs on a station, in a simulation, and
// again over a stored record to check it: every input that changes its state is one record, and the records that
// it writes besides come out again when it is run over the inputs.
//
// Arrival drives, stamps decide. A fact counts for the run when it is stamped at or before the instant of the
// lock. A Stage holds the engine and feeds it: it holds a lock back until every source has reported past its instant,
// so a fact that still arrives later is recorded as late and changes nothing.
package trial

import (
	"scentpost/station/blind"
	"scentpost/station/event"
	"scentpost/station/refusal"
	"scentpost/station/score"
)

// Law is the version of this engine. A change of what the machine writes for the same inputs is a new law, and until
// release 0.1 a new draft (event.Draft) instead.
const Law = 1

// Laws returns the laws that this program goes by.
func Laws() event.Laws { return event.Laws{Draw: blind.DrawLaw, Engine: Law, Score: score.Law} }

// Phase is where a session is.
type Phase string

// The phases of a session, in order.
const (
	Idle   Phase = "idle"
	Opened Phase = "opened"
	Loaded Phase = "loaded"
	Sealed Phase = "sealed"
	Ended  Phase = "ended"
)

// Interrupted is shown of a session that a starting station finds without an end, until it is brought back. No machine
// is ever in this phase.
const Interrupted Phase = "interrupted"

// RunState is where a run is.
type RunState string

// The states of a run, in order. Void and Aborted end a run as Completed does.
const (
	Armed     RunState = "armed"
	Shown     RunState = "presented"
	Searching RunState = "searching"
	Called    RunState = "called" // a call stands; the lock waits for slower sources and for the withdrawal
	Locked    RunState = "locked"
	Purging   RunState = "purging"
	Completed RunState = "completed"
	Voided    RunState = "void"
	Aborted   RunState = "aborted"
)

// Machine is the engine of one station. It holds the one active session.
type Machine struct {
	station, epoch string

	phase   Phase
	session session
	run     *run // the active run, nil between runs

	out     []Effect
	refusal *refusal.Reason // why the last input was refused, nil when it was not
}

// New returns the engine of a station in an epoch of its log, with no session.
func New(station, epoch string) *Machine {
	return &Machine{station: station, epoch: epoch, phase: Idle}
}

// session is what is known of the active session.
type session struct {
	id      string
	opening event.Opening
	plan    blind.Plan
	binding blind.Binding
	load    event.Load
	loading event.Sealed[[]event.Loaded]
	share   event.Sealed[[32]byte]
	seed    event.Seed
	nonces  event.Sealed[[32]byte]
	deal    event.Sealed[blind.Deal]

	next     []nextRun // what is still to be run, first first
	reserves int       // reserve runs used
	runs     []*run    // every run that was armed, in order
	views    []RunView // of the runs that have ended, as they were last shown; what was shown is never changed
	revision int       // how often they were made again
	shortBy  int       // voided runs that no reserve run replaced

	airAt event.Stamp // the instant that the air was last asked for
	air   []event.Air // what its sensors said then

	paused     *event.Why // nil when not paused
	mechanical int        // mechanical voids so far
	opened     map[int]bool
	aborted    *event.Why // nil when not aborted
	clock      event.SessionClock
	verdict    *event.Verdict
	aids       int            // that went out
	count      event.AidCount // of the aids
	counted    bool           // somebody has counted them
	results    map[int]*event.RunResult
}

// nextRun is a run that has not been armed: its index, and for a reserve run which of its placements is used.
type nextRun struct {
	index int
	used  int
}

// Step feeds one event to the machine and returns what it asks for, in order. The slice is valid until the next
// call. An input that makes no sense in this state comes back as a record of type event.Refused; an input that
// concerns no session leaves no trace.
func (m *Machine) Step(in event.Event) []Effect {
	m.out = m.out[:0]
	m.step(in)
	return m.out
}

// step feeds one event; what it asks for comes after what is in out.
func (m *Machine) step(in event.Event) {
	m.refusal = nil
	if m.phase != Idle && in.Session == "" {
		in.Session = m.session.id
	}
	if reason := m.dispatch(in); reason != nil {
		m.refuse(in, reason)
	}
}

func (m *Machine) dispatch(in event.Event) *refusal.Reason {
	if reason := malformed(&in); reason != nil {
		return reason
	}
	if reason := secretless(&in); reason != nil {
		return reason
	}
	if m.phase != Idle && in.Session != m.session.id {
		return refusal.New(OtherSession)
	}
	switch in.Type {
	case event.Edge:
		return m.edge(in)
	case event.BeamEntered, event.BeamLeft:
		return m.beam(in)
	case event.CanisterMoved:
		return m.moved(in)
	case event.ButtonPressed:
		return m.button(in)
	case event.CallMade, event.CallClaimed:
		return m.call(in)
	case event.CallWithdrawn:
		return m.withdraw(in)
	case event.Observed:
		return m.observed(in)
	case event.EdgesSummed:
		return m.summed(in)
	case event.EdgesLost:
		return m.lost(in)
	case event.Noted:
		return m.noted(in)
	case event.AirSampled:
		return m.air(in)
	case event.RunArmed, event.RunPresented, event.RunStarted, event.RunFinished, event.RunLocked,
		event.RunVoided, event.RunClosed, event.RunPurged:
		return m.runStep(in)
	default:
		return m.sessionStep(in)
	}
}

func (m *Machine) runStep(in event.Event) *refusal.Reason {
	if m.phase != Sealed {
		return refusal.New(NotSealed)
	}
	switch in.Type {
	case event.RunArmed:
		return m.arm(in)
	case event.RunPresented:
		return m.presented(in)
	case event.RunStarted:
		return m.started(in)
	case event.RunFinished:
		return m.finished(in)
	case event.RunLocked:
		return m.lock(in)
	case event.RunVoided:
		return m.voided(in)
	case event.RunClosed:
		return m.closed(in)
	default:
		return m.purged(in)
	}
}

func (m *Machine) sessionStep(in event.Event) *refusal.Reason {
	in.Run = 0
	switch in.Type {
	case event.SessionOpened:
		return m.open(in)
	case event.SessionLoaded:
		return m.loaded(in)
	case event.SessionSealed:
		return m.seal(in)
	case event.SessionPaused:
		return m.pause(in)
	case event.SessionResumed:
		return m.resume(in)
	case event.SessionAborted:
		return m.abort(in)
	case event.SessionRestarted:
		return m.restarted(in)
	case event.SessionClosed:
		return m.closeSession(in)
	case event.ClockFixed:
		return m.clockFixed(in)
	case event.ClockSaid:
		return m.clockSaid(in)
	case event.Refused, event.RefusalsSummed, event.Late:
		return m.again(in)
	default:
		return inconsistent("not an input: " + string(in.Type))
	}
}

// again takes a refusal, a sum of refusals or a late fact: it was decided when it came in. What a refusal refused is
// not known any more; that a fact was late can be seen again, and nothing else may be called so.
func (m *Machine) again(in event.Event) *refusal.Reason {
	if m.phase == Idle {
		return refusal.New(NoSession)
	}
	if late, ok := in.Body.(*event.Lateness); ok {
		if r := m.run; r == nil || r.taking() || r.lock.Reason == "" || late.At != in.At.Mono || late.At > r.lock.At || in.At.Boot != r.boot {
			return inconsistent("this was not late: no run has locked behind it")
		}
	}
	in.Run = m.runIndex()
	m.record(in)
	return nil
}

// record writes e.
func (m *Machine) record(e event.Event) {
	m.out = append(m.out, Effect{Kind: Record, Event: e})
}

// derive writes a record of the machine's own making, caused by in.
func (m *Machine) derive(in event.Event, t event.Type, run int, body any) {
	m.record(event.Event{Type: t, Session: m.session.id, Run: run, At: in.At, By: event.ByStation, Body: body})
}

// runIndex returns the index of the active run, 0 between runs.
func (m *Machine) runIndex() int {
	if m.run == nil {
		return 0
	}
	return m.run.index
}

func (m *Machine) timer(t event.Type, at int64) {
	m.out = append(m.out, Effect{Kind: SetTimer, Timer: t, At: at})
}

// fixedTimer sets the timer of a fixed instant of the run: it fires then, and at no other time.
func (m *Machine) fixedTimer(t event.Type, at int64) {
	m.run.due = at
	m.timer(t, at)
}

func (m *Machine) light(name string, on bool) {
	e := Effect{Kind: Light, Name: name, On: on}
	if name == LightAck && on {
		e.For = AckFor
	}
	m.out = append(m.out, e)
}

func (m *Machine) sound(why string) {
	m.out = append(m.out, Effect{Kind: Sound, Name: why})
}

func (m *Machine) checkpoint(why string) {
	m.out = append(m.out, Effect{Kind: Checkpoint, Name: why})
}

func (m *Machine) do(kind EffectKind) { m.out = append(m.out, Effect{Kind: kind}) }

// openBodies asks for the sealed bodies of a run to be opened, 0 for those of the session.
func (m *Machine) openBodies(in event.Event, run int) {
	m.out = append(m.out, Effect{Kind: Open, Run: run,
		Event: event.Event{Type: event.Opened, Session: m.session.id, At: in.At, By: event.ByStation}})
}
