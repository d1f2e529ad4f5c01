// Package wire is what stations and those who read them say to each other over a broker: topics, and messages with
// their bytes.
//
// Every message has one way to be written and one reader, which takes no other. A reader of a station's messages, the
// hub among them, needs this package alone.
package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Schema is the version of topics and messages; Info names it.
const Schema = 1

// MaxMessage bounds a message other than a batch that is read, in bytes: ours stay far below.
const MaxMessage = 1 << 20

// Topics are the names that one station reports under. Make them with NewTopics.
type Topics struct {
	// Status carries Status; retained, and the will of each connection.
	Status string
	// Info carries Info; retained.
	Info string
	// State carries State; retained, and read back at each connect.
	State string
	// Journal carries batches of public lines, exactly as stored: see Batch. The station reads it too: a broker's
	// acknowledgement alone does not show that a batch was delivered.
	Journal string
	// Fence is written and read by the station alone: its return tells that the retained state, had there been one,
	// would have come. A broker's access list must allow the station both.
	Fence string
}

// AnyJournal is the filter for the topic Journal of every station.
const AnyJournal = "scentpost/v1/+/+/journal"

// maxTopicWord bounds a site's or station's name in a topic, in bytes; MQTT itself allows 65,535 for the whole topic.
const maxTopicWord = 128

// NewTopics returns the topics of a station. An empty or overlong name, and one with a character that MQTT gives a
// meaning (/ + # and controls), is refused.
func NewTopics(site, station string) (Topics, error) {
	for _, word := range []struct{ field, value string }{{"site", site}, {"station", station}} {
		if err := checkTopicWord(word.value); err != nil {
			return Topics{}, fmt.Errorf("%s %q cannot stand in an MQTT topic: %w", word.field, word.value, err)
		}
	}
	prefix := fmt.Sprintf("scentpost/v%d/%s/%s/", Schema, site, station)
	return Topics{
		Status: prefix + "status", Info: prefix + "info", State: prefix + "state",
		Journal: prefix + "journal", Fence: prefix + "fence",
	}, nil
}

func checkTopicWord(word string) error {
	switch {
	case word == "":
		return errors.New("it is empty: give it a name")
	case len(word) > maxTopicWord:
		return fmt.Errorf("it has %d bytes, at most %d are allowed", len(word), maxTopicWord)
	case strings.ContainsAny(word, "/+#"):
		return errors.New("leave out / + and #")
	case strings.ContainsFunc(word, func(r rune) bool { return r < 0x20 || r == 0x7f || r == '\uFFFD' }):
		return errors.New("leave out control characters and what is not UTF-8")
	}
	return nil
}

// Info is what a station says that it is.
type Info struct {
	Version   string   `json:"version"` // of the program
	Schema    int      `json:"schema"`  // the constant Schema
	Key       string   `json:"key"`     // the verifier key (note form) that signs the checkpoints of the epoch
	Epoch     string   `json:"epoch"`
	Simulated bool     `json:"simulated,omitempty"`
	Devices   []string `json:"devices"` // their names, in the order of the configuration
}

// Write writes the message.
func (i Info) Write() []byte {
	if i.Devices == nil {
		i.Devices = []string{}
	}
	return write(i)
}

// ParseInfo reads the message. One of another Schema is refused.
func ParseInfo(payload []byte) (i Info, err error) {
	if err := parse(payload, &i, func() []byte { return i.Write() }); err != nil {
		return Info{}, fmt.Errorf("info: %w", err)
	}
	switch {
	case i.Schema != Schema:
		return Info{}, fmt.Errorf("info: it has schema %d, this program reads %d", i.Schema, Schema)
	case i.Key == "" || i.Epoch == "" || i.Devices == nil:
		return Info{}, errors.New("info: it lacks key, epoch or devices")
	}
	return i, nil
}

// Departed is how much of a log may have left the station: the first Size records of Epoch. It is a bound from
// above.
type Departed struct {
	// Epoch is the log's random identity; empty when nothing has left yet.
	Epoch string `json:"epoch"`
	// Size is a number of records.
	Size int64 `json:"size,string"`
	// Checkpoint is the signed checkpoint of exactly these records, a C2SP note. Only with one does it prove anything.
	Checkpoint string `json:"checkpoint,omitempty"`
}

// State is the retained state of a station.
type State struct {
	Departed
	// State is what everybody may see of the station, a JSON value; nil is written as null.
	State json.RawMessage `json:"state"`
}

// Append appends the message to dst. State must be valid JSON.
func (s State) Append(dst []byte) []byte {
	dst = append(dst, `{"epoch":`...)
	dst = append(dst, write(s.Epoch)...)
	dst = append(dst, `,"size":"`...)
	dst = strconv.AppendInt(dst, s.Size, 10)
	dst = append(dst, '"')
	if s.Checkpoint != "" {
		dst = append(append(dst, `,"checkpoint":`...), write(s.Checkpoint)...)
	}
	dst = append(dst, `,"state":`...)
	if len(s.State) == 0 {
		s.State = json.RawMessage("null")
	}
	return append(append(dst, s.State...), '}')
}

// ParseState reads the message. What is none, or of nothing that has left, is refused.
func ParseState(payload []byte) (s State, err error) {
	if err := parse(payload, &s, func() []byte { return s.Append(nil) }); err != nil {
		return State{}, fmt.Errorf("retained state: %w", err)
	}
	if s.Epoch == "" || s.Size < 0 || s.State == nil {
		return State{}, errors.New(`retained state: it is not one of ours: want {"epoch","size","checkpoint","state"}`)
	}
	return s, nil
}

// Status is the birth of a connection (online), or its will.
type Status struct {
	Online bool `json:"online"`
	// Session counts the connections of the station and never goes back. A will can overtake the birth of a newer
	// connection: a reader of both believes the higher one.
	Session int64 `json:"session,string"`
}

// Write writes the message.
func (s Status) Write() []byte { return write(s) }

// ParseStatus reads the message.
func ParseStatus(payload []byte) (s Status, err error) {
	if err := parse(payload, &s, func() []byte { return s.Write() }); err != nil {
		return Status{}, fmt.Errorf("status: %w", err)
	}
	if s.Session < 1 {
		return Status{}, fmt.Errorf("status: it counts %d connections, want at least 1", s.Session)
	}
	return s, nil
}

// Batch writes public lines, each ended by a newline: the payloads of the topic, put together, are the log. A line that
// is empty or holds a newline is refused, with its index.
func Batch(lines [][]byte) ([]byte, error) {
	total := 0
	for i, line := range lines {
		if len(line) == 0 || bytes.IndexByte(line, '\n') >= 0 {
			return nil, fmt.Errorf("line %d of a batch is empty or holds a newline", i)
		}
		total += len(line) + 1
	}
	payload := make([]byte, 0, total)
	for _, line := range lines {
		payload = append(append(payload, line...), '\n')
	}
	return payload, nil
}

// ParseBatch returns the lines of a batch, without their newlines; they are parts of the payload. A batch has one at least.
func ParseBatch(payload []byte) (lines [][]byte, err error) {
	for len(payload) > 0 {
		end := bytes.IndexByte(payload, '\n')
		if end <= 0 {
			return nil, fmt.Errorf("batch: line %d is empty, or not ended by a newline", len(lines))
		}
		lines, payload = append(lines, payload[:end:end]), payload[end+1:]
	}
	if len(lines) == 0 {
		return nil, errors.New("batch: it has no line")
	}
	return lines, nil
}

// write writes a value in one line, without escapes that JSON does not need.
func write(v any) []byte {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err) // cannot happen: texts, numbers and truth values always marshal
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n"))
}

// parse reads one JSON object, which must be as again writes what was read.
func parse(payload []byte, into any, again func() []byte) error {
	if len(payload) > MaxMessage {
		return fmt.Errorf("it has %d bytes, at most %d are read", len(payload), MaxMessage)
	}
	d := json.NewDecoder(bytes.NewReader(payload))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("it is not one of ours: %w", err)
	}
	if !bytes.Equal(again(), payload) {
		return errors.New("it is not one of ours: a station writes it in another way")
	}
	return nil
}
