package yard

import (
	"time"

	"scentpost/drivers/bus"
	"scentpost/simulator/hardware"
)

// noticed is how late a command is when that is seen first, as of drivers/virtual.
const noticed = 200 * time.Millisecond

// late are the lines of a station to which commands come late, in the order in which they were given, as to a virtual station
// on a busy machine.
type late struct {
	*hardware.Connection
	yard *Yard
	sink bus.Sink
	last int64 // when the latest command came
}

// Watch keeps the sink, which hears of what is late.
func (l *late) Watch(lines []string, sink bus.Sink) error {
	l.sink = sink
	return l.Connection.Watch(lines, sink)
}

// Output is an output to which commands come late.
func (l *late) Output(line string, safe bool) (bus.Output, error) {
	out, err := l.Connection.Output(line, safe)
	return lateOutput{out, l, line}, err
}

type lateOutput struct {
	bus.Output
	lines *late
	line  string
}

// Set gives the command to the line when it comes, and says so when that is late.
func (o lateOutput) Set(level bool, at int64, longest time.Duration, done func(mono int64, err error)) {
	l, w := o.lines, o.lines.yard.World
	due := max(at, w.Mono())
	by := l.yard.opt.Late(w.Mono())
	if by == 0 && l.last <= w.Mono() {
		o.Output.Set(level, at, longest, done)
		return
	}
	comes := max(due+int64(by), l.last)
	l.last = comes
	if comes-due > int64(noticed) {
		w.At(due+int64(noticed)+1, func() { l.lags(o.line, noticed+1) })
	}
	w.At(comes, func() {
		if comes-due > int64(noticed) {
			l.lags(o.line, time.Duration(comes-due))
		}
		o.Output.Set(level, 0, longest, done)
	})
}

func (l *late) lags(line string, by time.Duration) {
	if sink, wants := l.sink.(bus.LagSink); wants && l.yard.lines == l.Connection {
		sink.Lag(bus.Lag{Line: line, By: by})
	}
}

// Lags tells the station that a command came late to a line. It needs Options.Late.
func (y *Yard) Lags(line string, by time.Duration) { y.late.lags(line, by) }
