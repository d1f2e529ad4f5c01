// Package boards knows the boards that hang on a running station, and says how they are to those who judge and show it.
package boards

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"sync"

	"scentpost/drivers/bus/carrier"
	"scentpost/firmware-bridge/link"
	"scentpost/firmware-bridge/pinbus"
	"scentpost/firmware-bridge/visit"
	"scentpost/station/config"
	"scentpost/station/control"
	"scentpost/station/health"
	judged "scentpost/station/health/boards"
	"scentpost/station/templates"
)

// reporter is a board that says how it is.
type reporter interface{ Report() pinbus.Report }

// Boards are those that hang on a station. Its zero value has none. Its methods may be called from any goroutine, but Look,
// which belongs to one.
type Boards struct {
	watch judged.Watch

	mu  sync.Mutex // guards what follows
	all map[string]reporter
}

// Take takes the boards among carriers, in the place of those before.
func (b *Boards) Take(carriers []carrier.Carrier) {
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
func (b *Boards) report(name string) (r pinbus.Report, known bool) {
	b.mu.Lock()
	one := b.all[name]
	b.mu.Unlock()
	if one == nil {
		return r, false
	}
	return one.Report(), true
}

// Look judges the boards of a configuration once, and tells of each condition whether it holds. What it finds of a board that
// carries canisters the conditions keep back from seal to reveal.
func (b *Boards) Look(cfg config.Config, tell func(code health.Code, on, evidence string, holds bool)) {
	for _, d := range cfg.Of(templates.Board) {
		r, known := b.report(d.Name)
		if !known {
			continue
		}
		reading := judged.Reading{Name: d.Name, Up: r.State == link.Up, Known: r.Known, Boot: r.Board.Boot, Cause: r.Board.Cause.String(), Opens: r.Opens, Frames: r.Stats.Frames,
			Errors: r.Stats.Errors, Resends: r.Stats.Resends, RoundTrip: r.Clock.RoundTrip, Bound: r.Clock.Bound,
			DriftPPM: r.Clock.DriftPPM, SlackPPM: r.Clock.Slack, Contradicting: r.Stats.Contradicting}
		for _, v := range b.watch.Judge(reading) {
			tell(v.Code, v.On, v.Evidence, v.Holds)
		}
	}
}

// List are the boards of a configuration, for control.Options.
func List(cfg config.Config) []control.Board {
	var all []control.Board
	for _, d := range cfg.Of(templates.Board) {
		baud, _ := strconv.Atoi(d.Values.Choices[templates.SettingBaud]) // of a list of numbers
		all = append(all, control.Board{Name: d.Name, Type: d.Type.Name, Port: d.Port, ID: d.ID, Baud: baud})
	}
	return all
}

// Figures returns the board's counters and clock figures, for control.Options.
func (b *Boards) Figures(name string) (f control.BoardFigures, known bool) {
	r, known := b.report(name)
	if !known {
		return f, false
	}
	f = control.BoardFigures{Up: r.State == link.Up, State: string(r.State), RoundTrip: r.Clock.RoundTrip, Bound: r.Clock.Bound, DriftPPM: r.Clock.DriftPPM,
		Opens: r.Opens, Sessions: r.Stats.Sessions, Frames: r.Stats.Frames, Errors: r.Stats.Errors, Resends: r.Stats.Resends, Lost: r.Stats.Lost, Glitches: r.Stats.Glitches,
		LeastRoundTrip: r.Clock.Least, Pings: r.Clock.Pings, FastPings: r.Stats.Fast, Contradicting: r.Stats.Contradicting}
	if r.Why != nil {
		f.Why = r.Why.Error()
	}
	if b := r.Board; r.Known {
		f.Kind, f.ID, f.Boot, f.Cause = b.Kind, visit.Text(b.ID), b.Boot, b.Cause.String()
		f.Firmware, f.Build = fmt.Sprintf("%d.%d.%d", b.Firmware[0], b.Firmware[1], b.Firmware[2]), hex.EncodeToString(b.Build[:])
	}
	return f, true
}
