// Package place tells where the files of a station lie.
package place

import (
	"fmt"
	"path/filepath"

	"scentpost/cmd/internal/program"
	"scentpost/configs"
	"scentpost/station/catalog"
	"scentpost/station/config"
)

// The files beside the journal's folder, so that who restores or loses the journal does not restore them with it.
const (
	Departed    = "departed.json" // how much of the log has left the station
	Key         = "station.key"   // signs the checkpoints
	Connections = "connections"   // counts the connections to the broker
	Cause       = "stopped-by"    // why the daemon stopped, when it was the journal's fault
)

// Beside returns the path of a file in the folder that holds the journal's folder, data.
func Beside(data, name string) string { return filepath.Join(filepath.Dir(filepath.Clean(data)), name) }

// maxConfig is the longest configuration in bytes.
const maxConfig = 1 << 20

// ReadConfig reads a configuration with its paths taken from the folder of the file.
func ReadConfig(file string) (config.Config, error) {
	src, err := configs.ReadFile(file, maxConfig)
	if err != nil {
		return config.Config{}, program.Usage(err)
	}
	dir, err := filepath.Abs(filepath.Dir(file))
	if err != nil {
		return config.Config{}, fmt.Errorf("the folder of %s: %w", file, err)
	}
	cfg, err := config.ReadIn(dir, file, src, catalog.Types())
	if err != nil {
		return config.Config{}, program.Usage(err)
	}
	return cfg, nil
}
