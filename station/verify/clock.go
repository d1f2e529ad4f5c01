package verify

import (
	"strings"
	"time"

	"scentpost/station/event"
	"scentpost/station/record"
)

// clock checks the stamps: that UTC is one function of the monotonic time from one clock.fixed to the next, and that
// neither the monotonic time nor the boots run backwards. What the engine makes of the stamps is for the replay.
func (c *checker) clock() {
	boots := map[string]bool{}
	var at pace
	for i := range c.records {
		e, seq := &c.records[i].Event, c.seqs[i]
		if e.At.Bound < 0 || e.At.UTCBound < 0 {
			c.recordProblem(seq, "a bound of its time is below zero")
		}
		if e.At.Quality == event.Simulated && !record.IsSimulated(c.bundle.Key) {
			c.recordProblem(seq, "its time is simulated, and the key is no simulation's")
		}
		if i > 0 {
			c.oneMap(seq, e, &c.records[i-1].Event)
		}
		if i > 0 && e.At.Boot == c.records[i-1].Event.At.Boot {
			at.check(c, seq, e)
			continue
		}
		if boots[e.At.Boot] {
			c.recordProblem(seq, "is of the boot %.40q again, which had ended", e.At.Boot)
		}
		boots[e.At.Boot] = true
		at = pace{}
		at.check(c, seq, e)
	}
}

// oneMap checks a record against the one before it: only a clock.fixed changes the map, and it says how.
func (c *checker) oneMap(seq int64, e, before *event.Event) {
	fix, isFix := e.Body.(*event.ClockFix)
	if !isFix {
		switch {
		case e.At.SameMap(before.At):
			if e.At.Quality == event.Holdover && e.At.UTCBound < before.At.UTCBound {
				c.recordProblem(seq, "UTC is held over and becomes better known by itself: its bound goes from %s to %s",
					time.Duration(before.At.UTCBound), time.Duration(e.At.UTCBound))
			}
		case e.At.Boot != before.At.Boot:
			c.recordProblem(seq, "is of another boot than the record before it, and no %s stands between them", event.ClockFixed)
		case e.At.Quality != before.At.Quality:
			c.recordProblem(seq, "the clock goes from %s to %s without a %s", before.At.Quality, e.At.Quality, event.ClockFixed)
		default:
			c.recordProblem(seq, "UTC steps by %s against the monotonic time without a %s",
				time.Duration(e.At.Offset()-before.At.Offset()), event.ClockFixed)
		}
		return
	}
	want := event.ClockFix{Quality: e.At.Quality, NewBoot: e.At.Boot != before.At.Boot}
	if !want.NewBoot {
		want.StepNS = e.At.Offset() - before.At.Offset()
	}
	switch {
	case *fix != want:
		c.recordProblem(seq, "says %+v of the clock, its stamp and the one before it say %+v", *fix, want)
	case e.At.SameMap(before.At):
		c.recordProblem(seq, "fixes a clock that nothing changed of")
	}
}

// pace is how far the monotonic time of a boot has come.
type pace struct {
	reached int64 // no later reading of the clock may show less
	by      int64 // the record that says so
	begun   bool
}

// check holds a record against those before it. Devices and timers are stamped with the instant of what they tell,
// which may come behind what happened after it; but what a person did, what the clock did and that the daemon came back
// is stamped when it is written, and so lies behind everything that was written before.
func (p *pace) check(c *checker, seq int64, e *event.Event) {
	if reads(e) && p.begun && e.At.Mono < p.reached {
		c.recordProblem(seq, "the monotonic time runs backwards by %s, behind record %d", time.Duration(p.reached-e.At.Mono), p.by)
	}
	if least := e.At.Mono - e.At.Bound; !p.begun || least > p.reached {
		p.reached, p.by, p.begun = least, seq, true
	}
}

// reads tells whether a record's stamp was read from the clock when it was written.
func reads(e *event.Event) bool {
	return strings.HasPrefix(e.By, event.PersonPrefix) || e.Type == event.ClockFixed || e.Type == event.SessionRestarted
}
