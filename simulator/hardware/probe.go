package hardware

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// maxProbe is the longest question in bytes.
const maxProbe = 4096

// Question is what a test asks of a running station, as one line of JSON on its probe socket; any of the parts may
// be left out. They are done in the order of the fields, then the station answers with a State.
type Question struct {
	// Probe asks for nothing but the state.
	Probe bool `json:"probe,omitempty"`
	// Go lets the dog go, for a run that was started by command.
	Go bool `json:"go,omitempty"`
	// Press is a button that is pressed for HeldMS of virtual time.
	Press  string `json:"press,omitempty"`
	HeldMS int    `json:"held_ms,omitempty"`
	// Fail gives a canister a fault; an empty kind repairs it.
	Fail *Failing `json:"fail,omitempty"`
}

// Failing is a fault in a Question.
type Failing struct {
	Canister string    `json:"canister"`
	Kind     FaultKind `json:"kind"`
	Factor   int       `json:"factor,omitempty"`
	AfterMS  int       `json:"after_ms,omitempty"`
}

// State is the answer: the whole truth of the station, placement included.
type State struct {
	Mono      int64           `json:"mono,string"`
	Scale     float64         `json:"scale"`
	Client    bool            `json:"client"` // somebody holds the lines
	Canisters []CanisterState `json:"canisters"`
	Error     string          `json:"error,omitempty"` // what could not be done
}

// ParseQuestion reads one question, strictly.
func ParseQuestion(text []byte) (Question, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	var q Question
	if err := d.Decode(&q); err != nil {
		return Question{}, fmt.Errorf("probe: %w: expected {\"probe\":true}", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Question{}, errors.New("probe: text after the question")
	}
	const hour = 3_600_000
	if q.HeldMS < 0 || q.HeldMS > hour {
		return Question{}, fmt.Errorf("probe: held_ms %d: expected 0 to %d", q.HeldMS, hour)
	}
	if f := q.Fail; f != nil && (f.AfterMS < 0 || f.AfterMS > hour || f.Factor < 0 || f.Factor > 1000) {
		return Question{}, fmt.Errorf("probe: after_ms %d, factor %d: expected 0 to %d and 0 to 1000", f.AfterMS, f.Factor, hour)
	}
	return q, nil
}

// answerProbe answers the questions of one connection until it ends, or is silent too long.
func (s *Server) answerProbe(conn net.Conn) {
	over := make(chan struct{})
	defer close(over)
	s.others.Go(func() {
		select {
		case <-s.done:
		case <-over:
		}
		_ = conn.Close()
	})
	r := bufio.NewReaderSize(conn, maxProbe)
	for {
		_ = conn.SetDeadline(time.Now().Add(probeWithin))
		text, err := r.ReadSlice('\n')
		if err != nil {
			return
		}
		q, wrong := ParseQuestion(text)
		answer := make(chan State, 1)
		if !s.Do(func() { answer <- s.ask(q, wrong) }) {
			return
		}
		if json.NewEncoder(conn).Encode(<-answer) != nil {
			return
		}
	}
}

// ask does what a question asks for, on the world's goroutine.
func (s *Server) ask(q Question, wrong error) State {
	st := s.station
	if q.Go {
		s.release()
	}
	if q.Press != "" {
		if err := st.Button(q.Press, true); err != nil {
			wrong = errors.Join(wrong, err)
		} else {
			st.world.After(time.Duration(q.HeldMS)*time.Millisecond, func() { _ = st.Button(q.Press, false) })
		}
	}
	if f := q.Fail; f != nil {
		fault := Fault{Kind: f.Kind, Factor: f.Factor, After: time.Duration(f.AfterMS) * time.Millisecond}
		wrong = errors.Join(wrong, st.Fail(f.Canister, fault))
	}
	state := State{Mono: st.world.Mono(), Scale: s.scale, Client: s.client != nil, Canisters: st.Canisters()}
	if wrong != nil {
		state.Error = wrong.Error()
	}
	return state
}

// Ask asks a station's probe socket one question and returns its answer; within bounds the wait in real time.
func Ask(network, address string, q Question, within time.Duration) (State, error) {
	conn, err := net.DialTimeout(network, address, within)
	if err != nil {
		return State{}, fmt.Errorf("ask the virtual station: %w", err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(within))
	if err := json.NewEncoder(conn).Encode(q); err != nil {
		return State{}, fmt.Errorf("ask the virtual station: %w", err)
	}
	var answer State
	if err := json.NewDecoder(conn).Decode(&answer); err != nil {
		return State{}, fmt.Errorf("the virtual station's answer: %w", err)
	}
	if answer.Error != "" {
		return answer, errors.New(answer.Error)
	}
	return answer, nil
}
