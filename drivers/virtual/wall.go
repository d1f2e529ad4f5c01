package virtual

import (
	"fmt"
	"time"
)

const (
	// unsynced is where the maximum error of a wall clock stands that nothing disciplines, and growth how fast it gets
	// there, in ppm, as in Linux (NTP_PHASE_LIMIT, MAXFREQ).
	unsynced = 16 * time.Second
	growth   = 500
)

// Wall is what a machine's wall clock shows, and how good the machine takes it to be.
type Wall struct {
	Mono     int64         `json:"mono"`                // when this was so
	Offset   int64         `json:"offset"`              // UTC is the monotonic time and this, in nanoseconds
	Synced   bool          `json:"synced,omitempty"`    // a time server disciplines it
	MaxError time.Duration `json:"max_error,omitempty"` // at Mono
}

func hasWall(m *Message) string {
	if m.Wall == nil {
		return "no wall"
	}
	return ""
}

func goodWall(m *Message) string {
	if m.Wall != nil && m.Wall.MaxError < 0 {
		return fmt.Sprintf("a wall clock with a maximum error of %s", m.Wall.MaxError)
	}
	return ""
}

// Machine is the clock state of the machine that a virtual station plays.
type Machine struct{ client *Client }

// Machine returns the clock state of the station's machine; ok is false where its UTC is exact.
func (c *Client) Machine() (m Machine, ok bool) { return Machine{c}, c.wall.Load() != nil }

// Boot is the station's boot id.
func (m Machine) Boot() string { return m.client.Boot() }

// Mono is the station's virtual clock in nanoseconds.
func (m Machine) Mono() int64 { return m.client.Mono() }

// UTC is what the wall clock shows, in nanoseconds since 1970.
func (m Machine) UTC() int64 { return m.client.Mono() + m.client.wall.Load().Offset }

// Sync tells whether a time server disciplines the wall clock, and how far it may then be off.
func (m Machine) Sync() (synced bool, maxError time.Duration, err error) {
	wall := m.client.wall.Load()
	passed := max(m.client.Mono()-wall.Mono, 0)
	maxError = wall.MaxError + time.Duration(passed/1e6*growth)
	if maxError >= unsynced {
		return false, unsynced, nil
	}
	return wall.Synced, maxError, nil
}
