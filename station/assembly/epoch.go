package assembly

import (
	"encoding/hex"
	"fmt"
	"strings"

	"scentpost/station/archive"
	"scentpost/station/event"
	"scentpost/station/health"
	"scentpost/station/journal"
	"scentpost/station/record"
)

// beginEpoch begins a new epoch where the old one may not go on, or where newEpoch says why.
func (s *Station) beginEpoch(newEpoch string) (journal.Beginning, error) {
	store := s.store.Journal
	found := store.Recovery()
	why := found.Why
	if newEpoch == "" && !found.NewEpochNeeded {
		newEpoch = s.changed()
	}
	if newEpoch != "" {
		why = newEpoch
	}
	if !found.NewEpochNeeded && newEpoch == "" {
		return store.Epoch(), nil
	}
	id, err := s.opt.EpochID()
	if err != nil {
		return journal.Beginning{}, err
	}
	if err := store.BeginEpoch(id, why); err != nil {
		return journal.Beginning{}, fmt.Errorf("begin an epoch: %w", err)
	}
	beginning := store.Epoch()
	if why != journal.WhyFirst {
		s.conditions.Raise(health.EpochEnded, "", fmt.Sprintf("%s: epoch %s ended at record %d, epoch %s goes on", why, beginning.Prev, beginning.PrevSize, beginning.ID))
		s.opt.Log.Error("the log goes on in a new epoch; a session of the old one is aborted", "why", why,
			"detail", found.Detail, "old", beginning.Prev, "size", beginning.PrevSize, "new", beginning.ID)
	}
	return beginning, nil
}

// changed says why the log must go on in a new epoch although nothing is lost: the name or the key of the station is not the
// one that the current epoch began with. "" when both are. A first record that cannot be read is for the check to find.
func (s *Station) changed() string {
	store := s.store.Journal
	if store.Size() == 0 {
		return ""
	}
	first, err := archive.Beginning(store)
	if err != nil {
		s.opt.Log.Warn("whether name and key of the station are those of the epoch is not known", "err", err)
		return ""
	}
	var why []string
	if first.Site != s.opt.Config.Site || first.Station != s.opt.Config.Station {
		why = append(why, journal.WhyRenamed)
	}
	if key, err := record.VerifierOf(s.store.Key); err == nil && first.Event.Body.(*event.Epoch).Key != key {
		why = append(why, journal.WhyKeyLost)
	}
	return strings.Join(why, ", ")
}

// firstRecord is the first record of an epoch.
func (s *Station) firstRecord(b journal.Beginning) event.Epoch {
	e := event.Epoch{Site: s.opt.Config.Site, Why: b.Why, Prev: b.Prev, PrevSize: b.PrevSize, PrevDraft: b.PrevDraft,
		Key: s.signer.Verifier(), Simulated: s.opt.Simulated, Proof: s.since.Proof}
	if b.Prev != "" {
		e.PrevRoot = hex.EncodeToString(b.PrevRoot[:])
	}
	var err error
	if e.Aborted, err = archive.CutOff(s.store.Journal, b); err != nil {
		s.opt.Log.Error("which session the ended epoch cut off cannot be read", "epoch", b.Prev, "err", err)
	}
	return e
}

// departing is the journal with one promise more: a checkpoint that will be shown has been noted outside the journal as
// having left the station.
type departing struct{ *Station }

// Commit implements journal.Committer.
func (d departing) Commit(b journal.Batch) error {
	if err := d.store.Journal.Commit(b); err != nil {
		return err
	}
	if len(b.Checkpoints) == 0 {
		return nil
	}
	last := b.Checkpoints[len(b.Checkpoints)-1]
	return d.leave(d.store.Journal.Epoch().ID, last.Size)
}

// leave notes that the first size records of an epoch leave the station.
func (s *Station) leave(epoch string, size int64) error {
	root, err := journal.Root(size, s.store.Journal)
	if err != nil {
		return err
	}
	return s.store.Departed.Store(epoch, size, root)
}

// sign signs the checkpoint of the first size records.
func (s *Station) sign(size int64) (string, error) {
	root, err := journal.Root(size, s.store.Journal)
	if err != nil {
		return "", err
	}
	note, err := s.signer.Checkpoint(size, root)
	return string(note), err
}
