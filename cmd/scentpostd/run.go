package main

import (
	"context"
	"errors"
	"log/slog"
	"os/signal"
	"syscall"
)

type runCmd struct {
	Config string `arg:"" help:"The station's configuration, a YAML file."`
	Debug  bool   `help:"Log more."`
}

// errNewEpoch asks for a start in a new epoch: somebody has seen more of the log than the journal holds.
type errNewEpoch struct {
	why  string
	past string // the epoch that was seen
}

func (e errNewEpoch) Error() string { return "the log must go on in a new epoch: " + e.why }

// Run runs the station until a signal ends it.
func (c runCmd) Run(out output) error {
	cfg, err := readConfig(c.Config)
	if err != nil {
		return err
	}
	level := slog.LevelInfo
	if c.Debug {
		level = slog.LevelDebug
	}
	log := slog.New(slog.NewTextHandler(out.stderr, &slog.HandlerOptions{Level: level}))
	for _, w := range cfg.Warnings {
		log.Warn("configuration", "line", w.Line, "field", w.Field, "problem", w.Message)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	var again errNewEpoch
	for {
		err := serve(ctx, cfg, log, again)
		if !errors.As(err, &again) {
			return err
		}
		log.Warn("starting again in a new epoch", "why", again.why)
	}
}
