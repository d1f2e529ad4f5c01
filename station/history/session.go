package history

import "scentpost/station/event"

// Session is what the records of a session say in short, for readers who want the result alone. It can always be made
// again from the records. The zero value has taken none; Runs is nil then.
type Session struct {
	Line    `json:"session"`
	Dog     string        `json:"dog"`           // a reference
	Handler string        `json:"handler"`       // a reference
	Air     []event.Air   `json:"air,omitempty"` // when it was sealed
	Runs    []Run         `json:"runs"`
	Verdict event.Verdict `json:"verdict"`
}

// RunEnd says how a run ended.
type RunEnd string

// The ends of a run.
const (
	RunUnfinished RunEnd = "unfinished" // the records end before
	RunCompleted  RunEnd = "completed"
	RunVoided     RunEnd = "voided"
	RunAborted    RunEnd = "aborted"
)

// Run is one run that was armed.
type Run struct {
	Run       int    `json:"run"`
	How       RunEnd `json:"how"`
	event.Why        // of a void
	Result    string `json:"result,omitempty"`
	// LatencyMS and SinceStartMS are as in event.RunResult, -1 where there is none.
	LatencyMS     int                  `json:"latency_ms"`
	SinceStartMS  int                  `json:"since_start_ms"`
	Presentations []event.Presentation `json:"presentations,omitempty"`
	Blindness     event.Mode           `json:"effective_blindness,omitempty"`
	Air           []event.Air          `json:"air,omitempty"` // when it was armed
}

// Take takes the next record's event.
func (s *Session) Take(e *event.Event) {
	s.Line.Take(e)
	if s.Runs == nil {
		s.Runs = []Run{}
	}
	switch body := e.Body.(type) {
	case *event.Opening:
		s.Dog, s.Handler = body.Team.Dog, body.Team.Handler
	case *event.Verdict:
		s.Verdict = *body
	case *event.Air:
		s.sampled(e.Run, *body)
	case *event.Arming:
		s.Runs = append(s.Runs, Run{Run: e.Run, How: RunUnfinished, LatencyMS: -1, SinceStartMS: -1})
	case *event.Void:
		s.end(e.Run, RunVoided, body.Why)
	case *event.RunResult:
		if r := s.run(e.Run); r != nil {
			r.Result, r.LatencyMS, r.SinceStartMS = body.Result, body.LatencyMS, body.SinceStartMS
			r.Presentations, r.Blindness = body.Presentations, body.EffectiveBlind
		}
	}
	switch e.Type {
	case event.RunLocked:
		s.end(e.Run, RunCompleted, event.Why{})
	case event.RunClosed: // of a run that was neither locked nor void
		s.end(e.Run, RunAborted, event.Why{})
	}
}

// run returns a run that was armed, the last one of this number, nil when there is none.
func (s *Session) run(n int) *Run {
	for i := len(s.Runs) - 1; i >= 0; i-- {
		if s.Runs[i].Run == n {
			return &s.Runs[i]
		}
	}
	return nil
}

// end says how a run ended, if nothing has said so before.
func (s *Session) end(run int, how RunEnd, why event.Why) {
	if r := s.run(run); r != nil && r.How == RunUnfinished {
		r.How, r.Why = how, why
	}
}

// sampled keeps what the air was when a run was armed, or when the session was sealed.
func (s *Session) sampled(run int, air event.Air) {
	if run == 0 {
		s.Air = append(s.Air, air)
	} else if r := s.run(run); r != nil {
		r.Air = append(r.Air, air)
	}
}
