// Package program runs a program's command line and turns what came of it into an exit code.
package program

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/alecthomas/kong"
)

// The exit codes of all programs.
const (
	ExitFine  = 0
	ExitNo    = 1 // the answer is no, or the program failed
	ExitUsage = 2 // wrong use or bad input
	// ExitAbsent is for a command whose answer is another program's, when that one does not answer: for scripts that
	// must tell "no" from "nobody is there". All other commands exit 1 then.
	ExitAbsent = 3
)

// Streams is where a command reads and writes.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// exitError is an error with the exit code that it ends the program with.
type exitError struct {
	code int
	error
}

// Unwrap returns the error itself.
func (e exitError) Unwrap() error { return e.error }

// No marks an error as the answer no.
func No(err error) error { return exitError{ExitNo, err} }

// Usage marks an error as wrong use or bad input.
func Usage(err error) error { return exitError{ExitUsage, err} }

// Absent marks an error as that nobody answered.
func Absent(err error) error { return exitError{ExitAbsent, err} }

// ErrAnswered ends a command whose answer is no and stands on standard output already.
var ErrAnswered = errors.New("the answer is no")

// Answered keeps the exit code of an error that stands on standard output already.
func Answered(err error) error { return exitError{codeOf(err), ErrAnswered} }

// Run runs one command of a command line and returns the exit code. cli is a pointer to the struct of commands as
// package kong reads it; their Run methods may take an io.Writer (standard output) or Streams. An error that is not
// marked exits 1.
func Run(name, description string, cli any, args []string, s Streams) int {
	helped := false
	parser, err := kong.New(cli, kong.Name(name), kong.Description(description),
		kong.Writers(s.Out, s.Err), kong.Exit(func(int) { helped = true }), kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.BindTo(s.Out, (*io.Writer)(nil)), kong.Bind(s))
	if err != nil {
		return fail(name, s.Err, Usage(err))
	}
	ctx, err := parser.Parse(args)
	switch {
	case helped:
		return ExitFine
	case err != nil:
		return fail(name, s.Err, Usage(fmt.Errorf("%w (%s%s)", err, elsewhere(parser.Model.Node, args), more(name, err))))
	}
	if err := ctx.Run(); err != nil {
		return fail(name, s.Err, err)
	}
	return ExitFine
}

// elsewhere says where a command is whose group was not named.
func elsewhere(program *kong.Node, args []string) string {
	if len(args) == 0 || slices.ContainsFunc(program.Children, func(c *kong.Node) bool { return c.Name == args[0] }) {
		return ""
	}
	for _, leaf := range program.Leaves(true) {
		if leaf.Name == args[0] {
			return leaf.FullPath() + "? "
		}
	}
	return ""
}

// more says where there is more about what was wrong with a command line: in the help of the command that it had come
// to, which lists the commands of a group.
func more(name string, err error) string {
	words := name
	var at *kong.ParseError
	if !errors.As(err, &at) || at.Context == nil {
		return words + " --help says more"
	}
	group := true
	for _, p := range at.Context.Path {
		if p.Command != nil {
			words += " " + p.Command.Name
			group = !p.Command.Leaf()
		}
	}
	if group {
		return words + " --help lists the commands"
	}
	return words + " --help says more"
}

// fail prints an error, unless the answer has been printed, and returns its exit code.
func fail(name string, stderr io.Writer, err error) int {
	if !errors.Is(err, ErrAnswered) {
		_, _ = fmt.Fprintf(stderr, "%s: %v\n", name, err) // there is nowhere else to say it
	}
	return codeOf(err)
}

// codeOf returns the exit code of an error; one that is not marked exits 1.
func codeOf(err error) int {
	var coded exitError
	if errors.As(err, &coded) {
		return coded.code
	}
	return ExitNo
}
