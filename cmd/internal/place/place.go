// Package place reads the configuration of a station from its file.
package place

import (
	"fmt"
	"path/filepath"

	"scentpost/cmd/internal/program"
	"scentpost/configs"
	"scentpost/station/catalog"
	"scentpost/station/config"
)

// maxConfig is the longest configuration in bytes.
const maxConfig = 1 << 20

// ReadConfig reads a configuration with its paths taken from the folder of the file. The error is one of bad input
// (program.ExitUsage), unless the file could not be read just now.
func ReadConfig(file string) (config.Config, error) {
	src, err := configs.ReadFile(file, maxConfig)
	switch {
	case err != nil && configs.Passes(err):
		return config.Config{}, err
	case err != nil:
		return config.Config{}, program.Usage(err)
	}
	// A link may stand in any folder: the paths are those of the file itself.
	real, err := filepath.EvalSymlinks(file)
	if err == nil {
		real, err = filepath.Abs(real)
	}
	if err != nil {
		return config.Config{}, fmt.Errorf("the folder of %s: %w", file, err)
	}
	cfg, err := config.ReadIn(filepath.Dir(real), file, src, catalog.Types())
	if err != nil {
		return config.Config{}, program.Usage(err)
	}
	return cfg, nil
}
