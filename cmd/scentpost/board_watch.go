package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"os"
	"os/signal"
	"slices"
	"sync"
	"syscall"
	"time"

	"scentpost/drivers/bus"
	"scentpost/drivers/linux"
	"scentpost/firmware-bridge/board"
	"scentpost/firmware-bridge/message"
	"scentpost/firmware-bridge/pinbus"
)

const (
	// watchEvery is how often the figures are shown, watchBeat the heartbeat of a board on which nothing is driven.
	watchEvery = time.Second
	watchBeat  = 2 * time.Second
)

type boardWatch struct {
	boardAt
	Pin []string      `help:"Of a port that is opened: an input to watch, with the board's pull-up, such as D2. Name none that a canister's drive is wired to: the pull-up may open it." placeholder:"PIN"`
	For time.Duration `help:"End after this time." placeholder:"TIME"`
}

// Help says what is shown of whose board.
func (boardWatch) Help() string {
	return `Of a board of the running daemon: what everybody may know, which is nothing of its line from seal to reveal.
Of a port that nobody uses: the edges of the inputs that are named, and each second how its line and its clock fare.
Opening a port may reset its board. No output is driven.`
}

// Run shows a board until a signal, or as long as was said.
func (c boardWatch) Run(out io.Writer) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if c.For > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.For)
		defer cancel()
	}
	line, err := c.find()
	switch {
	case err != nil:
		return err
	case line != nil && len(c.Pin) > 0:
		return usage(fmt.Errorf("--pin is for a port that nobody uses: %s is the daemon's", line.Port))
	case line != nil:
		return c.asking(ctx, out)
	}
	return c.owning(ctx, out)
}

// asking shows again and again what the daemon says.
func (c boardWatch) asking(ctx context.Context, out io.Writer) error {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		s, err := c.said()
		if err != nil {
			return err
		}
		s.write(out)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// watched prints what a board tells.
type watched struct {
	mu    sync.Mutex // guards out
	out   io.Writer
	began int64
}

func (w *watched) line(mono int64, format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, _ = fmt.Fprintf(w.out, "%10.4f s  %s\n", time.Duration(mono-w.began).Seconds(), fmt.Sprintf(format, args...)) // until somebody ends it
}

// Edge implements bus.Sink.
func (w *watched) Edge(e bus.Edge) {
	level := "low"
	if e.Level {
		level = "high"
	}
	w.line(e.Mono, "%s %s, known to %s", e.Line, level, time.Duration(e.Bound))
}

// Watermark implements bus.Sink.
func (w *watched) Watermark(bus.Watermark) {}

// Gap implements bus.GapSink.
func (w *watched) Gap(g bus.Gap) { w.line(max(g.From, w.began), "edges may be missing: %s", g.Why) }

// Presence implements bus.PresenceSink.
func (w *watched) Presence(p bus.Presence) {
	if p.Here {
		w.line(p.Mono, "it is there")
		return
	}
	w.line(p.Mono, "it is away: %v", p.Why)
}

// opener opens the port, once: who asks for one that is not to be had is told at once. What it returns hands this port out,
// and opens it again from then on.
func (c boardAt) opener() (func() (bus.Port, error), error) {
	first, err := c.open()
	if err != nil {
		return nil, err
	}
	return func() (bus.Port, error) {
		port := first
		first = nil
		if port != nil {
			return port, nil
		}
		return c.open()
	}, nil
}

// owning opens the port and speaks with the board as a daemon does.
func (c boardWatch) owning(ctx context.Context, out io.Writer) error {
	clock, err := linux.NewClock()
	if err != nil {
		return err
	}
	open, err := c.opener()
	if err != nil {
		return err
	}
	o := pinbus.Options{Name: c.Board, ID: message.NoID, Pins: map[string]pinbus.Pin{}, Beat: watchBeat, Baud: c.Baud, Session: mathrand.Uint32}
	for _, p := range c.Pin {
		o.Pins[p] = pinbus.Pin{PullUp: true}
	}
	b, err := board.New(board.Options{Options: o, Open: open, Now: clock.Mono})
	if err != nil {
		return err
	}
	w := &watched{out: out, began: clock.Mono()}
	if err := b.Watch(slices.Clone(c.Pin), w); err != nil {
		return errors.Join(err, b.Close())
	}
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			r := b.Report()
			w.line(clock.Mono(), "%s: round trip %s over the wire, clock %s and known to %s; frames %d, errors %d, sent again %d, lost %d",
				r.State, r.Clock.RoundTrip.Round(time.Microsecond), pace(r.Clock.DriftPPM), r.Clock.Bound.Round(time.Microsecond), r.Stats.Frames, r.Stats.Errors, r.Stats.Resends, r.Stats.Lost)
		case <-ctx.Done():
			return b.Close()
		}
	}
}
