package journal

import (
	"fmt"
	"slices"

	"golang.org/x/mod/sumdb/tlog"

	"scentpost/station/event"
)

// found is what lies in the journal's folder, as far as a few reads can tell.
type found struct {
	epochs   []string // their ids in order, the current one last
	before   string   // the one before them all, of a journal that was put aside or lost; "" for none
	restored *Restored
	aside    *Aside // put aside, and no epoch has begun since
	broken   error  // the current one's database cannot be read at all
	state    ledgerState
	size     int64
	rootAt   func(size int64) (tlog.Hash, error)
}

// decide says whether the current epoch may be continued, from what the folder holds and what is known outside it
// to have left the station (nil: no such file; leftErr: it cannot be read).
// The error is a condition: the journal cannot be read now, and nothing is decided.
func decide(f found, left *Left, leftErr error) (Recovery, error) {
	r := Recovery{PrevRoot: emptyRoot()}
	if len(f.epochs) == 0 && f.aside != nil {
		r.PrevEpoch, r.PrevSize, r.PrevRoot, r.PrevDraft = f.aside.Epoch, f.aside.Size, f.aside.Root, f.aside.Draft
		return r.need(WhyDraft, "the journal before was made under draft %d, this program writes draft %d: it was put aside", f.aside.Draft, event.Draft), nil
	}
	if len(f.epochs) == 0 {
		return decideEmpty(r, left, leftErr), nil
	}
	r.PrevEpoch = f.epochs[len(f.epochs)-1]
	if f.broken != nil {
		return r.need(WhyTailLost, "the database of epoch %s cannot be read: %v", r.PrevEpoch, f.broken), nil
	}
	r.Unclean = !f.state.clean
	root, err := f.rootAt(f.size)
	if err != nil && !damaging(err) {
		return r, err
	}
	if err != nil {
		r.Unclean = true // how much of it is good only the check can say
		return r.need(WhyTailLost, "the log of epoch %s cannot be read to its end: %v", r.PrevEpoch, err), nil
	}
	r.PrevSize, r.PrevRoot = f.size, root
	if f.state.clean && (f.state.size != f.size || f.state.root != root) {
		return r.need(WhyTailLost, "epoch %s was stopped at %d records and has %d, or others", r.PrevEpoch, f.state.size, f.size), nil
	}
	if f.restored != nil {
		return r.need(WhyRestored, "it was restored from a backup of %s, which ends at record %d of epoch %s%s",
			f.restored.Made, f.size, r.PrevEpoch, lacking(f, r.PrevEpoch, left)), nil
	}
	if leftErr != nil {
		return r.need(WhyRestored, "how much had left the station cannot be read: %v", leftErr), nil
	}
	if left == nil {
		if f.size == 0 {
			return r, nil // a crash between the making of an epoch and this file
		}
		return r.need(WhyRestored, "the journal has records, and the file of what had left the station is gone"), nil
	}
	return decideLeft(r, f, *left)
}

func decideEmpty(r Recovery, left *Left, leftErr error) Recovery {
	switch {
	case leftErr != nil:
		return r.need(WhyTailLost, "the journal is empty, and how much had left the station cannot be read: %v", leftErr)
	case left != nil:
		r.PrevEpoch = left.Epoch
		if left.Draft != event.Draft {
			r.PrevDraft = max(left.Draft, event.FirstDraft)
		}
		return r.need(WhyTailLost, "the journal is empty, but %d records of epoch %s had left the station", left.Size, left.Epoch)
	}
	return Recovery{}.need(WhyFirst, "")
}

// decideLeft compares a readable journal with what had left.
func decideLeft(r Recovery, f found, left Left) (Recovery, error) {
	if left.Epoch != f.before && !slices.Contains(f.epochs, left.Epoch) {
		return r.need(WhyRestored, "records of epoch %s had left the station, which this journal does not know", left.Epoch), nil
	}
	if left.Epoch == r.PrevEpoch && left.Size <= f.size {
		root, err := f.rootAt(left.Size)
		if err != nil && !damaging(err) {
			return r, err
		}
		if err != nil {
			r.Unclean = true
			return r.need(WhyTailLost, "the log of epoch %s cannot be read at %d: %v", left.Epoch, left.Size, err), nil
		}
		if root != left.Root {
			// Where the two histories part cannot be told from two roots: nothing is known to be good.
			r.PrevSize, r.PrevRoot = 0, emptyRoot()
			return r.need(WhyRestored, "the first %d records of epoch %s are not those that had left the station", left.Size, left.Epoch), nil
		}
	}
	if left.Starts > f.state.starts {
		return r.need(WhyRestored, "the journal was opened %d times and this copy of it %d times", left.Starts, f.state.starts), nil
	}
	if left.Epoch == r.PrevEpoch && left.Size > f.size {
		return r.need(WhyTailLost, "%d records of epoch %s had left the station, and %d are left", left.Size, left.Epoch, f.size), nil
	}
	return r, nil
}

// lacking says what of the records that had left this station a restored journal does not hold, "" when it holds them
// all or nobody here knows.
func lacking(f found, current string, left *Left) string {
	switch {
	case left == nil:
		return ""
	case !slices.Contains(f.epochs, left.Epoch):
		return fmt.Sprintf("; it knows nothing of epoch %s, of which %d records had left this station", left.Epoch, left.Size)
	case left.Epoch == current && left.Size > f.size:
		return fmt.Sprintf("; %d records of that epoch had left this station", left.Size)
	}
	return ""
}

// need says that a new epoch is needed, and why.
func (r Recovery) need(why, detail string, args ...any) Recovery {
	r.NewEpochNeeded, r.Why, r.Detail = true, why, fmt.Sprintf(detail, args...)
	return r
}
