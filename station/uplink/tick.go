package uplink

import (
	"fmt"

	"scentpost/station/uplink/wire"
)

// Tick returns what has to be done at now. The shell calls it after every input and at the instant of Next.
func (s *Sender) Tick(now int64) Output {
	var out Output
	s.out = s.out[:0]
	if s.grew {
		s.grew, s.fresh, s.grown = false, true, now
	}
	if s.behind != nil && !s.told && s.phase != reading { // a connection is left in order after it was read back
		s.told = true
		out.Behind = s.behind
	}
	s.compare(now, &out)
	if s.acked > s.cursor && now >= s.cursorDue {
		s.cursor, s.cursorDue = s.acked, now+int64(s.limits.CursorEvery)
		out.Cursor = s.acked
	}
	if s.phase == reading && s.since < 0 {
		s.since = now
	}
	s.calm(now)
	if out.Drop = s.dropWhy(now); out.Drop != "" {
		return out
	}
	s.grow(now)
	s.lookBack(now)
	s.save(now, &out)
	if s.arm(now); s.armed && now >= s.due {
		s.armed = false
		s.flush(now)
		if s.live(now) {
			s.sendBatches(now, s.limits.Burst, &out)
			s.readFrom = max(s.readFrom, ceil(now+1, int64(s.limits.Grid)))
		}
		s.arm(now)
	}
	if !s.live(now) {
		s.sendBatches(now, s.limits.Window, &out)
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
	if s.doubt != nil && s.behind == nil && !s.comparing {
		consider(s.askFrom)
	}
	if s.wantsSave() {
		consider(s.saveFrom)
	}
	if s.wantsBatch() && !s.armed {
		consider(s.readFrom)
	}
	if s.acked > s.cursor {
		consider(s.cursorDue)
	}
	if s.what != "" {
		consider(s.last + int64(s.limits.RivalFor))
	}
	if due, waiting := s.echoDue(); waiting {
		consider(due)
	}
	if oldest, ok := s.oldest(); ok && !s.dropped {
		consider(oldest + int64(s.limits.AckWithin))
	}
	return at, wanted
}

// live tells whether records are being made: they leave at the instants of the grid alone, and so does what waits before
// them. A backlog of records that have long been durable tells nothing of the disk, whenever it leaves.
func (s *Sender) live(now int64) bool { return s.fresh && now-s.grown < int64(s.limits.LiveFor) }

// oldest returns the instant since when the broker owes an answer: the retained state, or any acknowledgement.
func (s *Sender) oldest() (at int64, waiting bool) {
	if s.phase == reading {
		return s.since, s.since >= 0
	}
	consider := func(instant int64) {
		if !waiting || instant < at {
			at, waiting = instant, true
		}
	}
	for _, r := range s.retained() {
		if len(r.sent) > 0 {
			consider(r.sent[0].sent)
		}
	}
	for i := range s.inFlight { // in the order of sending: the first that is open is the oldest
		if s.inFlight[i].acked < 0 {
			consider(max(s.inFlight[i].sent, s.lastAck))
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
	why := ""
	if oldest, waiting := s.oldest(); waiting && now-oldest >= int64(s.limits.AckWithin) {
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
	if s.wantsBatch() && s.live(now) {
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

func (s *Sender) sending() bool {
	return s.phase == ready && s.behind == nil && s.copied == nil && s.doubt == nil && !s.dropped
}

func (s *Sender) wantsStatus() bool {
	return s.sending() && s.status.dirty && len(s.status.sent) == 0
}

func (s *Sender) wantsInfo() bool {
	return s.sending() && s.info.dirty && len(s.info.sent) == 0
}

// wantsState also when more may depart than the last state message names: then one may follow another that is under way,
// since lines wait for it. While that is being saved, a change waits, so that one message carries both.
func (s *Sender) wantsState() bool {
	if s.saved > s.stated {
		return s.sending() && len(s.state.sent) < s.limits.statesUnderWay()
	}
	return s.sending() && s.state.dirty && len(s.state.sent) == 0 && !s.saving
}

func (s *Sender) wantsSave() bool {
	return s.sending() && !s.saving && s.size > s.saved
}

// wantsBatch tells whether records may leave: durable here, and named by both the departed file and the state message sent
// before on this connection.
func (s *Sender) wantsBatch() bool {
	return s.sending() && s.next < s.stated && s.room()
}

// save asks for the departed file at once, at most once a grid. Nobody sees when it is written: what leaves waits for the
// next instant of the grid.
func (s *Sender) save(now int64, out *Output) {
	if !s.wantsSave() || now < s.saveFrom {
		return
	}
	s.saving, s.saveFrom = true, now+int64(s.limits.Grid)
	out.Save = &wire.Departed{Epoch: s.log.Epoch, Size: s.size}
}

// flush sends what is retained, at an instant of the grid.
func (s *Sender) flush(now int64) {
	if s.wantsStatus() {
		s.retain(&s.status, s.status.payload, now)
	}
	if s.wantsInfo() {
		s.retain(&s.info, s.info.payload, now)
	}
	if s.wantsState() {
		s.stated = s.saved
		departed := wire.Departed{Epoch: s.log.Epoch, Size: s.saved, Checkpoint: s.checkpoint}
		s.states(departed)
		s.retain(&s.state, wire.State{Departed: departed, State: s.state.payload}.Append(nil), now)
	}
}

// sendBatches sends at most so many batches.
func (s *Sender) sendBatches(now int64, most int, out *Output) {
	if now < s.readFrom {
		return
	}
	for range most {
		if !s.wantsBatch() {
			return
		}
		if err := s.send(now); err != nil {
			s.readFrom = now + int64(s.limits.Retry)
			out.Problem = err
			return
		}
	}
}

func (s *Sender) retain(r *retained, payload []byte, now int64) {
	r.dirty = false
	id := s.publish(Publish{Topic: r.topic, Payload: payload, QoS: 1, Retain: true})
	r.sent = append(r.sent, underWay{id, now, len(payload)})
}

func (s *Sender) publish(p Publish) uint64 {
	s.lastID++
	p.ID = s.lastID
	s.out = append(s.out, p)
	return p.ID
}
