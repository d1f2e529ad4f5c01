package trial

import "scentpost/station/event"

// Fire does what is due by the present instant: timers ring, and a run whose canister is at fault is void at its instant of
// the grid. A lock whose sources have not all reported past it is judged when their time is over.
func (s *Stage) Fire(now event.Stamp) []Effect {
	s.begin()
	at := s.Date(now)
	for {
		s.aim(at.Mono)
		until, grid := at.Mono, s.presenter.gridAt != 0 && s.presenter.gridAt <= at.Mono
		if grid {
			until = s.presenter.gridAt
		}
		d, due := s.horizon.due(until, at.Mono)
		switch {
		case due && d.timer == event.RunLocked:
			s.lock(at, d.at)
		case due:
			s.ring(at, d)
		case grid:
			s.presenter.gridAt = 0
			if end, ok := s.machine.ends(); ok && s.presenter.curtain.misses(end) {
				until = min(until, end)
			}
			s.void(at, at.AtMono(until), event.CauseMechanical)
		default:
			s.writeSums(at, at.Mono)
			return s.machine.out
		}
	}
}

// lock lets a run lock whose facts up to at are there. Where they may not be, a run that nobody has called is void with the
// end of its search: facts were lost behind the curtain, or sources have not reported past the end in the time that they
// declare. Where only veiled ones have not, it was perhaps a canister that silenced them.
func (s *Stage) lock(now event.Stamp, at int64) {
	end, voidable := s.machine.ends()
	if voidable && s.presenter.curtain.misses(end) {
		s.void(now, now.AtMono(end), event.CauseMechanical)
		return
	}
	silent, veiled := s.horizon.silent(at)
	s.machine.out = append(s.machine.out, Effect{Kind: Heard, Silent: silent})
	switch {
	case !voidable || len(silent) == 0: // the lock falls now; its body says up to which instant facts count
		s.step(now, event.Event{Type: event.RunLocked, At: now, By: event.ByStation})
	case veiled:
		s.void(now, now.AtMono(end), event.CauseMechanical)
	default:
		s.void(now, now.AtMono(end), event.CauseSource)
	}
}

// ring gives the engine a timer, with the sealed facts of its instant before it. A run is not presented while the journal
// still holds back its moves.
func (s *Stage) ring(now event.Stamp, d deadline) {
	at := now.AtMono(d.at)
	if d.timer == event.RunPresented && s.presenter.unmoved != 0 {
		s.void(now, at, event.CauseLateSync)
		return
	}
	for _, e := range s.presenter.curtain.lift(d.timer, at, s.machine.session.id) {
		s.step(now, e)
	}
}

// Next returns when to look again if nothing comes in; ok is false when nothing is awaited.
func (s *Stage) Next(now int64) (at int64, ok bool) {
	at, ok = s.horizon.next(now)
	if grid := s.presenter.gridAt; grid != 0 && (!ok || grid < at) {
		at, ok = grid, true
	}
	if _, sum, waits := s.floods.next(); waits && (!ok || sum < at) {
		at, ok = sum, true
	}
	return at, ok
}

// Waiting tells whether a lock waits for sources to report past its instant.
func (s *Stage) Waiting(now int64) bool { return s.horizon.waiting(now) }
