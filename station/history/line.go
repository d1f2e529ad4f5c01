// Package history tells in short what the records of a session say: one line of it for lists, a summary for reports.
//
// Whoever shows a session without its engine reads it here, so that a list, a report and a verification never tell two
// stories of one session. Records are taken one after the other in their order.
package history

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"scentpost/station/event"
)

// State is how far a session had come with its last record.
type State string

// The states of a session.
const (
	Unfinished State = "unfinished"
	Ended      State = "ended" // and not revealed
	Revealed   State = "revealed"
	Closed     State = "closed"
)

// Line is one session as a list shows it. The zero value has taken no record.
type Line struct {
	ID        string       `json:"id"`
	Opened    string       `json:"opened"` // UTC, RFC 3339, with whole seconds
	Plan      string       `json:"plan"`   // its name
	Mode      event.Mode   `json:"mode"`
	Simulated bool         `json:"simulated,omitempty"`
	Sealed    bool         `json:"sealed"` // its placements were drawn
	Armed     int          `json:"runs"`   // how many runs were armed
	State     State        `json:"state"`
	How       event.Ending `json:"how,omitempty"` // "" before the end
	// AidsOut and AidsBack are the count of the aids, 0 before the session was closed.
	AidsOut  int `json:"aids_out"`
	AidsBack int `json:"aids_back"`
	// Clock is what the UTC of the session is worth.
	Clock event.SessionClock `json:"clock"`
}

// opened is how the instant of an opening is written.
const opened = "2006-01-02T15:04:05Z"

// Take takes the next record's event. Events of other sessions must be left out.
func (l *Line) Take(e *event.Event) {
	if l.ID == "" {
		l.ID, l.State = e.Session, Unfinished
	}
	l.Clock.Take(e)
	switch body := e.Body.(type) {
	case *event.Opening:
		l.Opened = time.Unix(0, e.At.UTC).UTC().Format(opened)
		l.Plan, l.Mode, l.Simulated = body.Name, body.Mode, body.Simulated
	case *event.Seed:
		l.Sealed = true
	case *event.Arming:
		l.Armed++
	case *event.End:
		l.State, l.How = Ended, body.How
	case *event.AidCount:
		l.AidsOut, l.AidsBack = body.Out, body.Back
	}
	switch e.Type {
	case event.SessionRevealed:
		l.State = Revealed
	case event.SessionClosed:
		l.State = Closed
	}
}

// Secret tells whether the placements of the session were drawn and are not revealed.
func (l Line) Secret() bool { return l.Sealed && (l.State == Unfinished || l.State == Ended) }

// Aids returns the count of the aids; counted is false before the session was closed.
func (l Line) Aids() (count event.AidCount, counted bool) {
	return event.AidCount{Out: l.AidsOut, Back: l.AidsBack}, l.State == Closed
}

// Finished tells whether the records go on to the reveal, which the end of a session brings by itself.
func (l Line) Finished() bool { return l.State == Revealed || l.State == Closed }

// noteworthy tells whether a record of kind t changes a line in more than its clock.
func noteworthy(t event.Type) bool {
	switch t {
	case event.SessionOpened, event.SessionSealed, event.RunArmed, event.SessionEnded, event.SessionRevealed, event.SessionClosed:
		return true
	}
	return false
}

// Entry returns what a log's index of sessions shall say from a record of kind t on, which the line took last; nil where
// it need not be brought up to date. last tells that no record is expected after it. ParseLine reads the entry back, and
// the line takes further records then.
func (l Line) Entry(t event.Type) (entry []byte, last bool) {
	if !noteworthy(t) {
		return nil, false
	}
	return l.write(), t == event.SessionClosed
}

func (l Line) write() []byte {
	text, err := json.Marshal(l)
	if err != nil {
		panic(err) // cannot happen: texts, numbers and truth values always marshal
	}
	return text
}

// ParseLine reads an entry.
func ParseLine(entry []byte) (l Line, err error) {
	if err := json.Unmarshal(entry, &l); err != nil {
		return Line{}, fmt.Errorf("an entry of the index of sessions: %w", err)
	}
	if l.ID == "" || l.Armed < 0 {
		return Line{}, fmt.Errorf("an entry of the index of sessions names no session")
	}
	return l, nil
}

// Listed is a session in the list of a journal, which may have several epochs.
type Listed struct {
	Line
	Epoch string `json:"epoch"`
	// EpochEnded is why the epoch ended before the session did, "" when it did not: no other epoch goes on with it.
	EpochEnded string `json:"epoch_ended,omitempty"`
	// Fault is why the session could not be read to its end, or with an empty ID why its whole epoch could not; "" where
	// all was read.
	Fault string `json:"fault,omitempty"`
}

// Aside is a journal that was put aside since it was made under another draft: only that version can read it.
type Aside struct {
	Draft      int    `json:"draft"`
	Epoch      string `json:"epoch"`
	Sessions   int    `json:"sessions"`             // how many it holds, below 0 where this version cannot count them
	Unfinished string `json:"unfinished,omitempty"` // the session that had not ended
	Folder     string `json:"folder"`               // where it lies, on the station's machine
}

// Damage is what cannot be read of a session.
type Damage struct {
	Session  string
	Missing  []int64 // the records, in order
	Unsigned bool    // some of its checkpoints cannot be read either
}

// Any tells whether there is any.
func (d Damage) Any() bool { return len(d.Missing) > 0 || d.Unsigned }

// Export is a session on its way out of a journal, as far as it can be read.
type Export struct {
	Damage        // none where the session is whole
	Name   string // of the bundle's file; "" where there is no bundle, since nothing before the damage is signed
	// Bundle writes the bundle, and Rest the lines after it that can be read, each with a newline. Both
	// read the session as they write, and keep no more of it than some lines. After an error what was written is not whole.
	Bundle, Rest func(w io.Writer) error
}

// Text says what is missing, as "record 7, 9 to 12".
func (d Damage) Text() string {
	var parts []string
	for rest := d.Missing; len(rest) > 0; {
		n := 1
		for n < len(rest) && rest[n] == rest[0]+int64(n) {
			n++
		}
		if n == 1 {
			parts = append(parts, fmt.Sprint(rest[0]))
		} else {
			parts = append(parts, fmt.Sprintf("%d to %d", rest[0], rest[n-1]))
		}
		rest = rest[n:]
	}
	var text string
	if len(parts) > 0 {
		text = "record " + strings.Join(parts, ", ")
	}
	if d.Unsigned && text != "" {
		text += ", and "
	}
	if d.Unsigned {
		text += "checkpoints"
	}
	return text
}
