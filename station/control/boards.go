package control

import (
	"slices"
	"time"

	"scentpost/station/trial"
)

// Board is a board of the configuration: facts that everybody may know at any time.
type Board struct {
	Name string `json:"name"`
	Type string `json:"type"`
	Port string `json:"port"`
	ID   string `json:"id"`
	Baud int    `json:"baud"`
}

// BoardFigures are what a board and the link to it have come to. Each of them tells what passed on the line, and so what
// was commanded: they are for whenever no placement is secret.
type BoardFigures struct {
	State     string        `json:"state"`         // of the link
	Why       string        `json:"why,omitempty"` // it is not up
	Kind      string        `json:"kind,omitempty"`
	ID        string        `json:"id,omitempty"` // that it says it has
	Firmware  string        `json:"firmware,omitempty"`
	Build     string        `json:"build,omitempty"`
	Boot      uint32        `json:"boot,omitempty"`
	Cause     string        `json:"cause,omitempty"` // of its last start
	RoundTrip time.Duration `json:"round_trip_ns"`
	Bound     time.Duration `json:"bound_ns"`
	DriftPPM  float64       `json:"drift_ppm"`
	Opens     uint64        `json:"opens"`
	Sessions  uint64        `json:"sessions"`
	Frames    uint64        `json:"frames"`
	Errors    uint64        `json:"errors"`
	Resends   uint64        `json:"resends"`
	Lost      uint64        `json:"lost"`
	Glitches  uint64        `json:"glitches"`
}

// BoardLine is what may be told of one board.
type BoardLine struct {
	Board
	Told    DeviceLine    `json:"told"`              // as the doctor is told
	Figures *BoardFigures `json:"figures,omitempty"` // nil while a placement is secret, and of one that nobody can ask
}

// figuresOpen are the phases in which no placement is secret. In every other one the figures of all boards are kept back.
var figuresOpen = []trial.Phase{trial.Idle, trial.Opened, trial.Loaded, trial.Ended}

// boardLines says of every board what may be told.
func (s *Service) boardLines(status Status) []BoardLine {
	told := s.deviceLines(status)
	lines := []BoardLine{}
	for _, b := range s.opt.Boards {
		line := BoardLine{Board: b}
		if i := slices.IndexFunc(told, func(d DeviceLine) bool { return d.Name == b.Name }); i >= 0 {
			line.Told = told[i]
		}
		if slices.Contains(figuresOpen, status.Phase) && s.opt.Figures != nil {
			if f, known := s.opt.Figures(b.Name); known {
				line.Figures = &f
			}
		}
		lines = append(lines, line)
	}
	return lines
}
