package archive

import (
	"fmt"

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
	err = each(store, from, func(l journal.Line) error { return describe(&line, l.Bytes) })
	return line.Sealed && line.How == "", err
}

// Unfinished returns the session that the last of size records belongs to, "" when that record closed it or belongs to
// none. It reads that one record.
func Unfinished(store journal.Store, size int64) (session string, err error) {
	if size == 0 {
		return "", nil
	}
	last, err := store.Lines(size-1, 1, pageBytes)
	if err != nil || len(last) != 1 {
		return "", fmt.Errorf("read the last record: %w", err)
	}
	r, err := record.Decode(last[0].Bytes)
	if err != nil {
		return "", fmt.Errorf("the last record: %w", err)
	}
	if r.Event.Type == event.SessionClosed {
		return "", nil
	}
	return r.Event.Session, nil
}
