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

// BoardFigures are the board's counters and clock figures. Each of them tells what passed on the line, and so what
// was commanded: they are for whenever no placement is secret.
type BoardFigures struct {
	Up        bool          `json:"up"`
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
	// Of the clock map of this session: the shortest round trip, and the pings that were used. Of those of all sessions: pings
	// that were faster than the wire, and how often pings contradicted each other.
	LeastRoundTrip time.Duration `json:"least_round_trip_ns"`
	Pings          uint64        `json:"pings"`
	FastPings      uint64        `json:"fast_pings"`
	Contradicting  uint64        `json:"contradicting"`
}

// BoardLine is what may be told of one board.
type BoardLine struct {
	Board
	Told    DeviceLine    `json:"told"`              // as the doctor is told
	Figures *BoardFigures `json:"figures,omitempty"` // nil while a placement is secret, and of one that nobody can ask
}

// figuresOpen are the phases in which no placement is secret. In every other one the figures of all boards are kept back.
var figuresOpen = []trial.Phase{trial.Idle, trial.Opened, trial.Loaded, trial.Ended}

// figuresTold tells whether the figures of boards may be told in a phase. As long as nobody knows whether a session is
// sealed they may not, whatever the phase seems to be.
func (s *Service) figuresTold(phase trial.Phase) bool {
	return slices.Contains(figuresOpen, phase) && !s.opt.Blank()
}

// figures are those of a board if they may be told, nil if not.
func (s *Service) figures(board string, phase trial.Phase) *BoardFigures {
	if s.opt.Figures == nil || !s.figuresTold(phase) {
		return nil
	}
	f, known := s.opt.Figures(board)
	if !known || !s.figuresTold(s.inbox.Snapshot().View.Phase) { // a session was sealed meanwhile, and may have moved something
		return nil
	}
	return &f
}

// Public is what everybody may see of a station, for readers that show it to whoever comes.
type Public struct {
	Status Status
	Boards []BoardLine
	// FiguresKept is set while the figures of boards are kept back.
	FiguresKept bool
	// Blank is set when the conditions are younger than the seal: that a device has none means nothing then.
	Blank bool
}

// Public returns what everybody may see now.
func (s *Service) Public() Public {
	status := s.Status(s.inbox.Snapshot(), Person{})
	return Public{Status: status, Boards: s.boardLines(&status), FiguresKept: !s.figuresTold(status.Phase), Blank: s.opt.Blank()}
}

// boardLines says of every board what may be told.
func (s *Service) boardLines(status *Status) []BoardLine {
	told := s.deviceLines(status)
	lines := []BoardLine{}
	for _, b := range s.opt.Boards {
		line := BoardLine{Board: b}
		if i := slices.IndexFunc(told, func(d DeviceLine) bool { return d.Name == b.Name }); i >= 0 {
			line.Told = told[i]
		}
		line.Figures = s.figures(b.Name, status.Phase)
		lines = append(lines, line)
	}
	return lines
}
