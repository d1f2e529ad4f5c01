package event

import (
	"fmt"
	"strings"
	"time"
)

// Offset is the map from monotonic time to UTC that a stamp goes by: what was added to Mono to have UTC. Between two
// clock.fixed of a session it stays the same.
func (s Stamp) Offset() int64 { return s.UTC - s.Mono }

// SameMap tells whether two stamps go by the same map: the same boot, offset and quality.
func (s Stamp) SameMap(t Stamp) bool {
	return s.Boot == t.Boot && s.Offset() == t.Offset() && s.Quality == t.Quality
}

// saidForms are how a person may say what the time is. A time of day needs its zone: whoever says it looks at a watch
// that the station does not know.
var saidForms = [...]string{"2006-01-02", "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05Z07:00"}

// Time reads what was said. It fails where that is no date, or a time of day without its zone.
func (s TimeSaid) Time() (time.Time, error) {
	for _, form := range saidForms {
		if t, err := time.Parse(form, s.Said); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no date: write 2027-03-04, or 2027-03-04T14:05+01:00 with the zone of your watch", s.Said)
}

// SessionClock is what the UTC of a session is worth, gathered from its events.
type SessionClock struct {
	Quality   Quality `json:"quality"`           // the worst in the session
	Last      Quality `json:"last"`              // at its last event
	BoundNS   int64   `json:"bound_ns,string"`   // the largest bound of a clock that was set
	Steps     int     `json:"steps"`             // how often UTC stepped
	LargestNS int64   `json:"largest_ns,string"` // the largest of them, forwards or backwards
	// SaidBy is who confirmed the date of a clock that nobody had set, and Said what they said; of several the last.
	SaidBy string `json:"said_by,omitempty"`
	Said   string `json:"said,omitempty"`
}

// grades are the qualities from worst to best.
var grades = map[Quality]int{Unset: 1, Holdover: 2, Synced: 3, Simulated: 4}

// Take takes the next event of the session.
func (c *SessionClock) Take(e *Event) {
	if c.Last = e.At.Quality; c.Quality == "" || grades[c.Last] < grades[c.Quality] {
		c.Quality = c.Last
	}
	if c.Last != Unset {
		c.BoundNS = max(c.BoundNS, e.At.UTCBound)
	}
	switch body := e.Body.(type) {
	case *ClockFix:
		if body.StepNS != 0 {
			c.Steps++
		}
		if magnitude(body.StepNS) > magnitude(c.LargestNS) {
			c.LargestNS = body.StepNS
		}
		if body.NewBoot && body.Quality == Unset { // what was said of the boot before says nothing of this one
			c.SaidBy, c.Said = "", ""
		}
	case *TimeSaid:
		c.SaidBy, c.Said = e.By, body.Said
	}
}

func magnitude(n int64) uint64 {
	if n < 0 {
		return -uint64(n)
	}
	return uint64(n)
}

// Text says in words what the UTC is worth; name turns a reference into the name behind it.
func (c SessionClock) Text(name func(ref string) string) string {
	var parts []string
	within := ", within " + time.Duration(c.BoundNS).Round(time.Millisecond).String()
	said := c.Said != ""
	switch c.Quality {
	case Unset:
		if said {
			parts = append(parts, fmt.Sprintf("as said by %s: %s", name(c.SaidBy), c.Said))
		} else {
			parts = append(parts, "never set")
		}
		if c.Last != Unset {
			parts = append(parts, fmt.Sprintf("the clock was set in mid-session (%s%s)", c.Last.words(), within))
		}
	case Holdover, Synced:
		parts = append(parts, c.Quality.words()+within)
		if said {
			parts = append(parts, fmt.Sprintf("%s said %s", name(c.SaidBy), c.Said))
		}
	default:
		parts = append(parts, c.Quality.words())
	}
	if c.Steps > 0 {
		parts = append(parts, c.StepText())
	}
	return strings.Join(parts, "; ")
}

// StepText says in words how often UTC stepped.
func (c SessionClock) StepText() string {
	return fmt.Sprintf("UTC stepped %s, at most by %s", times(c.Steps), signed(c.LargestNS))
}

func (q Quality) words() string {
	switch q {
	case Holdover:
		return "held over since the clock was last synchronised"
	case Synced:
		return "synchronised"
	}
	return string(q)
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

func signed(ns int64) string {
	d := time.Duration(ns).Round(time.Millisecond)
	if d >= 0 {
		return "+" + d.String()
	}
	return d.String()
}
