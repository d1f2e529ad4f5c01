package virtual

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"scentpost/drivers/bus"
)

// ears is a log that hears of commands that come late, in order with the marks.
type ears struct {
	log
	heard []string
}

func (e *ears) Lag(l bus.Lag) { e.heard = append(e.heard, fmt.Sprintf("%s late by %s", l.Line, l.By)) }

func (e *ears) Watermark(m bus.Watermark) {
	e.heard = append(e.heard, fmt.Sprintf("mark %s", time.Duration(m.Mono-1000)))
}

// TestACommandThatComesLate is told of before the mark by which it was late, once for each, and again with its answer. What
// is in time by the station's clock is not, nor is what is only asked.
func TestACommandThatComesLate(t *testing.T) {
	connected(t, func(t *testing.T, p *peer, c *Client, _ *log) {
		e := &ears{}
		if err := c.Watch(nil, e); err != nil {
			t.Fatal(err)
		}
		one, err := c.Output("one", false)
		if err != nil {
			t.Fatal(err)
		}
		two, err := c.Output("two", false)
		if err != nil {
			t.Fatal(err)
		}
		p.set(func() { p.deaf, p.heard = true, nil })
		begin := int64(1000)
		one.Set(true, begin+int64(2*time.Second), time.Minute, nil)
		two.Set(false, 0, 0, nil) // for now: the station's clock shows 1000
		go func() { _, _ = c.Level("one") }()
		synctest.Wait()
		ids := map[string]uint64{}
		for _, m := range p.heard {
			ids[string(m.Kind)+m.Line] = m.ID
		}
		mark := func(at time.Duration) {
			p.say(Message{Kind: Mark, Now: begin + int64(at), Mono: begin + int64(at), Source: "gpio"})
			synctest.Wait()
		}
		done := func(what string, at time.Duration) {
			p.say(Message{Kind: Done, ID: ids[what], Mono: begin + int64(at)})
			synctest.Wait()
		}
		mark(tardy)
		mark(tardy + 1)
		mark(time.Second)
		done("settwo", 1100*time.Millisecond)
		mark(2 * time.Second)
		done("setone", 2*time.Second+tardy)
		done("levelone", time.Minute)
		mark(time.Hour)
		want := []string{"mark 200ms", "two late by 200.000001ms", "mark 200.000001ms", "mark 1s", "two late by 1.1s", "mark 2s", "mark 1h0m0s"}
		if fmt.Sprint(e.heard) != fmt.Sprint(want) {
			t.Errorf("heard\n%q, want\n%q", e.heard, want)
		}
	})
}

// TestASetThatIsReplacedIsNotLate: nothing was done for it.
func TestASetThatIsReplacedIsNotLate(t *testing.T) {
	connected(t, func(t *testing.T, p *peer, c *Client, _ *log) {
		e := &ears{}
		if err := c.Watch(nil, e); err != nil {
			t.Fatal(err)
		}
		o, err := c.Output("one", false)
		if err != nil {
			t.Fatal(err)
		}
		p.set(func() {
			p.reply = func(Message) Message { return Message{Error: ErrorReplaced, Mono: int64(time.Hour)} }
		})
		o.Set(true, 2000, time.Minute, nil)
		synctest.Wait()
		if len(e.heard) != 0 {
			t.Errorf("heard %q", e.heard)
		}
	})
}
