package assembly

import (
	"errors"
	"fmt"
	"time"

	"scentpost/station/event"
	"scentpost/station/health"
	"scentpost/station/history"
	"scentpost/station/journal"
)

// The pauses between two attempts to open a journal that cannot be opened now.
const (
	firstPause = time.Second
	mostPause  = 30 * time.Second
)

// Pause returns how long to wait before the attempt after so many that failed: a second at first, twice as long each time, half
// a minute at most.
func Pause(tries int) time.Duration {
	if tries < 0 || tries > 5 {
		return mostPause
	}
	return min(firstPause<<tries, mostPause)
}

// Awaits returns how the station starts again over a journal that cannot be opened now; since is why this start was made.
func Awaits(since Again, err error) Again {
	return Again{What: "the journal cannot be opened now: " + err.Error(), NewEpoch: since.NewEpoch, Past: since.Past, Away: err, Tries: since.Tries + 1}
}

// withheld says how the station starts again when the journal does not give something at the start: in a new epoch where it is
// damaged, and later where it cannot be read or written now, or a new epoch did not help. No such start ends the program.
func (s *Station) withheld(what string, err error) error {
	if errors.As(err, new(*event.UnknownLaw)) || errors.As(err, new(Again)) {
		return err
	}
	err = fmt.Errorf("%s: %w", what, err)
	if errors.Is(err, journal.ErrDamaged) && s.since.NewEpoch == "" {
		s.opt.Log.Error("the journal is damaged: an interrupted session is aborted, and the log goes on in a new epoch", "err", err)
		return Again{What: err.Error(), NewEpoch: journal.WhyTailLost}
	}
	return Awaits(s.since, err)
}

// Unread says for people why the journal cannot be opened now and what to do, "" when it can.
func Unread(err error) string {
	if err == nil {
		return ""
	}
	if advice := journal.Advice(err); advice != "" {
		return fmt.Sprintf("%v: %s", err, advice)
	}
	return err.Error()
}

// tellDamage raises what a start found to be damaged. Each part was kept, and what could be read of it was taken.
func (s *Station) tellDamage(r journal.Recovery) {
	if r.Quarantined > 0 {
		s.conditions.Raise(health.JournalQuarantine, "records", fmt.Sprintf("%d records are not what was written: %s", r.Quarantined, r.Detail))
	}
	if r.Mended != "" {
		s.conditions.Raise(health.JournalQuarantine, "epochs", r.Mended)
	}
	if r.Names != "" {
		code := health.JournalQuarantine
		if r.NamesLost {
			code = health.NamesLost
		}
		s.conditions.Raise(code, "names", r.Names)
	}
}

// unread answers for an archive that cannot be opened now. It implements control.Archive.
type unread struct{ why error }

func (u unread) err() error { return fmt.Errorf("the journal cannot be opened now: %s", Unread(u.why)) }

// Export returns why there is none now.
func (u unread) Export(string, bool) (history.Export, error) { return history.Export{}, u.err() }

// Sessions returns why there are none now.
func (u unread) Sessions() ([]history.Listed, error) { return nil, u.err() }

// PutAside returns none: the error of Sessions says why.
func (u unread) PutAside() ([]history.Aside, error) { return nil, nil }
