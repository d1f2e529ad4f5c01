package control

import (
	"fmt"
	"slices"

	"scentpost/station/event"
	"scentpost/station/names"
	"scentpost/station/refusal"
	"scentpost/station/signs"
	"scentpost/station/trial"
)

// maxText is the longest free text of a person in bytes; it must leave a record's line short.
const maxText = 2000

// Argument is one field of a request that some commands read.
type Argument struct {
	Name  string // in the JSON of a request
	lines bool   // a text that may have several lines
	name  bool   // the name of a person or dog
	file  bool   // the bytes of a file, which are taken as they are
	at    func(*Request) any
	check func(text string) *refusal.Reason // beyond what holds for every text; nil for nothing
}

// The arguments of all commands.
var (
	argSpeaker    = Argument{Name: "as", name: true, at: func(r *Request) any { return &r.As }} // of every command
	argPlanName   = Argument{Name: "plan_name", at: func(r *Request) any { return &r.PlanName }}
	argPlanText   = Argument{Name: "plan", file: true, at: func(r *Request) any { return &r.Plan }}
	argRuleText   = Argument{Name: "rule", file: true, at: func(r *Request) any { return &r.Rule }}
	argDog        = Argument{Name: "dog", name: true, at: func(r *Request) any { return &r.Dog }}
	argHandler    = Argument{Name: "handler", name: true, at: func(r *Request) any { return &r.Handler }}
	argAssessor   = Argument{Name: "assessor", name: true, at: func(r *Request) any { return &r.Assessor }}
	argDiscipline = Argument{Name: "discipline", at: func(r *Request) any { return &r.Discipline }}
	argNew        = Argument{Name: "new", at: func(r *Request) any { return &r.New }}
	argShare      = Argument{Name: "share", lines: true, at: func(r *Request) any { return &r.Share }}
	argDice       = Argument{Name: "dice", lines: true, at: func(r *Request) any { return &r.Dice }}
	argAlone      = Argument{Name: "alone", at: func(r *Request) any { return &r.Alone }}
	argPosition   = Argument{Name: "position", at: func(r *Request) any { return &r.Position }}
	argBetween    = Argument{Name: "between", at: func(r *Request) any { return &r.Between }}
	argNowhere    = Argument{Name: "nowhere", at: func(r *Request) any { return &r.Nowhere }}
	argMeans      = Argument{Name: "means", at: func(r *Request) any { return &r.Means }}
	argWhat       = Argument{Name: "what", at: func(r *Request) any { return &r.What }}
	argNote       = Argument{Name: "note", lines: true, at: func(r *Request) any { return &r.Note }}
	argReason     = Argument{Name: "reason", lines: true, at: func(r *Request) any { return &r.Reason }}
	argBack       = Argument{Name: "back", at: func(r *Request) any { return &r.Back }}
	argAllBack    = Argument{Name: "all_back", at: func(r *Request) any { return &r.AllBack }}
	argSession    = Argument{Name: "session", at: func(r *Request) any { return &r.Session }}
	argDate       = Argument{Name: "date", at: func(r *Request) any { return &r.Date }, check: checkDate}
)

// arguments are all of them.
var arguments = []Argument{argSpeaker, argPlanName, argPlanText, argRuleText, argDog, argHandler, argAssessor, argDiscipline, argNew, argShare, argDice, argAlone,
	argPosition, argBetween, argNowhere, argMeans, argWhat, argNote, argReason, argBack, argAllBack, argSession, argDate}

func checkDate(text string) *refusal.Reason {
	if _, err := (event.TimeSaid{Said: text}).Time(); err != nil {
		return refusal.New(trial.NoDate, refusal.Detail, err)
	}
	return nil
}

// given tells whether a request has the argument.
func (a Argument) given(r *Request) bool {
	switch value := a.at(r).(type) {
	case *string:
		return *value != ""
	case *int:
		return *value != 0
	case *bool:
		return *value
	case **int:
		return *value != nil
	}
	return false
}

// refuse returns what is wrong with the argument in a request, nil when nothing is. A text is shown to others on their
// terminals and papers: no sign that no reader sees.
func (a Argument) refuse(r *Request) *refusal.Reason {
	value, isText := a.at(r).(*string)
	if !isText || a.file || *value == "" {
		return nil
	}
	text := *value
	if len(text) > maxText {
		return refusal.New(TextTooLong, "argument", a.Name, "most", maxText)
	}
	if event.IsReference(text) {
		return refusal.New(TextReserved, "argument", a.Name)
	}
	if sign, _, found := signs.Unseen(text, a.lines); found {
		return refusal.New(TextUnseen, "argument", a.Name, "sign", fmt.Sprintf("%U", sign))
	}
	if a.name {
		switch names.Check(text) {
		case names.TooLong:
			return refusal.New(NameTooLong, "argument", a.Name, "most", names.Most)
		case names.Edged:
			return refusal.New(NameEdged, "argument", a.Name)
		}
	}
	if a.check != nil {
		return a.check(text)
	}
	return nil
}

// refuse returns what is wrong with the arguments of a request for this command, nil when nothing is.
func (c *Command) refuse(r *Request) *refusal.Reason {
	is := func(a Argument) func(Argument) bool { return func(b Argument) bool { return a.Name == b.Name } }
	for _, a := range arguments {
		if !a.given(r) {
			continue
		}
		if a.Name != argSpeaker.Name && !slices.ContainsFunc(c.Needs, is(a)) && !slices.ContainsFunc(c.Takes, is(a)) {
			return refusal.New(ArgumentUnused, "argument", a.Name, "command", c.Name)
		}
		if why := a.refuse(r); why != nil {
			return why
		}
	}
	for _, a := range c.Needs {
		if !a.given(r) {
			return refusal.New(ArgumentMissing, "argument", a.Name, "command", c.Name)
		}
	}
	return nil
}
