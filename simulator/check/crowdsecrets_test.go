package check_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"

	"scentpost/station/control"
	"scentpost/station/event"
	"scentpost/station/record"
	"scentpost/station/trial"
)

// secretModel says who may know what. It is written from the security page, and shares nothing with the station's own table.
type secretModel struct {
	c *crowd
	// views and bundles are how many were looked at, and placements how many were rightly shown.
	views, placements, bundles int
}

// telling are the words in which an answer would tell a placement: the canisters of the station and the kinds of odours.
var telling = []string{"1A", "1B", "2A", "2B", "target", "blank", "distractor", "tnt"}

// tells returns the first of the telling words that a text has as a word of its own, "" for none.
func tells(text []byte) string {
	letter := func(i int) bool {
		if i < 0 || i >= len(text) {
			return false
		}
		b := text[i]
		return b >= '0' && b <= '9' || b >= 'A' && b <= 'Z' || b >= 'a' && b <= 'z' || b == '_'
	}
	for _, word := range telling {
		for from := 0; ; {
			at := bytes.Index(text[from:], []byte(word))
			if at < 0 {
				break
			}
			at += from
			if from = at + len(word); !letter(at-1) && !letter(from) {
				return word
			}
		}
	}
	return ""
}

// revealed tells whether everybody may know what stood in a run.
func revealed(v trial.View, r trial.RunView) bool {
	over := r.State == trial.Completed || r.State == trial.Purging && r.Lock.Reason != ""
	return ended(v) || v.Feedback == "per-run" && over
}

// ended tells whether everything of a session is known to everybody.
func ended(v trial.View) bool { return v.Phase == trial.Ended || v.Phase == trial.Idle }

// may tells whether a client may know what stands in a run.
func (m *secretModel) may(who control.Person, v trial.View, r trial.RunView, handler string) bool {
	switch {
	case revealed(v, r):
		return true
	case r.PresentedAt == 0:
		return false
	case v.Mode == event.ModeOpen:
		return true
	}
	return v.Mode == event.ModeSingle && slices.Contains(who.Roles, event.Assessor) && who.Name != handler
}

// judge looks for what a client must not know yet in an answer to them; v is how the station is.
func (m *secretModel) judge(who control.Person, r control.Response, v trial.View, command string) {
	m.views++
	if r.Status != nil {
		status := *r.Status
		m.status(who, &status, v, command)
		r.Status = &status
	}
	if r.Export != nil && r.Export.Bundle != nil {
		var bundle bytes.Buffer
		if err := r.Export.Bundle(&bundle); err != nil {
			m.c.wrong("an export breaks off: %v", err)
			return
		}
		m.bundle(bundle.Bytes(), v)
	}
	if v.Phase != trial.Sealed {
		return
	}
	text, err := json.Marshal(r)
	if err != nil {
		m.c.wrong("%s: %v", command, err)
		return
	}
	if found := tells(text); found != "" {
		m.c.wrong("%s tells %q (%v) of %q before the reveal: %s", command, who.Name, who.Roles, found, text)
	}
}

// status judges a status, and takes away what is rightly in it.
func (m *secretModel) status(who control.Person, s *control.Status, v trial.View, command string) {
	runs := map[int]trial.RunView{}
	for _, r := range v.Runs() {
		runs[r.Index] = r
	}
	judge := func(shown control.RunStatus) control.RunStatus {
		r, known := runs[shown.Run]
		switch truth := r.Placement.Reveal(); {
		case !known:
			m.c.wrong("%s shows run %d, which is not there", command, shown.Run)
		case shown.Placement != nil && !m.may(who, v, r, s.Handler):
			m.c.wrong("%s shows %q (%v) the placement of run %d, which is %s in mode %s", command, who.Name, who.Roles, r.Index, r.State, v.Mode)
		case shown.Placement != nil && !reflect.DeepEqual(shown.Placement, truth):
			m.c.wrong("%s shows run %d with %v, and there stands %v", command, r.Index, shown.Placement, truth)
		case shown.Result != nil && !revealed(v, r):
			m.c.wrong("%s shows %q (%v) the result of run %d, which is %s", command, who.Name, who.Roles, r.Index, r.State)
		case shown.Placement != nil:
			m.placements++
		}
		shown.Placement, shown.Result = nil, nil
		return shown
	}
	s.Runs = slices.Clone(s.Runs)
	for i, r := range s.Runs {
		s.Runs[i] = judge(r)
	}
	if s.Run != nil {
		run := judge(*s.Run)
		s.Run = &run
	}
	if s.Verdict != nil && !ended(v) {
		m.c.wrong("%s shows %q the verdict of a session that is %s", command, who.Name, v.Phase)
	}
	s.Checkpoint, s.Verdict = "", nil // a note of random letters
}

// bundle looks for what nobody may know yet in the exported record of the session that is under way.
func (m *secretModel) bundle(bundle []byte, v trial.View) {
	m.bundles++
	got, faults := record.Read(bundle, record.DefaultLimits())
	if len(faults) > 0 {
		m.c.wrong("an export cannot be read: %v", faults[0])
		return
	}
	if got.Session != v.Session || ended(v) {
		return
	}
	runs := map[int]trial.RunView{}
	for _, r := range v.Runs() {
		runs[r.Index] = r
	}
	told := func(what string, run int, text []byte) {
		if found := tells(text); found != "" && !revealed(v, runs[run]) {
			m.c.wrong("the export tells %q in %s of run %d, which is %q: %s", found, what, run, runs[run].State, text)
		}
	}
	for _, line := range got.Lines {
		r, err := record.Decode(line)
		if err != nil {
			m.c.wrong("an exported line: %v", err)
			return
		}
		switch r.Event.Type {
		case event.SessionOpened, event.SessionLoaded:
			continue // the plan and the loading are known to all
		}
		told(string(r.Event.Type), r.Event.Run, line)
	}
	for _, run := range got.Report.Runs {
		text, err := json.Marshal(run)
		if err != nil {
			m.c.wrong("the report: %v", err)
		}
		told("its report", run.Run, text)
		if run.Result != "" && !revealed(v, runs[run.Run]) {
			m.c.wrong("the report of an export has the result of run %d, which is %s", run.Run, runs[run.Run].State)
		}
	}
	if bytes.Contains(fmt.Append(nil, got.Report.Verdict), []byte("pass")) {
		m.c.wrong("an export has a verdict before the end: %+v", got.Report.Verdict)
	}
}
