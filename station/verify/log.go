package verify

import (
	"slices"

	"golang.org/x/mod/sumdb/tlog"

	"scentpost/station/event"
	"scentpost/station/record"
)

// workers is how many goroutines read lines. More than a board has cores, so that none of them is idle.
const workers = 8

// lines reads and hashes every line, on every core: it is most of the work of a verification.
func (c *checker) lines() {
	b := &c.bundle
	n := len(b.Lines)
	c.seqs = b.Places()
	c.records = make([]record.Record, n)
	c.read = make([]bool, n)
	c.hashes = make([]tlog.Hash, n)
	errs := make([]error, n)
	done := make(chan struct{})
	for w := range workers {
		go func() {
			for i := w * n / workers; i < (w+1)*n/workers; i++ {
				c.hashes[i] = record.LeafHash(b.Lines[i])
				c.records[i], errs[i] = record.Decode(b.Lines[i])
				c.read[i] = errs[i] == nil
			}
			done <- struct{}{}
		}()
	}
	for range workers {
		<-done
	}
	for i, err := range errs {
		if err != nil {
			c.recordProblem(c.seqs[i], "%v", err)
		}
	}
	c.places()
	c.chain()
}

// places checks that each record says itself where it stands. Where all of them say the same other thing, it is
// log.json that is wrong.
func (c *checker) places() {
	b := &c.bundle
	if first := &c.records[0]; c.read[0] && (first.Log() != b.Log || first.Event.Session != b.Session || first.Seq != c.seqs[0]) && c.agree() {
		c.problem(record.MemberLog, -1, "says session %s of %s from record %d, the records say session %s of %s from record %d",
			b.Session, b.Log.Origin(), c.seqs[0], first.Event.Session, first.Log().Origin(), first.Seq)
		return
	}
	for i := range c.records {
		r, seq := &c.records[i], c.seqs[i]
		switch {
		case !c.read[i]:
		case r.Seq != seq:
			c.recordProblem(seq, "record %d stands in its place", r.Seq)
		case r.Log() != b.Log:
			c.recordProblem(seq, "is of the log %s, not of %s", r.Log().Origin(), b.Log.Origin())
		case r.Event.Session != b.Session:
			c.recordProblem(seq, "is of session %q, not of %q", r.Event.Session, b.Session)
		case (r.Event.Type == event.SessionOpened) != (i == 0):
			c.recordProblem(seq, "a session begins with %s and has one of it", event.SessionOpened)
		}
	}
	if c.read[0] {
		c.opening, _ = c.records[0].Event.Body.(*event.Opening)
	}
}

// agree tells whether the records agree among themselves on their log, their session and their order.
func (c *checker) agree() bool {
	first := &c.records[0]
	for i := range c.records {
		r := &c.records[i]
		if !c.read[i] || r.Log() != first.Log() || r.Event.Session != first.Event.Session || r.Seq-first.Seq != c.seqs[i]-c.seqs[0] {
			return false
		}
	}
	return true
}

// chain checks that each record names the one before it. Of two that do not fit each other nobody can say which was changed.
func (c *checker) chain() {
	for i := range c.records {
		r := &c.records[i]
		switch {
		case !c.read[i]:
		case r.N != i+1:
			c.recordProblem(c.seqs[i], "says that it is record %d of the session, and is record %d", r.N, i+1)
		case i > 0 && r.Prev != c.hashes[i-1]:
			c.recordProblem(c.seqs[i-1], "was changed, or record %d was: that one names another record before it", c.seqs[i])
			c.recordProblem(c.seqs[i], "was changed, or record %d was: this one names another record before it", c.seqs[i-1])
		}
	}
}

// log holds the records and the hashes of all others against the checkpoints, and these against the key.
func (c *checker) log() bool {
	b := &c.bundle
	heads := c.signatures()
	sizes := make([]int64, len(heads))
	for i, h := range heads {
		sizes[i] = h.Size
	}
	roots, err := c.roots(sizes)
	if err != nil {
		c.problem(record.MemberLog, -1, "%v", err)
		return false
	}
	for i, h := range heads {
		if h.Size > 0 && roots[h.Size] != h.Root {
			c.problem(record.MemberCheckpoints, -1, "checkpoint %d (%s, of %d records) has another root than the records and the hashes in %s give",
				i, b.Checkpoints[i].Why, h.Size, record.MemberLog)
			if len(c.problems) == 1 { // nothing else tells where
				c.recordProblem(h.Size-1, "was changed, or the hashes in %s were: checkpoint %d has another root", record.MemberLog, i)
			}
		}
	}
	return true
}

// signatures reads the checkpoints; the Head of one that cannot be read is zero.
func (c *checker) signatures() []record.Head {
	b := &c.bundle
	heads := make([]record.Head, len(b.Checkpoints))
	c.signed = len(b.Checkpoints) > 0
	last, to := c.seqs[0], b.To()
	for i, cp := range b.Checkpoints {
		h, err := record.VerifyCheckpoint([]byte(cp.Note), b.Key)
		if err != nil {
			c.signed = false
			c.problem(record.MemberCheckpoints, -1, "checkpoint %d: %v", i, err)
			continue
		}
		switch {
		case h.Origin != b.Log.Origin():
			c.problem(record.MemberCheckpoints, -1, "checkpoint %d is of the log %.200q, not of %q", i, h.Origin, b.Log.Origin())
		case h.Size != cp.Size:
			c.problem(record.MemberCheckpoints, -1, "checkpoint %d is listed with %d records and signs %d", i, cp.Size, h.Size)
		case h.Size > to:
			c.problem(record.MemberCheckpoints, -1, "checkpoint %d signs %d records, the bundle ends at %d: records %d to %d are missing",
				i, h.Size, to, to, h.Size-1)
		case h.Size <= c.seqs[0] || h.Size < last:
			c.problem(record.MemberCheckpoints, -1, "checkpoint %d, of %d records, does not follow the one before it or the session's beginning", i, h.Size)
		default:
			heads[i], last = h, h.Size
			c.reason(i, cp)
		}
	}
	if last < to && c.signed {
		c.problem(record.MemberCheckpoints, -1, "no checkpoint covers the records %d to %d", last, to-1)
	}
	if len(b.Checkpoints) == 0 {
		c.problem(record.MemberCheckpoints, -1, "there is none: nobody has signed these records")
	}
	return heads
}

// reasons are the records after which a station signs, and why it does.
var reasons = map[event.Type]string{
	event.SessionLoaded: "load", event.RunCommitted: "seal", event.RunLocked: "lock",
	event.SessionScored: "reveal", event.SessionClosed: "close",
}

// reason checks that a checkpoint stands where its reason says. The reason itself is signed by nobody.
func (c *checker) reason(i int, cp record.Checkpoint) {
	last, own := c.index(cp.Size - 1)
	if !own {
		c.problem(record.MemberCheckpoints, -1, "checkpoint %d comes after record %d, which is none of the session", i, cp.Size-1)
		return
	}
	if !c.read[last] {
		return
	}
	if t := c.records[last].Event.Type; reasons[t] == "" || reasons[t] != cp.Why {
		c.problem(record.MemberCheckpoints, -1, "checkpoint %d says that it was made for %.40q, and comes after %s", i, cp.Why, t)
	}
}

// index returns which record of the session has a place in the log, and false for a place that is none of the session's.
func (c *checker) index(seq int64) (int, bool) { return slices.BinarySearch(c.seqs, seq) }

// roots returns the root of the log at each of these sizes that the bundle can give: where it has a record, or a gap ends. It
// goes over the log once.
func (c *checker) roots(sizes []int64) (map[int64]tlog.Hash, error) {
	wanted := make(map[int64]tlog.Hash, len(sizes))
	for _, size := range sizes {
		wanted[size] = tlog.Hash{}
	}
	var tree record.Tree
	found := make(map[int64]tlog.Hash, len(wanted))
	reach := func() {
		if _, want := wanted[tree.Size()]; want {
			found[tree.Size()] = tree.Root()
		}
	}
	gaps := c.bundle.Gaps
	for _, hash := range c.hashes {
		if len(gaps) > 0 && gaps[0].From == tree.Size() {
			if err := tree.AppendGap(gaps[0]); err != nil {
				return nil, err
			}
			gaps = gaps[1:]
			reach()
		}
		tree.AppendLeaf(nil, hash)
		reach()
	}
	return found, nil
}
