// Package check holds what must be true of every simulated session: that two secrets look alike until the reveal,
// and that runs, canisters and records end as they must.
//
// It shares no code with what it checks.
package check

import (
	"bytes"
	"fmt"
	"regexp"
)

// Channel is one way in which something can be seen before the reveal.
type Channel string

// The channels.
const (
	Messages Channel = "messages"          // at the Publish seam: time, topic, quality of service, retain, payload
	Outside  Channel = "seen from outside" // lights, movements, noses, buttons
	Views    Channel = "views"             // what each role is shown
	Commands Channel = "answers"           // to commands that are refused
	Metrics  Channel = "metrics"           // what a scrape gets
	Logs     Channel = "logs"
	Files    Channel = "files" // names and sizes
	Records  Channel = "records"
	Backups  Channel = "backups" // what somebody who makes one in the middle can read
)

// Sights is everything that was seen of one station, by channel, in order.
type Sights struct {
	channels map[Channel][]sight
	closed   bool
}

// sight is one thing that was seen, at an instant of virtual time.
type sight struct {
	mono int64
	text []byte
}

// See adds something that was seen. What must be told from nothing else than its length is masked here.
func (s *Sights) See(c Channel, mono int64, text []byte) {
	if s.closed {
		return
	}
	if s.channels == nil {
		s.channels = map[Channel][]sight{}
	}
	s.channels[c] = append(s.channels[c], sight{mono: mono, text: Mask(text)})
}

// Close ends the watch: whatever comes later is after the reveal.
func (s *Sights) Close() { s.closed = true }

// Forget leaves a channel out of the comparison. Who does so says why.
func (s *Sights) Forget(c Channel) { delete(s.channels, c) }

// Count returns how many things were seen in a channel.
func (s *Sights) Count(c Channel) int { return len(s.channels[c]) }

// hidden are the named fields whose values are ciphertexts, commitments, or hashed or signed over them. Of those
// only the length is compared; every other byte must be the same.
var hidden = regexp.MustCompile(`("(?:sealed|prev|commitment|loading_hash|station_hash|request|signature|checkpoint)":")((?:[^"\\]|\\.)*)"`)

// Mask puts an x in the place of each byte of the named fields.
func Mask(text []byte) []byte {
	if !bytes.Contains(text, []byte(`":"`)) {
		return bytes.Clone(text)
	}
	return hidden.ReplaceAllFunc(text, func(field []byte) []byte {
		value := bytes.Index(field, []byte(`":"`)) + len(`":"`)
		masked := bytes.Clone(field)
		for i := value; i < len(masked)-1; i++ {
			masked[i] = 'x'
		}
		return masked
	})
}

// Differ returns the first thing that an observer could tell two stations apart by, nil when there is none.
func Differ(a, b *Sights) error {
	for _, c := range []Channel{Messages, Outside, Views, Commands, Metrics, Logs, Files, Records, Backups} {
		of, other := a.channels[c], b.channels[c]
		for i := range min(len(of), len(other)) {
			if of[i].mono != other[i].mono {
				return fmt.Errorf("%s: number %d comes at %d ns here and at %d ns there:\n%.400s\n%.400s", c, i, of[i].mono, other[i].mono, of[i].text, other[i].text)
			}
			if !bytes.Equal(of[i].text, other[i].text) {
				return fmt.Errorf("%s: number %d at %d ns differs from byte %d on:\n%s\n%s", c, i, of[i].mono,
					parting(of[i].text, other[i].text), around(of[i].text, other[i].text), around(other[i].text, of[i].text))
			}
		}
		if len(of) != len(other) {
			return fmt.Errorf("%s: %d were seen here and %d there", c, len(of), len(other))
		}
	}
	return nil
}

// parting returns where two texts part.
func parting(a, b []byte) int {
	i := 0
	for i < min(len(a), len(b)) && a[i] == b[i] {
		i++
	}
	return i
}

// around returns the part of a text around where it parts from another.
func around(a, b []byte) []byte {
	const context = 120
	i := parting(a, b)
	return a[max(0, i-context):min(len(a), i+context)]
}
