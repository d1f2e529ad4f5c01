// Command scentsim runs virtual stations: detection-dog training stations without hardware.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/alecthomas/kong"
)

// The exit codes: 0 fine, 1 the answer is no or the simulation failed, 2 wrong use or bad input.
const (
	exitNo    = 1
	exitUsage = 2
)

// errUsage marks an error of the user's: wrong use or bad input.
type errUsage struct{ error }

func (e errUsage) Unwrap() error { return e.error }

// version is set by the build.
var version = "development"

// cli is the command line.
type cli struct {
	Demo    demoCmd    `cmd:"" help:"Run one double-blind session on a virtual station, from plan to verified record."`
	Station stationCmd `cmd:"" help:"Hold a virtual station in a process of its own, in scaled real time, until SIGTERM or SIGINT."`
	Version versionCmd `cmd:"" help:"Print the version."`
}

// output is where a command writes.
type output struct {
	stdout, stderr io.Writer
}

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, stdout, stderr io.Writer) int {
	var c cli
	code := -1
	parser, err := kong.New(&c, kong.Name("scentsim"), kong.Writers(stdout, stderr), kong.Exit(func(n int) { code = n }),
		kong.Description("Virtual stations: everything they do is marked SIMULATED."))
	if err != nil {
		fmt.Fprintln(stderr, "scentsim:", err)
		return exitUsage
	}
	ctx, err := parser.Parse(args)
	switch {
	case code >= 0: // --help was printed
		return code
	case err != nil:
		fmt.Fprintf(stderr, "scentsim: %v\nscentsim --help lists the commands\n", err)
		return exitUsage
	}
	err = ctx.Run(output{stdout, stderr})
	var usage errUsage
	switch {
	case err == nil:
		return 0
	case errors.As(err, &usage):
		fmt.Fprintln(stderr, "scentsim:", err)
		return exitUsage
	default:
		fmt.Fprintln(stderr, "scentsim:", err)
		return exitNo
	}
}

type versionCmd struct{}

// Run prints the version.
func (versionCmd) Run(out output) error {
	_, err := fmt.Fprintln(out.stdout, "scentsim", version)
	return err
}
