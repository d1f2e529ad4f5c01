//go:build linux

package kerneltest

import (
	"encoding/json"
	"strings"
	"time"
)

// change is a change of an output line to a level, at an instant; what is expected of one, between two.
type change struct {
	high     bool
	from, to int64
}

// changes are the changes of the outputs in a trace by line, without what was only said again.
func (s *site) changes(moves []Movement) map[string][]change {
	all := map[string][]change{}
	for _, m := range moves {
		for _, c := range s.chips {
			line := c.Global(m.Line)
			if line == "" || m.Kind != "set" {
				continue
			}
			if was := all[line]; len(was) == 0 || was[len(was)-1].high != m.Value {
				all[line] = append(was, change{m.Value, m.Mono, m.Mono})
			}
		}
	}
	return all
}

// checkMovements compares what the kernel did to the outputs with the record: each at its safe level first; in each run
// the canisters of the placement, and no others, opened at the instant of the moves and closed behind the lock; the
// light of the presentation and, for the same second in each run, the one of the acknowledgement.
func (s *site) checkMovements(lines []line, moves []Movement) {
	s.Helper()
	got, want := s.changes(moves), s.expected(lines)
	for line, all := range want {
		if len(got[line]) != len(all) {
			s.Errorf("%s changed %d times, want %d: %+v, want %+v", line, len(got[line]), len(all), got[line], all)
			continue
		}
		for i, w := range all {
			// The trace has whole microseconds.
			if g := got[line][i]; g.high != w.high || g.from < w.from/1000*1000 || g.to > w.to {
				s.Errorf("change %d of %s is %+v, want %+v", i, line, g, w)
			}
		}
	}
	for line := range got {
		if want[line] == nil {
			s.Errorf("%s is driven, and is no output", line)
		}
	}
}

// move is the sealed body of a record about a canister.
type move struct {
	Canister  string
	Open      bool
	Commanded int64 `json:",string"`
	Confirmed int64 `json:",string"`
	Fault     string
}

// drive is the line of a canister's drive.
func (m move) drive() string { return "c" + strings.ToLower(m.Canister) + ".drive" }

// moves are the bodies about canisters that were opened at the reveal, by the record that they belong to.
func (s *site) moves(lines []line) map[int64]move {
	sealed, all := map[int64]bool{}, map[int64]move{}
	for _, l := range lines {
		sealed[l.ID] = l.Type == "canister.moved"
		if l.Type != "opened" {
			continue
		}
		var body struct {
			Of   int64 `json:",string"`
			Body string
		}
		s.body(l, &body)
		if !sealed[body.Of] {
			continue
		}
		var m move
		if err := json.Unmarshal([]byte(body.Body), &m); err != nil {
			s.Errorf("opened body %s: %v", body.Body, err)
		}
		all[body.Of] = m
	}
	return all
}

// expected is what the record says of the outputs.
func (s *site) expected(lines []line) map[string][]change {
	// A light waits for the disk, and a busy machine keeps the whole guest waiting: how soon it comes is a figure, and no check.
	const soon = int64(500 * time.Millisecond)
	all := map[string][]change{}
	expect := func(line string, high bool, from, to int64) { all[line] = append(all[line], change{high, from, to}) }
	for _, shutter := range shutters {
		expect(shutter+".drive", true, 0, lines[0].Mono)
	}
	expect("light.ready", false, 0, lines[0].Mono)
	expect("light.ack", false, 0, lines[0].Mono)
	moves := s.moves(lines)
	var armed struct {
		MoveAt int64 `json:"move_at,string"`
	}
	var locked int64
	for _, l := range lines {
		switch l.Type {
		case "run.armed":
			s.body(l, &armed)
		case "canister.moved":
			var at struct{ Instant string }
			s.body(l, &at)
			switch m := moves[l.ID]; at.Instant {
			case "presented":
				expect(m.drive(), false, armed.MoveAt, m.Commanded)
			case "closed":
				expect(m.drive(), true, locked, m.Commanded)
			}
		case "run.presented":
			expect("light.ready", true, l.Mono, l.Mono+soon)
		case "run.locked":
			locked = l.Mono
			expect("light.ack", true, locked, locked+soon)
			expect("light.ready", false, locked, locked+soon)
			expect("light.ack", false, locked+int64(time.Second), locked+int64(time.Second)+soon)
		}
	}
	return all
}
