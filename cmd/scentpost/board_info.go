package main

import (
	"cmp"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"scentpost/cmd/internal/program"
	"scentpost/cmd/internal/words"
	"scentpost/drivers/linux"
	"scentpost/firmware-bridge/firmware"
	"scentpost/firmware-bridge/message"
	"scentpost/firmware-bridge/visit"
	"scentpost/station/control"
)

// Bounds of what is well.
const (
	// slowTurn is a round trip, without the wire, that says that something on the way gathers bytes.
	slowTurn = 5 * time.Millisecond
	// manyResends of the questions of a visit is one in eight.
	manyResends = 8
)

type boardInfo struct {
	boardAt
	JSON bool `help:"Print JSON."`
}

// boardSaid is what is known of a board.
type boardSaid struct {
	Port    string                `json:"port"`
	Name    string                `json:"name,omitempty"` // of the daemon's board
	By      string                `json:"by"`             // who said it: daemon or board
	Told    *control.DeviceLine   `json:"told,omitempty"`
	Figures *control.BoardFigures `json:"figures,omitempty"`
	Pins    []string              `json:"pins,omitempty"`
	Advice  []string              `json:"advice,omitempty"`
}

// said asks the daemon, or the board when the daemon has none of this name.
func (c boardAt) said() (boardSaid, error) {
	line, err := c.find()
	if err != nil {
		return boardSaid{}, err
	}
	if line != nil {
		s := boardSaid{Port: line.Port, Name: line.Name, By: "daemon", Told: &line.Told, Figures: line.Figures}
		if f := line.Figures; f != nil {
			s.Advice = advice(*f, line.Port, 0)
		}
		return s, nil
	}
	s := boardSaid{Port: c.Board, By: "board"}
	err = c.visit(func(v *visit.Visitor, _ message.Board) error {
		seen, err := v.Look()
		f := figuresOf(seen, c.Baud)
		s.Figures, s.Advice = &f, advice(f, c.Board, seen.Resends)
		s.Pins = pinsOf(seen.Pins)
		return err
	})
	return s, err
}

// figuresOf puts what a board said into the words of the daemon.
func figuresOf(seen visit.Seen, baud int) control.BoardFigures {
	b := seen.Board
	turn := seen.Fastest - 2*time.Second*10*67/time.Duration(baud)
	return control.BoardFigures{State: "visited", Kind: b.Kind, ID: visit.Text(b.ID), Firmware: fmt.Sprintf("%d.%d.%d", b.Firmware[0], b.Firmware[1], b.Firmware[2]),
		Build: hex.EncodeToString(b.Build[:]), Boot: b.Boot, Cause: b.Cause.String(), RoundTrip: max(0, turn), Errors: uint64(seen.Noise), Resends: uint64(seen.Resends),
		Lost: uint64(seen.Pong.Dropped), Glitches: uint64(seen.Pong.Glitches)}
}

// pinsOf says which pins can do what, those that can do the same together, in the order of their numbers.
func pinsOf(pins []message.Pin) (said []string) {
	alike := map[string][]string{}
	for _, p := range slices.SortedFunc(slices.Values(pins), func(a, b message.Pin) int { return cmp.Compare(a.Index, b.Index) }) {
		can := abilities(p)
		if alike[can] == nil {
			said = append(said, can)
		}
		alike[can] = append(alike[can], p.Name)
	}
	for i, can := range said {
		said[i] = fmt.Sprintf("pins %s: %s", strings.Join(alike[can], ", "), can)
	}
	return said
}

func abilities(p message.Pin) string {
	var can []string
	for _, a := range []struct {
		bit  byte
		what string
	}{{message.AbleInput, "in"}, {message.AbleOutput, "out"}, {message.AblePullUp, "pull-up"}, {message.AbleTimed, "timed"}} {
		if p.Abilities&a.bit != 0 {
			can = append(can, a.what)
		}
	}
	if can == nil {
		return "in use by the board itself"
	}
	return strings.Join(can, ", ")
}

// advice is what the figures of a board say that somebody should do.
func advice(f control.BoardFigures, port string, resends int) []string {
	var todo []string
	add := func(when bool, format string, args ...any) {
		if when {
			todo = append(todo, fmt.Sprintf(format, args...))
		}
	}
	add(f.Kind != "" && f.ID == "", "it has no id yet: scentpost board name %s ID", port)
	add(f.Cause == message.CauseBrownOut.String(), "its supply broke down before its last start: take a stronger supply or a shorter cable, and drive no motor from it")
	add(f.Cause == message.CauseWatchdog.String(), "its program hung before its last start: report it with the firmware's version and build")
	add(resends >= manyResends || f.Frames > 0 && (f.Resends+f.Errors)*100 > f.Frames, "much has to be sent again: take a shorter or shielded cable, and lay it away from motors")
	add(f.Lost > 0, "%d of its edges found no room: look for a chattering input", f.Lost)
	ms, file := linux.PortLatency(port)
	add(ms > 1, "its converter gathers bytes for %d ms, which makes times less sure: echo 1 | sudo tee %s", ms, file)
	add(ms <= 1 && f.RoundTrip > slowTurn, "an answer takes %s longer than the wire: is the machine busy, or a hub on the way?", f.RoundTrip.Round(100*time.Microsecond))
	return todo
}

// Run says what a board is.
func (c boardInfo) Run(out io.Writer) error {
	s, err := c.said()
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(out, s)
	}
	s.write(out)
	return nil
}

func (s boardSaid) write(out io.Writer) {
	line := func(format string, args ...any) { _, _ = fmt.Fprintf(out, format+"\n", args...) } // a pipe that broke is seen by the last line
	if s.Told != nil {
		where := "it is there"
		switch {
		case s.Told.Untold:
			where = "nobody can say until the reveal"
		case !s.Told.Found:
			where = "it is absent"
		}
		if s.Told.AtSeal {
			where += ", as of the seal"
		}
		line("board %s at %s: %s (the daemon says so)", s.Name, s.Port, where)
		if wrong := words.Wrong(*s.Told); wrong != "" {
			line("  %s", wrong)
		}
	} else {
		line("board at %s", s.Port)
	}
	f := s.Figures
	switch {
	case f == nil && s.Told != nil:
		line("  what passes on its line is told after the reveal")
		return
	case f.Kind == "":
		line("  it has said nothing since the daemon started")
		return
	}
	line("  %s, id %q, firmware %s, build %s", f.Kind, f.ID, f.Firmware, f.Build)
	line("  started %s, the last time by: %s", times(uint64(f.Boot)), f.Cause)
	line("  an answer takes %s longer than the wire; frames that were none %d, sent again %d, edges lost %d, too close %d",
		f.RoundTrip.Round(10*time.Microsecond), f.Errors, f.Resends, f.Lost, f.Glitches)
	if f.Sessions > 0 {
		line("  its clock is %s; an instant of it is known to %s; its port was opened %s, and it was greeted %s", pace(f.DriftPPM),
			f.Bound.Round(10*time.Microsecond), times(f.Opens), times(f.Sessions))
	}
	for _, p := range s.Pins {
		line("  %s", p)
	}
	for _, a := range s.Advice {
		line("  - %s", a)
	}
}

// times says how often something was done.
func times(n uint64) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// pace says how a clock goes.
func pace(ppm float64) string {
	if ppm < 0 {
		return fmt.Sprintf("%.1f ppm fast", -ppm)
	}
	return fmt.Sprintf("%.1f ppm slow", ppm)
}

type boardFlash struct {
	boardAt
	JSON bool `help:"Print JSON."`
}

// Help says what the answer and the exit codes are.
func (boardFlash) Help() string {
	return `Exit codes: 0 the board has the firmware that comes with this program, 1 it has another one, 2 wrong use.`
}

// noBuild is what a board says that has no firmware.
const noBuild = "0000000000000000"

// flashed compares firmwares.
type flashed struct {
	Port    string `json:"port"`
	Has     string `json:"has"`
	Build   string `json:"build"`
	Carried string `json:"carried"`
	Want    string `json:"carried_build"`
	Same    bool   `json:"same"`
	Todo    string `json:"todo,omitempty"`
}

// Run compares the firmware of a board with that of this release.
func (c boardFlash) Run(out io.Writer) error {
	s, err := c.said()
	if err != nil {
		return err
	}
	if s.Figures == nil || s.Figures.Build == "" {
		return no(fmt.Errorf("board %s: the daemon does not say now what firmware it has: ask again when it is there and no session is sealed", s.Name))
	}
	baud := c.Baud
	if s.By == "daemon" {
		line, err := c.find()
		if err != nil {
			return err
		}
		if line != nil {
			baud = line.Baud
		}
	}
	carried, err := firmware.Of(baud)
	if err != nil {
		return err
	}
	f := flashed{Port: s.Port, Has: s.Figures.Firmware, Build: s.Figures.Build, Want: hex.EncodeToString(carried.Build[:]),
		Carried: fmt.Sprintf("%d.%d.%d", carried.Version[0], carried.Version[1], carried.Version[2])}
	if f.Build == noBuild {
		return usage(fmt.Errorf("%s: a twin in Go has no firmware to compare (scentsim rig --firmware plays the real one)", f.Port))
	}
	f.Same = f.Build == f.Want
	text := fmt.Sprintf("%s has the firmware of this release: %s, build %s", f.Port, f.Has, f.Build)
	if !f.Same {
		f.Todo = fmt.Sprintf("stop the daemon, then: make flash PORT=%s", f.Port)
		text = fmt.Sprintf("%s has firmware %s, build %s; this release carries %s, build %s for %d baud\n  %s", f.Port, f.Has, f.Build, f.Carried, f.Want, baud, f.Todo)
	}
	if c.JSON {
		err = printJSON(out, f)
	} else {
		_, err = fmt.Fprintln(out, text)
	}
	if err == nil && !f.Same {
		return program.Answered(no(errors.New("it has another firmware")))
	}
	return err
}
