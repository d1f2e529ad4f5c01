// Package archive reads sessions back from the logs of a journal: the list of them, the one that was interrupted, and
// their bundles.
//
// It goes by session, through the index of each log, so that no answer waits for the records of other sessions and none
// is lost with them.
package archive

import (
	"errors"
	"fmt"
	"sync"

	"scentpost/station/event"
	"scentpost/station/history"
	"scentpost/station/journal"
	"scentpost/station/record"
)

const (
	// pageLines and pageBytes bound the lines that are read at once.
	pageLines = 4096
	pageBytes = 4 << 20
	// linesKept is how many lines of closed sessions are kept, of about 500 bytes each: a list spends most of its time on making
	// lines of entries.
	linesKept = 4096
)

// Archive reads the sessions of all epochs. It implements control.Archive.
type Archive struct {
	logs journal.Logs

	mu     sync.Mutex // guards closed
	closed map[string]history.Line
}

// New returns the archive of a station's logs.
func New(logs journal.Logs) *Archive {
	return &Archive{logs: logs, closed: map[string]history.Line{}}
}

// each calls f for every line of a session from record from on, until it returns an error.
func each(log journal.Log, s journal.Session, from int64, f func(journal.Line) error) error {
	for from < s.To {
		lines, err := log.LinesOf(s, from, pageLines, pageBytes)
		for _, l := range lines { // on an error those before it
			if err := f(l); err != nil {
				return err
			}
			from = l.Seq + 1
		}
		if err != nil {
			return fmt.Errorf("read session %s from record %d: %w", s.ID, from, err)
		}
		if len(lines) == 0 {
			return nil
		}
	}
	return nil
}

// lineOf tells a session in short: what the index says, and what the records behind that say. On an error it is as far as
// the records could be read.
func lineOf(log journal.Log, s journal.Session) (history.Line, error) {
	line, err := history.ParseLine(s.Entry)
	from := s.Known
	if err != nil || line.ID != s.ID {
		line, from = history.Line{ID: s.ID, State: history.Unfinished}, s.From
	}
	err = each(log, s, from, func(l journal.Line) error {
		r, err := record.Decode(l.Bytes)
		if err != nil {
			return fmt.Errorf("record %d: %w", l.Seq, err)
		}
		line.Take(&r.Event)
		return nil
	})
	return line, err
}

// line is lineOf, and keeps the lines of closed sessions by the text of their entries, which alone they are made of.
func (a *Archive) line(log journal.Log, s journal.Session) (history.Line, error) {
	if s.Known < s.To {
		return lineOf(log, s)
	}
	a.mu.Lock()
	line, kept := a.closed[string(s.Entry)]
	a.mu.Unlock()
	if kept && line.ID == s.ID {
		return line, nil
	}
	line, err := lineOf(log, s)
	if err == nil && line.State == history.Closed {
		a.mu.Lock()
		defer a.mu.Unlock()
		if len(a.closed) < linesKept {
			a.closed[string(s.Entry)] = line
		}
	}
	return line, err
}

// Sessions lists the sessions of all epochs, oldest first. What could not be read of one of them is said there, and hides no
// other.
func (a *Archive) Sessions() ([]history.Listed, error) {
	list := []history.Listed{}
	epochs := a.logs.Epochs()
	for i, b := range epochs {
		ended := ""
		if i+1 < len(epochs) {
			ended = epochs[i+1].Why
		}
		log, err := a.logs.Log(b.ID)
		var sessions []journal.Session
		if err == nil {
			sessions, err = log.Sessions()
		}
		if err != nil {
			list = append(list, history.Listed{Epoch: b.ID, EpochEnded: ended, Fault: err.Error()})
			continue
		}
		for _, s := range sessions {
			line, err := a.line(log, s)
			listed := history.Listed{Line: line, Epoch: b.ID}
			if err != nil {
				listed.Fault = err.Error()
			}
			if line.State == history.Unfinished {
				listed.EpochEnded = ended
			}
			list = append(list, listed)
		}
	}
	return list, nil
}

// found is where a session lies.
type found struct {
	journal.Session
	log   journal.Log
	epoch string
}

// find looks for a session in all epochs, the newest first; "" is the last one.
func (a *Archive) find(session string) (f found, err error) {
	epochs := a.logs.Epochs()
	var unread []error
	for i := len(epochs) - 1; i >= 0; i-- {
		f.epoch = epochs[i].ID
		if f.log, err = a.logs.Log(f.epoch); err != nil {
			unread = append(unread, err)
			continue
		}
		is := false
		if session != "" {
			f.Session, is, err = f.log.Session(session)
		} else {
			var all []journal.Session
			if all, err = f.log.Sessions(); len(all) > 0 {
				f.Session, is = all[len(all)-1], true
			}
		}
		if is {
			return f, nil
		}
		unread = append(unread, err)
	}
	if err := errors.Join(unread...); err != nil {
		return f, fmt.Errorf("look for session %q: %w", session, err)
	}
	if session == "" {
		return f, errors.New("the journal holds no session")
	}
	return f, fmt.Errorf("the journal holds no session %q: scentpost session list shows those it holds", session)
}

// First is the first record of an epoch, whose body is an *event.Epoch, with its line.
type First struct {
	record.Record
	Line []byte
}

// Beginning returns the first record of an epoch.
func Beginning(log journal.Log) (first First, err error) {
	// As one that is of no session: an epoch that ended at no record still has it.
	lines, err := log.LinesOf(journal.Session{To: 1}, 0, 1, pageBytes)
	if err != nil {
		return first, fmt.Errorf("read the epoch's first record: %w", err)
	}
	if len(lines) != 1 {
		return first, fmt.Errorf("%w: the epoch has no first record", journal.ErrDamaged)
	}
	if first.Record, err = record.Decode(lines[0].Bytes); err != nil {
		return first, fmt.Errorf("the epoch's first record: %w", err)
	}
	if _, ok := first.Event.Body.(*event.Epoch); !ok {
		return first, fmt.Errorf("the log begins with %s, not with its epoch", first.Event.Type)
	}
	first.Line = lines[0].Bytes
	return first, nil
}
