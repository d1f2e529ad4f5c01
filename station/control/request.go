package control

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"scentpost/station/refusal"
)

// MaxRequest is the longest request in bytes: a plan and a rule fit many times over.
const MaxRequest = 1 << 20

// Request is one command of a person. Only the arguments of its command are set.
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
	New        bool   `json:"new,omitempty"` // open: handler and assessor need not be known to the station

	Share string `json:"share,omitempty"` // seal: the authority's answer, as blind.Answer writes it
	Dice  string `json:"dice,omitempty"`  // seal: what the assessor's dice showed
	Alone bool   `json:"alone,omitempty"` // seal: no second party answers, and the record says so for good

	Position int    `json:"position,omitempty"` // call, observe
	Between  int    `json:"between,omitempty"`  // call: the other position
	Nowhere  bool   `json:"nowhere,omitempty"`  // call: at no position
	Means    string `json:"means,omitempty"`    // call, clear: "voice" (default) or "panel"
	What     string `json:"what,omitempty"`     // observe
	Note     string `json:"note,omitempty"`     // observe, close
	Reason   string `json:"reason,omitempty"`   // void, pause, abort, withdraw
	Back     *int   `json:"back,omitempty"`     // close: how many aids were counted back
	AllBack  bool   `json:"all_back,omitempty"` // close: all aids were counted back
	Session  string `json:"session,omitempty"`  // export, "" for the last
	Date     string `json:"date,omitempty"`     // date: what the time is, as event.TimeSaid takes it
}

// ParseRequest reads one request and refuses every request that no command of the table reads.
func ParseRequest(data []byte) (Request, *refusal.Reason) {
	var r Request
	if len(data) > MaxRequest {
		return r, refusal.New(RequestTooLong, "most", MaxRequest)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		return r, refusal.New(RequestMalformed, refusal.Detail, fmt.Errorf("not one JSON object of known fields: %w", err))
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return r, refusal.New(RequestMalformed, refusal.Detail, "there is more after its JSON object")
	}
	_, why := r.command()
	return r, why
}

// command returns the row of a request, and what is wrong with the request, nil when nothing is.
func (r *Request) command() (*Command, *refusal.Reason) {
	c := find(r.Command)
	if c == nil {
		var names []string
		for _, c := range table {
			names = append(names, c.Name)
		}
		return nil, refusal.New(CommandUnknown, "command", r.Command, "commands", names)
	}
	return c, c.refuse(r)
}
