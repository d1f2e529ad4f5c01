package main

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"sync"

	"scentpost/drivers/bus/carrier"
	"scentpost/drivers/catalog"
	"scentpost/firmware-bridge/board"
	"scentpost/firmware-bridge/link"
	"scentpost/firmware-bridge/visit"
	"scentpost/station/config"
	"scentpost/station/control"
	judged "scentpost/station/health/boards"
)

// reporter is a board that says how it is.
type reporter interface{ Report() board.Report }

// boards are those that hang on the station, by name.
type boards struct {
	mu  sync.Mutex // guards all
	all map[string]reporter
}

// take takes the boards among carriers, in the place of those before.
func (b *boards) take(carriers []carrier.Carrier) {
	all := map[string]reporter{}
	for _, c := range carriers {
		if r, says := c.Bus.(reporter); says {
			all[c.Name] = r
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.all = all
}

// report asks a board.
func (b *boards) report(name string) (r board.Report, known bool) {
	b.mu.Lock()
	one := b.all[name]
	b.mu.Unlock()
	if one == nil {
		return r, false
	}
	return one.Report(), true
}

// lookAtBoards judges the boards once. What it finds of a board that carries canisters the conditions keep back from seal to
// reveal.
func (s *station) lookAtBoards(w *judged.Watch) {
	for _, d := range s.cfg.Of(config.Board) {
		r, known := s.boards.report(d.Name)
		if !known {
			continue
		}
		reading := judged.Reading{Name: d.Name, Up: r.State == link.Up, Known: r.Known, Boot: r.Board.Boot, Cause: r.Board.Cause.String(), Frames: r.Stats.Frames,
			Errors: r.Stats.Errors, Resends: r.Stats.Resends, RoundTrip: r.Clock.RoundTrip, Bound: r.Clock.Bound, DriftPPM: r.Clock.DriftPPM}
		for _, v := range w.Judge(reading) {
			if v.Holds {
				s.conditions.Raise(v.Code, v.On, v.Evidence)
			} else {
				s.conditions.Clear(v.Code, v.On)
			}
		}
	}
}

// boardsOf are the boards of a configuration.
func boardsOf(cfg config.Config) []control.Board {
	var all []control.Board
	for _, d := range cfg.Of(config.Board) {
		typ, _ := catalog.Find(d.Type)
		values, _ := typ.Check(d.Settings)                           // the configuration was checked
		baud, _ := strconv.Atoi(values.Choices[catalog.SettingBaud]) // of a list of numbers
		all = append(all, control.Board{Name: d.Name, Type: d.Type, Port: d.Port, ID: d.ID, Baud: baud})
	}
	return all
}

// figuresOf is what a board and its link have come to, for control.Options.
func (s *station) figuresOf(name string) (f control.BoardFigures, known bool) {
	r, known := s.boards.report(name)
	if !known {
		return f, false
	}
	f = control.BoardFigures{State: string(r.State), RoundTrip: r.Clock.RoundTrip, Bound: r.Clock.Bound, DriftPPM: r.Clock.DriftPPM,
		Opens: r.Opens, Sessions: r.Stats.Sessions, Frames: r.Stats.Frames, Errors: r.Stats.Errors, Resends: r.Stats.Resends, Lost: r.Stats.Lost, Glitches: r.Stats.Glitches}
	if r.Why != nil {
		f.Why = r.Why.Error()
	}
	if b := r.Board; r.Known {
		f.Kind, f.ID, f.Boot, f.Cause = b.Kind, visit.Text(b.ID), b.Boot, b.Cause.String()
		f.Firmware, f.Build = fmt.Sprintf("%d.%d.%d", b.Firmware[0], b.Firmware[1], b.Firmware[2]), hex.EncodeToString(b.Build[:])
	}
	return f, true
}
