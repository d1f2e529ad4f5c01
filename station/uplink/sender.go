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
	"slices"

	"scentpost/station/record"
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
	// Behind, when set, is what departed and this journal no longer has: its epoch must end. The sender sends nothing
	// more.
	Behind *wire.Departed
	// Compare, when set, is what departed under this station's key, no longer than the journal. The shell compares the root
	// of its checkpoint with the journal's own at that size, and answers with Compared or CompareFailed.
	Compare *wire.Departed
	// Save, when set, must be made durable outside the journal's folder and signed, and then answered with Saved or
	// SaveFailed. No line beyond it is sent before.
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
	// Site and Station name the topics and the log.
	Site, Station string
	// Key is the verifier key (note form) of the checkpoints that this station signs.
	Key   string
	Lines Lines
	// Epoch and Size are the journal's log and the number of its durable records.
	Epoch string
	Size  int64
	// Past are the epochs known to have ended: every Prev of the journal, and the Epoch of the Behind that made the
	// present one begin.
	Past []string
	// Met is set when an unknown epoch under this station's key has ended one of ours since the program started: a
	// second one is a copy of the station.
	Met bool
	// Acknowledged is the remembered cursor, in records: sending begins there.
	Acknowledged int64
	// Departed is what the file outside the journal's folder says, with its checkpoint; zero when there is none.
	Departed wire.Departed
	Limits
}

// phase is how far the connection is.
type phase int

const (
	offline phase = iota
	reading       // connected, but the retained state is not read back yet
	ready
)

// underWay is a message of which the broker's acknowledgement is not there yet.
type underWay struct {
	id    uint64
	sent  int64 // the instant, for AckWithin
	bytes int
}

// retained is one of the topics of which only the newest content matters.
type retained struct {
	topic   string
	payload []byte
	dirty   bool       // has content that was not sent on this connection
	sent    []underWay // in the order of sending
}

// Sender decides what leaves the station. It is not safe for concurrent use; all instants are nanoseconds of one
// monotonic clock. Inputs only note what happened: Tick says what follows from it.
type Sender struct {
	topics wire.Topics
	log    record.Log
	key    string
	lines  Lines
	limits Limits

	past       []string
	met        bool
	size       int64  // durable records
	saved      int64  // what the departed file allows to leave, in records
	checkpoint string // of saved records
	behind     *wire.Departed
	told       bool // behind was reported

	phase   phase
	session int64 // counter of connections
	stated  int64 // size named by the state message sent last on this connection
	since   int64 // the instant of the first Tick in phase reading; -1 before
	dropped bool  // Drop was reported on this connection
	saving  bool
	status  retained
	info    retained
	state   retained
	delivery
	rivals

	lastID    uint64
	lastAck   int64 // the instant of the last acknowledgement on this connection
	due       int64 // instant of the next flush, when armed
	armed     bool
	grew      bool  // more is durable than at the last Tick
	grown     int64 // the instant of that
	fresh     bool  // something has become durable since the start
	saveFrom  int64 // no save before: one a grid, or the last one failed
	cursor    int64 // acknowledged size that the shell remembers
	cursorDue int64
	out       []Publish
}

// NewSender checks the options and returns a sender that is offline.
func NewSender(o Options) (*Sender, error) {
	limits, err := o.Limits.withDefaults()
	if err != nil {
		return nil, err
	}
	topics, err := wire.NewTopics(o.Site, o.Station)
	switch {
	case err != nil:
		return nil, fmt.Errorf("uplink: %w", err)
	case o.Lines == nil:
		return nil, errors.New("uplink: no reader of lines")
	case o.Key == "":
		return nil, errors.New("uplink: no key: nothing could be told from a rival's")
	case o.Epoch == "":
		return nil, errors.New("uplink: the journal has no epoch")
	case o.Size < 0 || o.Acknowledged < 0 || o.Departed.Size < 0:
		return nil, fmt.Errorf("uplink: negative size %d, cursor %d or departed size %d", o.Size, o.Acknowledged, o.Departed.Size)
	}
	s := &Sender{
		topics: topics, log: record.Log{Site: o.Site, Station: o.Station, Epoch: o.Epoch}, key: o.Key, lines: o.Lines, limits: limits,
		size: o.Size, past: o.Past, met: o.Met, since: -1, status: retained{topic: topics.Status}, info: retained{topic: topics.Info},
		state: retained{topic: topics.State}, delivery: newDelivery(limits, min(o.Acknowledged, o.Size)),
	}
	if o.Departed.Epoch == o.Epoch {
		s.saved, s.checkpoint = o.Departed.Size, o.Departed.Checkpoint
	}
	s.cursor = s.acked
	// Our own files need no signature.
	unknown := o.Departed.Epoch != "" && o.Departed.Epoch != o.Epoch && !slices.Contains(o.Past, o.Departed.Epoch)
	switch cursor := (wire.Departed{Epoch: o.Epoch, Size: o.Acknowledged}); {
	case unknown || o.Departed.Epoch == o.Epoch && o.Departed.Size > o.Size:
		s.behind = &o.Departed
	case cursor.Size > o.Size:
		s.behind = &cursor
	}
	return s, nil
}

// Connected notes a new connection. session counts the connections of this station and never goes back, restarts
// included: it stands in the birth and in the will, and is what the fence says. Nothing is sent before that comes back.
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

// Disconnected notes that the connection is gone. Whatever was not delivered on it is sent again on the next.
func (s *Sender) Disconnected() {
	if s.phase == ready {
		s.blame()
	}
	s.phase, s.since, s.dropped, s.armed, s.stated, s.lastAck = offline, -1, false, false, 0, 0
	for _, r := range s.retained() {
		r.sent = nil
	}
	s.restart()
}

// Arrived notes at now a message of one of the topics that the station reads: see Reads. It may be our own, come back.
func (s *Sender) Arrived(topic string, payload []byte, retained bool, now int64) {
	switch {
	case s.phase == offline:
	case topic == s.topics.State:
		s.hearState(payload, retained)
	case topic == s.topics.Info:
		s.hearInfo(payload)
	case topic == s.topics.Journal:
		s.hearBatch(payload, now)
	case topic == s.topics.Fence && s.phase == reading && string(payload) == string(s.Fence().Payload):
		s.phase = ready // a retained state would have come before it
	}
}

// Reads returns the topics that the station must read on each connection, and those that it reads if it may.
func (s *Sender) Reads() (must, may []string) {
	return []string{s.topics.State, s.topics.Fence, s.topics.Journal}, []string{s.topics.Info}
}

// Fence returns the message that is published once, when the broker has granted what Reads names: when it comes back, all
// that was retained has come.
func (s *Sender) Fence() Publish {
	return Publish{Topic: s.topics.Fence, Payload: fmt.Append(nil, s.session), QoS: 1}
}

// Durable notes that the journal holds size records, synced. Less than known before is ignored.
func (s *Sender) Durable(size int64) {
	if size > s.size {
		s.size, s.grew = size, true
	}
}

// Saved notes that the departed file names a size, with the checkpoint that was signed of it.
func (s *Sender) Saved(departed wire.Departed) {
	s.saving = false
	if departed.Epoch == s.log.Epoch && departed.Size > s.saved {
		s.saved, s.checkpoint = departed.Size, departed.Checkpoint
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

// retained are the topics of which only the newest content matters.
func (s *Sender) retained() [3]*retained { return [...]*retained{&s.status, &s.info, &s.state} }

// Acked notes at now that the broker acknowledged the message with this ID. An unknown one, of an earlier connection or
// repeated, means nothing.
func (s *Sender) Acked(id uint64, now int64) {
	for _, r := range s.retained() {
		if i := slices.IndexFunc(r.sent, func(u underWay) bool { return u.id == id }); i >= 0 {
			r.sent = slices.Delete(r.sent, i, i+1)
			s.lastAck = now
			s.takes(r.topic)
		}
	}
	if s.batchAcked(id, now) {
		s.lastAck = now
	}
}

// ready tells whether the retained state was read back on this connection.
func (s *Sender) ready() bool { return s.phase == ready }

// born tells whether the birth was sent on this connection.
func (s *Sender) born() bool { return s.phase == ready && !s.status.dirty }

// owed tells whether the broker owes an acknowledgement.
func (s *Sender) owed() bool {
	return slices.ContainsFunc(s.inFlight, func(b batch) bool { return b.acked < 0 }) ||
		len(s.status.sent)+len(s.info.sent)+len(s.state.sent) > 0
}

// firstOwed returns the message that has waited longest for its acknowledgement or, of a batch, for its return.
func (s *Sender) firstOwed() (first owed, found bool) {
	consider := func(o owed) {
		if !found || o.id < first.id {
			first, found = o, true
		}
	}
	for _, r := range s.retained() {
		for _, u := range r.sent {
			consider(owed{u, r.topic})
		}
	}
	if len(s.inFlight) > 0 {
		b := s.inFlight[0]
		consider(owed{underWay{b.id, b.sent, len(b.payload)}, s.topics.Journal})
	}
	return first, found
}

// owed is a message without its acknowledgement, or a batch that did not come back.
type owed struct {
	underWay
	topic string
}

// Copy returns what a copy of this station reports, nil while none was found. Then nothing is sent until a person acts.
func (s *Sender) Copy() *wire.Departed { return s.copied }

// Cursor returns the prefix of the log that was acknowledged and read back, in records.
func (s *Sender) Cursor() int64 { return s.acked }
