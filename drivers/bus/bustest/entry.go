package bustest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"scentpost/drivers/bus"
)

// Format is the version of a recording. A reader refuses any other.
const Format = 1

// maxLine is the longest line of a recording in bytes: a watch of some hundred lines is a few thousand.
const maxLine = 1 << 16

// Kind says what an Entry is.
type Kind string

// The kinds of entries. Begin comes first and once; Watch, Output, Level, Set and Close are calls to the bus; Edge, Mark
// and Done are what it gave.
const (
	Begin  Kind = "begin"
	Watch  Kind = "watch"
	Output Kind = "output"
	Level  Kind = "level"
	Set    Kind = "set"
	Close  Kind = "close"
	Edge   Kind = "edge"
	Mark   Kind = "mark"
	Done   Kind = "done"
)

// Entry is one line of a recording, as JSON. Only the fields of its kind are there. Instants are the bus's monotonic
// nanoseconds.
type Entry struct {
	Kind    Kind                     `json:"kind"`
	Format  int                      `json:"format,omitempty"`  // begin
	Sources map[string]time.Duration `json:"sources,omitempty"` // begin
	Lines   []string                 `json:"lines,omitempty"`   // watch
	Line    string                   `json:"line,omitempty"`    // output, level, set, edge
	Level   bool                     `json:"level,omitempty"`   // level, set, edge; of output: the safe level
	Source  string                   `json:"source,omitempty"`  // edge, mark
	Mono    int64                    `json:"mono,omitempty"`    // edge, mark, done
	Bound   int64                    `json:"bound,omitempty"`   // edge
	Seq     uint64                   `json:"seq,omitempty"`     // edge
	At      int64                    `json:"at,omitempty"`      // set
	Longest time.Duration            `json:"longest,omitempty"` // set
	Number  int                      `json:"number,omitempty"`  // set, done: from 1, which answer is whose
	Err     string                   `json:"err,omitempty"`     // watch, output, level, close, done
}

// call tells whether the entry is a call to the bus.
func (e Entry) call() bool {
	return e.Kind != Edge && e.Kind != Mark && e.Kind != Done && e.Kind != Begin
}

// String is the entry as it stands in a recording.
func (e Entry) String() string {
	line, err := json.Marshal(e)
	if err != nil { // no field can fail
		return err.Error()
	}
	return string(line)
}

// words are the bus's own errors, by the words that stand for them in a recording.
var words = map[string]error{
	"replaced": bus.ErrReplaced, "unknown line": bus.ErrUnknownLine, "gone": bus.ErrGone, "closed": bus.ErrClosed,
}

// inWords is an error as an entry has it. Of an error that wraps one of the bus's own, that one is kept.
func inWords(err error) string {
	for word, own := range words {
		if errors.Is(err, own) {
			return word
		}
	}
	if err == nil {
		return ""
	}
	return err.Error()
}

// fromWords is the error of an entry.
func fromWords(text string) error {
	if own, ok := words[text]; ok || text == "" {
		return own
	}
	return errors.New(text)
}

// Read reads a recording. It refuses what a Recorder would not have written, with the number of the line.
func Read(from io.Reader) ([]Entry, error) {
	var out []Entry
	open := map[int]bool{} // sets without an answer yet
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, maxLine)
	for n := 1; lines.Scan(); n++ {
		var e Entry
		decoder := json.NewDecoder(bytes.NewReader(lines.Bytes()))
		decoder.DisallowUnknownFields()
		err := decoder.Decode(&e)
		if err == nil && decoder.More() {
			err = errors.New("more than one value in the line")
		}
		if err == nil {
			err = e.check(n == 1, open)
		}
		if err != nil {
			return nil, fmt.Errorf("recording: line %d: %w (record it again, or mend the line)", n, err)
		}
		out = append(out, e)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("recording: after line %d: %w", len(out), err)
	}
	if len(out) == 0 {
		return nil, errors.New("recording: is empty, expected a line of the kind begin")
	}
	return out, nil
}

// check says what is wrong with an entry behind those before it; open are the sets that wait for their answer.
func (e Entry) check(first bool, open map[int]bool) error {
	if first != (e.Kind == Begin) {
		return fmt.Errorf("kind %q, expected begin in the first line and there alone", e.Kind)
	}
	switch e.Kind {
	case Begin:
		if e.Format != Format {
			return fmt.Errorf("format %d, expected %d", e.Format, Format)
		}
	case Set:
		if e.Number < 1 || open[e.Number] {
			return fmt.Errorf("set number %d, expected one that is not in use", e.Number)
		}
		open[e.Number] = true
	case Done:
		if !open[e.Number] {
			return fmt.Errorf("an answer to the set number %d, which is not waiting for one", e.Number)
		}
		delete(open, e.Number)
	case Watch, Close, Mark:
	case Output, Level, Edge:
		if e.Line == "" {
			return fmt.Errorf("kind %q without a line", e.Kind)
		}
	default:
		return fmt.Errorf("kind %q is not known", e.Kind)
	}
	return nil
}
