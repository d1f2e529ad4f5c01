// Command scentsim runs virtual stations: detection-dog training stations without hardware.
package main

import (
	"fmt"
	"io"
	"os"

	"scentpost/cmd/internal/program"
)

// version is set by the build.
var version = "development"

// cli is the command line.
type cli struct {
	Demo    demoCmd    `cmd:"" help:"Run one double-blind session on a virtual station, from plan to verified record."`
	Station stationCmd `cmd:"" help:"Hold a virtual station in a process of its own, in scaled real time, until SIGTERM or SIGINT."`
	Rig     rigCmd     `cmd:"" help:"Play the microcontroller boards of a station behind serial ports, for a real daemon, until SIGTERM or SIGINT."`
	Version versionCmd `cmd:"" help:"Print the version."`
}

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, stdout, stderr io.Writer) int {
	return program.Run("scentsim", "Virtual stations: everything they do is marked SIMULATED.", &cli{}, args, program.Streams{Out: stdout, Err: stderr})
}

type versionCmd struct{}

// Run prints the version.
func (versionCmd) Run(out program.Streams) error {
	_, err := fmt.Fprintln(out.Out, "scentsim", version)
	return err
}
