package trial

import (
	"math"
	"time"

	"scentpost/station/blind"
	"scentpost/station/event"
	"scentpost/station/refusal"
)

// Stage is the trial of one station with all that decides about it: the engine, its timers, the sources that a lock waits
// for, the canisters before which a curtain hangs, and the map from monotonic time to UTC. Like the engine it is pure: the
// present instant comes with each call, as the clock gives it, and what is to be done comes back as effects.
//
// Each method that returns effects returns them in the order in which they are to be carried out; the slice is valid until
// the next call. Effects that wait (Effect.Waits) are asked for again, by Release, once their cause is durable: by then they
// may be out of place.
//
// Whoever owns a stage calls Fire before every other call, and again when Next says so: what was due before something came
// in is decided without it.
type Stage struct {
	machine   Machine
	horizon   horizon
	presenter actuated
	floods    floods      // refused commands that come too fast
	utc       event.Stamp // a stamp by the map that is in force
}

// NewStage returns the stage of a station in an epoch of its log, with no session and no source of facts. The first map
// from monotonic time to UTC is that of now.
func NewStage(station, epoch string, now event.Stamp) *Stage {
	return &Stage{machine: *New(station, epoch), utc: now}
}

// Source declares a source of facts and how late they may be. When a veiled one reports may not be seen: a lock waits for
// all of its lateness.
func (s *Stage) Source(name string, lateness time.Duration, veiled bool) {
	s.horizon.declare(name, lateness, veiled)
}

// Mark notes that nothing stamped earlier than mono will come from a source.
func (s *Stage) Mark(source string, mono int64) { s.horizon.mark(source, mono) }

// Command takes the command of a person, or an instant that a person brings about, stamped with the present. refused is why
// the engine refuses it, nil when it does not.
func (s *Stage) Command(now event.Stamp, e event.Event) (effects []Effect, refused *refusal.Reason) {
	s.begin()
	if e.Type == event.SessionOpened && s.machine.phase == Idle {
		s.look(now) // its stamp holds the map that the session begins with
	}
	e.At = s.Date(now)
	if e.Type == event.SessionClosed {
		s.writeSums(e.At, math.MaxInt64) // no record of the session comes after this one
	}
	s.step(now, e)
	refused = s.machine.refusal
	if refused != nil {
		s.sumUp(now, e.By)
	}
	return s.end(now), refused
}

// Fact takes what a device says, with its own stamp. What a canister did goes behind the curtain. So do edges that it may have
// been a canister's limit switch that made lost: the loss names no source then. A void is a source that the devices lost.
func (s *Stage) Fact(now event.Stamp, e event.Event) []Effect {
	s.begin()
	whole := event.HoldsBody(e.Type, e.Body) && event.HoldsSecret(e.Type, e.Secret)
	switch {
	case whole && e.Type == event.CanisterMoved:
		s.presenter.curtain.report(e.Body.(*event.Handling).Position, *e.Secret.(*event.Moves))
	case whole && e.Type == event.EdgesLost:
		s.lost(now, e)
	case whole && e.Type == event.RunVoided:
		s.void(now, s.since(now, e.At.Mono), e.Body.(*event.Void).Cause)
	default:
		e.At = s.Date(e.At)
		s.step(now, e)
	}
	return s.end(now)
}

// lost takes that edges of beams or buttons are missing.
func (s *Stage) lost(now event.Stamp, e event.Event) {
	loss := e.Secret.(*event.Loss)
	if e.Body.(*event.LostEdges).Source == "" {
		s.presenter.curtain.lose(loss.From, notKnown(loss.Why))
		return
	}
	e.At = s.since(now, loss.From)
	s.step(now, e)
}

// Dropped takes that facts may be missing for good, and that it is not known since when: the run is void, however late in
// its search it is.
func (s *Stage) Dropped(now event.Stamp) []Effect {
	s.begin()
	s.void(now, s.since(now, math.MinInt64), event.CauseSource)
	return s.end(now)
}

// Sampled takes what each sensor of the air says of the instant that Sample asked for.
func (s *Stage) Sampled(air []event.Air) []Effect {
	s.begin()
	at := s.machine.session.airAt
	for i := range air {
		s.step(at, event.Event{Type: event.AirSampled, At: at, By: event.ByStation, Body: &air[i]})
	}
	return s.machine.out
}

// Release tells whether an effect that waited may be carried out, now that its cause is durable; effects are what is done in
// its place, at once. The canisters of a run move at their common instant or never.
func (s *Stage) Release(now event.Stamp, e *Effect) (may bool, effects []Effect) {
	s.begin()
	switch e.Kind {
	case Move:
		may = s.mayMove(now, e)
	case Purge:
		may = s.presenter.airing == e.At
	case Sound:
		may = s.machine.run == nil // else a run was armed meanwhile: nothing is heard during a search
	default:
		may = true
	}
	return may, s.end(now)
}

// Back is how a station comes back to a session that was interrupted.
type Back struct {
	Last   event.Stamp // of the last record
	Cause  event.Cause // event.CauseRestart, event.CausePower or event.CauseJournal
	Config string      // the hash of the configuration now
}

// Resume tells the session whose records the stage's Player has run that the station is back: a run before its lock is void,
// one after it is closed again. A session that was opened under another configuration is aborted, since what is in the record
// would not be what it was held under; one that was revealed is left to be closed.
func (s *Stage) Resume(now event.Stamp, back Back) []Effect {
	s.begin()
	s.horizon.clear()
	s.presenter, s.floods = actuated{}, floods{}
	if r := s.machine.run; r != nil {
		s.presenter.curtain.restore(r.index, r.placement)
	}
	s.utc = back.Last
	s.look(now)
	sameBoot := now.Boot == back.Last.Boot
	if !sameBoot && back.Cause == event.CauseRestart {
		back.Cause = event.CausePower
	}
	by := event.Event{Session: s.machine.session.id, At: s.Date(now), By: event.ByStation}
	by.Type, by.Body = event.SessionRestarted, &event.Restart{SameBoot: sameBoot, Cause: back.Cause}
	s.step(now, by)
	if of := &s.machine.session; of.opening.Config != back.Config && s.machine.phase != Ended && of.aborted == nil {
		by.Type, by.Body = event.SessionAborted, &event.Why{Cause: event.CauseConfig}
		s.step(now, by)
	}
	return s.end(now)
}

// Player returns what runs the engine over the records of an interrupted session. It must be used before anything else comes.
func (s *Stage) Player() *Player { return &Player{Machine: &s.machine} }

// View returns what is known now.
func (s *Stage) View() View { return s.machine.View() }

// Session returns the id of the active session and whether there is one.
func (s *Stage) Session() (id string, active bool) { return s.machine.Session() }

// Plan returns the plan of the session; see Machine.
func (s *Stage) Plan() blind.Plan { return s.machine.Plan() }

// Loading returns what is needed to load the session; see Machine.
func (s *Stage) Loading() ([]event.Loaded, blind.Binding) { return s.machine.Loading() }

// begin forgets the effects of the call before.
func (s *Stage) begin() { s.machine.out, s.machine.refusal = s.machine.out[:0], nil }

// end sees to it that Next tells of what the call has changed, and returns its effects.
func (s *Stage) end(now event.Stamp) []Effect {
	s.aim(now.Mono)
	return s.machine.out
}

// step feeds the engine. The timers that it asks for the stage keeps itself.
func (s *Stage) step(now event.Stamp, e event.Event) {
	m := &s.machine
	kept := len(m.out)
	m.step(e)
	for i := kept; i < len(m.out); i++ {
		effect := &m.out[i]
		s.presenter.follow(effect)
		switch effect.Kind {
		case SetTimer:
			s.horizon.set(effect.Timer, notBefore(effect, e.At.Mono, now.Mono))
		case StopTimers:
			s.horizon.clear()
		default:
			m.out[kept] = *effect
			kept++
		}
	}
	m.out = m.out[:kept]
}

// stale is how old a cause may be before the closing that follows it counts from now instead of from its stamp. A button
// that sticks is stamped with its press and told seconds later; until then the canisters stood open.
const stale = 250 * time.Millisecond

// notBefore is when a timer of the engine rings: at its instant, save that a run is closed no sooner after now than
// after its cause.
func notBefore(e *Effect, cause, now int64) int64 {
	if e.Timer != event.RunClosed || now-cause < int64(stale) {
		return e.At
	}
	return e.At + now - cause
}

// since is the stamp of a danger that began at the instant from and is told only now. The record says when it was told,
// as more could tell what lies behind it; but what began before the end of a search, while the lock still waits for
// sources, is stamped with that end: it voids the run, however late it came.
func (s *Stage) since(now event.Stamp, from int64) event.Stamp {
	at := s.Date(now)
	if end, ok := s.machine.ends(); ok && from <= end && end < at.Mono {
		return at.AtMono(end)
	}
	return at
}

// void takes the run out for a reason of the station's own; once its search has ended the reason is a note.
func (s *Stage) void(now, at event.Stamp, cause event.Cause) {
	if s.machine.run != nil {
		s.step(now, event.Event{Type: event.RunVoided, At: at, By: event.ByStation, Body: &event.Void{Why: event.Why{Cause: cause}}})
	}
}
