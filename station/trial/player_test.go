package trial_test

import (
	"fmt"
	"strings"
	"testing"

	"scentpost/station/event"
	"scentpost/station/trial"
)

// TestThePlayerNamesWhatTheEngineWouldNotWrite changes one record of a session at a time.
func TestThePlayerNamesWhatTheEngineWouldNotWrite(t *testing.T) {
	s := ready(t)
	s.play("arm; 4s; beam 1; 1s; press alert; 10s; arm; 4s; start; 1s; finish; 10s; close")
	for i := 1; i < len(s.records); i++ {
		for name, change := range map[string]func(e *event.Event){
			"another run":      func(e *event.Event) { e.Run++ },
			"another session":  func(e *event.Event) { e.Session = "s2" },
			"an opened body":   func(e *event.Event) { e.Type, e.Body, e.Secret = event.Opened, &event.OpenedBody{}, nil },
			"a body too few":   func(e *event.Event) { e.Body = nil },
			"what is no input": func(e *event.Event) { e.Type, e.Body, e.Secret = event.SessionScored, &event.Verdict{}, nil },
		} {
			if s.records[i].Body == nil && strings.HasPrefix(name, "a body") {
				continue
			}
			changed := s.records[i]
			change(&changed)
			p := trial.Player{Machine: trial.New("line-1", "e1")}
			var err error
			for seq, e := range s.records[:i] {
				if err = p.Play(int64(seq), e); err != nil {
					t.Fatal(err)
				}
			}
			if p.Play(int64(i), changed) == nil {
				t.Errorf("%s: record %d (%s) is played", name, i, s.records[i].Type)
			}
		}
	}
}

// TestACutLogHasARest: what the engine still expects is named, in the middle of the openings too.
func TestACutLogHasARest(t *testing.T) {
	s := ready(t, "feedback: none", "feedback: per-run")
	s.play("arm; 4s; start; press clear; 10s; abort; close")
	wants := map[int]string{3: "the engine writes run.committed there"} // opened, loaded, sealed
	whole := map[int]bool{}
	p := trial.Player{Machine: trial.New("line-1", "e1")}
	for i, e := range s.records {
		err := p.Rest()
		whole[i] = err == nil
		if want := wants[i]; want != "" && (err == nil || err.Error() != want) {
			t.Errorf("before record %d: %v, want %s", i, err, want)
		}
		opened, opens := e.Body.(*event.OpenedBody)
		if opens && (err == nil || err.Error() != fmt.Sprintf("record %d is opened there", opened.Of)) {
			t.Errorf("before the opening of record %d: %v", opened.Of, err)
		}
		if err := p.Play(int64(i), e); err != nil {
			t.Fatal(err)
		}
	}
	if !whole[2] || whole[3] || p.Rest() != nil || len(p.Sealed()) != 0 {
		t.Errorf("whole before record 2: %t, before record 3: %t; at the end: %v, still sealed: %v", whole[2], whole[3], p.Rest(), p.Sealed())
	}
}
