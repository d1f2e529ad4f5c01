//go:build linux

package kerneltest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// script is what happens in one run: the positions that a nose visits, and what the handler does after them.
type script struct {
	visits []int
	press  time.Duration // of the alert button, 0 for none
	call   string        // what the press stands for
	locked string        // by what
}

// scripts are the runs of the session. The limit of the plan's search is 5 s, of a long press 1 s.
var scripts = []script{
	{visits: []int{1}, press: 150 * time.Millisecond, call: "alert at 1", locked: "call"},
	{visits: []int{1, 2}, press: 1200 * time.Millisecond, call: "all clear", locked: "all clear"},
	{visits: []int{1, 2}, press: 150 * time.Millisecond, call: "alert at 2", locked: "call"},
	{visits: []int{1}, locked: "time-out"},
}

// outcome is the result of a presentation, by the table of the field: DOMAIN's words, not the station's code.
func (c script) outcome(position int, kind string) string {
	sampled, target := slices.Contains(c.visits, position), kind == "target"
	switch {
	case c.call == fmt.Sprint("alert at ", position) && target:
		return "hit"
	case c.call == fmt.Sprint("alert at ", position):
		return "false alert"
	case target && (sampled || c.locked != "call"):
		return "miss"
	case sampled:
		return "correct rejection"
	}
	return "not sampled"
}

// TestStationPlaysASession plays a session as edges, with the daemon itself and all below it real, and holds the record
// and what the kernel did to the lines to the script.
func TestStationPlaysASession(t *testing.T) {
	inGuest(t)
	subscriber := listen(t)
	s := newSite(t, options{broker: subscriber.url})
	s.serve()
	s.seal()
	for i, c := range scripts {
		s.search()
		for _, position := range c.visits {
			s.press(fmt.Sprint("beam", position), 800*time.Millisecond)
		}
		if c.press > 0 {
			s.press("button.alert", c.press)
		}
		_, r := s.untilEnd(i + 1)
		if r.State != "completed" || r.Locked != c.locked || c.call != "" && !slices.Equal(r.calls(), []string{c.call}) {
			t.Errorf("run %d: %+v, want %+v", i+1, r, c)
		}
	}
	s.tell("Loader", "close", "--all-back")
	closed := s.until("the session's end", func(st status) bool { return st.Phase == "idle" })
	lines := s.export()
	s.checkReport(subscriber, lines, closed.Size)
	s.checkEdges(lines)
	s.checkStamps(lines)
	s.checkOutcomes(lines)
	s.checkMovements(lines, s.trace())
	s.figureOfTheDaemon()
}

// figureOfTheDaemon says how long the daemon has had the processor.
func (s *site) figureOfTheDaemon() {
	s.Helper()
	stat, err := get(fmt.Sprintf("/proc/%d/stat", s.manager.pid))
	if err != nil {
		s.Fatal(err)
	}
	fields := strings.Fields(stat)
	s.Logf("the daemon's processor time in hundredths of a second: user %s, system %s", fields[13], fields[14])
}

// devices are the sensors of the station by the lines that the test plays.
var devices = map[string]string{"beam1": "beam-1", "beam2": "beam-2", "button.alert": "button-alert", "button.start": "button-start"}

// checkEdges compares the raw edges of the record with those that were played: each once, in order, with a stamp from
// within the write that made it.
func (s *site) checkEdges(lines []line) {
	s.Helper()
	var edges []line
	for _, l := range lines {
		if l.Type == "edge" {
			edges = append(edges, l)
		}
	}
	if len(edges) != len(s.played) {
		s.Fatalf("%d edges in the record, %d played", len(edges), len(s.played))
	}
	for i, l := range edges {
		var edge struct {
			Device string
			Active bool
		}
		s.body(l, &edge)
		p := s.played[i]
		if edge.Device != devices[p.line] || edge.Active != p.active || l.Mono < p.before || l.Mono > p.after {
			s.Errorf("edge %d is %s, played was %+v", i, l.text, p)
		}
	}
}

// checkStamps checks that facts have the stamp of the first edge that they were made of, and that the instants of a run
// are the ones that the configuration fixes.
func (s *site) checkStamps(lines []line) {
	s.Helper()
	const lead, travelled = 2 * time.Second, 1500 * time.Millisecond
	edges := map[string]bool{}
	var armed, started, called, locked int64
	for _, l := range lines {
		var is, want int64
		switch l.Type {
		case "edge":
			edges[fmt.Sprint(l.By, l.Mono)] = true
		case "beam.entered", "beam.left", "button.pressed":
			if !edges[fmt.Sprint(l.By, l.Mono)] {
				s.Errorf("no edge has the stamp of %s", l.text)
			}
		case "run.armed":
			armed, called = l.Mono, 0
		case "run.presented":
			is, want = l.Mono, armed+int64(lead+travelled)
		case "run.started":
			started = l.Mono
		case "call.made":
			called = l.Mono
			if !edges[fmt.Sprint(l.By, l.Mono)] {
				s.Errorf("no edge has the stamp of %s", l.text)
			}
		case "run.locked":
			var lock struct {
				At int64 `json:",string"`
			}
			s.body(l, &lock)
			is, want, locked = lock.At, called, l.Mono
			if called == 0 {
				want = started + int64(5*time.Second)
			}
		case "run.closed":
			is, want = l.Mono, locked+int64(1500*time.Millisecond)
		}
		if is != want {
			s.Errorf("%d ns from what was scripted: %s", is-want, l.text)
		}
	}
}

// checkOutcomes checks what each presentation was scored as.
func (s *site) checkOutcomes(lines []line) {
	s.Helper()
	runs := 0
	for _, l := range lines {
		if l.Type != "run.scored" {
			continue
		}
		var scored struct {
			Presentations []struct {
				Position      int
				Kind, Outcome string
			}
		}
		s.body(l, &scored)
		for _, p := range scored.Presentations {
			if want := scripts[l.Run-1].outcome(p.Position, p.Kind); p.Outcome != want {
				s.Errorf("run %d, position %d: %s, want %s for a %s", l.Run, p.Position, p.Outcome, want, p.Kind)
			}
			s.Logf("run %d, position %d: a %s is a %s", l.Run, p.Position, p.Kind, p.Outcome)
		}
		runs++
	}
	if runs != len(scripts) {
		s.Errorf("%d runs were scored, want %d", runs, len(scripts))
	}
}
