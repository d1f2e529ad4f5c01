package trial

import (
	"strings"

	"scentpost/station/event"
	"scentpost/station/refusal"
)

// actuated is the presentation of a line by canisters that the station moves itself: all of a run at one instant, the line
// presented at a fixed one after it, a canister's fault seen on the public grid only, and the air changed between the runs.
type actuated struct {
	curtain curtain
	unmoved int   // the run whose moves the journal holds back, 0 for none
	gridAt  int64 // when the run is void for a canister's fault, 0 for never
	airing  int64 // the end of the purge that may be let out, 0 for none
}

// follow notes what the engine asks of canisters and air.
func (a *actuated) follow(e *Effect) {
	switch e.Kind {
	case Move:
		a.curtain.begin(e.Run, e.Moves)
		a.unmoved = e.Run
	case CloseAll: // takes back a purge that has not begun
		a.curtain.close()
		a.airing = 0
	case Purge:
		a.airing = e.At
	case StopTimers:
		a.gridAt = 0
	}
}

// mayMove tells whether the canisters of a run may move now: all together at their instant, or never. Where the journal held
// them back past it, the run is void.
func (s *Stage) mayMove(now event.Stamp, e *Effect) bool {
	if s.presenter.unmoved == e.Run {
		s.presenter.unmoved = 0
	}
	if !s.machine.movable(e.Run) {
		return false
	}
	if now.Mono > e.At {
		s.void(now, s.Date(now), event.CauseLateSync)
		return false
	}
	return true
}

// aim sets the mechanical void of a run whose canister is at fault at the next instant of the public grid, which begins when
// the run is presented. Before that the presentation itself finds the fault.
func (s *Stage) aim(now int64) {
	p, r := &s.presenter, s.machine.run
	if p.gridAt == 0 && p.curtain.faulty() && r != nil && r.voidable() && now >= r.presentedAt {
		step := ms(s.machine.session.opening.Settings.GridMS)
		p.gridAt = r.presentedAt + ((now-r.presentedAt)/step+1)*step
	}
}

// notKnown is the fault of every canister of a run behind whose curtain edges were lost. It is cut to what fits into a sealed
// body, of letters that take one byte each there.
func notKnown(why string) string {
	const most = 80
	plain := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || strings.ContainsRune(`"\<>&`, r) {
			return -1
		}
		return r
	}, why)
	return "not known, edges were lost: " + plain[:min(len(plain), most)]
}

// opens returns the movement of each position: every one is handled in every run, blanks included.
func opens(p event.Placement) []event.Move {
	moves := make([]event.Move, 0, p.Len())
	for _, slot := range p.Reveal() {
		moves = append(moves, event.Move{Position: slot.Position, Canister: slot.Canister, Open: true})
	}
	return moves
}

// moved takes what one position's canister did up to a fixed instant of the run (see Stage).
func (m *Machine) moved(in event.Event) *refusal.Reason {
	r := m.run
	if r == nil {
		return refusal.New(NoRun)
	}
	handling, moves := in.Body.(*event.Handling), in.Secret.(*event.Moves)
	switch {
	case handling.Position < 1 || handling.Position > r.placement.Len():
		return m.noPosition(handling.Position)
	case handling.Instant != r.instant() || in.By != event.ByStation:
		return inconsistent("what canisters did is not written at this instant")
	}
	in.Run = r.index
	m.record(in)
	if handling.Instant == event.Presented && (moves.Fault != "" || moves.Confirmed == 0 || moves.Confirmed > r.presentedAt) {
		r.faulty = true
	}
	return nil
}

// instant returns the fixed instant that a run comes to next, "" when it comes to none by itself.
func (r *run) instant() event.Instant {
	switch r.state {
	case Armed:
		return event.Presented
	case Locked, Voided, Aborted:
		return event.ClosedAgain
	case Purging:
		return event.PurgedAgain
	}
	return ""
}

// purge begins the interval in which the air clears, the same one after every run.
func (m *Machine) purge(mono int64) {
	until := mono + int64(m.session.plan.Purge)
	m.out = append(m.out, Effect{Kind: Purge, Run: m.run.index, At: until})
	m.fixedTimer(event.RunPurged, until)
}
