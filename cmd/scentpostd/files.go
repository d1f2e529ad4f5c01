package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"scentpost/cmd/internal/place"
	"scentpost/station/config"
	"scentpost/station/durable"
	"scentpost/station/record"
)

// beside returns the path of a file in the folder that holds the journal's.
func beside(cfg config.Config, name string) string { return place.Beside(cfg.Data, name) }

// privateKey reads the station's key, or makes one at the first start.
func privateKey(cfg config.Config) (string, error) {
	path := beside(cfg, place.Key)
	text, err := os.ReadFile(path)
	if err == nil {
		key := strings.TrimSpace(string(text))
		if _, err := record.VerifierOf(key); err != nil {
			return "", fmt.Errorf("the station's key in %s: %w", path, err)
		}
		return key, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read the station's key: %w", err)
	}
	name := cfg.Station
	if cfg.Simulated() {
		name = record.SimulatedPrefix + name
	}
	private, _, err := record.NewKey(rand.Reader, name)
	if err != nil {
		return "", fmt.Errorf("make the station's key: %w", err)
	}
	if err := durable.Replace(path, []byte(private+"\n")); err != nil {
		return "", fmt.Errorf("keep the station's key: %w", err)
	}
	return private, nil
}

// nextConnection counts a connection to the broker, durably.
func nextConnection(cfg config.Config) (int64, error) {
	path := beside(cfg, place.Connections)
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, fmt.Errorf("count the connections: %w", err)
	}
	var n int64
	if len(text) > 0 {
		if n, err = strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err != nil || n < 0 {
			return 0, fmt.Errorf("%s does not hold a count: write into it a number higher than any that the broker saw", path)
		}
	}
	n++
	return n, durable.Replace(path, []byte(strconv.FormatInt(n, 10)+"\n"))
}

// takeCause returns why the daemon stopped the last time, if it could say so, and forgets it.
func takeCause(cfg config.Config) string {
	path := beside(cfg, place.Cause)
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	_ = os.Remove(path)
	return strings.TrimSpace(string(text))
}
