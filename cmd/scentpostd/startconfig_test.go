package main

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"scentpost/station/config"
)

// TestAConfigurationThatIsBeingWritten is waited for under a service manager, and refused at once in a terminal.
func TestAConfigurationThatIsBeingWritten(t *testing.T) {
	empty, half, whole := errors.New("nothing in it"), errors.New("positions: missing"), error(nil)
	for _, c := range []struct {
		name       string
		supervised bool
		reads      []error // the last one stays
		want       error
		after      time.Duration
	}{
		{"whole", true, []error{whole}, nil, 0},
		{"half written", true, []error{empty, half, half, half, half, whole}, nil, 5 * time.Second},
		{"written slowly", true, []error{empty, empty, empty, empty, half, half, half, half, whole}, nil, 8 * time.Second},
		{"wrong", true, []error{half}, half, 4 * time.Second},
		{"wrong, in a terminal", false, []error{half, whole}, half, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began, reads := time.Now(), c.reads
				_, err := startConfig(t.Context(), c.supervised, func() (config.Config, error) {
					now := reads[0]
					reads = reads[min(1, len(reads)-1):]
					return config.Config{}, now
				})
				if !errors.Is(err, c.want) || time.Since(began) != c.after {
					t.Errorf("it says %v after %s, want %v after %s", err, time.Since(began), c.want, c.after)
				}
			})
		})
	}
}

// TestASignalEndsTheWaitForAConfiguration: with the refusal.
func TestASignalEndsTheWaitForAConfiguration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer stop()
		began, wrong := time.Now(), errors.New("positions: missing")
		_, err := startConfig(ctx, true, func() (config.Config, error) { return config.Config{}, wrong })
		if !errors.Is(err, wrong) || time.Since(began) != 1500*time.Millisecond {
			t.Errorf("it says %v after %s", err, time.Since(began))
		}
	})
}
