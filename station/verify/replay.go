package verify

import (
	"scentpost/station/record"
	"scentpost/station/trial"
)

// runEngine runs the engine over the facts of the session and compares all that it writes besides, the scores
// included. It returns the text of Report.Replay.
func (c *checker) runEngine(revealed bool) (outcome string) {
	if !revealed {
		return "not checked: sealed bodies were not opened"
	}
	if len(c.problems) > 0 {
		return "not checked: the records do not hold"
	}
	r := replay{checker: c, player: trial.Player{Machine: trial.New(c.bundle.Log.Station, c.bundle.Log.Epoch)}}
	// A station that signs nonsense may bring the engine to what it holds impossible; that is a finding too.
	defer func() {
		if p := recover(); p != nil {
			c.recordProblem(r.at(), "the engine cannot go on from here: %v", p)
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
	player trial.Player
	next   int // index of the next record
	signed int // checkpoints that the engine asked for
}

// at returns the place of the next record, also past the end.
func (r *replay) at() int64 {
	if r.next < len(r.seqs) {
		return r.seqs[r.next]
	}
	return r.bundle.To()
}

// all plays every record, and compares the checkpoints beside them with those that the engine asks for.
func (r *replay) all() bool {
	for ; r.next < len(r.records); r.next++ {
		seq := r.seqs[r.next]
		if err := r.player.Play(seq, r.records[r.next].Event); err != nil {
			r.recordProblem(seq, "%s", err)
			return false
		}
		for ; r.signed < len(r.player.Points); r.signed++ {
			if !r.checkpoint(r.player.Points[r.signed]) {
				return false
			}
		}
	}
	if err := r.player.Rest(); err != nil {
		r.recordProblem(r.at(), "is missing: %s", err)
		return false
	}
	if rest := len(r.bundle.Checkpoints) - r.signed; rest != 0 {
		r.problem(record.MemberCheckpoints, -1, "%d checkpoints are there that the engine asks for nowhere", rest)
		return false
	}
	return true
}

// checkpoint expects the next checkpoint to be the one that the engine asks for.
func (r *replay) checkpoint(want trial.Point) bool {
	if r.signed >= len(r.bundle.Checkpoints) {
		r.problem(record.MemberCheckpoints, -1, "the checkpoint of %d records (%s) is missing", want.Size, want.Why)
		return false
	}
	if cp := r.bundle.Checkpoints[r.signed]; cp.Size != want.Size || cp.Why != want.Why {
		r.problem(record.MemberCheckpoints, -1, "the engine asks for a checkpoint of %d records (%s), the next one is of %d (%.40q)",
			want.Size, want.Why, cp.Size, cp.Why)
		return false
	}
	return true
}
