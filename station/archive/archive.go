// Package archive reads sessions back from the journal: the list of them, the one that was interrupted, and their
// bundles.
package archive

import (
	"bytes"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"scentpost/station/control"
	"scentpost/station/event"
	"scentpost/station/journal"
	"scentpost/station/record"
)

const (
	// pageLines and pageBytes bound what is read at once.
	pageLines = 4096
	pageBytes = 4 << 20
)

// Archive reads the sessions of all epochs. It implements control.Archive.
type Archive struct {
	store journal.Epochs
	log   record.Log // without the epoch
}

// New returns the archive of a station's journal.
func New(store journal.Epochs, log record.Log) *Archive { return &Archive{store: store, log: log} }

// reader is what one epoch's log can be read with, whether it is the current one or has ended.
type reader interface {
	Lines(from int64, max, maxBytes int) ([]journal.Line, error)
	Checkpoints(session string) ([]journal.Checkpoint, error)
	tlog.HashReader
}

// past is a journal that keeps ended epochs.
type past interface {
	Epochs() []journal.Beginning
	Archive(epoch string) (*journal.Archive, error)
}

// epoch is one epoch's log.
type epoch struct {
	id    string
	log   reader
	ended string // why the next one began, "" for the current one
}

// epochs returns the logs of the journal, oldest first.
func (a *Archive) epochs() ([]epoch, error) {
	var all []epoch
	current := a.store.Epoch().ID
	if p, ok := a.store.(past); ok {
		epochs := p.Epochs()
		for i, b := range epochs {
			if b.ID == current {
				continue
			}
			log, err := p.Archive(b.ID)
			if err != nil {
				return nil, fmt.Errorf("read the ended epoch %s: %w", b.ID, err)
			}
			all = append(all, epoch{id: b.ID, log: log, ended: epochs[i+1].Why})
		}
	}
	return append(all, epoch{id: current, log: a.store}), nil
}

// each calls f for every line from record from on, until it returns an error.
func each(log reader, from int64, f func(journal.Line) error) error {
	for {
		lines, err := log.Lines(from, pageLines, pageBytes)
		if err != nil {
			return fmt.Errorf("read the journal from record %d: %w", from, err)
		}
		if len(lines) == 0 {
			return nil
		}
		for _, l := range lines {
			if err := f(l); err != nil {
				return err
			}
		}
		from = lines[len(lines)-1].Seq + 1
	}
}

// span is where the records of one session lie.
type span struct {
	in       epoch
	id       string
	from, to int64 // to is one past the last
}

// spans finds the sessions by their records, oldest first.
func (a *Archive) spans() ([]span, error) {
	epochs, err := a.epochs()
	if err != nil {
		return nil, err
	}
	var all []span
	for _, in := range epochs {
		err := each(in.log, 0, func(l journal.Line) error {
			switch n := len(all); {
			case l.Session == "":
			case n > 0 && all[n-1].id == l.Session && all[n-1].in.id == in.id:
				all[n-1].to = l.Seq + 1
			default:
				all = append(all, span{in: in, id: l.Session, from: l.Seq, to: l.Seq + 1})
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// Sessions lists the sessions of all epochs, oldest first. One whose epoch ended before it did is aborted.
func (a *Archive) Sessions() ([]control.SessionLine, error) {
	spans, err := a.spans()
	if err != nil {
		return nil, err
	}
	list := []control.SessionLine{}
	for _, s := range spans {
		line := control.SessionLine{ID: s.id, Epoch: s.in.id, How: "in progress"}
		var utc event.SessionClock
		if s.in.ended != "" {
			line.How = "aborted: its epoch ended (" + s.in.ended + ")"
		}
		err := each(s.in.log, s.from, func(l journal.Line) error {
			if l.Seq >= s.to {
				return errEnough
			}
			return describe(&line, &utc, l.Bytes)
		})
		if err != nil && err != errEnough {
			return nil, err
		}
		line.UTC = utc.Text(func(string) string { return "a named person" })
		list = append(list, line)
	}
	return list, nil
}

// errEnough ends a walk over the lines.
var errEnough = fmt.Errorf("enough")

var markEnded = []byte(`"type":"scentpost.` + string(event.SessionEnded) + `"`)

// marks are how the lines look that describe a session; only those are decoded.
var marks = [][]byte{
	[]byte(`"type":"scentpost.` + string(event.SessionOpened) + `"`),
	[]byte(`"type":"scentpost.` + string(event.SessionSealed) + `"`),
	markEnded,
	[]byte(`"type":"scentpost.` + string(event.RunArmed) + `"`),
	[]byte(`"type":"scentpost.` + string(event.ClockFixed) + `"`),
	[]byte(`"type":"scentpost.` + string(event.ClockSaid) + `"`),
}

func describe(line *control.SessionLine, utc *event.SessionClock, text []byte) error {
	wanted := false
	for _, m := range marks {
		wanted = wanted || bytes.Contains(text, m)
	}
	if !wanted {
		return nil
	}
	r, err := record.Decode(text)
	if err != nil {
		return fmt.Errorf("record %d: %w", r.Seq, err)
	}
	utc.Take(&r.Event)
	switch body := r.Event.Body.(type) {
	case *event.Opening:
		line.Opened = r.Event.At.Time().Format("2006-01-02T15:04:05Z")
		line.Plan, line.Mode = body.Name, body.Mode
	case *event.Seed:
		line.Sealed = true
	case *event.End:
		line.How = body.How
	case *event.Arming:
		line.Runs++
	}
	return nil
}

// Export returns the bundle of a session as far as it is signed, the last session's when session is empty; with the
// names behind the references or without.
func (a *Archive) Export(session string, names bool) (name string, bundle []byte, err error) {
	spans, err := a.spans()
	if err != nil {
		return "", nil, err
	}
	if len(spans) == 0 {
		return "", nil, fmt.Errorf("the journal holds no session")
	}
	s := spans[len(spans)-1]
	if session != "" {
		found := false
		for _, other := range spans {
			if other.id == session {
				s, found = other, true
			}
		}
		if !found {
			return "", nil, fmt.Errorf("the journal holds no session %q: scentpost session list shows those it holds", session)
		}
	}
	parts, err := a.parts(s)
	if err != nil {
		return "", nil, err
	}
	if !names {
		parts.Identities = nil
	}
	var zip bytes.Buffer
	if err := record.Write(&zip, parts); err != nil {
		return "", nil, fmt.Errorf("write the bundle of session %s: %w", s.id, err)
	}
	return fmt.Sprintf("scentpost-%s-%s.zip", a.log.Station, s.id), zip.Bytes(), nil
}

// parts gathers what the bundle of a session is made of.
func (a *Archive) parts(s span) (record.Bundle, error) {
	log := a.log
	log.Epoch = s.in.id
	b := record.Bundle{Log: log, Session: s.id, From: s.from}
	checkpoints, err := s.in.log.Checkpoints(s.id)
	if err != nil {
		return b, err
	}
	if len(checkpoints) == 0 {
		return b, fmt.Errorf("session %s has no checkpoint yet: it can be exported once it was loaded", s.id)
	}
	for _, c := range checkpoints {
		b.Checkpoints = append(b.Checkpoints, record.Checkpoint{Size: c.Size, Why: c.Why, Note: string(c.Note)})
	}
	err = each(s.in.log, s.from, func(l journal.Line) error {
		if l.Seq >= s.to {
			return errEnough
		}
		b.Lines = append(b.Lines, l.Bytes)
		return nil
	})
	if err != nil && err != errEnough {
		return b, err
	}
	if err := a.first(&b, s.in.log); err != nil {
		return b, err
	}
	return record.Assemble(b, s.in.log)
}

// first adds the epoch's first record with the key that it names, and the names behind the references.
func (a *Archive) first(b *record.Bundle, log reader) error {
	lines, err := log.Lines(0, 1, pageBytes)
	if err != nil || len(lines) == 0 {
		return fmt.Errorf("read the epoch's first record: %w", err)
	}
	b.Epoch = lines[0].Bytes
	r, err := record.Decode(b.Epoch)
	if err != nil {
		return fmt.Errorf("the epoch's first record: %w", err)
	}
	epoch, ok := r.Event.Body.(*event.Epoch)
	if !ok {
		return fmt.Errorf("the log begins with %s, not with its epoch", r.Event.Type)
	}
	b.Key = epoch.Key
	identities, err := a.store.Identities()
	if err != nil {
		return err
	}
	for _, id := range identities {
		if mentioned(b.Lines, id.Ref) {
			b.Identities = append(b.Identities, id)
		}
	}
	return nil
}

func mentioned(lines [][]byte, ref string) bool {
	quoted := []byte(`"` + ref + `"`)
	for _, l := range lines {
		if bytes.Contains(l, quoted) {
			return true
		}
	}
	return false
}
