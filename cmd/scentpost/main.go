// Command scentpost is the instructor's tool of a detection-dog training station: it checks and draws plans, runs
// and watches sessions on a daemon, and checks records.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/alecthomas/kong"
)

// version is set by the build.
var version = "development"

// The exit codes.
const (
	exitFine  = 0
	exitNo    = 1 // the answer is no
	exitUsage = 2 // wrong use or bad input
)

// cli is the command line: a line for each group of commands, whose type and Run methods are in the group's own
// file. Run may take an io.Writer (standard output) or streams.
type cli struct {
	Plan    planCmd    `cmd:"" help:"Check a plan, or draw from it in the open."`
	Session sessionCmd `cmd:"" help:"Run a session on a daemon."`
	Watch   watchCmd   `cmd:"" help:"Show the session as it goes on."`
	Stats   statsCmd   `cmd:"" help:"Give a table of counts its statistics."`
	Record  recordCmd  `cmd:"" help:"Take sessions out of the journal."`
	Verify  verifyCmd  `cmd:"" help:"Derive a bundle anew, offline, and say what of it holds."`
	Key     keyCmd     `cmd:"" help:"Make, show and use keys."`
	Version versionCmd `cmd:"" help:"Print the version."`
}

// streams is where a command reads and writes.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// exitError is an error with the exit code that it ends the program with.
type exitError struct {
	code int
	error
}

// Unwrap returns the error itself.
func (e exitError) Unwrap() error { return e.error }

// no marks an error as the answer no.
func no(err error) error { return exitError{exitNo, err} }

// usage marks an error as wrong use or bad input.
func usage(err error) error { return exitError{exitUsage, err} }

// errAnswered ends a command whose answer is no and stands on standard output already.
var errAnswered = errors.New("the answer is no")

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

// run runs one command and returns the exit code. An error that carries no code of its own exits 1.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	helped := false
	parser, err := kong.New(&cli{}, kong.Name("scentpost"), kong.Description("The instructor's tool of a detection-dog training station."),
		kong.Writers(stdout, stderr), kong.Exit(func(int) { helped = true }), kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.BindTo(stdout, (*io.Writer)(nil)), kong.Bind(streams{stdin, stdout, stderr}))
	if err != nil {
		return fail(stderr, usage(err))
	}
	ctx, err := parser.Parse(args)
	switch {
	case helped:
		return exitFine
	case err != nil:
		return fail(stderr, usage(fmt.Errorf("%w (scentpost --help lists the commands)", err)))
	}
	if err := ctx.Run(); err != nil {
		return fail(stderr, err)
	}
	return exitFine
}

// fail prints an error, unless the answer has been printed, and returns its exit code.
func fail(stderr io.Writer, err error) int {
	if !errors.Is(err, errAnswered) {
		_, _ = fmt.Fprintf(stderr, "scentpost: %v\n", err) // there is nowhere else to say it
	}
	var coded exitError
	if errors.As(err, &coded) {
		return coded.code
	}
	return exitNo
}

type versionCmd struct{}

// Run prints the version.
func (versionCmd) Run(out io.Writer) error {
	_, err := fmt.Fprintln(out, "scentpost", version)
	return err
}
