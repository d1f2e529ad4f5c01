package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"scentpost/cmd/internal/program"
	"scentpost/cmd/internal/words"
	"scentpost/station/control"
	"scentpost/station/control/socket"
	"scentpost/station/trial"
)

// stationCmd is for whoever looks after a station's machine.
type stationCmd struct {
	Busy    stationBusy    `cmd:"" help:"Tell whether a session is under way, for scripts: exits 0 when one is."`
	Speak   stationSpeak   `cmd:"" help:"Decide that this station reports on, and not a copy of it."`
	Backup  stationBackup  `cmd:"" help:"Copy a station's record into one file that holds no secret of a session."`
	Rename  stationRename  `cmd:"" help:"Give a station another name; its next start begins an epoch that says so."`
	Restore stationRestore `cmd:"" help:"Make a station's journal of a backup."`
}

// reach says where the daemon answers.
type reach struct {
	Socket string `help:"The daemon's Unix socket." env:"SCENTPOST_SOCKET" default:"/run/scentpost/scentpost.sock" placeholder:"PATH"`
}

type stationBusy struct {
	reach
	Within time.Duration `help:"How long the daemon may take to answer before it counts as hung; a working one takes milliseconds." default:"10s" placeholder:"TIME"`
	JSON   bool          `help:"Print JSON."`
}

// Help says what the exit codes are: scripts go by them.
func (stationBusy) Help() string {
	return `Ask before the daemon is stopped, upgraded or restored. It takes no role, and tells public facts alone.

Exit codes:
  0  the running daemon says that a session is under way: opened, loaded, sealed, suspended, or ended and not closed;
     or that it has found one without an end and is bringing it back
  1  the running daemon says that none is
  2  it could not be found out: wrong use, no permission, not a daemon, all places taken by answers
  3  no daemon answers: none is running, or it hangs

A script that must not disturb a session goes on after 1 and 3 alone.`
}

type stationSpeak struct{ daemon }

// Help says when it is wanted and what it does.
func (stationSpeak) Help() string {
	return `When a copy of this station, with its key, reports to the broker, both hold their reports back and show the condition
"rival". Sessions go on. Find out which one is to stay, end the other one for good, and then give this command at the one
that stays: it reports again, in a new epoch of the record whose first record keeps the copy's checkpoint.`
}

// Run decides for this station.
func (c stationSpeak) Run(out io.Writer) error {
	response, err := c.ask(control.Request{Command: "speak"})
	switch {
	case err != nil:
		return err
	case c.JSON:
		return printJSON(out, response)
	}
	_, err = fmt.Fprintln(out, "this station reports on, in a new epoch of its record: end the copy for good")
	return err
}

// A daemon that starts again within its process is away for a moment.
const (
	againAfter  = 100 * time.Millisecond
	againWithin = 500 * time.Millisecond
)

// Run asks the daemon.
func (c stationBusy) Run(out io.Writer) error {
	status, err := publicStatus(c.Socket, c.Within)
	switch {
	case errors.Is(err, socket.ErrNoDaemon):
		return program.Absent(words.Error(err))
	case err != nil:
		return usage(fmt.Errorf("whether a session is under way could not be found out: %w", words.Error(err)))
	}
	busy := status.Phase != trial.Idle
	if c.JSON {
		err = printJSON(out, map[string]any{"busy": busy, "phase": status.Phase, "session": status.Session, "station": status.Station})
	} else {
		_, err = fmt.Fprintln(out, busyText(status))
	}
	if err == nil && !busy {
		return program.Answered(no(errors.New("no session is under way")))
	}
	return err
}

// busyText says in words what a station is at.
func busyText(s control.Status) string {
	switch s.Phase {
	case trial.Idle:
		return fmt.Sprintf("station %s: no session is under way", s.Station)
	case trial.Interrupted:
		return fmt.Sprintf("station %s: session %s was interrupted and is to be brought back (%s)", s.Station, s.Session, words.Next(&s))
	case trial.Ended:
		return fmt.Sprintf("station %s: session %s has ended and is not closed: %s", s.Station, s.Session, words.Next(&s))
	}
	return fmt.Sprintf("station %s: session %s is under way (%s): close it, or abort it with `scentpost session abort`", s.Station, s.Session, s.Phase)
}

// publicStatus asks a daemon what everybody may know. Whoever is not there for a moment is asked again.
func publicStatus(path string, within time.Duration) (control.Status, error) {
	for limit := time.Now().Add(againWithin); ; time.Sleep(againAfter) {
		status, err := statusOnce(path, within)
		if !errors.Is(err, socket.ErrNoDaemon) || errors.Is(err, os.ErrDeadlineExceeded) || time.Now().After(limit) {
			return status, err
		}
	}
}

func statusOnce(path string, within time.Duration) (control.Status, error) {
	client, err := socket.Dial(context.Background(), path)
	if err != nil {
		return control.Status{}, err
	}
	defer client.Close()
	if err := client.Within(within); err != nil {
		return control.Status{}, err
	}
	response, err := client.Send(&control.Request{Command: "status"})
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return control.Status{}, fmt.Errorf("%w on %s: it hangs: %w", socket.ErrNoDaemon, path, err)
	case errors.Is(err, socket.ErrHungUp):
		return control.Status{}, fmt.Errorf("%w on %s: %w", socket.ErrNoDaemon, path, words.Error(err))
	case err != nil:
		return control.Status{}, fmt.Errorf("ask the daemon on %s: %w", path, words.Error(err))
	case !response.OK:
		return control.Status{}, words.Refused(response)
	case response.Status == nil || response.Status.Phase == "":
		return control.Status{}, fmt.Errorf("what answers on %s is not scentpostd, or another version of it", path)
	}
	return *response.Status, nil
}
