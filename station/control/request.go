package control

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"

	"scentpost/station/event"
)

// MaxRequest is the longest request in bytes: a plan and a rule fit many times over.
const MaxRequest = 1 << 20

// maxText is the longest free text of a person in bytes; it must leave a record's line short.
const maxText = 2000

// Request is one command of a person. Only the fields of its command are set.
type Request struct {
	Command string `json:"command"`
	As      string `json:"as,omitempty"` // the person who speaks, where an account belongs to several

	PlanName   string `json:"plan_name,omitempty"` // open
	Plan       string `json:"plan,omitempty"`      // open: the exact bytes of the plan
	Rule       string `json:"rule,omitempty"`      // open: the exact bytes of the pass rule
	Dog        string `json:"dog,omitempty"`
	Handler    string `json:"handler,omitempty"`
	Assessor   string `json:"assessor,omitempty"`
	Discipline string `json:"discipline,omitempty"`

	Share string `json:"share,omitempty"` // seal: the authority's answer, as `scentpost key answer` prints it
	Dice  string `json:"dice,omitempty"`  // seal: what the assessor's dice showed
	Alone bool   `json:"alone,omitempty"` // seal: no second party answers, and the record says so for good

	Position int    `json:"position,omitempty"` // call, observe
	Between  int    `json:"between,omitempty"`  // call: the other position
	Nowhere  bool   `json:"nowhere,omitempty"`  // call: at no position
	Means    string `json:"means,omitempty"`    // call, clear: "voice" (default) or "panel"
	What     string `json:"what,omitempty"`     // observe
	Note     string `json:"note,omitempty"`     // observe
	Reason   string `json:"reason,omitempty"`   // void, pause, abort, withdraw
	Back     int    `json:"back,omitempty"`     // close: aids counted back; all of them when Missing is not set
	Missing  bool   `json:"missing,omitempty"`  // close: Back was counted
	Session  string `json:"session,omitempty"`  // export, "" for the last
	Date     string `json:"date,omitempty"`     // date: what the time is, as event.TimeSaid takes it
}

// ParseRequest reads one request and refuses what it does not know. The error says what was expected.
func ParseRequest(data []byte) (Request, error) {
	var r Request
	if len(data) > MaxRequest {
		return r, fmt.Errorf("the request is longer than %d bytes", MaxRequest)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		return r, fmt.Errorf("the request is not one JSON object of known fields: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return r, errors.New("there is more after the request's JSON object")
	}
	if _, known := may[r.Command]; !known {
		return r, fmt.Errorf("unknown command %q: want one of %s", r.Command, strings.Join(Commands(), ", "))
	}
	for _, field := range []struct {
		name, text string
		lines      bool // may have several lines
	}{
		{"as", r.As, false}, {"plan_name", r.PlanName, false}, {"dog", r.Dog, false}, {"handler", r.Handler, false},
		{"assessor", r.Assessor, false}, {"discipline", r.Discipline, false}, {"session", r.Session, false},
		{"share", r.Share, false}, {"dice", r.Dice, true}, {"means", r.Means, false}, {"what", r.What, false},
		{"note", r.Note, true}, {"reason", r.Reason, true}, {"date", r.Date, false},
	} {
		if err := checkText(field.name, field.text, field.lines); err != nil {
			return r, err
		}
	}
	return r, nil
}

// checkText refuses what no person writes. A text is shown to others on their terminals: no control characters.
func checkText(name, text string, lines bool) error {
	if len(text) > maxText {
		return fmt.Errorf("%s is longer than %d bytes", name, maxText)
	}
	if strings.HasPrefix(text, event.PersonPrefix) {
		return fmt.Errorf("%s begins with %q, which is kept for references", name, event.PersonPrefix)
	}
	for _, sign := range text {
		if unicode.IsControl(sign) && !(lines && (sign == '\n' || sign == '\t' || sign == '\r')) {
			return fmt.Errorf("%s holds the control character %U: leave it out", name, sign)
		}
	}
	return nil
}

// observations are the words that an observation may use (DOMAIN: kept apart from the call).
var observations = []string{"change of behaviour", "final response", "hesitation"}

// toEvent turns a request of a person into the event that the engine takes. It returns what is missing.
func (s *Service) toEvent(r Request, who Person) (event.Event, error) {
	e := event.Event{By: who.Name}
	reason := &event.Reason{Reason: r.Reason}
	switch r.Command {
	case "open":
		return s.opening(r, e)
	case "load":
		e.Type, e.Body = event.SessionLoaded, &event.Load{}
	case "seal":
		return s.seed(r, e)
	case "arm":
		e.Type = event.RunArmed
	case "start":
		e.Type = event.RunStarted
	case "call", "clear":
		return s.calling(r, e)
	case "withdraw":
		e.Type, e.Body = event.CallWithdrawn, reason
	case "finish":
		e.Type = event.RunFinished
	case "observe":
		return s.observing(r, e)
	case "void":
		if r.Reason == "" {
			return e, errors.New("a void needs a reason")
		}
		e.Type, e.Body = event.RunVoided, &event.Void{Reason: r.Reason}
	case "pause":
		e.Type, e.Body = event.SessionPaused, reason
	case "resume":
		e.Type = event.SessionResumed
	case "abort":
		e.Type, e.Body = event.SessionAborted, reason
	case "date":
		said := event.TimeSaid{Said: r.Date}
		if _, err := said.Time(); err != nil {
			return e, err
		}
		e.Type, e.Body = event.ClockSaid, &said
	case "close":
		return s.closing(r, e)
	default:
		return e, fmt.Errorf("%s is not a command of a session", r.Command)
	}
	return e, nil
}

// checkPosition refuses a position that the session does not have.
func (s *Service) checkPosition(position int) error {
	if v := s.inbox.Snapshot().View; v.Positions > 0 && (position < 1 || position > v.Positions) {
		return fmt.Errorf("position %d: the session has positions 1 to %d", position, v.Positions)
	}
	return nil
}

func (s *Service) observing(r Request, e event.Event) (event.Event, error) {
	if r.Position != 0 {
		if err := s.checkPosition(r.Position); err != nil {
			return e, err
		}
	}
	for _, what := range observations {
		if r.What == what {
			e.Type, e.Body = event.Observed, &event.Observation{What: r.What, Position: r.Position, Note: r.Note}
			return e, nil
		}
	}
	return e, fmt.Errorf("an observation is one of: %s", strings.Join(observations, ", "))
}

func (s *Service) calling(r Request, e event.Event) (event.Event, error) {
	view := s.inbox.Snapshot().View
	call := &event.Call{Kind: event.CallAt, Position: r.Position, MadeBy: view.Team.Handler, EnteredBy: e.By, Means: event.ByVoice}
	switch {
	case r.Means == "panel":
		call.Means = event.ByPanel
	case r.Means != "" && r.Means != "voice":
		return e, fmt.Errorf("a call is entered by \"voice\" or \"panel\", not %q", r.Means)
	}
	switch {
	case r.Command == "clear":
		call.Kind = event.CallClear
	case r.Nowhere:
		call.Kind, call.Position = event.CallNowhere, 0
	case r.Position == 0:
		return e, errors.New("a call names a position, or says that it is at none")
	case r.Between == r.Position:
		return e, fmt.Errorf("a call between %d and itself: name two positions, or one", r.Between)
	case r.Between != 0:
		call.Kind, call.Other = event.CallBetween, r.Between
	}
	for _, position := range []int{call.Position, call.Other} {
		if position == 0 {
			continue
		}
		if err := s.checkPosition(position); err != nil {
			return e, err
		}
	}
	e.Type, e.Body = event.CallMade, call
	return e, nil
}

func (s *Service) closing(r Request, e event.Event) (event.Event, error) {
	out := s.inbox.Snapshot().View.Aids
	count := &event.AidCount{Out: out, Back: out, Remark: r.Note}
	if r.Missing {
		count.Back = r.Back
	}
	if count.Back < 0 || count.Back > out {
		return e, fmt.Errorf("%d aids went out: between 0 and %d can be counted back", out, out)
	}
	e.Type, e.Body = event.SessionClosed, count
	return e, nil
}
