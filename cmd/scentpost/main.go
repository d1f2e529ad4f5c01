// Command scentpost is the instructor's tool of a detection-dog training station: it checks and draws plans, runs
// and watches sessions on a daemon, and checks records.
package main

import (
	"fmt"
	"io"
	"os"

	"scentpost/cmd/internal/program"
)

// version is set by the build.
var version = "development"

// cli is the command line: a line for each group of commands, whose type and Run methods are in the group's own
// file. Run may take an io.Writer (standard output) or program.Streams.
type cli struct {
	Plan    planCmd    `cmd:"" help:"Check a plan, or draw from it in the open."`
	Session sessionCmd `cmd:"" help:"Run a session on a daemon."`
	Watch   watchCmd   `cmd:"" help:"Show the session as it goes on."`
	Stats   statsCmd   `cmd:"" help:"Give a table of counts its statistics."`
	Record  recordCmd  `cmd:"" help:"Take sessions out of the journal."`
	Board   boardCmd   `cmd:"" help:"Look at the microcontroller boards of a station, and set them up."`
	Station stationCmd `cmd:"" help:"Look after a station's machine."`
	Verify  verifyCmd  `cmd:"" help:"Check an exported record again, offline."`
	Key     keyCmd     `cmd:"" help:"Make, show and use keys."`
	Version versionCmd `cmd:"" help:"Print the version."`
}

// usage and no mark errors as wrong use or bad input, and as the answer no.
var (
	usage = program.Usage
	no    = program.No
)

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	return program.Run("scentpost", "The instructor's tool of a detection-dog training station.", &cli{}, args,
		program.Streams{In: stdin, Out: stdout, Err: stderr})
}

type versionCmd struct{}

// Run prints the version.
func (versionCmd) Run(out io.Writer) error {
	_, err := fmt.Fprintln(out, "scentpost", version)
	return err
}
