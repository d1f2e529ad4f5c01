package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"scentpost/cmd/internal/program"
	"scentpost/cmd/internal/words"
	"scentpost/station/control"
	"scentpost/station/control/socket"
	"scentpost/station/doctor"
	"scentpost/station/trial"
)

type doctorCmd struct {
	Config string `arg:"" help:"The station's configuration, a YAML file."`
	JSON   bool   `name:"json" help:"Print it as one JSON object."`
}

// Help says what the doctor does and what it never does.
func (doctorCmd) Help() string {
	return `For each device of CONFIG: found or not, why, and the command that mends it. While no daemon of CONFIG runs, its folder,
the room on that disk, and its socket are tried too, as the account that asks; nothing is made.
It needs no root. It asks for no line and drives nothing. While the daemon of CONFIG runs, the daemon is asked, and says
only what everybody may know. Otherwise the lines of this machine are looked at, and one byte is read from each I2C
address that a device of CONFIG could have, which no part that Scentpost knows takes for a command.
Exit codes: 0 all devices are found, 1 something is missing or at fault, 2 wrong use or bad configuration.`
}

// askWithin bounds how long a daemon that hangs is waited for.
const askWithin = 5 * time.Second

// Run says of each device whether it is there.
func (c doctorCmd) Run(out program.Streams) error {
	return c.examine(out, thisMachine{})
}

// examine is Run on any machine.
func (c doctorCmd) examine(out program.Streams, m doctor.Machine) error {
	cfg, err := readConfig(c.Config)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), askWithin)
	defer cancel()
	daemon, err := askDaemon(ctx, cfg.Socket)
	if err != nil {
		return err
	}
	seen, err := doctor.Examine(m, cfg, daemon)
	if err != nil {
		return fmt.Errorf("look at this machine: %w", err)
	}
	seen.File = c.Config
	if daemon == nil {
		seen.Places = lookAtPlaces(cfg)
	}
	report := doctor.Diagnose(cfg, seen)
	if c.JSON {
		encoder := json.NewEncoder(out.Out)
		encoder.SetIndent("", "  ")
		err = encoder.Encode(report)
	} else {
		doctor.Write(out.Out, report)
	}
	if n := report.Wrong() + report.Blocked(); n > 0 && err == nil {
		return program.Answered(program.No(fmt.Errorf("%d things are missing or at fault", n)))
	}
	return err
}

// askDaemon asks the daemon at a socket for its devices, nil when none listens there.
func askDaemon(ctx context.Context, path string) (*doctor.Daemon, error) {
	if found, err := os.Lstat(path); err == nil && found.Mode()&fs.ModeSocket == 0 {
		return nil, nil // what is there is said of the place
	}
	client, err := socket.Dial(ctx, path)
	switch {
	case errors.Is(err, socket.ErrNoDaemon) && !errors.Is(err, os.ErrDeadlineExceeded): // one that is late is one
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("whether a daemon runs cannot be found out: %w", words.Error(err))
	}
	defer context.AfterFunc(ctx, func() { _ = client.Close() })() // whoever waits for an answer hears of it
	defer client.Close()
	response, err := client.Send(&control.Request{Command: "doctor"})
	if err == nil && !response.OK {
		err = words.Refused(response)
	}
	if err != nil {
		return nil, fmt.Errorf("the daemon at %s does not say how its devices are (restart it if it is of another version): %w", path, words.Error(err))
	}
	d := &doctor.Daemon{Socket: path, Sealed: response.Status.Phase == trial.Sealed, Next: words.Next(response.Status)}
	for _, line := range response.Devices {
		d.Devices = append(d.Devices, doctor.Told{Name: line.Name, Found: line.Found, Why: words.Wrong(line), AtSeal: line.AtSeal, Untold: line.Untold})
	}
	return d, nil
}
