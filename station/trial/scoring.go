package trial

import (
	"time"

	"scentpost/station/dwell"
	"scentpost/station/event"
	"scentpost/station/score"
)

// ClauseCompleted names the clause of a verdict on a session that did not come to its regular end. What it got is the way in
// which the session ended (event.Ending).
const ClauseCompleted = "session completed"

// score writes the result of each completed run that has none yet, and the verdict of the pass rule.
func (m *Machine) score(in event.Event, end event.End) {
	s := &m.session
	var results []event.RunResult
	for _, r := range s.runs {
		if r.outcome != Completed {
			continue
		}
		if s.results[r.index] == nil {
			m.scoreRun(in, r)
		}
		results = append(results, *s.results[r.index])
	}
	verdict := score.Judge(s.opening.Rule, results)
	if end.How != event.EndCompleted {
		verdict.Verdict = score.NotValid
		verdict.Clauses = append(verdict.Clauses, event.Clause{Name: ClauseCompleted, Need: string(event.EndCompleted), Got: string(end.How)})
	}
	s.verdict = &verdict
	m.derive(in, event.SessionScored, 0, &verdict)
}

func (m *Machine) scoreRun(in event.Event, r *run) {
	result := score.Run(m.facts(r))
	result.EffectiveBlind = m.effectiveBlindness()
	result.Responses = m.responses(r)
	if n := len(result.Responses) - maxResponses; n > 0 {
		result.Responses, result.LeftOut = result.Responses[:maxResponses], n
	}
	m.session.results[r.index] = &result
	m.session.views = nil // they show no result of this run
	m.session.revision++
	m.derive(in, event.RunScored, r.index, &result)
}

// maxResponses is how many responses of a run its result lists, at some 80 bytes each in one line of the record. No dog
// makes so many; a beam that flickers does.
const maxResponses = 1000

// responses derives the dog's responses of a run from its beams, by the dwell that was sealed.
func (m *Machine) responses(r *run) []event.Response {
	out := []event.Response{}
	for _, v := range dwell.Responses(dwell.Visits(r.passes, r.lock.At), m.session.plan.Limits.Dwell) {
		out = append(out, event.Response{Position: v.Position, FromMS: inMS(v.From - r.startedAt), LastedMS: inMS(v.To - v.From),
			Uncertain: !v.Certain})
	}
	return out
}

// inMS returns whole milliseconds of a duration within a run.
func inMS(nanoseconds int64) int { return int(nanoseconds / int64(time.Millisecond)) }

// facts gathers what a run is scored by: only what is stamped at or before the lock.
func (m *Machine) facts(r *run) score.RunFacts {
	s := &m.session
	f := score.RunFacts{
		Placement:          r.placement.Reveal(),
		Observed:           map[int]bool{},
		HasBeam:            s.opening.Beams,
		StartedAt:          r.startedAt,
		Lock:               r.lock,
		FirstEnds:          m.firstEnds(),
		InconclusivePolicy: s.plan.Inconclusive,
	}
	for _, n := range r.noses {
		if n.At <= r.lock.At {
			f.Entries = append(f.Entries, n.Entry)
		}
	}
	for _, n := range r.seen {
		if n.At <= r.lock.At {
			f.Observed[n.Position] = true
		}
	}
	for _, c := range r.calls {
		if c.at.Mono <= r.lock.At {
			f.Calls = append(f.Calls, score.CallFact{Call: c.Call, At: c.at.Mono, Inconclusive: c.unclear || c.adrift})
		}
	}
	return f
}
