package archive

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"scentpost/station/control"
	"scentpost/station/event"
	"scentpost/station/host"
	"scentpost/station/journal"
	"scentpost/station/record"
)

// Interrupted returns the session that the last of size records belongs to, unless that record closed it.
func Interrupted(store journal.Store, size int64) (host.Interrupted, error) {
	var was host.Interrupted
	session, err := Unfinished(store, size)
	if err != nil || session == "" {
		return was, err
	}
	from, err := store.SessionStart(session)
	if err != nil {
		return was, err
	}
	err = each(store, from, func(l journal.Line) error {
		was.Lines = append(was.Lines, l)
		return nil
	})
	if err != nil {
		return was, err
	}
	was.Vault, err = store.Vault(session)
	return was, err
}

// Sealed tells whether the journal ends within a session that is sealed and not revealed: what its devices do may not
// be shown. It looks at the public lines alone, before anything was checked or brought back.
func Sealed(store journal.Store, size int64) (bool, error) {
	session, err := Unfinished(store, size)
	if err != nil || session == "" {
		return false, err
	}
	from, err := store.SessionStart(session)
	if err != nil {
		return false, err
	}
	var line control.SessionLine
	var utc event.SessionClock
	err = each(store, from, func(l journal.Line) error { return describe(&line, &utc, l.Bytes) })
	return line.Sealed && line.How == "", err
}

// Pace returns how many records the session of the last of size records has and how long it took, 0 when that record
// is of none; of a session over a reboot it does not know how long. It reads two records.
func Pace(store journal.Store, size int64) (records int64, lasted time.Duration, err error) {
	last, err := one(store, size-1)
	if err != nil || last.Event.Session == "" {
		return 0, 0, err
	}
	from, err := store.SessionStart(last.Event.Session)
	if err != nil {
		return 0, 0, err
	}
	first, err := one(store, from)
	if err != nil {
		return 0, 0, err
	}
	if last.Event.At.Boot != first.Event.At.Boot { // how long the machine was off nobody can say
		return size - from, 0, nil
	}
	return size - from, last.Event.At.Sub(first.Event.At), nil
}

// one reads a record; of a log without it, an empty one.
func one(store reader, seq int64) (record.Record, error) {
	if seq < 0 {
		return record.Record{}, nil
	}
	lines, err := store.Lines(seq, 1, pageBytes)
	if err != nil || len(lines) != 1 {
		return record.Record{}, fmt.Errorf("read record %d: %w", seq, err)
	}
	return record.Decode(lines[0].Bytes)
}

// Unfinished returns the session that the last of size records belongs to, "" when that record closed it or belongs to
// none. It reads that one record.
func Unfinished(store reader, size int64) (session string, err error) {
	r, err := one(store, size-1)
	if err != nil {
		return "", fmt.Errorf("the last record: %w", err)
	}
	if r.Event.Type == event.SessionClosed {
		return "", nil
	}
	return r.Event.Session, nil
}

// CutOff returns the sessions that had not ended when the epoch before a new one ended: no epoch goes on with them.
func CutOff(store past, next journal.Beginning) ([]string, error) {
	if next.Prev == "" || next.PrevSize == 0 || !slices.ContainsFunc(store.Epochs(), func(b journal.Beginning) bool { return b.ID == next.Prev }) {
		return nil, nil
	}
	log, err := store.Archive(next.Prev)
	if err != nil {
		return nil, fmt.Errorf("read the ended epoch %s: %w", next.Prev, err)
	}
	session, err := Unfinished(log, log.Size())
	if err != nil || session == "" {
		return nil, err
	}
	from, err := log.SessionStart(session)
	if err != nil {
		return nil, err
	}
	ended := false
	err = each(log, from, func(l journal.Line) error {
		ended = ended || bytes.Contains(l.Bytes, markEnded)
		return nil
	})
	if err != nil || ended {
		return nil, err
	}
	return []string{session}, nil
}
