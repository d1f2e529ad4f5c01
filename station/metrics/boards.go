package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"scentpost/station/control"
)

// The families of boards that are no plain figures.
var (
	configured = gauge("board_info", "A board of the configuration. Always 1.", "board", "type", "id")
	up         = gauge("board_up", "1 when the link to the board is up, else 0.", "board")
	firmware   = gauge("board_firmware_info", "What the board says that it is and runs. Always 1.", "board", "kind", "id", "firmware", "build")
	started    = gauge("board_last_start_info", "Why the board started last. Always 1.", "board", "cause")
)

// figure is one figure of a board.
type figure struct {
	family
	of func(f *control.BoardFigures) float64
}

func boardGauge(name, help string, of func(*control.BoardFigures) float64) figure {
	return figure{gauge("board_"+name, help, "board"), of}
}

func boardCounter(name, help string, of func(*control.BoardFigures) uint64) figure {
	return figure{newFamily(prometheus.CounterValue, "board_"+name+"_total", help, "board"),
		func(f *control.BoardFigures) float64 { return float64(of(f)) }}
}

const perMillion = 1e-6

// counts are known of every board that can be asked.
var counts = []figure{
	boardCounter("opens", "Times that the board's port was opened.", func(f *control.BoardFigures) uint64 { return f.Opens }),
	boardCounter("sessions", "Sessions of the link to the board.", func(f *control.BoardFigures) uint64 { return f.Sessions }),
	boardCounter("frames", "Valid frames that came from the board.", func(f *control.BoardFigures) uint64 { return f.Frames }),
	boardCounter("frame_errors", "Pieces of the board's line that were no frames: cut, or with a wrong CRC.", func(f *control.BoardFigures) uint64 { return f.Errors }),
	boardCounter("resends", "Commands and greetings that were sent to the board again.", func(f *control.BoardFigures) uint64 { return f.Resends }),
	boardCounter("lost_events", "Events for which the board had no room.", func(f *control.BoardFigures) uint64 { return f.Lost }),
	boardCounter("glitches", "Changes of pins that were over before the board could tell their level.", func(f *control.BoardFigures) uint64 { return f.Glitches }),
	boardCounter("fast_pings", "Pings that came back sooner than the wire allows.", func(f *control.BoardFigures) uint64 { return f.FastPings }),
	boardCounter("clock_contradictions", "Times that pings contradicted each other, as those of a steady clock do not.", func(f *control.BoardFigures) uint64 { return f.Contradicting }),
}

// boots is known of a board that said what it is.
var boots = boardCounter("boots", "Starts of the board since it was made, as it counts them.", func(f *control.BoardFigures) uint64 { return uint64(f.Boot) })

// clocks are known of a board that was asked for the time.
var clocks = []figure{
	boardGauge("clock_drift_ratio", "How much slower the board's clock runs than the host's: 0.001 is 1000 ppm slow, negative is fast.",
		func(f *control.BoardFigures) float64 { return f.DriftPPM * perMillion }),
	boardGauge("clock_bound_seconds", "How far an instant of the board's clock may be off when it is mapped to the host's.",
		func(f *control.BoardFigures) float64 { return f.Bound.Seconds() }),
	boardGauge("round_trip_seconds", "How much longer than the wire and the board itself the last ping took.",
		func(f *control.BoardFigures) float64 { return f.RoundTrip.Seconds() }),
	boardGauge("least_round_trip_seconds", "How much longer than the wire and the board itself the fastest ping of this session of the link took.",
		func(f *control.BoardFigures) float64 { return f.LeastRoundTrip.Seconds() }),
	boardCounter("pings", "Pings that the map of the board's clock was made of, in this session of the link.",
		func(f *control.BoardFigures) uint64 { return f.Pings }),
}

// board gives what may be told of one board.
func board(to chan<- prometheus.Metric, b control.BoardLine) {
	configured.is(to, 1, b.Name, b.Type, b.ID)
	f := b.Figures
	if f == nil {
		return
	}
	give := func(figures ...figure) {
		for _, one := range figures {
			one.is(to, one.of(f), b.Name)
		}
	}
	up.holds(to, f.Up, b.Name)
	give(counts...)
	if f.Kind != "" {
		firmware.is(to, 1, b.Name, f.Kind, f.ID, f.Firmware, f.Build)
		started.is(to, 1, b.Name, f.Cause)
		give(boots)
	}
	if f.Pings > 0 {
		give(clocks...)
	}
}
