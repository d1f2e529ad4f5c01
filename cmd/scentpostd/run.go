package main

import (
	"context"
	"errors"
	"log/slog"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"

	"scentpost/cmd/internal/program"
	"scentpost/station/assembly"
	"scentpost/station/config"
)

type runCmd struct {
	Config string `arg:"" help:"The station's configuration, a YAML file."`
	Debug  bool   `help:"Log more."`
}

// heapGrowth is how much the heap may grow before it is collected, in percent. The daemon has little to do and shares a
// small board: it is rather small than fast.
const heapGrowth = 50

// leastThreads is how many threads may run Go at once, at least, however few processors there are. Whoever reads the lines
// must find one free: with one alone an emergency stop waits for 10 ms, and again for each goroutine that was there
// before it, while something is computed for a client. The kernel shares a processor fairly between threads, and at once.
const leastThreads = 4

// tune sets the runtime for a small board.
func tune() {
	debug.SetGCPercent(heapGrowth)
	runtime.GOMAXPROCS(max(runtime.GOMAXPROCS(0), leastThreads))
}

// Run runs the station until a signal ends it.
func (c runCmd) Run(out program.Streams) error {
	tune()
	// A reader of the log that goes away, or a terminal, ends no station: its canisters may be open.
	signal.Ignore(syscall.SIGPIPE, syscall.SIGHUP)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	cfg, err := startConfig(ctx, supervised(), func() (config.Config, error) { return readConfig(c.Config) })
	if err != nil {
		return err
	}
	level := slog.LevelInfo
	if c.Debug {
		level = slog.LevelDebug
	}
	return runStation(ctx, cfg, out, level)
}

// runStation runs a station until ctx ends, with streams that it never waits for.
func runStation(ctx context.Context, cfg config.Config, out program.Streams, level slog.Level) error {
	said, logged := newPrintout(out.Out), newPrintout(out.Err)
	defer logged.end()
	defer said.end()
	log := slog.New(slog.NewTextHandler(logged, &slog.HandlerOptions{Level: level}))
	for _, w := range cfg.Warnings {
		log.Warn("configuration", "line", w.Line, "field", w.Field, "problem", w.Message)
	}
	return serveAgain(ctx, cfg, program.Streams{Out: said, Err: logged}, log)
}

// serveAgain runs a station, and runs it again for as long as it asks for that.
func serveAgain(ctx context.Context, cfg config.Config, out program.Streams, log *slog.Logger) error {
	supervisor := supervise(log)
	defer supervisor.start(ctx)()
	conditions := newChart(cfg, log)
	var since assembly.Again
	for {
		s, err := newStation(cfg, log, supervisor, conditions)
		if err == nil {
			err = s.serve(ctx, out, since)
		}
		var again assembly.Again
		if !errors.As(err, &again) {
			return err
		}
		since = again.After(since)
		log.Warn("starting again", "why", err)
		supervisor.tell("starting again; no session can be run yet")
	}
}
