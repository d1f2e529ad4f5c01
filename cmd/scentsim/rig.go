package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"scentpost/cmd/internal/place"
	"scentpost/cmd/internal/program"
	"scentpost/drivers/bus/carrier"
	"scentpost/simulator/hardware"
	"scentpost/simulator/rig"
	"scentpost/simulator/world"
	"scentpost/station/config"
	"scentpost/station/templates"
)

type rigCmd struct {
	Config   string   `arg:"" help:"The station's configuration, a YAML file whose devices are on boards, with driver: {type: linux, simulated: true}."`
	Seed     uint64   `required:"" help:"The seed of all chance: travel times, jitter, dog and handler."`
	Firmware string   `help:"Run this ELF file in simavr as every board, instead of a board in Go. Each chip is given its id as scentpost board name would." placeholder:"FILE"`
	On       []string `help:"With --firmware: the boards that run it, the others stay boards in Go; all of them without it. A chip needs a sixth of a core or more." placeholder:"BOARD"`
	Runner   string   `default:"build/firmware/runner" help:"With --firmware: the program that runs it; make runner builds both, the ELF file as build/firmware/m328p-500000.elf." placeholder:"FILE"`
	Probe    string   `help:"The Unix socket for questions by tests, which tells the placement." placeholder:"PATH"`
	Plan     string   `help:"Load the canisters as this plan says; without it A is tnt, B smokeless-powder, C glove, D blank, further ones blank. A file, or the name of a plan that comes with scentpost." placeholder:"PLAN"`
	Handler  string   `enum:"button,none" default:"button" help:"Who is at the station: button starts runs and calls by the buttons; none is nobody, nor a dog."`
}

// Help says what may be typed while it runs.
func (rigCmd) Help() string {
	return `While it runs it takes lines, each of which is answered with ok or with what is wrong:
  unplug BOARD, plug BOARD   its cable, with its power
  cut BOARD, join BOARD      its line alone: it keeps its power
  reset BOARD                its reset button`
}

// Run plays the boards until a signal or the end of its input ends it.
func (c rigCmd) Run(out program.Streams) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	return c.play(ctx, os.Stdin, out)
}

func (c rigCmd) play(ctx context.Context, in io.Reader, out program.Streams) error {
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
	release, _, err := (&stationCmd{Handler: c.Handler}).people(w, st, targets)
	if err != nil {
		return program.Usage(err)
	}
	server, err := hardware.NewServer(st, cfg.Station, 1, release)
	if err != nil {
		return program.Usage(err)
	}
	boards, err := c.boards(cfg)
	if err != nil {
		return program.Usage(err)
	}
	plugged, err := rig.Plug(server, st, boards)
	if err != nil {
		return err
	}
	for _, b := range boards {
		fmt.Fprintf(out.Out, "board %s at %s\n", b.Name, b.Link)
	}
	fmt.Fprintf(out.Out, "ready: %d boards of station %s, seed %d (SIMULATED)\n", len(boards), cfg.Station, c.Seed)
	go orders(in, out.Out, plugged)
	var probe net.Listener
	if c.Probe != "" {
		if probe, err = listen(c.Probe); err != nil {
			return errors.Join(err, plugged.Close())
		}
	}
	return errors.Join(server.Serve(ctx, nil, probe), plugged.Close())
}

// orders takes what is typed.
func orders(in io.Reader, out io.Writer, r *rig.Rig) {
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		if len(words) == 0 {
			continue
		}
		known := map[string]func(string) error{"unplug": r.Unplug, "plug": r.Plug, "cut": r.Cut, "join": r.Join, "reset": r.Reset}
		do := known[words[0]]
		if do == nil || len(words) != 2 {
			fmt.Fprintf(out, "wrong: %q: %s and the name of a board are expected\n", lines.Text(), strings.Join(slices.Sorted(maps.Keys(known)), ", "))
			continue
		}
		if err := do(words[1]); err != nil {
			fmt.Fprintf(out, "wrong: %v\n", err)
			continue
		}
		fmt.Fprintln(out, "ok")
	}
}

// read reads configuration and plan, as stationCmd.read does.
func (c rigCmd) read() (cfg config.Config, layout hardware.Layout, targets []string, err error) {
	if cfg, err = place.ReadConfig(c.Config); err != nil {
		return cfg, layout, nil, err
	}
	switch {
	case len(cfg.Of(templates.Board)) == 0:
		return cfg, layout, nil, fmt.Errorf("%s: it has no boards (a station without boards is scentsim station's)", c.Config)
	case !cfg.Simulated():
		return cfg, layout, nil, fmt.Errorf("%s: it is not marked as a simulation: its records would pass for real ones (set driver: {type: linux, simulated: true})", c.Config)
	}
	loading, targets, err := readLoading(c.Plan)
	if err == nil {
		layout, err = hardware.FromConfig(cfg, loading)
	}
	return cfg, layout, targets, err
}

// boards are those of the configuration, with every line on them.
func (c rigCmd) boards(cfg config.Config) ([]rig.Board, error) {
	var boards []rig.Board
	for _, d := range cfg.Of(templates.Board) {
		baud, err := strconv.Atoi(d.Values.Choices[templates.SettingBaud])
		if err != nil {
			return nil, fmt.Errorf("device %s: baud: %w", d.Name, err)
		}
		b := rig.Board{Name: d.Name, Link: d.Port, ID: d.ID, Baud: baud, Pins: pins(cfg, d.Name)}
		if len(c.On) == 0 || slices.Contains(c.On, d.Name) {
			b.Firmware, b.Runner = c.Firmware, c.Runner
		}
		boards = append(boards, b)
	}
	for _, name := range c.On {
		if !slices.ContainsFunc(boards, func(b rig.Board) bool { return b.Name == name }) {
			return nil, fmt.Errorf("--on %s: the configuration has no such board", name)
		}
	}
	return boards, nil
}

// pins are the lines on a board.
func pins(cfg config.Config, board string) map[string]rig.Pin {
	all := map[string]rig.Pin{}
	for _, d := range cfg.Devices {
		for _, l := range d.Type.Lines {
			line := d.Lines[l.Role]
			if _, pin, ours := carrier.Split(line, func(name string) bool { return name == board }); ours {
				all[pin] = rig.Pin{Line: line, Output: l.Output, ActiveLow: cfg.Driver.Wiring[line].ActiveLow}
			}
		}
	}
	return all
}
