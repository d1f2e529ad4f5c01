package verify

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"scentpost/station/event"
	"scentpost/station/record"
)

// epoch checks that record 0 of the log is the one of the bundle, and that it names the bundle's key.
func (c *checker) epoch() {
	b := &c.bundle
	fail := func(format string, args ...any) { c.problem(record.MemberEpoch, 0, format, args...) }
	to := b.To()
	roots, err := c.roots([]int64{to})
	if err == nil {
		err = tlog.CheckRecord(b.EpochProof, to, roots[to], 0, record.LeafHash(b.Epoch))
	}
	if err != nil {
		fail("is not the first record of this log: its proof in %s does not hold", record.MemberLog)
	}
	r, err := record.Decode(b.Epoch)
	if err != nil {
		fail("%v", err)
		return
	}
	body, ok := r.Event.Body.(*event.Epoch)
	switch {
	case !ok || r.Seq != 0:
		fail("an epoch begins with record 0, %s", event.EpochBegan)
	case r.Log() != b.Log || body.Site != b.Log.Site:
		fail("is of the log %s, not of %s", r.Log().Origin(), b.Log.Origin())
	case body.Draft != event.Draft:
		fail("there never was a draft %d", body.Draft)
	case c.opening != nil && c.opening.Draft != body.Draft:
		c.recordProblem(c.seqs[0], "the session and its epoch do not agree on their draft")
	case body.Key != b.Key:
		c.problem(record.MemberKey, -1, "is not the key that record 0 names for this epoch")
	case body.Simulated != record.IsSimulated(b.Key):
		fail("the key and the record do not agree on whether this is a simulation")
	case slices.Contains(body.Aborted, b.Session):
		fail("lists the session %s as one of the epoch before that was aborted, and the session is of this epoch", b.Session)
	case c.opening != nil && c.opening.Simulated != body.Simulated:
		c.recordProblem(c.seqs[0], "the session and its epoch do not agree on whether this is a simulation")
	}
	if ok {
		if err := checkProof(b.Log, body); err != nil {
			fail("its proof of why epoch %q ended does not hold: %v", body.Prev, err)
		}
	}
}

// checkProof checks the checkpoint that ended the epoch before, if there is one: this station's key signed it, of records
// that the log of that epoch does not hold, or of an epoch unknown to it.
func checkProof(log record.Log, began *event.Epoch) error {
	if began.Proof == "" {
		return nil
	}
	head, err := record.VerifyCheckpoint([]byte(began.Proof), began.Key)
	if err != nil {
		return err
	}
	epoch, own := strings.CutPrefix(head.Origin, record.Log{Site: log.Site, Station: log.Station}.Origin())
	switch {
	case !own || !record.IsName(epoch):
		return fmt.Errorf("it is of the log %.200q, want one of this station", head.Origin)
	case began.Prev == "":
		return errors.New("no epoch stands before it that could have ended")
	case epoch == log.Epoch:
		return fmt.Errorf("it is of epoch %q itself, which it began", epoch)
	case head.Size <= 0:
		return errors.New("it is of no record")
	case epoch == began.Prev && head.Size == began.PrevSize && hex.EncodeToString(head.Root[:]) == began.PrevRoot:
		return fmt.Errorf("it is of the very %d records that the epoch ended with", head.Size)
	}
	return nil
}

// people checks that the names belong to this session. That a name is not there is no fault: it may have been erased.
func (c *checker) people() {
	if len(c.bundle.Identities) == 0 {
		return
	}
	used := record.References(c.bundle.Lines)
	for _, id := range c.bundle.Identities {
		if !used[id.Ref] {
			c.problem(record.MemberIdentities, -1, "%s is nobody in this session", id.Ref)
		}
	}
}

// pinned checks that one of the keys that the verifying person brought for each role has signed in it.
func (c *checker) pinned() {
	for i := range c.records {
		if seed, ok := c.records[i].Event.Body.(*event.Seed); ok && seed.Source == event.TwoParty {
			c.authority = seed.Key
		}
	}
	for _, key := range slices.Concat(c.options.Keys, c.options.Authorities) {
		if _, err := record.ParseVerifier(key); err != nil {
			c.problem("", -1, "the key that you gave: %v", err)
		}
	}
	if keys := c.options.Keys; len(keys) > 0 && !slices.Contains(keys, c.bundle.Key) {
		c.problem(record.MemberKey, -1, "no station's key that you gave (%s) signed this bundle: it is signed by %.80q", named(keys), c.bundle.Key)
	}
	if keys := c.options.Authorities; len(keys) > 0 && !slices.Contains(keys, c.authority) {
		by := "no authority answered the station"
		if c.authority != "" {
			by = fmt.Sprintf("it is signed by %.80q", c.authority)
		}
		c.problem("", -1, "no authority's key that you gave (%s) signed the station's request: %s", named(keys), by)
	}
}

// named lists the names of keys.
func named(keys []string) string {
	var names []string
	for _, key := range keys {
		name, _, _ := strings.Cut(key, "+")
		names = append(names, fmt.Sprintf("%.80q", name))
	}
	return strings.Join(names, ", ")
}

// witnesses holds checkpoints from elsewhere against the log, and finds whether one of them had every commitment
// before the first run.
func (c *checker) witnesses() {
	heads := make([]record.Head, len(c.options.Checkpoints)) // zero for those that say nothing of this log
	sizes := make([]int64, len(heads))
	for i, text := range c.options.Checkpoints {
		h, err := record.VerifyCheckpoint([]byte(text), c.bundle.Key)
		switch {
		case err != nil:
			c.problem("", -1, "the checkpoint %d that you gave: %v", i+1, err)
		case h.Origin != c.bundle.Log.Origin():
			c.problem("", -1, "the checkpoint %d that you gave is of the log %.200q, not of %q", i+1, h.Origin, c.bundle.Log.Origin())
		default:
			heads[i], sizes[i] = h, h.Size
		}
	}
	roots, _ := c.roots(sizes) // that the gaps fit was checked
	committed, armed := c.commitmentsBefore()
	for i, h := range heads {
		root, held := roots[h.Size]
		switch {
		case h.Origin == "":
		case !held || h.Size <= c.seqs[0]:
			c.problem("", -1, "the checkpoint %d that you gave is of %d records and cannot be held against this bundle, which has the records %d to %d",
				i+1, h.Size, c.seqs[0], c.bundle.To()-1)
		case root != h.Root:
			c.problem("", -1, "the checkpoint %d that you gave, of %d records, has another root than this log: the log was written anew", i+1, h.Size)
		default:
			c.witness, c.witnessed = WitnessPaper, max(c.witnessed, h.Size)
			c.beforeFirstRun = c.beforeFirstRun || (committed > 0 && h.Size >= committed && h.Size <= armed)
		}
	}
}

// commitmentsBefore returns how many records the log had with the last commitment, 0 when there is none, and with
// all before the first armed run.
func (c *checker) commitmentsBefore() (committed, armed int64) {
	armed = c.bundle.To()
	for i := range c.records {
		switch seq := c.seqs[i]; c.records[i].Event.Type {
		case event.RunCommitted:
			committed = seq + 1
		case event.RunArmed:
			armed = min(armed, seq)
		}
	}
	return committed, armed
}
