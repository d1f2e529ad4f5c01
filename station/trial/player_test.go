package trial_test

import (
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
			if name == "an opened body" && s.records[i-1].Type == event.SessionEnded {
				continue // bodies are opened there
			}
			changed := s.records[i]
			change(&changed)
			p := trial.Player{Machine: trial.New("line-1", "e1")}
			var err error
			for _, e := range s.records[:i] {
				if err = p.Play(e); err != nil {
					t.Fatal(err)
				}
			}
			if p.Play(changed) == nil {
				t.Errorf("%s: record %d (%s) is played", name, i, s.records[i].Type)
			}
		}
	}
}

func TestTheRestOfACutLogIsNamed(t *testing.T) {
	s := ready(t)
	p := trial.Player{Machine: trial.New("line-1", "e1")}
	for _, e := range s.records[:3] { // opened, loaded, sealed: the commitments were never written
		if err := p.Play(e); err != nil {
			t.Fatal(err)
		}
	}
	if rest := p.Rest(); len(rest) != 4 || rest[0].Event.Type != event.RunCommitted {
		t.Errorf("%d records are said to be missing", len(rest))
	}
}
