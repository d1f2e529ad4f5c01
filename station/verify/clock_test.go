package verify

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"scentpost/station/event"
)

// fix lets the stage look at a clock that has changed.
func (p *played) fix(change func(now *event.Stamp)) {
	p.t.Helper()
	p.now = p.now.Add(1e6)
	change(&p.now)
	p.do(p.stage.Look(p.now))
}

func by(step time.Duration) func(*event.Stamp) {
	return func(now *event.Stamp) { now.UTC += int64(step) }
}

// wild is a session whose clock is set by nobody, stepped forwards and backwards, found, lost, and rebooted.
func wild(p *played) {
	p.now.Quality = event.Unset
	p.during = func(run int) {
		switch run {
		case 0:
			p.command(event.ClockSaid, "p-11111111111111111111111111111111", &event.TimeSaid{Said: "2027-03-04"}, nil)
			p.fix(by(time.Hour))
		case 1:
			p.fix(by(-2 * time.Hour))
			p.fix(func(now *event.Stamp) { now.Quality, now.UTCBound = event.Synced, 1e8 })
		case 2:
			p.fix(func(now *event.Stamp) { now.Quality, now.UTCBound = event.Holdover, 2e8 })
			p.fix(func(now *event.Stamp) { now.UTCBound += 1000 })
		case 3:
			p.now.Boot, p.now.Mono, p.now.UTC = "boot-2", 1e6, p.now.UTC+60e9
			p.restart(event.CauseRestart)
		}
	}
}

func TestASessionWithAWildClockVerifies(t *testing.T) {
	_, b := play(t, "per-run", wild)
	r := Members(membersOf(t, b), Options{})
	if !r.Consistent || r.Replay != ReplayChecked {
		t.Fatalf("%s, %v", r.Replay, r.Problems)
	}
	how := ""
	for _, run := range r.Result.Runs {
		how += " " + string(run.How) + " " + run.Why.String()
	}
	if !strings.Contains(how, "voided power cut") {
		t.Errorf("the runs:%s", how)
	}
	if got, want := fmt.Sprintf("%+v", r.Result.Clock), "{Quality:unset Last:holdover BoundNS:200001000 Steps:2 LargestNS:-7200000000000 "+
		"SaidBy:p-11111111111111111111111111111111 Said:2027-03-04}"; got != want {
		t.Errorf("the clock: %s, want %s", got, want)
	}
}

// TestStampsThatCannotBeAreNamed lets a station with a good key change stamps of its records.
func TestStampsThatCannotBeAreNamed(t *testing.T) {
	// from changes the first record of a kind and all behind it, once only that one.
	from := func(kind event.Type, change func(e *event.Event)) func(e *event.Event) {
		begun := false
		return func(e *event.Event) {
			if begun = begun || e.Type == kind; begun {
				change(e)
			}
		}
	}
	once := func(kind event.Type, change func(e *event.Event)) func(e *event.Event) {
		done := false
		return func(e *event.Event) {
			if e.Type == kind && !done {
				done = true
				change(e)
			}
		}
	}
	fix := func(change func(*event.ClockFix)) func(e *event.Event) {
		return once(event.ClockFixed, func(e *event.Event) {
			body := *e.Body.(*event.ClockFix)
			change(&body)
			e.Body = &body
		})
	}
	for name, c := range map[string]struct {
		change func(e *event.Event)
		want   string
	}{
		"UTC steps":                {from(event.BeamLeft, func(e *event.Event) { e.At.UTC -= 3600e9 }), "UTC steps by -1h0m0s against the monotonic time without a clock.fixed"},
		"UTC jumps once":           {once(event.BeamLeft, func(e *event.Event) { e.At.UTC++ }), "UTC steps by 1ns"},
		"UTC stands still":         {from(event.BeamLeft, func(e *event.Event) { e.At.Mono += 3600e9 }), "UTC steps by -1h0m0s"},
		"the quality":              {from(event.BeamLeft, func(e *event.Event) { e.At.Quality = event.Synced }), "the clock goes from unset to synced without a clock.fixed"},
		"the boot":                 {from(event.BeamLeft, func(e *event.Event) { e.At.Boot = "boot-9" }), "is of another boot than the record before it, and no clock.fixed"},
		"a fix that hides":         {fix(func(f *event.ClockFix) { f.StepNS = 0 }), "says {StepNS:0"},
		"a fix that praises":       {fix(func(f *event.ClockFix) { f.Quality = event.Synced }), "Quality:synced"},
		"a fix of no boot":         {fix(func(f *event.ClockFix) { f.NewBoot = true }), "NewBoot:true"},
		"a fix of nothing":         {once(event.ClockFixed, func(e *event.Event) { e.At.UTC -= 3600e9; e.Body = &event.ClockFix{Quality: event.Unset} }), "fixes a clock that nothing changed of"},
		"the clock runs backwards": {once(event.ClockSaid, func(e *event.Event) { e.At = e.At.Add(-time.Hour) }), "the monotonic time runs backwards by 59m59."},
		"a fix in the past":        {once(event.ClockFixed, func(e *event.Event) { e.At = e.At.Add(-time.Second) }), "the monotonic time runs backwards by"},
		"a person in the past":     {once(event.SessionClosed, func(e *event.Event) { e.At = e.At.Add(-time.Second) }), "the monotonic time runs backwards by"},
		"a fact in the future":     {once(event.BeamEntered, func(e *event.Event) { e.At = e.At.Add(time.Minute) }), "the monotonic time runs backwards by"},
		"a boot that comes back":   {once(event.SessionClosed, func(e *event.Event) { e.At.Boot = "boot-1" }), "is of the boot \"boot-1\" again"},
		"a better holdover": {from(event.ClockFixed, func(e *event.Event) {
			if e.At.Quality == event.Holdover && e.Type == event.RunLocked {
				e.At.UTCBound--
			}
		}), "becomes better known by itself"},
	} {
		t.Run(name, func(t *testing.T) {
			_, b := play(t, "none", func(p *played) {
				wild(p)
				p.change = c.change
			})
			wantNo(t, Members(membersOf(t, b), Options{}), c.want)
		})
	}
}

// TestADurationMadeOfUTCIsNamed: a station that takes a latency from its wall clock writes another one than the replay,
// as soon as the clock steps in between.
func TestADurationMadeOfUTCIsNamed(t *testing.T) {
	for name, field := range map[string]func(*event.RunResult) *int{
		"since the nose came":    func(r *event.RunResult) *int { return &r.LatencyMS },
		"since the search began": func(r *event.RunResult) *int { return &r.SinceStartMS },
	} {
		_, b := play(t, "none", func(p *played) {
			wild(p) // by an hour, between the nose and the call
			p.change = func(e *event.Event) {
				if result, ok := e.Body.(*event.RunResult); ok && e.Run == 1 {
					lie := *result
					*field(&lie) += int(time.Hour / time.Millisecond)
					e.Body = &lie
				}
			}
		})
		r := Members(membersOf(t, b), Options{})
		wantNo(t, r, "the engine writes run.scored")
		if len(r.Problems) != 1 || r.Result.Runs[0].Run != 1 || r.Result.Runs[0].SinceStartMS < 200 {
			t.Errorf("%s: %+v, %v", name, r.Result.Runs[0], r.Problems)
		}
	}
}
