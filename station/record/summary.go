package record

import (
	"bytes"
	"fmt"

	"scentpost/station/event"
)

// Summary is what the records of a session say in short, for readers who want the result alone. It can always be
// made again from the lines.
type Summary struct {
	Session   string `json:"session"`
	Name      string `json:"name"` // of the plan
	Mode      string `json:"mode"`
	Dog       string `json:"dog"`
	Handler   string `json:"handler"`
	Simulated bool   `json:"simulated,omitempty"`
	State     string `json:"state"` // one of the State constants
	Ended     string `json:"ended,omitempty"`
	// Clock is what the UTC of the session is worth.
	Clock   event.SessionClock `json:"clock"`
	Air     []event.Air        `json:"air,omitempty"` // when it was sealed
	Runs    []RunSummary       `json:"runs"`
	Verdict event.Verdict      `json:"verdict"`
}

// How far a session had come with its last record.
const (
	StateUnfinished = "unfinished"
	StateEnded      = "ended" // but not revealed
	StateRevealed   = "revealed"
	StateClosed     = "closed"
)

// Finished tells whether the records go on to the reveal, which the end of a session brings by itself.
func (s Summary) Finished() bool { return s.State == StateRevealed || s.State == StateClosed }

// RunSummary is one run that was armed.
type RunSummary struct {
	Run    int    `json:"run"`
	How    string `json:"how"` // "completed", "voided", "aborted"; "unfinished" when the records end before
	Reason string `json:"reason,omitempty"`
	Result string `json:"result,omitempty"`
	// LatencyMS and SinceStartMS are as in event.RunResult, -1 where there is none.
	LatencyMS     int                  `json:"latency_ms"`
	SinceStartMS  int                  `json:"since_start_ms"`
	Presentations []event.Presentation `json:"presentations,omitempty"`
	Blindness     string               `json:"effective_blindness,omitempty"`
	Air           []event.Air          `json:"air,omitempty"` // when it was armed
}

// Summarise reads the lines of a session.
func Summarise(session string, lines [][]byte) (Summary, error) {
	records := make([]Record, len(lines))
	for i, line := range lines {
		r, err := Decode(line)
		if err != nil {
			return Summary{}, fmt.Errorf("line %d of the session: %w", i, err)
		}
		records[i] = r
	}
	return SummariseRecords(session, records), nil
}

// SummariseRecords is Summarise over records that are decoded already.
func SummariseRecords(session string, records []Record) Summary {
	s := Summary{Session: session, State: StateUnfinished, Runs: []RunSummary{}}
	aborted := false
	for i := range records {
		e := &records[i].Event
		s.Clock.Take(e)
		switch body := e.Body.(type) {
		case *event.Opening:
			s.Name, s.Mode, s.Simulated = body.Name, body.Mode, body.Simulated
			s.Dog, s.Handler = body.Team.Dog, body.Team.Handler
		case *event.End:
			s.State, s.Ended = StateEnded, body.How
		case *event.Verdict:
			s.Verdict = *body
		case *event.Air:
			s.sampled(e.Run, *body)
		case *event.Arming:
			s.Runs = append(s.Runs, RunSummary{Run: e.Run, How: "unfinished", LatencyMS: -1, SinceStartMS: -1})
		case *event.Void:
			s.end(e.Run, "voided", body.Reason)
		case *event.RunResult:
			s.result(e.Run, body)
		}
		switch e.Type {
		case event.SessionAborted:
			aborted = true
		case event.RunLocked:
			s.end(e.Run, "completed", "")
		case event.RunClosed:
			if aborted {
				s.end(e.Run, "aborted", "")
			}
		case event.SessionRevealed:
			s.State = StateRevealed
		case event.SessionClosed:
			s.State = StateClosed
		}
	}
	return s
}

// end says how a run ended, if nothing has said so before.
func (s *Summary) end(run int, how, reason string) {
	for i := range s.Runs {
		if r := &s.Runs[i]; r.Run == run && r.How == "unfinished" {
			r.How, r.Reason = how, reason
		}
	}
}

// sampled keeps what the air was when a run was armed, or when the session was sealed.
func (s *Summary) sampled(run int, air event.Air) {
	if run == 0 {
		s.Air = append(s.Air, air)
	}
	for i := range s.Runs {
		if r := &s.Runs[i]; r.Run == run {
			r.Air = append(r.Air, air)
		}
	}
}

func (s *Summary) result(run int, result *event.RunResult) {
	for i := range s.Runs {
		if r := &s.Runs[i]; r.Run == run {
			r.Result, r.LatencyMS, r.SinceStartMS = result.Result, result.LatencyMS, result.SinceStartMS
			r.Presentations, r.Blindness = result.Presentations, result.EffectiveBlind
		}
	}
}

// Equal tells whether two summaries say the same.
func (s Summary) Equal(t Summary) bool {
	a, errA := summaryShape.appendBody(nil, &s)
	b, errB := summaryShape.appendBody(nil, &t)
	return errA == nil && errB == nil && bytes.Equal(a, b)
}
