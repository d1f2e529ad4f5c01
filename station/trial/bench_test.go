package trial_test

import (
	"strings"
	"testing"

	"scentpost/station/event"
	"scentpost/station/trial"
)

// lineupPlan is a session long enough to forget its beginning: 100 runs of six positions.
var lineupPlan = strings.NewReplacer("positions: 3", "positions: 6", "runs: 2", "runs: 100").Replace(smallPlan)

// inputs plays a line-up in which the dog passes every position of each run, with four raw edges at each, and
// returns what the engine was fed with.
func inputs(tb testing.TB) (opened, facts []event.Event, runs int) {
	s := newTheatre(tb)
	s.prepare(lineupPlan, usual)
	begin := len(s.records)
	for s.stage.View().Phase == trial.Sealed {
		s.play("arm; 4s")
		for p := 1; p <= 6; p++ {
			at := string(rune('0' + p))
			s.play("edges beam-" + at + " 1; beam " + at + "; 300ms; edges beam-" + at + " 1; left " + at + "; 500ms; edges beam-" + at + " 2")
		}
		s.play("press clear; 7s")
		runs++
	}
	probe := trial.New("line-1", "e1")
	fed := 0
	for i, e := range s.records { // what a record holds besides its inputs is derived again
		if e.Type == event.Opened {
			continue
		}
		if fed > 0 {
			fed--
			continue
		}
		n := 0
		for _, effect := range probe.Step(e) {
			if effect.Kind == trial.Record {
				n++
			}
		}
		fed = n - 1
		if i < begin {
			opened = append(opened, e)
		} else {
			facts = append(facts, e)
		}
	}
	return opened, facts, runs
}

// BenchmarkEngine feeds the engine with whole sessions: events and runs of a line-up per second.
func BenchmarkEngine(b *testing.B) {
	opened, facts, runs := inputs(b)
	b.ReportAllocs()
	sessions := 0
	for b.Loop() {
		b.StopTimer()
		m := trial.New("line-1", "e1")
		for _, e := range opened {
			m.Step(e)
		}
		b.StartTimer()
		for i := range facts {
			m.Step(facts[i])
		}
		if m.View().Phase != trial.Ended {
			b.Fatal("the session did not end")
		}
		sessions++
	}
	seconds := b.Elapsed().Seconds()
	b.ReportMetric(float64(sessions*len(facts))/seconds, "events/s")
	b.ReportMetric(float64(sessions*runs)/seconds, "runs/s")
	b.ReportMetric(float64(len(facts))/float64(runs), "events/run")
}

// BenchmarkView takes the picture of a session that is shown after each batch.
func BenchmarkView(b *testing.B) {
	s := ready(b)
	s.play("arm; 4s; press clear; 10s; arm; 4s; beam 1")
	b.ReportAllocs()
	for b.Loop() {
		_ = s.stage.View()
	}
}
