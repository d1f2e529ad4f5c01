package devices

// earliest is the earliest instant of those considered, if any was.
type earliest struct {
	at  int64
	any bool
}

func (e *earliest) consider(at int64) {
	if !e.any || at < e.at {
		e.at, e.any = at, true
	}
}

// alarm is one call that the clock owes the station.
type alarm struct {
	at   int64
	stop func() // nil while no call is owed
}

func (a *alarm) clear() {
	if a.stop != nil {
		a.stop()
		a.stop = nil
	}
}

// set asks for a call of f, with the state, at the instant: in the place of the one that is owed, or for none.
func (a *alarm) set(s *Station, when earliest, f func()) {
	if a.stop != nil && when.any && when.at == a.at {
		return
	}
	a.clear()
	if !when.any {
		return
	}
	at := when.at
	a.at = at
	a.stop = s.clock.At(at, func() {
		s.change(func() {
			if a.at == at {
				a.stop = nil
			}
			f()
		})
	})
}
