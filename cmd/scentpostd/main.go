// Command scentpostd is the daemon of a detection-dog training station: it runs the station's devices, its trials
// and its record, and reports to a broker.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/alecthomas/kong"

	"scentpost/configs"
	"scentpost/station/config"
	"scentpost/station/devices"
)

// version is set by the build.
var version = "development"

// The exit codes: 0 all is well, 1 the answer is no or the daemon failed, 2 wrong use or bad input.
const (
	exitNo    = 1
	exitUsage = 2
)

// errUsage marks an error of the user's: wrong use or bad input.
type errUsage struct{ error }

func (e errUsage) Unwrap() error { return e.error }

// cli is the command line.
type cli struct {
	Run     runCmd     `cmd:"" help:"Run the station of CONFIG until SIGTERM or SIGINT."`
	Check   checkCmd   `cmd:"" help:"Check CONFIG and say everything that is wrong with it."`
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
	parser, err := kong.New(&c, kong.Name("scentpostd"), kong.Writers(stdout, stderr), kong.Exit(func(n int) { code = n }),
		kong.Description("The daemon of a detection-dog training station."), kong.UsageOnError())
	if err != nil {
		fmt.Fprintln(stderr, "scentpostd:", err)
		return exitUsage
	}
	ctx, err := parser.Parse(args)
	switch {
	case code >= 0: // --help was printed
		return code
	case err != nil:
		fmt.Fprintf(stderr, "scentpostd: %v\nscentpostd --help lists the commands\n", err)
		return exitUsage
	}
	err = ctx.Run(output{stdout, stderr})
	var usage errUsage
	switch {
	case err == nil:
		return 0
	case errors.As(err, &usage):
		fmt.Fprintln(stderr, "scentpostd:", err)
		return exitUsage
	default:
		fmt.Fprintln(stderr, "scentpostd:", err)
		return exitNo
	}
}

type versionCmd struct{}

// Run prints the version.
func (versionCmd) Run(out output) error {
	_, err := fmt.Fprintln(out.stdout, "scentpostd", version)
	return err
}

type checkCmd struct {
	Config string `arg:"" help:"The station's configuration, a YAML file."`
}

// Run checks a configuration; warnings do not fail it.
func (c checkCmd) Run(out output) error {
	cfg, err := readConfig(c.Config)
	if err != nil {
		return err
	}
	for _, w := range cfg.Warnings {
		fmt.Fprintf(out.stdout, "%s:%d:%d: warning: %s: %s\n", c.Config, w.Line, w.Column, w.Field, w.Message)
	}
	_, err = fmt.Fprintf(out.stdout, "%s: station %s/%s, %d positions, %d devices: fine\n",
		c.Config, cfg.Site, cfg.Station, cfg.Positions, len(cfg.Devices))
	return err
}

// maxConfig is the longest configuration in bytes.
const maxConfig = 1 << 20

// readConfig reads a configuration with its paths taken from the folder of the file.
func readConfig(file string) (config.Config, error) {
	src, err := configs.ReadFile(file, maxConfig)
	if err != nil {
		return config.Config{}, errUsage{err}
	}
	cfg, err := config.Read(file, src, devices.Types())
	if err != nil {
		return config.Config{}, errUsage{err}
	}
	return cfg.In(filepath.Dir(file)), nil
}
