package archive

import (
	"fmt"
	"slices"
	"time"

	"scentpost/station/event"
	"scentpost/station/history"
	"scentpost/station/journal"
	"scentpost/station/record"
)

// one reads a record; of a log without it, an empty one.
func one(log journal.Log, seq int64) (record.Record, error) {
	if seq < 0 {
		return record.Record{}, nil
	}
	lines, err := log.Lines(seq, 1, pageBytes)
	if err != nil || len(lines) != 1 {
		return record.Record{}, fmt.Errorf("read record %d: %w", seq, err)
	}
	return record.Decode(lines[0].Bytes)
}

// Unfinished returns the session that the last of size records belongs to, "" when that record closed it or belongs to
// none. It reads that one record.
func Unfinished(log journal.Log, size int64) (session string, err error) {
	r, err := one(log, size-1)
	if err != nil {
		return "", fmt.Errorf("the last record: %w", err)
	}
	if r.Event.Type == event.SessionClosed {
		return "", nil
	}
	return r.Event.Session, nil
}

// unfinished finds the Unfinished session in the index; found is false when there is none.
func unfinished(log journal.Log, size int64) (s journal.Session, found bool, err error) {
	session, err := Unfinished(log, size)
	if err != nil || session == "" {
		return s, false, err
	}
	if s, found, err = log.Session(session); err == nil && !found {
		err = fmt.Errorf("session %s is not in the index of its log", session)
	}
	return s, found, err
}

// Interrupted returns the records of the session that the last of size records belongs to, from its opening to the tail of
// the log, with its sealed bodies; none when that record closed it.
func Interrupted(log journal.Log, vault journal.Vault, size int64) (lines []journal.Line, bodies []journal.VaultRow, err error) {
	s, found, err := unfinished(log, size)
	if err != nil || !found {
		return nil, nil, err
	}
	err = each(log, s, s.From, func(l journal.Line) error {
		lines = append(lines, l)
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	bodies, err = vault.Vault(s.ID)
	return lines, bodies, err
}

// Sealed tells whether the log of size records ends within a session that is sealed and not revealed: what its devices do
// may not be shown. It looks at the public lines alone, before anything was checked or brought back.
func Sealed(log journal.Log, size int64) (bool, error) {
	s, found, err := unfinished(log, size)
	if err != nil || !found {
		return false, err
	}
	line, err := lineOf(log, s)
	return line.Secret(), err
}

// Pace returns how many records the session of the last of size records has and how long it took, 0 when that record
// is of none; of a session over a reboot it does not know how long. It reads two records.
func Pace(log journal.Log, size int64) (records int64, lasted time.Duration, err error) {
	last, err := one(log, size-1)
	if err != nil || last.Event.Session == "" {
		return 0, 0, err
	}
	s, found, err := log.Session(last.Event.Session)
	if err != nil || !found {
		return 0, 0, err
	}
	first, err := one(log, s.From)
	if err != nil {
		return 0, 0, err
	}
	if last.Event.At.Boot != first.Event.At.Boot { // how long the machine was off nobody can say
		return size - s.From, 0, nil
	}
	return size - s.From, last.Event.At.Sub(first.Event.At), nil
}

// LastCount returns the count of the aids of the session that was closed last, in any epoch; session is "" when none was.
func LastCount(logs journal.Logs) (session string, count event.AidCount, err error) {
	epochs := logs.Epochs()
	for _, b := range slices.Backward(epochs) {
		log, err := logs.Log(b.ID)
		if err != nil {
			return "", count, err
		}
		all, err := log.Sessions()
		if err != nil {
			return "", count, err
		}
		for _, s := range slices.Backward(all) {
			line, err := lineOf(log, s)
			if err != nil {
				return "", count, err
			}
			if count, counted := line.Aids(); counted {
				return line.ID, count, nil
			}
		}
	}
	return "", count, nil
}

// CutOff returns the sessions that had not ended when the epoch before a new one ended: no epoch goes on with them.
func CutOff(logs journal.Logs, next journal.Beginning) ([]string, error) {
	if next.PrevDraft != 0 {
		return cutOffAside(logs, next)
	}
	if next.PrevSize == 0 || !slices.ContainsFunc(logs.Epochs(), func(b journal.Beginning) bool { return b.ID == next.Prev }) {
		return nil, nil
	}
	log, err := logs.Log(next.Prev)
	if err != nil {
		return nil, fmt.Errorf("read the ended epoch %s: %w", next.Prev, err)
	}
	s, found, err := unfinished(log, log.Size())
	if err != nil || !found {
		return nil, err
	}
	if line, err := lineOf(log, s); err != nil || line.State != history.Unfinished {
		return nil, err
	}
	return []string{s.ID}, nil
}
