package virtual

import (
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"scentpost/drivers/bus"
)

// TestTheClockIsNeverBehindWhatItTold: whatever the station says and whenever its messages come, the clock shows no instant
// before one that it showed, nor before one that something was told to have happened at.
func TestTheClockIsNeverBehindWhatItTold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var c timeline
		real, station := time.Unix(0, 0), int64(1000)
		scale := rapid.Float64Range(0.5, 40).Draw(t, "scale")
		c.begin(station, scale, real)
		least := station
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			passed := time.Duration(rapid.Int64Range(0, int64(time.Second)).Draw(t, "passed"))
			real = real.Add(passed)
			station += int64(rapid.Float64Range(0, 1.2).Draw(t, "pace") * float64(passed) * scale) // it may be held up, and catch up
			switch rapid.IntRange(0, 3).Draw(t, "what") {
			case 0:
				c.mark(station, real)
			case 1:
				happened := station - rapid.Int64Range(0, int64(time.Second)).Draw(t, "ago")
				c.saw(happened, real)
				least = max(least, happened)
			case 2:
				c.lose(real)
			}
			now := c.now(real)
			if now < least {
				t.Fatalf("it shows %d, and had shown or told %d", now, least)
			}
			least = now
		}
	})
}

// stamping is a sink that reads the clock with each edge.
type stamping struct {
	log
	c   *Client
	now []int64
}

func (s *stamping) Edge(e bus.Edge) {
	s.now = append(s.now, s.c.time.now(time.Now()))
	s.log.Edge(e)
}

// TestACommandAfterAnEdgeIsNotBeforeIt: the clock has run by itself since the last mark, for no longer than it may, when an edge
// comes from a station that is further on.
func TestACommandAfterAnEdgeIsNotBeforeIt(t *testing.T) {
	connected(t, func(t *testing.T, p *peer, c *Client, _ *log) {
		l := &stamping{c: c}
		if err := c.Watch([]string{"beam-1"}, l); err != nil {
			t.Fatal(err)
		}
		p.say(Message{Kind: Mark, Now: 4000, Mono: 3000, Source: "gpio"})
		time.Sleep(20 * MarkEvery) // held up: no mark came
		ahead := 4000 + int64(100*MarkEvery)
		p.say(Message{Kind: Edge, Line: "beam-1", Level: true, Mono: ahead, Source: "gpio", Seq: 1})
		synctest.Wait()
		if len(l.now) != 1 || l.now[0] < ahead {
			t.Errorf("with an edge at %d the clock shows %d", ahead, l.now)
		}
		time.Sleep(MarkEvery)
		if now := c.time.now(time.Now()); now <= ahead {
			t.Errorf("it stands still at %d", now)
		}
	})
}
