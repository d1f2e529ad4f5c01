package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"scentpost/cmd/internal/place"
	"scentpost/cmd/internal/program"
	"scentpost/configs"
	"scentpost/drivers/virtual"
	"scentpost/simulator/dog"
	"scentpost/simulator/hardware"
	"scentpost/simulator/world"
	"scentpost/station/blind"
	"scentpost/station/config"
	"scentpost/station/event"
)

// The kinds of handlers.
const (
	handlerButton = "button" // starts the run and calls by the buttons
	handlerCall   = "call"   // somebody else starts the run; calls by the button
	handlerVoice  = "voice"  // somebody else starts the run and enters the call, which is shouted
	handlerNone   = "none"   // nobody: no dog either
)

type stationCmd struct {
	Config  string        `arg:"" help:"The station's configuration, a YAML file with driver: virtual."`
	Seed    uint64        `required:"" help:"The seed of all chance: travel times, jitter, dog and handler."`
	Scale   float64       `default:"1" help:"Virtual seconds in a real one."`
	Socket  string        `help:"The Unix socket to listen on, instead of the configuration's driver.socket." placeholder:"PATH"`
	Probe   string        `help:"The Unix socket for questions by tests, which tells the placement; by default the other's path and .probe." placeholder:"PATH"`
	Log     string        `help:"Append every physical change to FILE as lines of JSON; tells the placement." placeholder:"FILE"`
	Plan    string        `help:"Load the canisters as this plan says, with a dog that is trained on its targets; without it A is tnt, B smokeless-powder, C glove, D blank, further ones blank. A session whose plan loads something else, or has the dog find something else, is refused. A file, or the name of a plan that comes with scentpost." placeholder:"PLAN"`
	Clock   string        `enum:"exact,unset,served,stepped,lost" default:"exact" help:"What the station's wall clock does: exact is marked as simulated; unset shows 1970 and nobody sets it; served is kept by a time server; stepped is set an hour on in the second run and back in the third; lost loses its time server in the first run."`
	Handler string        `enum:"button,call,voice,none" default:"button" help:"Who is at the station: button starts runs and calls by the buttons; call lets others start; voice lets others start and enter the call, too; none is nobody, nor a dog."`
	GoAfter time.Duration `default:"5s" help:"With call and voice: how long after the ready light the dog is let go, in virtual time; 0s waits for the probe's go."`
}

// Run holds the station until a signal ends it.
func (c stationCmd) Run(out program.Streams) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	return c.hold(ctx, out)
}

// hold holds the station until ctx ends.
func (c stationCmd) hold(ctx context.Context, out program.Streams) error {
	cfg, layout, targets, err := c.read()
	if err != nil {
		return program.Usage(err)
	}
	w := world.New(c.Seed)
	w.Boot(newBoot())
	st, err := hardware.New(w, layout)
	if err != nil {
		return program.Usage(err)
	}
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	closeLog, err := c.logTo(st, fail)
	if err != nil {
		return err
	}
	defer closeLog()
	release, finds, err := c.people(w, st, targets)
	if err != nil {
		return program.Usage(err)
	}
	server, err := hardware.NewServer(st, cfg.Station, c.Scale, release)
	if err != nil {
		return program.Usage(err)
	}
	server.Finds(finds)
	kernel, err := st.Clock(hardware.Clocking(c.Clock))
	if err != nil {
		return program.Usage(err)
	}
	if kernel != nil {
		server.Machine(kernel)
	}
	lines, err := listen(c.Socket)
	if err != nil {
		return err
	}
	probe, err := listen(c.Probe)
	if err != nil {
		return errors.Join(err, lines.Close())
	}
	fmt.Fprintf(out.Out, "ready: station %s at %s, probe at %s, seed %d, scale %g (SIMULATED)\n", cfg.Station, c.Socket, c.Probe, c.Seed, c.Scale)
	if err := server.Serve(ctx, lines, probe); err != nil {
		return err
	}
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// read reads configuration and plan, and completes the paths of the sockets. targets are the odours that the plan has the dog
// find, nil without a plan.
func (c *stationCmd) read() (cfg config.Config, layout hardware.Layout, targets []string, err error) {
	if cfg, err = place.ReadConfig(c.Config); err != nil {
		return cfg, layout, nil, err
	}
	if c.Socket == "" {
		c.Socket = cfg.Driver.Socket
	}
	if c.Socket == "" {
		return cfg, layout, nil, fmt.Errorf("%s: driver is %s, which has no socket (set driver: {type: virtual, socket: PATH}, or give --socket)", c.Config, cfg.Driver.Type)
	}
	if c.Probe == "" {
		c.Probe = c.Socket + ".probe"
	}
	loading, targets, err := readLoading(c.Plan)
	if err == nil {
		layout, err = hardware.FromConfig(cfg, loading)
	}
	return cfg, layout, targets, err
}

// readLoading returns what a plan loads and what the dog is to find of it, nil for no plan.
func readLoading(name string) (loading []event.Loaded, targets []string, err error) {
	if name == "" {
		return nil, nil, nil
	}
	file, src, err := configs.Files{}.Find(configs.Plans, name)
	if err != nil {
		return nil, nil, err
	}
	plan, err := blind.ParsePlan(file, src)
	if err != nil {
		return nil, nil, err
	}
	return plan.Loading(), plan.Targets.Odours, nil
}

// people lets in a handler and a dog that is trained on the targets, of the loading by letter for none. It returns what lets
// the dog go, and the odours that it finds.
func (c *stationCmd) people(w *world.World, st *hardware.Station, targets []string) (release func(), finds []string, err error) {
	if c.Handler == handlerNone {
		return func() {}, nil, nil
	}
	if c.GoAfter < 0 {
		return nil, nil, fmt.Errorf("--go-after %s: expected 0s or more", c.GoAfter)
	}
	h := dog.ByButton()
	if c.Handler != handlerButton {
		h.Starts, h.GoAfter = false, c.GoAfter
	}
	h.Calls = c.Handler != handlerVoice
	trained := dog.Default().On(targets)
	team, err := dog.Enter(w, st, trained, h, func(call dog.Call) {
		if !h.Calls {
			st.Shout(call.Position)
		}
	})
	if err != nil {
		return nil, nil, err
	}
	return team.Go, trained.Trained, nil
}

// logTo appends every change to the log, each with one write, so that a reader sees whole lines. A log that cannot
// be written ends the station: who asked for it relies on it.
func (c *stationCmd) logTo(st *hardware.Station, fail func(error)) (closeLog func(), err error) {
	if c.Log == "" {
		return func() {}, nil
	}
	f, err := os.OpenFile(c.Log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, program.Usage(fmt.Errorf("--log: %w", err))
	}
	lines := json.NewEncoder(f)
	st.Subscribe(func(change hardware.Change) {
		if err := lines.Encode(change); err != nil {
			fail(fmt.Errorf("write the log: %w", err))
		}
	})
	return func() { _ = f.Close() }, nil // every line was written by its own call
}

// newBoot returns an id that no other start of a station has: its instants cannot be compared with theirs.
func newBoot() string {
	var id [8]byte
	_, _ = io.ReadFull(rand.Reader, id[:]) // never fails, says crypto/rand
	return "simulated-" + hex.EncodeToString(id[:])
}

// listen listens on a Unix socket. A socket that a killed station left behind is taken over, one that somebody
// listens on is not.
func listen(path string) (net.Listener, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, program.Usage(fmt.Errorf("folder of the socket: %w", err))
	}
	if found, err := os.Lstat(path); err == nil {
		if found.Mode()&os.ModeSocket == 0 {
			return nil, program.Usage(fmt.Errorf("%s is there and is no socket (take it away, or choose another path)", path))
		}
		if conn, err := net.DialTimeout("unix", path, virtual.Silence); err == nil {
			return nil, errors.Join(fmt.Errorf("another station listens on %s (end it, or choose another path by --socket)", path), conn.Close())
		}
		if err := os.Remove(path); err != nil {
			return nil, fmt.Errorf("take away the socket of a station that is gone: %w", err)
		}
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, program.Usage(err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}
