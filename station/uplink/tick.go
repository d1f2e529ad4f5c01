package uplink

import (
	"fmt"

	"scentpost/station/uplink/wire"
)

// Tick returns what has to be done at now. The shell calls it after every input and at the instant of Next.
func (s *Sender) Tick(now int64) Output {
	var out Output
	s.out = s.out[:0]
	if s.behind != nil && !s.told {
		s.told = true
		out.Behind = s.behind
	}
	if s.acked > s.cursor && now >= s.cursorDue {
		s.cursor, s.cursorDue = s.acked, now+int64(s.limits.CursorEvery)
		out.Cursor = s.acked
	}
	if s.phase == reading && s.since < 0 {
		s.since = now
	}
	if out.Drop = s.dropWhy(now); out.Drop != "" {
		return out
	}
	if s.arm(now); s.armed && now >= s.due {
		s.armed = false
		s.flush(now, &out)
		s.arm(now)
	}
	out.Publish = s.out
	return out
}

// Next returns the instant that Tick is wanted at if nothing else happens; false for none.
func (s *Sender) Next() (at int64, wanted bool) {
	consider := func(instant int64) {
		if !wanted || instant < at {
			at, wanted = instant, true
		}
	}
	if s.armed {
		consider(s.due)
	}
	if s.acked > s.cursor {
		consider(s.cursorDue)
	}
	if oldest, ok := s.oldest(); ok && !s.dropped {
		consider(oldest + int64(s.limits.AckWithin))
	}
	return at, wanted
}

// oldest returns the instant since when the broker owes an answer.
func (s *Sender) oldest() (at int64, waiting bool) {
	consider := func(instant int64) {
		if !waiting || instant < at {
			at, waiting = instant, true
		}
	}
	if s.phase == reading && s.since >= 0 {
		consider(s.since)
	}
	for _, r := range []*retained{&s.status, &s.info, &s.state} {
		if r.id != 0 {
			consider(r.sent)
		}
	}
	for i := range s.inFlight { // in the order of sending: the first that is open is the oldest
		if !s.inFlight[i].acked {
			consider(s.inFlight[i].sent)
			break
		}
	}
	return at, waiting
}

// dropWhy returns, once a connection, why it has to be given up; empty when it has not.
func (s *Sender) dropWhy(now int64) string {
	if s.phase == offline || s.dropped {
		return ""
	}
	why := s.giveUp
	oldest, waiting := s.oldest()
	if why == "" && waiting && now-oldest >= int64(s.limits.AckWithin) {
		why = fmt.Sprintf("the broker acknowledged nothing for %v", s.limits.AckWithin)
		if s.phase == reading {
			why = fmt.Sprintf("the retained state could not be read back within %v: let the station read and write %s and %s",
				s.limits.AckWithin, s.topics.State, s.topics.Fence)
		}
	}
	s.dropped = why != ""
	return why
}

// arm sets the instant of the next flush: the first instant of the grid at which something can be sent.
func (s *Sender) arm(now int64) {
	from, any := int64(0), false
	consider := func(instant int64) {
		if instant = max(instant, now); !any || instant < from {
			from, any = instant, true
		}
	}
	if s.wantsStatus() || s.wantsInfo() || s.wantsState() {
		consider(now)
	}
	if s.wantsSave() {
		consider(s.saveFrom)
	}
	if s.wantsBatch() {
		consider(s.readFrom)
	}
	if !any {
		s.armed = false
		return
	}
	// An earlier instant stands, since this Tick may be late for it; a later one (a pause after a failure) gives way.
	if due := ceil(from, int64(s.limits.Grid)); !s.armed || due < s.due {
		s.armed, s.due = true, due
	}
}

func ceil(at, grid int64) int64 {
	if over := at % grid; over > 0 {
		return at + grid - over
	}
	return at
}

func (s *Sender) sending() bool { return s.phase == ready && s.behind == nil && !s.dropped }

func (s *Sender) wantsStatus() bool {
	return s.sending() && s.status.dirty && s.status.id == 0
}

func (s *Sender) wantsInfo() bool {
	return s.sending() && s.info.dirty && s.info.id == 0
}

// wantsState also when more may depart than the last state message names; while that is being saved, it waits, so
// that one message carries both.
func (s *Sender) wantsState() bool {
	return s.sending() && s.state.id == 0 && !s.saving && (s.state.dirty || s.saved > s.stated)
}

func (s *Sender) wantsSave() bool {
	return s.sending() && !s.saving && s.size > s.saved
}

func (s *Sender) wantsBatch() bool {
	return s.sending() && s.next < s.allowed() && len(s.inFlight) < s.limits.Window-retainedTopics
}

// allowed is how many records may leave: what is durable here and named by both the departed file and the state
// message sent before on this connection.
func (s *Sender) allowed() int64 { return min(s.size, s.saved, s.stated) }

// flush sends what can be sent at this instant.
func (s *Sender) flush(now int64, out *Output) {
	if s.wantsSave() && now >= s.saveFrom {
		s.saving = true
		out.Save = &wire.Departed{Epoch: s.epoch, Size: s.size}
	}
	if s.wantsStatus() {
		s.retain(&s.status, s.topics.Status, s.status.payload, now)
	}
	if s.wantsInfo() {
		s.retain(&s.info, s.topics.Info, s.info.payload, now)
	}
	if s.wantsState() {
		s.stated = s.saved
		payload := wire.State{Departed: wire.Departed{Epoch: s.epoch, Size: s.saved}, State: s.state.payload}.Append(nil)
		s.retain(&s.state, s.topics.State, payload, now)
	}
	if now < s.readFrom {
		return
	}
	for range s.limits.Burst {
		if !s.wantsBatch() {
			return
		}
		s.readFrom = ceil(now+1, int64(s.limits.Grid))
		if err := s.send(now); err != nil {
			s.readFrom = now + int64(s.limits.Retry)
			out.Problem = err
			return
		}
	}
}

func (s *Sender) retain(r *retained, topic string, payload []byte, now int64) {
	r.dirty, r.sent = false, now
	r.id = s.publish(Publish{Topic: topic, Payload: payload, QoS: 1, Retain: true})
}

func (s *Sender) publish(p Publish) uint64 {
	s.lastID++
	p.ID = s.lastID
	s.out = append(s.out, p)
	return p.ID
}

// send reads the next lines and publishes them as one batch.
func (s *Sender) send(now int64) error {
	most := int(min(s.allowed()-s.next, int64(s.limits.BatchLines)))
	lines, err := s.lines(s.next, most, s.limits.BatchBytes)
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
	s.next += int64(len(lines))
	id := s.publish(Publish{Topic: s.topics.Journal, Payload: payload, QoS: 1})
	s.inFlight = append(s.inFlight, batch{id: id, to: s.next, sent: now})
	return nil
}
