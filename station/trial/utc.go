package trial

import "scentpost/station/event"

// The UTC of everything that a stage writes goes by one map from monotonic time to UTC, which Stage.utc stands for: any
// stamp that was made by it. The clock may change its map at any moment; the stage takes the new one over only when it is
// told to look, with a record of it when a session is active. So between two clock.fixed UTC is a function of the monotonic
// time, whatever the wall clock did, and in whichever order facts of several sources come in.

// Date gives a stamp the UTC that the map in force has for its instant.
func (s *Stage) Date(at event.Stamp) event.Stamp {
	dated := s.utc.AtMono(at.Mono)
	dated.Bound = at.Bound
	return dated
}

// Look takes over the clock's map when it is another than the one in force. The map in force when a session opens needs no
// record of its own: the stamp of session.opened holds it.
func (s *Stage) Look(now event.Stamp) []Effect {
	s.begin()
	s.look(now)
	return s.machine.out
}

func (s *Stage) look(now event.Stamp) {
	was := s.utc
	if now.SameMap(was) {
		s.utc.UTCBound = now.UTCBound
		return
	}
	s.utc = now
	if s.machine.phase == Idle {
		return
	}
	fix := event.ClockFix{Quality: now.Quality, NewBoot: now.Boot != was.Boot}
	if !fix.NewBoot {
		fix.StepNS = now.Offset() - was.Offset()
	}
	s.step(now, event.Event{Type: event.ClockFixed, At: now, By: event.ByStation, Body: &fix})
}
