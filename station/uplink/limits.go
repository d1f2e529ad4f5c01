package uplink

import (
	"fmt"
	"time"
)

// Limits are the sender's bounds. Zero values stand for the defaults named here.
type Limits struct {
	// Window is how many messages may be unacknowledged or not read back at once, at least 4. Default DefaultWindow.
	Window int
	// WindowBytes bounds the batches of them, in bytes; one batch is always allowed. Default DefaultWindowBytes.
	WindowBytes int
	// BatchLines and BatchBytes bound one batch of public lines. Defaults DefaultBatchLines, DefaultBatchBytes.
	BatchLines, BatchBytes int
	// Grid is the distance of the instants at which new records leave: it hides how long the disk took, and spares the
	// card, since one small file is synced per Grid at most. Default DefaultGrid.
	Grid time.Duration
	// Burst is how many batches may leave at one instant while records are made. Default DefaultBurst.
	Burst int
	// LiveFor is how long after a new record others are expected: until then a backlog leaves at the pace of Burst,
	// and after it as fast as the broker takes it. Default DefaultLiveFor.
	LiveFor time.Duration
	// AckWithin is how long the broker may acknowledge nothing before the connection is given up. Default
	// DefaultAckWithin.
	AckWithin time.Duration
	// EchoWithin is how long the broker may deliver nothing of what it acknowledged before that is sent again. Default
	// DefaultEchoWithin.
	EchoWithin time.Duration
	// Retry is the pause after the journal or the departed file failed. Default DefaultRetry.
	Retry time.Duration
	// ProbeEvery is the pause after Sends sends were not delivered. Default DefaultProbeEvery.
	ProbeEvery time.Duration
	// GrowEvery is the least time after which batches that were halved are doubled again. Default DefaultGrowEvery.
	GrowEvery time.Duration
	// RivalFor is how long after its last message a rival is still told of. Default DefaultRivalFor.
	RivalFor time.Duration
	// CursorEvery is the least time between two saves of the cursor. Default DefaultCursorEvery.
	CursorEvery time.Duration
}

// The defaults of Limits.
const (
	DefaultWindow      = 64        // more gains nothing on loopback, and a broker may drop what it cannot queue
	DefaultWindowBytes = 512 << 10 // what a slow line carries within AckWithin, and four round trips on loopback
	DefaultBatchLines  = 128
	DefaultBatchBytes  = 64 << 10 // far below any broker's limit; a line is a few hundred bytes
	DefaultGrid        = 20 * time.Millisecond
	DefaultBurst       = 4 // 25,600 lines/s beside live records
	DefaultLiveFor     = time.Second
	DefaultAckWithin   = 30 * time.Second
	DefaultEchoWithin  = 5 * time.Second
	DefaultRetry       = time.Second
	DefaultProbeEvery  = 30 * time.Second
	DefaultGrowEvery   = time.Minute
	DefaultRivalFor    = 10 * time.Minute
	DefaultCursorEvery = 10 * time.Second
)

// Sends is how often a batch that the broker acknowledged is sent, before somebody is told that it is not delivered; and
// how often in a row it may end the connection at a message before somebody is told of its size.
const Sends = 3

// statesUnderWay is how many state messages may be unacknowledged, one for each instant of the grid within a round trip.
func (l Limits) statesUnderWay() int { return max(1, l.Window/8) }

// retainedPlaces is how many places of the window are kept for status, info and state, so that a backlog never
// delays them: live first. Within the topic journal there is no overtaking, since a reader's prefix must have no gap.
func (l Limits) retainedPlaces() int { return 2 + l.statesUnderWay() }

func (l Limits) withDefaults() (Limits, error) {
	counts := []struct {
		name  string
		value *int
		usual int
		least int
	}{
		{"window", &l.Window, DefaultWindow, 4},
		{"window in bytes", &l.WindowBytes, DefaultWindowBytes, 1},
		{"batch lines", &l.BatchLines, DefaultBatchLines, 1},
		{"batch bytes", &l.BatchBytes, DefaultBatchBytes, 1},
		{"burst", &l.Burst, DefaultBurst, 1},
	}
	for _, c := range counts {
		if *c.value == 0 {
			*c.value = c.usual
		}
		if *c.value < c.least {
			return l, fmt.Errorf("uplink: %s is %d, want at least %d", c.name, *c.value, c.least)
		}
	}
	times := []struct {
		name  string
		value *time.Duration
		usual time.Duration
	}{
		{"grid", &l.Grid, DefaultGrid},
		{"time in which records are live", &l.LiveFor, DefaultLiveFor},
		{"time for an acknowledgement", &l.AckWithin, DefaultAckWithin},
		{"time for reading back", &l.EchoWithin, DefaultEchoWithin},
		{"retry pause", &l.Retry, DefaultRetry},
		{"probe pause", &l.ProbeEvery, DefaultProbeEvery},
		{"pause before batches grow", &l.GrowEvery, DefaultGrowEvery},
		{"time for a rival", &l.RivalFor, DefaultRivalFor},
		{"cursor pause", &l.CursorEvery, DefaultCursorEvery},
	}
	for _, t := range times {
		if *t.value == 0 {
			*t.value = t.usual
		}
		if *t.value < 0 {
			return l, fmt.Errorf("uplink: %s is %v, want a positive duration", t.name, *t.value)
		}
	}
	return l, nil
}
