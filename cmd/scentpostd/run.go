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
type errNewEpoch struct{ why string }

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
	why := ""
	for {
		err := serve(ctx, cfg, log, why)
		var again errNewEpoch
		if !errors.As(err, &again) {
			return err
		}
		why = again.why
		log.Warn("starting again in a new epoch", "why", why)
	}
}
