package journal

import (
	"errors"
	"fmt"
	"strings"
)

const (
	// scrubRows and scrubBytes bound one look. At a look every half a minute a million records take eight hours.
	scrubRows  = 1024
	scrubBytes = 1 << 20
	// scrubNamed bounds how many damaged records are named.
	scrubNamed = 5
)

// Scrubbed is what a slow look through all records found.
type Scrubbed struct {
	Damaged int    // records that are not what was written
	Text    string // names the first of them
}

// scrub is where the look through the records is.
type scrub struct {
	epoch     string // "" for the beginning of a round
	at        int64
	now, last Scrubbed // of this round and of the one before it
}

// note adds a damaged record.
func (s *Scrubbed) note(epoch string, seq int64) {
	if s.Damaged++; s.Damaged <= scrubNamed {
		s.Text = strings.TrimPrefix(fmt.Sprintf("%s, record %d of epoch %s", s.Text, seq, epoch), ", ")
	}
}

// Scrub looks at the next records, of all epochs one after the other, round and round. It returns what is damaged: of this
// round, or of the one before as long as that found more. One goroutine may call it, beside all others. The error
// is a condition.
func (j *Journal) Scrub() (Scrubbed, error) {
	s := &j.scrub
	epochs := j.Epochs()
	for left := scrubRows; left > 0; {
		next := s.follow(epochs)
		if next < 0 { // the round is over
			s.last, s.now, s.epoch, s.at = s.now, Scrubbed{}, "", 0
			break
		}
		if s.epoch != epochs[next].ID {
			s.epoch, s.at = epochs[next].ID, 0
		}
		seen, err := j.scrubSome(left)
		if err != nil {
			return s.now, err
		}
		left -= max(seen, 1)
	}
	if s.now.Damaged >= s.last.Damaged {
		return s.now, nil
	}
	return s.last, nil
}

// follow returns the place of the epoch to look at, below 0 after the last one.
func (s *scrub) follow(epochs []Beginning) int {
	for i, b := range epochs {
		switch {
		case s.epoch == "", b.ID == s.epoch && s.at >= 0:
			return i
		case b.ID == s.epoch && i+1 < len(epochs):
			return i + 1
		}
	}
	return -1
}

// scrubSome looks at records of one epoch, at most so many, and returns how many it saw. At the epoch's end at is below 0.
func (j *Journal) scrubSome(most int) (seen int, err error) {
	s := &j.scrub
	log, err := j.Log(s.epoch)
	if errors.Is(err, ErrDamaged) {
		s.now.note(s.epoch, 0)
		s.at = -1
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	lines, err := log.Lines(s.at, most, scrubBytes)
	seen = len(lines)
	s.at += int64(seen)
	if errors.Is(err, ErrDamaged) {
		s.now.note(s.epoch, s.at)
		s.at++
		return seen + 1, nil
	}
	if err == nil && s.at >= log.Size() {
		s.at = -1
	}
	return seen, err
}
