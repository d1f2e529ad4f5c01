// Package backup copies a station's journal into one file that holds no secret of a session, and makes a journal of
// such a file again.
//
// A Decoder accepts exactly what an Encoder writes. FORMAT.md says what that is.
package backup

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"scentpost/station/event"
	"scentpost/station/journal"
	"scentpost/station/record"
)

// Format is the format that this package reads and writes.
const Format = "scentpost/backup/v1"

// maxLine is the longest line in bytes, without the newline: no other line is as long as a record's can be.
const maxLine = record.MaxLine

// Header is the first line.
type Header struct {
	Format string `json:"format"`
	Draft  int    `json:"draft"` // event.Draft of the program that made it; stands here in every draft
	// Made is when the backup was made, UTC in RFC 3339 with seconds, by the clock of the machine.
	Made    string `json:"made"`
	Program string `json:"program"` // the version of the program that made it
	Site    string `json:"site"`
	Station string `json:"station"`
	// Connections is how often the station had connected to its broker.
	Connections int64 `json:"connections,string"`
}

// Epoch begins an epoch's part: where it came from. Its first record says the same.
type Epoch struct {
	ID       string `json:"epoch"`
	Why      string `json:"why"`
	Prev     string `json:"prev"`
	PrevSize int64  `json:"prev_size,string"`
	PrevRoot string `json:"prev_root"` // hex
	// PrevDraft is the draft of the epoch before, whose log was put aside; 0 for the backup's own.
	PrevDraft int `json:"prev_draft"`
}

// Line is one public line of the log, with what it says.
type Line struct {
	Bytes  []byte
	Record record.Record
	// Entry is what the index of sessions says from this record on, nil where it says the same as before, and Last that no
	// record of the session is expected after it. They are made of the records, and stand in no backup.
	Entry []byte
	Last  bool
}

// Checkpoint is a signed tree head of the epoch; it stands behind the last record that it covers.
type Checkpoint struct {
	Size    int64  `json:"checkpoint,string"`
	Why     string `json:"why"`
	Session string `json:"session"`
	Note    string `json:"note"`
}

// Lost stands in the place of a record whose line was damaged: its hash is known, so that the log holds without it.
type Lost struct {
	Seq  int64  `json:"lost,string"`
	Leaf string `json:"leaf"` // hex
}

// End ends an epoch's part.
type End struct {
	ID   string `json:"end"`
	Size int64  `json:"records,string"`
	Root string `json:"root"` // hex
	// Of is how many records the epoch had: more than Size where the log is damaged there and could not be read on.
	Of int64 `json:"of,string"`
}

// Name is the name behind a reference.
type Name struct {
	Ref  string `json:"name"`
	Salt string `json:"salt"`
	Is   string `json:"is"`
}

// Key is the station's private key. It prints as sealed.
type Key struct {
	Private string `json:"private_key"`
}

// Format writes "sealed" for every verb.
func (Key) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, event.Hidden) }

// LogValue returns "sealed".
func (Key) LogValue() slog.Value { return slog.StringValue(event.Hidden) }

// seal is the last line: the hash of all lines before it.
type seal struct {
	SHA256 string `json:"sha256"`
}

// The first bytes of each kind of line.
const (
	headHeader     = `{"format":`
	headEpoch      = `{"epoch":`
	headLine       = `{"specversion":`
	headCheckpoint = `{"checkpoint":`
	headLost       = `{"lost":`
	headEnd        = `{"end":`
	headName       = `{"name":`
	headKey        = `{"private_key":`
	headSeal       = `{"sha256":`
)

// beginning returns an epoch as the journal keeps it.
func (e Epoch) beginning() (journal.Beginning, error) {
	b := journal.Beginning{ID: e.ID, Why: e.Why, Prev: e.Prev, PrevSize: e.PrevSize, PrevDraft: e.PrevDraft}
	root, err := parseHash(e.PrevRoot)
	if err != nil {
		return b, fmt.Errorf("prev_root: %w", err)
	}
	b.PrevRoot = root
	return b, nil
}

func epochOf(b journal.Beginning) Epoch {
	return Epoch{ID: b.ID, Why: b.Why, Prev: b.Prev, PrevSize: b.PrevSize, PrevRoot: hex.EncodeToString(b.PrevRoot[:]), PrevDraft: b.PrevDraft}
}

// parseHash reads 64 hexadecimal digits.
func parseHash(text string) (h [32]byte, err error) {
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != len(h) || hex.EncodeToString(raw) != text {
		return h, errors.New("want 64 hexadecimal digits in lower case")
	}
	return [32]byte(raw), nil
}

// encode writes one line's object in the one way in which it is written.
func encode(v any) ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}

// decode reads one line's object, and refuses what encode would write otherwise.
func decode(line []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	again, err := encode(into)
	if err != nil {
		return err
	}
	if !bytes.Equal(again, line) {
		return errors.New("not as a backup is written: a key twice, out of its place, or another way to write a text")
	}
	return nil
}
