package boards

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"scentpost/drivers/bus"
	"scentpost/drivers/bus/carrier"
	"scentpost/firmware-bridge/clockmap"
	"scentpost/firmware-bridge/link"
	"scentpost/firmware-bridge/message"
	"scentpost/firmware-bridge/pinbus"
	"scentpost/station/config"
	"scentpost/station/control"
	"scentpost/station/health"
	"scentpost/station/templates"
)

// reporting is a board that says what it is told to say.
type reporting struct {
	bus.Bus
	report pinbus.Report
}

func (r *reporting) Report() pinbus.Report { return r.report }

// cfg has two boards, and what is none.
var cfg = config.Config{Devices: []config.Device{
	{Name: "nano-1", Type: nano, Values: speed("500000"), Port: "/dev/one", ID: "one"},
	{Name: "exp-1", Type: templates.Type{Template: templates.Template{Name: "mcp23017", Class: templates.Expander}}},
	{Name: "nano-2", Type: nano, Values: speed("115200"), Port: "/dev/two", ID: "two"},
}}

var nano = templates.Type{Template: templates.Template{Name: "nano", Class: templates.Board}}

func speed(baud string) templates.Values {
	return templates.Values{Choices: map[string]string{templates.SettingBaud: baud}}
}

func TestListedAsConfigured(t *testing.T) {
	want := []control.Board{{Name: "nano-1", Type: "nano", Port: "/dev/one", ID: "one", Baud: 500_000}, {Name: "nano-2", Type: "nano", Port: "/dev/two", ID: "two", Baud: 115_200}}
	if got := List(cfg); !slices.Equal(got, want) {
		t.Errorf("got %+v", got)
	}
}

func TestFigures(t *testing.T) {
	b := &Boards{}
	one := &reporting{report: pinbus.Report{State: link.Up, Known: true, Opens: 2,
		Board: message.Board{Boot: 3, Cause: message.CauseWatchdog, Kind: "m328p", Firmware: [3]byte{1, 2, 3}, Build: [8]byte{0xab}, ID: message.ID{'o', 'n', 'e'}},
		Clock: clockmap.Report{DriftPPM: 12.5, Bound: time.Millisecond, RoundTrip: time.Microsecond, Least: 900, Pings: 8}, Stats: link.Stats{Sessions: 1, Frames: 7, Errors: 6, Resends: 5, Lost: 4, Glitches: 3, Fast: 9, Contradicting: 10}}}
	two := &reporting{report: pinbus.Report{State: link.Shut, Why: errors.New("unplugged")}}
	b.Take([]carrier.Carrier{{Name: "nano-1", Bus: one}, {Name: "nano-2", Bus: two}, {Name: "exp-1"}})
	want := control.BoardFigures{Up: true, State: "up", Kind: "m328p", ID: "one", Firmware: "1.2.3", Build: "ab00000000000000", Boot: 3, Cause: "watchdog",
		RoundTrip: time.Microsecond, Bound: time.Millisecond, DriftPPM: 12.5, Opens: 2, Sessions: 1, Frames: 7, Errors: 6, Resends: 5, Lost: 4, Glitches: 3,
		LeastRoundTrip: 900, Pings: 8, FastPings: 9, Contradicting: 10}
	if got, known := b.Figures("nano-1"); !known || got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got, known := b.Figures("nano-2"); !known || got != (control.BoardFigures{State: "shut", Why: "unplugged"}) {
		t.Errorf("got %+v", got)
	}
	if _, known := b.Figures("exp-1"); known {
		t.Error("an expander has the figures of a board")
	}
	b.Take(nil)
	if _, known := b.Figures("nano-1"); known {
		t.Error("a board of the start before this one is still there")
	}
}

// TestLook: what holds and what does not is told of every board that is there, with counters since the look before.
func TestLook(t *testing.T) {
	b := &Boards{}
	one := &reporting{report: pinbus.Report{State: link.Up, Known: true, Board: message.Board{Cause: message.CauseBrownOut}}}
	b.Take([]carrier.Carrier{{Name: "nano-1", Bus: one}})
	look := func() (holds []string) {
		b.Look(cfg, func(code health.Code, on, evidence string, h bool) {
			if h {
				holds = append(holds, fmt.Sprint(code, " ", on))
			}
			if on != "nano-1" || evidence == "" {
				t.Errorf("%s of %s: %q", code, on, evidence)
			}
		})
		return holds
	}
	if got := look(); !slices.Equal(got, []string{"board-started nano-1"}) {
		t.Errorf("at first: %q", got)
	}
	one.report.Board.Cause = message.CausePower
	one.report.Stats = link.Stats{Frames: 100, Errors: 50}
	if got := look(); !slices.Equal(got, []string{"board-line nano-1"}) {
		t.Errorf("with a bad line: %q", got)
	}
	one.report.Stats.Frames += 1000
	one.report.Clock.DriftPPM, one.report.Clock.Slack = 12_000, 1_000
	if got := look(); !slices.Equal(got, []string{"board-clock nano-1"}) {
		t.Errorf("with a bad clock: %q", got)
	}
	one.report.Clock.Slack, one.report.Stats.Contradicting = 20_000, 5
	if got := look(); !slices.Equal(got, []string{"board-clock nano-1"}) {
		t.Errorf("with an unsteady clock: %q", got)
	}
	one.report.Stats.Frames += 1000
	if got := look(); got != nil {
		t.Errorf("when it is well: %q", got)
	}
}
