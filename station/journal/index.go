package journal

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"slices"
)

// The index of sessions tells where the records of each begin and what a list shows of it. It is derived from the
// records and is no evidence. Where its own sums do not hold it is made again from the records, which are slower to read.

// castagnoli is the polynomial of the index's sums.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// firstSum returns the sum of what the index says of where a session begins.
func firstSum(session string, first int64) int64 {
	sum := crc32.Update(0, castagnoli, []byte(session))
	return int64(crc32.Update(sum, castagnoli, binary.BigEndian.AppendUint64(nil, uint64(first))))
}

// sum returns the sum of an entry.
func (e Entry) sum() int64 {
	last := []byte{0}
	if e.Last {
		last[0] = 1
	}
	sum := crc32.Update(uint32(firstSum(e.Session, e.Known)), castagnoli, last)
	return int64(crc32.Update(sum, castagnoli, e.Text))
}

// take takes an entry into a session of a log of size records, if it is one and not of later records.
func (s *Session) take(e Entry, size int64) {
	s.Known, s.To = s.From, size
	if len(e.Text) == 0 || e.Known <= s.From || e.Known > size {
		return
	}
	s.Entry, s.Known = e.Text, e.Known
	if e.Last {
		s.To = e.Known
	}
}

const indexColumns = "session, first, first_sum, known, last, entry, entry_sum"

// indexed reads one row of the index. Where only the entry is wrong, it is left out.
func indexed(size int64, scan func(...any) error) (s Session, err error) {
	var first, sum int64
	var e Entry
	if err := scan(&s.ID, &s.From, &first, &e.Known, &e.Last, &e.Text, &sum); err != nil {
		return s, scanned(err)
	}
	if first != firstSum(s.ID, s.From) {
		return s, fmt.Errorf("%w: the index of sessions is not what was written", ErrDamaged)
	}
	if e.Session = s.ID; sum != e.sum() {
		e = Entry{}
	}
	s.take(e, size)
	return s, nil
}

// Sessions implements Log.
func (l *ledger) Sessions() ([]Session, error) {
	if l.read == nil {
		return nil, nil
	}
	size := l.end.Load()
	all, err := l.index(size)
	if damaging(err) {
		return l.scanSessions(size), nil
	}
	return all, err
}

// index reads the index.
func (l *ledger) index(size int64) ([]Session, error) {
	rows, err := l.read.Query("SELECT " + indexColumns + " FROM sessions")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []Session
	for rows.Next() {
		s, err := indexed(size, rows.Scan)
		if err != nil {
			return nil, judged(err)
		}
		if s.From < size {
			all = append(all, s)
		}
	}
	slices.SortFunc(all, func(a, b Session) int { return cmp.Compare(a.From, b.From) })
	return all, rows.Err()
}

// Session implements Log. It asks the index for this one alone; only where that does not know it, all are looked at.
func (l *ledger) Session(id string) (s Session, found bool, err error) {
	if l.read == nil {
		return s, false, nil
	}
	size := l.end.Load()
	s, err = indexed(size, l.read.QueryRow("SELECT "+indexColumns+" FROM sessions WHERE session = ?", id).Scan)
	if err == nil && s.ID == id {
		return s, s.From < size, nil
	}
	if err != nil && !damaging(err) {
		return Session{}, false, fmt.Errorf("reading the index of sessions of epoch %s: %w", l.epoch, err)
	}
	all, err := l.Sessions()
	if err != nil {
		return Session{}, false, err
	}
	if at := slices.IndexFunc(all, func(other Session) bool { return other.ID == id }); at >= 0 {
		return all[at], true, nil
	}
	return Session{}, false, nil
}

// scanSessions finds the sessions in the records themselves, in those that can be read.
func (l *ledger) scanSessions(size int64) []Session {
	var all []Session
	at := map[string]int{}
	before := ""
	found := func(seq int64, session string) {
		if before = session; session == "" {
			return
		}
		i, known := at[session]
		if !known {
			i, at[session] = len(all), len(all)
			all = append(all, Session{ID: session, From: seq, Known: seq})
		}
		all[i].To = seq + 1
	}
	for from := int64(0); from < size; from += walkRows {
		to := min(from+walkRows, size)
		for next := l.scanRange(from, to, found); next < to; next = l.scanRange(next+1, to, found) {
			found(next, before) // it cannot be read: as if it were of the session before it, whose reader meets it then
		}
	}
	return all
}

// scanRange tells the session of each record until one cannot be read, and returns its seq.
func (l *ledger) scanRange(from, to int64, found func(seq int64, session string)) int64 {
	rows, err := l.read.QueryContext(context.Background(), "SELECT seq, session FROM records WHERE seq >= ? AND seq < ? ORDER BY seq", from, to)
	if err != nil {
		return from
	}
	defer rows.Close()
	next := from
	for rows.Next() {
		var seq int64
		var session string
		if rows.Scan(&seq, &session) != nil || seq != next {
			return next
		}
		found(seq, session)
		next++
	}
	return next
}
