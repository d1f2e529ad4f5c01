// Package program runs a program's command line and turns what came of it into an exit code.
package program

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/alecthomas/kong"
)

// Streams is where a command reads and writes.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// Run runs one command of a command line and returns the exit code. cli is a pointer to the struct of commands as
// package kong reads it; their Run methods may take an io.Writer (standard output) or Streams. Codes says which error gives
// which code.
func Run(name, description string, cli any, args []string, s Streams) int {
	helped := false
	parser, err := kong.New(cli, kong.Name(name), kong.Description(description+"\n\n"+help()),
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
