// Package uplink reports a station's public lines and state to an MQTT broker.
//
// Sender decides what is sent and when: a state machine without clock, network or goroutine. Link is the thin shell
// that gives it a connection.
package uplink

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"scentpost/station/uplink/wire"
)

// Lines reads public lines from the journal: those from record from on, without their newline, at most max of them
// and at most maxBytes in all, but at least one where there is one (an overlong line must not stop the rest). Which
// lines stand together depends on nothing else.
type Lines func(from int64, max, maxBytes int) ([][]byte, error)

// Publish is one message for the broker.
type Publish struct {
	Topic   string
	Payload []byte // never changed after it was handed out
	QoS     byte
	Retain  bool
	// ID names the message in Acked. It is never used twice by one Sender, so that a late acknowledgement of an
	// earlier connection means nothing.
	ID uint64
}

// Output is what the shell has to do after a Tick, in the order of the fields.
type Output struct {
	// Behind, when set, is what departed and this journal no longer has. Nothing is sent until Begin.
	Behind *wire.Departed
	// Save, when set, must be made durable outside the journal's folder, and then answered with Saved or SaveFailed.
	// No line beyond it is sent before.
	Save *wire.Departed
	// Publish are the messages to hand to the broker in this order. The slice is valid until the next Tick.
	Publish []Publish
	// Cursor, when not 0, is the acknowledged size to remember. Losing it only means sending again.
	Cursor int64
	// Drop, when set, is why this connection is no longer of use: close it, and answer with Disconnected.
	Drop string
	// Problem, when set, is why lines could not be read from the journal; it is tried again by itself.
	Problem error
}

// Options say how a Sender begins. Zero durations and counts mean the defaults.
type Options struct {
	Topics wire.Topics
	Lines  Lines
	// Epoch and Size are the journal's log and the number of its durable records.
	Epoch string
	Size  int64
	// Past are the epochs known to have ended: every Prev of the journal, and the Epoch of the Behind that made the
	// present one begin.
	Past []string
	// Acknowledged is the remembered cursor, in records: sending begins there.
	Acknowledged int64
	// Departed is what the file outside the journal's folder says, zero when there is none.
	Departed wire.Departed
	Limits
}

// Limits are the sender's bounds. Zero values stand for the defaults named here.
type Limits struct {
	// Window is how many messages may be unacknowledged at once, at least 4. Default DefaultWindow.
	Window int
	// BatchLines and BatchBytes bound one batch of public lines. Defaults DefaultBatchLines, DefaultBatchBytes.
	BatchLines, BatchBytes int
	// Grid is the distance of the instants that anything is sent at: it hides how long the disk took, spares the
	// card (one small file is synced per instant at most), and paces a backlog. Default DefaultGrid.
	Grid time.Duration
	// Burst is how many batches may leave at one instant. Default DefaultBurst.
	Burst int
	// AckWithin is how long an acknowledgement may take before the connection is given up. Default DefaultAckWithin.
	AckWithin time.Duration
	// Retry is the pause after the journal or the departed file failed. Default DefaultRetry.
	Retry time.Duration
	// CursorEvery is the least time between two saves of the cursor. Default DefaultCursorEvery.
	CursorEvery time.Duration
}

// The defaults of Limits.
const (
	DefaultWindow      = 64       // more gains nothing on loopback, and a broker may drop what it cannot queue
	DefaultBatchLines  = 128      // with the burst and the grid: 20,000 lines/s of backlog
	DefaultBatchBytes  = 64 << 10 // far below any broker's limit; a line is a few hundred bytes
	DefaultGrid        = 100 * time.Millisecond
	DefaultBurst       = 16
	DefaultAckWithin   = 30 * time.Second
	DefaultRetry       = time.Second
	DefaultCursorEvery = 10 * time.Second
)

// retainedTopics is how many places of the window are kept for status, info and state, so that a backlog never
// delays them: live first. Within the topic journal there is no overtaking, since a reader's prefix must have no gap.
const retainedTopics = 3

// phase is how far the connection is.
type phase int

const (
	offline phase = iota
	reading       // connected, but the retained state is not read back yet
	ready
)

// batch is one message of lines [from, to) under way.
type batch struct {
	id    uint64
	to    int64
	sent  int64 // the instant, for AckWithin
	acked bool
}

// retained is one of the topics of which only the newest content matters: at most one message is under way.
type retained struct {
	payload []byte
	dirty   bool   // has content that was not sent on this connection
	id      uint64 // of the message under way, 0 when there is none
	sent    int64
}

// Sender decides what leaves the station. It is not safe for concurrent use; all instants are nanoseconds of one
// monotonic clock. Inputs only note what happened: Tick says what follows from it.
type Sender struct {
	topics wire.Topics
	lines  Lines
	limits Limits

	epoch  string
	past   []string
	size   int64 // durable records
	saved  int64 // what the departed file allows to leave, in records
	acked  int64 // acknowledged prefix, in records
	next   int64 // first record that was not sent on this connection
	behind *wire.Departed
	told   bool // behind was reported

	phase    phase
	session  int64 // counter of connections
	seen     wire.Departed
	stated   int64 // size named by the state message sent last on this connection
	since    int64 // the instant of the first Tick in phase reading; -1 before
	giveUp   string
	dropped  bool // Drop was reported on this connection
	saving   bool
	inFlight []batch
	status   retained
	info     retained
	state    retained

	lastID    uint64
	due       int64 // instant of the next flush, when armed
	armed     bool
	saveFrom  int64 // no save before: the last one failed
	readFrom  int64 // no batch before: the pace, or lines could not be read
	cursor    int64 // acknowledged size that the shell remembers
	cursorDue int64
	out       []Publish
}

// NewSender checks the options and returns a sender that is offline.
func NewSender(o Options) (*Sender, error) {
	limits, err := o.Limits.withDefaults()
	switch {
	case err != nil:
		return nil, err
	case o.Topics == wire.Topics{}:
		return nil, errors.New("uplink: no topics: make them with NewTopics")
	case o.Lines == nil:
		return nil, errors.New("uplink: no reader of lines")
	case o.Epoch == "":
		return nil, errors.New("uplink: the journal has no epoch")
	case o.Size < 0 || o.Acknowledged < 0 || o.Departed.Size < 0:
		return nil, fmt.Errorf("uplink: negative size %d, cursor %d or departed size %d", o.Size, o.Acknowledged, o.Departed.Size)
	}
	s := &Sender{
		topics: o.Topics, lines: o.Lines, limits: limits,
		epoch: o.Epoch, size: o.Size, past: o.Past,
		inFlight: make([]batch, 0, limits.Window), since: -1,
	}
	if o.Departed.Epoch == o.Epoch {
		s.saved = o.Departed.Size
	}
	s.acked = min(o.Acknowledged, o.Size)
	s.next, s.cursor = s.acked, s.acked
	s.judge(o.Departed)
	s.judge(wire.Departed{Epoch: o.Epoch, Size: o.Acknowledged})
	return s, nil
}

func (l Limits) withDefaults() (Limits, error) {
	counts := []struct {
		name  string
		value *int
		usual int
		least int
	}{
		{"window", &l.Window, DefaultWindow, retainedTopics + 1},
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
		{"time for an acknowledgement", &l.AckWithin, DefaultAckWithin},
		{"retry pause", &l.Retry, DefaultRetry},
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

// judge bars the sender when more has departed than this journal has.
func (s *Sender) judge(departed wire.Departed) {
	if s.behind == nil && behind(departed, s.epoch, s.size, s.past) {
		s.behind, s.told = &departed, false
	}
}

// Begin starts a new epoch, of which size records are durable, and allows sending again. past are all the epochs
// known to have ended, the Epoch of the Behind report among them. A connection with messages of the old epoch under
// way is given up, so that none of their acknowledgements can be taken for one of the new epoch.
func (s *Sender) Begin(epoch string, size int64, past []string) {
	if s.underWay() {
		s.giveUp = "a new epoch begins"
	}
	s.epoch, s.size, s.past = epoch, size, past
	s.saved, s.acked, s.next, s.stated, s.cursor = 0, 0, 0, 0, 0
	s.inFlight = s.inFlight[:0]
	s.behind, s.told = nil, false
	s.state.dirty = true
	s.judge(s.seen)
}

// Connected notes a new connection. session counts the connections of this station and never goes back, restarts
// included: it stands in the birth and in the will. Nothing is sent before RetainedState.
func (s *Sender) Connected(session int64) {
	s.Disconnected()
	s.phase, s.session = reading, session
	s.status.payload = wire.Status{Online: true, Session: session}.Write()
	s.status.dirty, s.info.dirty, s.state.dirty = true, len(s.info.payload) > 0, true
}

// Will returns the message that the broker publishes for the connection numbered session when it breaks.
func (s *Sender) Will(session int64) Publish {
	return Publish{Topic: s.topics.Status, Payload: wire.Status{Session: session}.Write(), QoS: 1, Retain: true}
}

// Disconnected notes that the connection is gone. Whatever was not acknowledged on it is sent again on the next.
func (s *Sender) Disconnected() {
	s.phase, s.since, s.giveUp, s.dropped, s.armed = offline, -1, "", false, false
	s.status.id, s.info.id, s.state.id = 0, 0, 0
	s.inFlight = s.inFlight[:0]
	s.next, s.stated = s.acked, 0
}

// RetainedState notes what the retained state said when it was read back on this connection; zero when there was
// none. It may come again, when a broker is late with it.
func (s *Sender) RetainedState(departed wire.Departed) {
	if s.phase == offline {
		return
	}
	s.seen, s.phase = departed, ready
	s.judge(departed)
}

// Durable notes that the journal holds size records, synced. Less than known before is ignored.
func (s *Sender) Durable(size int64) { s.size = max(s.size, size) }

// Saved notes that the departed file names size.
func (s *Sender) Saved(departed wire.Departed) {
	s.saving = false
	if departed.Epoch == s.epoch {
		s.saved = max(s.saved, departed.Size)
	}
}

// SaveFailed notes at now that the departed file could not be written: nothing more leaves until it can.
func (s *Sender) SaveFailed(now int64) {
	s.saving, s.saveFrom = false, now+int64(s.limits.Retry)
}

// State sets the blind-safe state, a JSON value; the newest replaces one that was not sent yet.
func (s *Sender) State(payload []byte) error { return s.state.set("state", payload) }

// Info sets what the station is, a JSON value.
func (s *Sender) Info(payload []byte) error { return s.info.set("info", payload) }

func (r *retained) set(name string, payload []byte) error {
	if !json.Valid(payload) {
		return fmt.Errorf("uplink: %s of %d bytes is not JSON", name, len(payload))
	}
	if !bytes.Equal(payload, r.payload) {
		r.payload, r.dirty = bytes.Clone(payload), true
	}
	return nil
}

// Acked notes that the broker acknowledged the message with this ID. An unknown one, of an earlier connection or
// repeated, means nothing.
func (s *Sender) Acked(id uint64) {
	for _, r := range []*retained{&s.status, &s.info, &s.state} {
		if r.id == id {
			r.id = 0
		}
	}
	for i := range s.inFlight {
		if s.inFlight[i].id == id {
			s.inFlight[i].acked = true
		}
	}
	done := 0
	for done < len(s.inFlight) && s.inFlight[done].acked {
		s.Acknowledged(s.inFlight[done].to)
		done++
	}
	s.inFlight = append(s.inFlight[:0], s.inFlight[done:]...)
}

// born tells whether the birth was sent on this connection.
func (s *Sender) born() bool { return s.phase == ready && !s.status.dirty }

// underWay tells whether the broker owes an acknowledgement.
func (s *Sender) underWay() bool {
	return len(s.inFlight) > 0 || s.status.id != 0 || s.info.id != 0 || s.state.id != 0
}

// Acknowledged notes that the other side has stored the first size records: the cursor moves there and never back.
// A size beyond our own bars the sender: the journal has lost what it once sent.
func (s *Sender) Acknowledged(size int64) {
	s.judge(wire.Departed{Epoch: s.epoch, Size: size})
	s.acked = max(s.acked, min(size, s.size))
	s.next = max(s.next, s.acked)
}

// Cursor returns the acknowledged prefix, in records.
func (s *Sender) Cursor() int64 { return s.acked }
