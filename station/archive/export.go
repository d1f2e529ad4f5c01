package archive

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"golang.org/x/mod/sumdb/tlog"

	"scentpost/station/event"
	"scentpost/station/history"
	"scentpost/station/journal"
	"scentpost/station/record"
)

// Export returns a session ready to be written, the last one when session is empty; with the names behind its references or
// without. A damaged one goes out as far as it goes. The session is read here, and again while it is written.
func (a *Archive) Export(session string, names bool) (history.Export, error) {
	f, err := a.find(session)
	if err != nil {
		return history.Export{}, err
	}
	b, damage, err := a.gather(f, names)
	end := f.From // of the bundle
	var out *record.Outgoing
	if err == nil {
		end = b.Checkpoints[len(b.Checkpoints)-1].Size
		out, err = record.Prepare(b, linesOf(f, end))
	}
	e := history.Export{Damage: damage}
	if err == nil {
		e.Name, e.Bundle = fmt.Sprintf("scentpost-%s-%s.zip", b.Log.Station, f.ID), out.Write
	} else if end = f.From; !damage.Any() {
		return history.Export{}, fmt.Errorf("session %s: %w", f.ID, err)
	}
	e.Rest = func(w io.Writer) error { return rest(f, end, w) }
	return e, nil
}

// Bundle returns the bundle of a session with its file's name, for those who look at it at once. See Export.
func (a *Archive) Bundle(session string, names bool) (name string, bundle []byte, err error) {
	e, err := a.Export(session, names)
	if err == nil && e.Bundle == nil {
		err = fmt.Errorf("session %s: %w: %s cannot be read, and nothing before is signed", e.Session, journal.ErrDamaged, e.Damage.Text())
	}
	if err != nil {
		return "", nil, err
	}
	var out bytes.Buffer
	err = e.Bundle(&out)
	return e.Name, out.Bytes(), err
}

// errEnough ends a reading whose reader wants no more.
var errEnough = errors.New("enough was read")

// linesOf gives the lines of a session before record to, from the journal each time. A record that is not there is an error.
func linesOf(f found, to int64) record.Lines {
	s := f.Session
	s.To = to
	return func(yield func([]byte, error) bool) {
		next := s.From
		err := each(f.log, s, s.From, func(l journal.Line) error {
			if l.Seq != next {
				return fmt.Errorf("%w: record %d of the session is away", journal.ErrDamaged, next)
			}
			next++
			if !yield(l.Bytes, nil) {
				return errEnough
			}
			return nil
		})
		if err == nil && next < to {
			err = fmt.Errorf("%w: record %d of the session is away", journal.ErrDamaged, next)
		}
		if err != nil && !errors.Is(err, errEnough) {
			yield(nil, err)
		}
	}
}

// rest writes the lines of a session from record end on, where its bundle ends, as they are stored.
func rest(f found, end int64, w io.Writer) error {
	out := bufio.NewWriter(w) // it keeps its first error until the end
	_, err := salvage(f.log, f.Session, end, func(l journal.Line) {
		if l.Seq >= end {
			_, _ = out.Write(l.Bytes)
			_ = out.WriteByte('\n')
		}
	})
	return errors.Join(err, out.Flush())
}

// survey is what one reading of a session found.
type survey struct {
	missing []int64         // the records that cannot be read
	end     int64           // the first of them, or the one after the last record
	signed  int             // how many checkpoints cover records before it alone
	tree    record.Tree     // the log at the last of these
	used    map[string]bool // the references in the lines up to there
}

// look reads a session once. The log before it has the edge of tree.
func look(f found, checkpoints []record.Checkpoint, tree record.Tree) (s survey, err error) {
	s.end, s.tree, s.used = f.From, tree, map[string]bool{}
	since := map[string]bool{} // after the last checkpoint
	own := f.From
	if n := len(checkpoints); n > 0 {
		own = checkpoints[n-1].Size
	}
	s.missing, err = salvage(f.log, f.Session, own, func(l journal.Line) {
		if l.Seq != s.end { // a record before it is missing
			return
		}
		s.end++
		tree.Append(l.Bytes)
		record.AddReferences(since, l.Bytes)
		for s.signed < len(checkpoints) && checkpoints[s.signed].Size <= s.end {
			s.signed++
			s.tree = tree
			for ref := range since {
				s.used[ref] = true
			}
			clear(since)
		}
	})
	return s, err
}

// gather makes the bundle of a session but for its lines, up to the first missing record. The damage comes with an error too.
func (a *Archive) gather(f found, names bool) (b record.Bundle, damage history.Damage, err error) {
	damage.Session = f.ID
	b = record.Bundle{Session: f.ID, Gaps: []record.Gap{{To: f.From}}} // its records stand one after the other
	b, nameErr := a.name(b, f, names)
	if b.Checkpoints, damage.Unsigned, err = signed(f, b.Key); err != nil {
		return b, damage, err
	}
	edge, edgeErr := record.RestoreTree(f.From, f.log)
	s, err := look(f, b.Checkpoints, edge)
	if err != nil {
		return b, damage, err
	}
	damage.Missing = s.missing
	if nameErr != nil {
		return b, damage, nameErr
	}
	if len(b.Checkpoints) == 0 {
		return b, damage, errors.New("it has no checkpoint yet: it can be exported once it was loaded")
	}
	if len(s.missing) > 0 {
		b.Checkpoints = b.Checkpoints[:s.signed]
	}
	if err := b.Covers(s.end); err != nil {
		return b, damage, err
	}
	made, err := record.Tie(b, s.used, f.log)
	if err = errors.Join(edgeErr, err); err != nil && !errors.Is(err, journal.ErrDamaged) {
		return b, damage, err
	}
	if err == nil && holds(made, s.tree) {
		return made, damage, nil
	}
	if again, mended := mend(f, b); mended {
		return again, damage, nil
	}
	return made, damage, err
}

// signed returns the checkpoints of a session up to the first one that is damaged, and whether there is such a one. Nothing
// but its signature shows that a stored checkpoint is the one that was made.
func signed(f found, key string) (sound []record.Checkpoint, damaged bool, err error) {
	stored, err := f.log.Checkpoints(f.ID)
	if damaged = errors.Is(err, journal.ErrDamaged); err != nil && !damaged {
		return nil, false, err
	}
	for _, c := range stored {
		head, err := record.VerifyCheckpoint(c.Note, key)
		if err != nil || head.Size != c.Size {
			return sound, true, nil
		}
		sound = append(sound, record.Checkpoint{Size: c.Size, Why: c.Why, Note: string(c.Note)})
	}
	return sound, damaged, nil
}

// name puts into a bundle the log that it is of, its key and the names. The name and the key are those of the epoch: the
// station may have others by now.
func (a *Archive) name(b record.Bundle, f found, names bool) (record.Bundle, error) {
	first, err := Beginning(f.log)
	if err != nil {
		return b, err
	}
	b.Log = record.Log{Site: first.Site, Station: first.Station, Epoch: f.epoch}
	b.Epoch, b.Key = first.Line, first.Event.Body.(*event.Epoch).Key
	if names {
		b.Identities, err = a.logs.Identities()
	}
	return b, err
}

// mend ties a bundle by hashes that are made again from the lines, where a stored hash of the log is damaged, so that the
// checkpoints do not hold.
func mend(f found, b record.Bundle) (made record.Bundle, mended bool) {
	for _, leaf := range []leafOf{storedLeaf, lineLeaf, nextLeaf} {
		hashes := hasher{f.log, leaf}
		edge, err := record.RestoreTree(f.From, hashes)
		if err != nil {
			continue
		}
		s, err := look(f, b.Checkpoints, edge)
		if err != nil {
			continue
		}
		if made, err = record.Tie(b, s.used, hashes); err == nil && holds(made, s.tree) {
			return made, true
		}
	}
	return b, false
}

// holds tells whether the last checkpoint of a bundle is over the log that the bundle shows, which has this edge there.
func holds(b record.Bundle, tree record.Tree) bool {
	head, err := record.VerifyCheckpoint([]byte(b.Checkpoints[len(b.Checkpoints)-1].Note), b.Key)
	if err != nil || head.Size != tree.Size() || head.Root != tree.Root() {
		return false
	}
	return tlog.CheckRecord(b.EpochProof, head.Size, head.Root, 0, record.LeafHash(b.Epoch)) == nil
}
