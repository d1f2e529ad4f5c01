package verify

import (
	"bytes"
	"fmt"
	"slices"

	"scentpost/station/blind"
	"scentpost/station/event"
	"scentpost/station/record"
	"scentpost/station/score"
	"scentpost/station/trial"
)

// runEngine runs the engine over the facts of the session and compares all that it writes besides, the scores
// included. It returns the text of Report.Replay.
func (c *checker) runEngine(revealed bool) (outcome string) {
	if c.opening == nil {
		return "not checked: the session has no opening"
	}
	for _, law := range []struct {
		name        string
		made, known int
	}{
		{"draw", c.opening.Laws.Draw, blind.DrawLaw},
		{"engine", c.opening.Laws.Engine, trial.Law},
		{"score", c.opening.Laws.Score, score.Law},
	} {
		if law.made < 1 && revealed {
			c.recordProblem(c.bundle.From, "law %d (%s): there never was one", law.made, law.name)
			return "failed"
		}
		if law.made != law.known {
			return fmt.Sprintf("not checked: law %d unknown (%s)", law.made, law.name)
		}
	}
	if !revealed {
		return "not checked: sealed bodies were not opened"
	}
	if len(c.problems) > 0 {
		return "not checked: the records do not hold"
	}
	r := replay{checker: c, machine: trial.New(c.bundle.Log.Station, c.bundle.Log.Epoch)}
	// A station that signs nonsense may bring the engine to what it holds impossible; that is a finding too.
	defer func() {
		if p := recover(); p != nil {
			c.recordProblem(c.bundle.From+int64(r.next), "the engine cannot go on from here: %v", p)
			outcome = "failed"
		}
	}()
	if !r.all() {
		return "failed"
	}
	return ReplayChecked
}

// replay is the engine at one place of the record.
type replay struct {
	*checker
	machine *trial.Machine
	next    int // index of the next record
	closed  []int
	signed  int // checkpoints that the engine asked for
}

// all feeds every record that nothing before it has written.
func (r *replay) all() bool {
	for r.next < len(r.records) {
		if !r.step() {
			return false
		}
	}
	if rest := len(r.bundle.Checkpoints) - r.signed; rest != 0 {
		r.problem(record.MemberCheckpoints, -1, "%d checkpoints are there that the engine asks for nowhere", rest)
		return false
	}
	return true
}

// step feeds one record and follows the effects through those behind it.
func (r *replay) step() bool {
	begin := r.next
	for _, effect := range r.machine.Step(r.records[begin].Event) {
		ok := true
		switch effect.Kind {
		case trial.Record:
			ok = r.record(effect.Event)
		case trial.Open:
			ok = r.opened(effect.Run)
		case trial.Checkpoint:
			ok = r.checkpoint(effect.Name)
		}
		if !ok {
			return false
		}
	}
	if r.next == begin {
		r.recordProblem(r.bundle.From+int64(begin), "the engine would not write this %s here: %s",
			r.records[begin].Event.Type, r.machine.Refusal())
		return false
	}
	return true
}

// record compares what the engine writes with the next record, byte for byte.
func (r *replay) record(e event.Event) bool {
	seq := r.bundle.From + int64(r.next)
	if r.next >= len(r.records) {
		r.recordProblem(seq, "is missing: the engine writes %s there", e.Type)
		return false
	}
	have := &r.records[r.next]
	want := record.Record{Site: have.Site, Station: have.Station, Epoch: have.Epoch, Seq: seq, Event: e}
	if event.IsSealed(e.Type) {
		want.Sealed = have.Sealed
		r.closed = append(r.closed, r.next)
	}
	line, err := record.Encode(nil, want)
	if err != nil || !bytes.Equal(line, r.bundle.Lines[r.next]) {
		r.recordProblem(seq, "the engine writes %s of run %d with other words here than this %s of run %d",
			e.Type, e.Run, have.Event.Type, have.Event.Run)
		return false
	}
	r.next++
	return true
}

// opened expects the openings of the sealed bodies of a run, 0 for all, that are still closed, in their order.
func (r *replay) opened(run int) bool {
	for _, i := range r.closed {
		if run != 0 && r.records[i].Event.Run != run {
			continue
		}
		seq, of := r.bundle.From+int64(r.next), r.bundle.From+int64(i)
		if r.next >= len(r.records) {
			r.recordProblem(seq, "is missing: record %d is opened there", of)
			return false
		}
		if body, ok := r.records[r.next].Event.Body.(*event.OpenedBody); !ok || body.Of != of {
			r.recordProblem(seq, "the sealed body of record %d is opened here, not this", of)
			return false
		}
		r.next++
	}
	r.closed = slices.DeleteFunc(r.closed, func(i int) bool { return run == 0 || r.records[i].Event.Run == run })
	return true
}

// checkpoint expects the next checkpoint at this place for this reason.
func (r *replay) checkpoint(why string) bool {
	size := r.bundle.From + int64(r.next)
	if r.signed >= len(r.bundle.Checkpoints) {
		r.problem(record.MemberCheckpoints, -1, "the checkpoint of %d records (%s) is missing", size, why)
		return false
	}
	if cp := r.bundle.Checkpoints[r.signed]; cp.Size != size || cp.Why != why {
		r.problem(record.MemberCheckpoints, -1, "the engine asks for a checkpoint of %d records (%s), the next one is of %d (%.40q)",
			size, why, cp.Size, cp.Why)
		return false
	}
	r.signed++
	return true
}
