package uplink

import (
	"bytes"
	"fmt"
	"slices"

	"scentpost/station/record"
	"scentpost/station/uplink/wire"
)

// batch is one message of lines [from, to) that was not acknowledged or not read back yet.
type batch struct {
	id       uint64
	from, to int64
	payload  []byte
	sent     int64 // the instant, for AckWithin
	acked    int64 // the instant of the acknowledgement, -1 before
	seen     bool  // it was read back
}

// delivery is what is known of the batches under way, and of what the broker delivers. A broker may acknowledge what it
// throws away: an access list denies the topic, or the message is too long. So a batch counts when it came back.
type delivery struct {
	acked    int64 // delivered prefix, in records
	next     int64 // first record that was not sent on this connection
	inFlight []batch
	bytes    int   // of the batches in flight
	lastEcho int64 // the instant at which the last batch came back

	began    int64 // acked at the begin of this connection
	misses   int   // sends in a row that were acknowledged and did not come back
	missed   int   // bytes of the last of them
	readFrom int64 // no batch before: the pace, lines could not be read, or a probe is due

	// cutLines and cutBytes bound the next batches: halved when one is refused, doubled again after a while.
	cutLines, cutBytes int
	cut                bool  // was halved since the last Tick
	growFrom           int64 // no growth before
	growPause          int64

	refusals int  // losses of the connection in a row at one message, without a delivery between
	refused  owed // the last of these messages
}

func newDelivery(l Limits, acked int64) delivery {
	return delivery{acked: acked, next: acked, cutLines: l.BatchLines, cutBytes: l.BatchBytes, growPause: int64(l.GrowEvery)}
}

// restart forgets what was under way on a connection that is gone.
func (d *delivery) restart() {
	d.inFlight, d.bytes, d.next, d.began, d.lastEcho = nil, 0, d.acked, d.acked, 0
}

// batchAcked notes an acknowledgement, and tells whether it was of a batch.
func (s *Sender) batchAcked(id uint64, now int64) bool {
	i := slices.IndexFunc(s.inFlight, func(b batch) bool { return b.id == id && b.acked < 0 })
	if i < 0 {
		return false
	}
	s.inFlight[i].acked = now
	s.settle()
	return true
}

// hearBatch notes at now a message of the topic journal. What is not under way may be our own of an earlier send or
// connection.
func (s *Sender) hearBatch(payload []byte, now int64) {
	for i := range s.inFlight {
		if b := &s.inFlight[i]; !b.seen && bytes.Equal(b.payload, payload) {
			b.seen, s.lastEcho = true, now
			s.settle()
			return
		}
	}
	from, to, own := s.ownLines(payload)
	if !own {
		return
	}
	s.lastEcho = now
	if from <= s.acked {
		s.reached(to)
	}
	for i := range s.inFlight {
		if b := &s.inFlight[i]; from <= b.from && b.to <= to {
			b.seen = true
		}
	}
	s.settle()
}

// ownLines tells which of our records a batch holds. One of another log is a rival's; one of an epoch that has ended may
// still be on its way from an earlier connection.
func (s *Sender) ownLines(payload []byte) (from, to int64, own bool) {
	lines, err := wire.ParseBatch(payload)
	if err != nil {
		s.foreign(fmt.Sprintf("it sends what is no batch of records to %s", s.topics.Journal))
		return 0, 0, false
	}
	first, err := record.Decode(lines[0])
	switch {
	case err != nil:
		s.foreign(fmt.Sprintf("it sends what is no record to %s", s.topics.Journal))
		return 0, 0, false
	case first.Log() != s.log:
		if !slices.Contains(s.past, first.Epoch) {
			s.foreign(fmt.Sprintf("it sends records of epoch %s", first.Epoch))
		}
		return 0, 0, false
	}
	from, to = first.Seq, first.Seq+int64(len(lines))
	for i := from; i < to && to <= s.size; {
		ours, err := s.lines(i, int(to-i), len(payload))
		if err != nil || len(ours) == 0 {
			return 0, 0, false // nothing is known; it is sent again
		}
		for _, line := range ours[:min(len(ours), int(to-i))] {
			if !bytes.Equal(line, lines[i-from]) {
				s.foreign(fmt.Sprintf("it sends another record %d of this epoch", i))
				return 0, 0, false
			}
			i++
		}
	}
	return from, to, to <= s.size
}

// settle moves the cursor past what has come back and was acknowledged.
func (s *Sender) settle() {
	done := 0
	for done < len(s.inFlight) && s.inFlight[done].seen && s.inFlight[done].acked >= 0 {
		s.bytes -= len(s.inFlight[done].payload)
		s.reached(s.inFlight[done].to)
		done++
	}
	s.inFlight = slices.Delete(s.inFlight, 0, done)
}

// reached notes that the first size records were delivered.
func (s *Sender) reached(size int64) {
	if size <= s.acked {
		return
	}
	if s.misses >= Sends {
		s.readFrom = 0
	}
	s.acked, s.next = size, max(s.next, size)
	s.misses, s.refusals = 0, 0
}

// takes notes that the broker took a message of a retained topic. While records wait only their delivery shows that nothing
// is refused: a connection may have ended at a batch before the acknowledgement of a state came.
func (s *Sender) takes(topic string) {
	if s.refused.topic == topic && s.acked >= s.size {
		s.refusals = 0
	}
}

// blame finds, when the connection was lost without any delivery, the message that the broker may not have liked: the
// first one that it did not acknowledge or, of batches, did not deliver. A batch is cut shorter the next time.
func (s *Sender) blame() {
	first, found := s.firstOwed()
	if !found || s.acked > s.began {
		return
	}
	s.refusals, s.refused = s.refusals+1, first
	if first.topic == s.topics.Journal {
		s.halve(first.bytes)
	}
}

// halve makes the next batches half as long as one of bytes.
func (s *Sender) halve(bytes int) {
	if s.cutBytes < s.limits.BatchBytes { // it had been halved before: grow more slowly
		s.growPause = min(2*s.growPause, slowestGrowth*int64(s.limits.GrowEvery))
	}
	s.cutBytes, s.cutLines, s.cut = max(1, min(s.cutBytes, bytes)/2), max(1, s.cutLines/2), true
}

// slowestGrowth bounds how much longer than GrowEvery it takes until batches grow again.
const slowestGrowth = 60

// grow doubles batches that were halved a while ago.
func (s *Sender) grow(now int64) {
	switch {
	case s.cut:
		s.cut, s.growFrom = false, now+s.growPause
	case now >= s.growFrom && (s.cutBytes < s.limits.BatchBytes || s.cutLines < s.limits.BatchLines):
		s.cutBytes, s.cutLines = min(2*s.cutBytes, s.limits.BatchBytes), min(2*s.cutLines, s.limits.BatchLines)
		s.growFrom = now + s.growPause
	}
}

// lookBack sends again what the broker acknowledged and did not deliver in time: the first record alone, until that comes
// back. So one message at a time is at stake, and a limit of size is told from a right that lacks.
func (s *Sender) lookBack(now int64) {
	due, waiting := s.echoDue()
	if !waiting || now < due {
		return
	}
	lost := s.inFlight[0]
	s.misses, s.missed = s.misses+1, len(lost.payload)
	if lost.to-lost.from > 1 {
		s.halve(len(lost.payload))
	}
	s.inFlight, s.bytes, s.next = nil, 0, s.acked
	if s.misses >= Sends {
		s.readFrom = now + int64(s.limits.ProbeEvery)
	}
}

// echoDue returns the instant at which the oldest batch in flight must have come back, once all were acknowledged: until
// then a slow line is the likelier reason. The broker keeps the order of a topic, so what comes back after a batch is no
// reason to wait longer for it.
func (s *Sender) echoDue() (at int64, waiting bool) {
	if len(s.inFlight) == 0 || s.inFlight[0].seen {
		return 0, false
	}
	from, overtaken := int64(0), false
	for _, b := range s.inFlight {
		if b.acked < 0 {
			return 0, false
		}
		from, overtaken = max(from, b.acked), overtaken || b.seen
	}
	if !overtaken {
		from = max(from, s.lastEcho)
	}
	return from + int64(s.limits.EchoWithin), true
}

// room tells whether another batch may be under way.
func (s *Sender) room() bool {
	most := s.limits.Window - s.limits.retainedPlaces()
	if s.misses > 0 {
		most = 1
	}
	return len(s.inFlight) < most && (len(s.inFlight) == 0 || s.bytes < s.limits.WindowBytes)
}

// awaits tells whether batches are expected to come back.
func (s *Sender) awaits() bool { return len(s.inFlight) > 0 && s.misses == 0 }

// send reads the next lines and publishes them as one batch.
func (s *Sender) send(now int64) error {
	most := int(min(s.stated-s.next, int64(s.cutLines)))
	if s.misses > 0 {
		most = 1
	}
	lines, err := s.lines(s.next, most, s.cutBytes)
	switch {
	case err != nil:
		return fmt.Errorf("uplink: read the journal from record %d: %w", s.next, err)
	case len(lines) == 0 || len(lines) > most:
		return fmt.Errorf("uplink: the journal gave %d lines from record %d, want 1 to %d", len(lines), s.next, most)
	}
	payload, err := wire.Batch(lines)
	if err != nil {
		return fmt.Errorf("uplink: the records from %d on: %w", s.next, err)
	}
	from := s.next
	s.next += int64(len(lines))
	id := s.publish(Publish{Topic: s.topics.Journal, Payload: payload, QoS: 1})
	s.inFlight = append(s.inFlight, batch{id: id, from: from, to: s.next, payload: payload, sent: now, acked: -1})
	s.bytes += len(payload)
	return nil
}
