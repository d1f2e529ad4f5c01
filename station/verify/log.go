package verify

import (
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
			c.recordProblem(b.From+int64(i), "%v", err)
		}
	}
	c.places()
}

// places checks that each record says itself where it stands. Where all of them say the same other thing, it is
// log.json that is wrong.
func (c *checker) places() {
	b := &c.bundle
	if first := &c.records[0]; c.read[0] && (first.Log() != b.Log || first.Event.Session != b.Session || first.Seq != b.From) && c.agree() {
		c.problem(record.MemberLog, -1, "says session %s of %s from record %d, the records say session %s of %s from record %d",
			b.Session, b.Log.Origin(), b.From, first.Event.Session, first.Log().Origin(), first.Seq)
		return
	}
	for i := range c.records {
		r, seq := &c.records[i], b.From+int64(i)
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
		if !c.read[i] || r.Log() != first.Log() || r.Event.Session != first.Event.Session || r.Seq != first.Seq+int64(i) {
			return false
		}
	}
	return true
}

// log holds the lines against the leaf hashes, both against the checkpoints, and these against the key.
func (c *checker) log() bool {
	b := &c.bundle
	var err error
	if c.tree, err = record.NewTree(b.From, b.Frontier); err != nil {
		c.problem(record.MemberLog, -1, "frontier: %v", err)
		return false
	}
	heads := c.signatures()
	fromLines, fromLeaves := c.holds(c.hashes, heads), c.holds(b.Leaves, heads)
	c.compareLeaves(fromLines, fromLeaves)
	for i, h := range heads {
		if h.Size > 0 && !fromLines[i] && !fromLeaves[i] {
			c.problem(record.MemberCheckpoints, -1, "checkpoint %d (%s, of %d records) has another root than the records and the frontier give",
				i, b.Checkpoints[i].Why, h.Size)
		}
	}
	return true
}

// signatures reads the checkpoints; the Head of one that cannot be read is zero.
func (c *checker) signatures() []record.Head {
	b := &c.bundle
	heads := make([]record.Head, len(b.Checkpoints))
	c.signed = len(b.Checkpoints) > 0
	last := b.From
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
		case h.Size > b.To():
			c.problem(record.MemberCheckpoints, -1, "checkpoint %d signs %d records, the bundle ends at %d: records %d to %d are missing",
				i, h.Size, b.To(), b.To(), h.Size-1)
		case h.Size <= b.From || h.Size < last:
			c.problem(record.MemberCheckpoints, -1, "checkpoint %d, of %d records, does not follow the one before it or the session's beginning", i, h.Size)
		default:
			heads[i], last = h, h.Size
			c.reason(i, cp)
		}
	}
	if last < b.To() && c.signed {
		c.problem(record.MemberCheckpoints, -1, "no checkpoint covers the records %d to %d", last, b.To()-1)
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
	last := cp.Size - 1 - c.bundle.From
	if !c.read[last] {
		return
	}
	if t := c.records[last].Event.Type; reasons[t] == "" || reasons[t] != cp.Why {
		c.problem(record.MemberCheckpoints, -1, "checkpoint %d says that it was made for %.40q, and comes after %s", i, cp.Why, t)
	}
}

// holds tells which heads have the root that the frontier and the leaf hashes give.
func (c *checker) holds(leaves []tlog.Hash, heads []record.Head) []bool {
	tree, ok := c.tree, make([]bool, len(heads))
	for i, h := range heads {
		for tree.Size() < h.Size && tree.Size()-c.bundle.From < int64(len(leaves)) {
			tree.AppendLeaf(nil, leaves[tree.Size()-c.bundle.From])
		}
		ok[i] = h.Size > 0 && tree.Size() == h.Size && tree.Root() == h.Root
	}
	return ok
}

// compareLeaves names the records whose line and leaf hash differ. The signed roots say which of the two is wrong.
func (c *checker) compareLeaves(fromLines, fromLeaves []bool) {
	b := &c.bundle
	place := map[tlog.Hash]int64{}
	for i, leaf := range b.Leaves {
		place[leaf] = b.From + int64(i)
	}
	linesHold := allOf(fromLines) && !allOf(fromLeaves)
	for i := range max(len(c.hashes), len(b.Leaves)) {
		seq := b.From + int64(i)
		switch {
		case i >= len(c.hashes):
			c.recordProblem(seq, "is missing")
		case i >= len(b.Leaves):
			c.problem(record.MemberLeaves, seq, "the leaf hash is missing")
		case c.hashes[i] == b.Leaves[i]:
		case linesHold:
			c.problem(record.MemberLeaves, seq, "the leaf hash is not that of the record, whose hash the checkpoints sign")
		default:
			if other, known := place[c.hashes[i]]; known {
				c.recordProblem(seq, "the bytes of record %d stand here", other)
			} else {
				c.recordProblem(seq, "was changed: its hash is not the leaf hash of the log")
			}
		}
	}
}

func allOf(list []bool) bool {
	for _, ok := range list {
		if !ok {
			return false
		}
	}
	return len(list) > 0
}

// root returns the root of the log at size, which must lie within the bundle.
func (c *checker) root(size int64) tlog.Hash {
	tree := c.tree
	for tree.Size() < size {
		tree.AppendLeaf(nil, c.hashes[tree.Size()-c.bundle.From])
	}
	return tree.Root()
}
