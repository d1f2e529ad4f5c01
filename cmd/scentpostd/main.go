// Command scentpostd is the daemon of a detection-dog training station: it runs the station's devices, its trials
// and its record, and reports to a broker.
package main

import (
	"fmt"
	"io"
	"os"

	"scentpost/cmd/internal/place"
	"scentpost/cmd/internal/program"
	"scentpost/station/config"
)

// version is set by the build.
var version = "development"

// cli is the command line.
type cli struct {
	Run     runCmd     `cmd:"" help:"Run the station of CONFIG until SIGTERM or SIGINT."`
	Check   checkCmd   `cmd:"" help:"Check CONFIG and say everything that is wrong with it."`
	Doctor  doctorCmd  `cmd:"" help:"Say of each device of CONFIG whether it is there, and what mends it."`
	Devices devicesCmd `cmd:"" help:"Print what is known of the types of devices that a configuration can name."`
	Version versionCmd `cmd:"" help:"Print the version."`
}

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, stdout, stderr io.Writer) int {
	return program.Run("scentpostd", "The daemon of a detection-dog training station.", &cli{}, args, program.Streams{Out: stdout, Err: stderr})
}

type versionCmd struct{}

// Run prints the version.
func (versionCmd) Run(out program.Streams) error {
	_, err := fmt.Fprintln(out.Out, "scentpostd", version)
	return err
}

type checkCmd struct {
	Config string `arg:"" help:"The station's configuration, a YAML file."`
}

// Run checks a configuration; warnings do not fail it.
func (c checkCmd) Run(out program.Streams) error {
	cfg, err := readConfig(c.Config)
	if err != nil {
		return err
	}
	for _, w := range cfg.Warnings {
		hint := ""
		if w.Hint != "" {
			hint = " (" + w.Hint + ")"
		}
		fmt.Fprintf(out.Out, "%s:%d:%d: warning: %s: %s%s\n", c.Config, w.Line, w.Column, w.Field, w.Message, hint)
	}
	for _, p := range lookAtPlaces(cfg) {
		if p.What != "" {
			fmt.Fprintf(out.Out, "%s: warning: %s: %s (%s)\n", c.Config, p.Name, p.What, p.Do)
		}
	}
	_, err = fmt.Fprintf(out.Out, "%s: station %s/%s, %d positions, %d devices: fine\n",
		c.Config, cfg.Site, cfg.Station, cfg.Positions, len(cfg.Devices))
	return err
}

// readConfig reads a configuration with its paths taken from the folder of the file.
func readConfig(file string) (config.Config, error) { return place.ReadConfig(file) }
