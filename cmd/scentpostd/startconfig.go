package main

import (
	"context"
	"time"

	"scentpost/station/config"
)

const (
	// lookAgain is the pause before a refused configuration is read again.
	lookAgain = time.Second
	// sameRefusals is how many times in a row a configuration must be refused for the same reason. A person's editor, and a
	// program that copies the file, are done with it within these seconds.
	sameRefusals = 5
)

// startConfig reads the configuration of a start. One that is refused may be half written just now. Under a service manager,
// which starts no daemon again after bad input, it is read again until the reason stays the same.
func startConfig(ctx context.Context, supervised bool, read func() (config.Config, error)) (config.Config, error) {
	cfg, err := read()
	for same := 1; err != nil && supervised && same < sameRefusals; same++ {
		timer := time.NewTimer(lookAgain)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return cfg, err
		}
		before := err.Error()
		if cfg, err = read(); err != nil && err.Error() != before {
			same = 0
		}
	}
	return cfg, err
}
