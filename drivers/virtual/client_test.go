package virtual

import (
	"errors"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"scentpost/drivers/bus"
)

// peer is a station as a test writes it: what it answers to each message, and what it says by itself.
type peer struct {
	t     *testing.T
	hello Message
	// reply returns the answer to a request; nil answers it with an empty done.
	reply func(Message) Message

	mu    sync.Mutex
	conn  net.Conn
	heard []Message
	deaf  bool
	away  bool
	dials int
}

func newPeer(t *testing.T) *peer {
	return &peer{t: t, hello: Message{Kind: Hello, Version: Version, Station: "virtual-1", Scale: 10, Boot: "b-1",
		Mono: 1000, UTC: 5000, Sources: map[string]time.Duration{"gpio": time.Second}}}
}

// dial is the client's way to the peer.
func (p *peer) dial() (net.Conn, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dials++
	if p.away {
		return nil, errors.New("connection refused")
	}
	here, there := net.Pipe()
	p.conn = here
	hello := p.hello
	go func() {
		p.write(here, hello)
		in := NewReader(here)
		for {
			m, err := in.Next()
			if err != nil {
				return
			}
			p.mu.Lock()
			p.heard = append(p.heard, m)
			deaf, reply := p.deaf, p.reply
			p.mu.Unlock()
			if m.Kind == Beat || deaf {
				continue
			}
			answer := Message{}
			if reply != nil {
				answer = reply(m)
			}
			answer.Kind, answer.ID = Done, m.ID
			p.write(here, answer)
		}
	}()
	return there, nil
}

func (p *peer) write(conn net.Conn, m Message) {
	text, err := Append(nil, m)
	if err != nil {
		p.t.Error(err)
	}
	_, _ = conn.Write(text) // the client may have hung up: then it hears nothing
}

// say sends a message of the station's own accord.
func (p *peer) say(m Message) {
	p.mu.Lock()
	conn := p.conn
	p.mu.Unlock()
	p.write(conn, m)
}

func (p *peer) hangUp() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conn.Close()
}

func (p *peer) set(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
}

// kinds returns the kinds and lines of what was heard since the last call, heartbeats left out.
func (p *peer) kinds() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []string
	for _, m := range p.heard {
		if m.Kind != Beat {
			out = append(out, strings.TrimSpace(string(m.Kind)+" "+m.Line))
		}
	}
	p.heard = nil
	return out
}

// log is a sink and a watcher of states that notes what it gets.
type log struct {
	mu    sync.Mutex
	edges []bus.Edge
	marks []bus.Watermark
	state []State
}

func (l *log) Edge(e bus.Edge)           { l.mu.Lock(); l.edges = append(l.edges, e); l.mu.Unlock() }
func (l *log) Watermark(m bus.Watermark) { l.mu.Lock(); l.marks = append(l.marks, m); l.mu.Unlock() }
func (l *log) note(s State)              { l.mu.Lock(); l.state = append(l.state, s); l.mu.Unlock() }

func (l *log) last() State {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.state) == 0 {
		return State{Up: true}
	}
	return l.state[len(l.state)-1]
}

// connected runs f with a client of a peer, in a bubble of virtual time.
func connected(t *testing.T, f func(t *testing.T, p *peer, c *Client, l *log)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p, l := newPeer(t), &log{}
		c, err := Dial(Options{Socket: "s", OnState: l.note, Dial: p.dial})
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		}()
		f(t, p, c, l)
	})
}

func TestEdgesAndMarksComeThrough(t *testing.T) {
	connected(t, func(t *testing.T, p *peer, c *Client, l *log) {
		if err := c.Watch([]string{"beam-1"}, l); err != nil {
			t.Fatal(err)
		}
		p.say(Message{Kind: Edge, Line: "beam-1", Level: true, Mono: 2000, Bound: 3, Source: "gpio", Seq: 1})
		p.say(Message{Kind: Mark, Now: 4000, Mono: 3000, Source: "gpio"})
		synctest.Wait()
		if want := []bus.Edge{{Line: "beam-1", Level: true, Mono: 2000, Bound: 3, Source: "gpio", Seq: 1}}; !slices.Equal(l.edges, want) {
			t.Errorf("edges %v, want %v", l.edges, want)
		}
		if want := []bus.Watermark{{Source: "gpio", Mono: 3000}}; !slices.Equal(l.marks, want) {
			t.Errorf("marks %v, want %v", l.marks, want)
		}
		if err := c.Watch(nil, l); err == nil {
			t.Error("watched twice")
		}
	})
}

func TestAnswers(t *testing.T) {
	connected(t, func(t *testing.T, p *peer, c *Client, l *log) {
		p.set(func() {
			p.reply = func(m Message) Message {
				switch {
				case m.Line == "nowhere":
					return Message{Error: ErrorUnknownLine}
				case m.Kind == Set && m.At == 1:
					return Message{Error: ErrorReplaced}
				case m.Kind == Set && m.At == 2:
					return Message{Error: ErrorRefused, Why: "no drive"}
				}
				return Message{Mono: 77, Level: m.Line == "high"}
			}
		})
		if level, err := c.Level("high"); !level || err != nil {
			t.Errorf("level of high: %v, %v", level, err)
		}
		if _, err := c.Level("nowhere"); !errors.Is(err, bus.ErrUnknownLine) {
			t.Errorf("level of an unknown line: %v", err)
		}
		if _, err := c.Output("nowhere", false); !errors.Is(err, bus.ErrUnknownLine) {
			t.Errorf("output of an unknown line: %v", err)
		}
		o, err := c.Output("canister", false)
		if err != nil {
			t.Fatal(err)
		}
		for at, want := range []string{"", bus.ErrReplaced.Error(), "no drive"} {
			var got []string
			o.Set(true, int64(at), time.Second, func(mono int64, err error) {
				if err == nil && mono == 77 {
					got = append(got, "")
				} else if err != nil {
					got = append(got, err.Error())
				}
			})
			synctest.Wait()
			if len(got) != 1 || !strings.Contains(got[0], want) {
				t.Errorf("set at %d: done %q, want once with %q", at, got, want)
			}
		}
		o.Set(false, 0, 0, nil)
		synctest.Wait()
		if m := p.heard[len(p.heard)-1]; m.Kind != Set || m.Level {
			t.Errorf("a set that nobody waits for was heard as %+v", m)
		}
	})
}

func TestALostStationIsAskedAnew(t *testing.T) {
	connected(t, func(t *testing.T, p *peer, c *Client, l *log) {
		o, err := c.Output("canister", true)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Watch([]string{"beam-1"}, l); err != nil {
			t.Fatal(err)
		}
		p.set(func() { p.deaf = true })
		var pending error
		o.Set(true, 1<<40, time.Second, func(_ int64, err error) { pending = err })
		synctest.Wait()
		p.kinds()
		p.set(func() { p.away = true })
		p.hangUp()
		synctest.Wait()
		if !errors.Is(pending, bus.ErrGone) {
			t.Errorf("the pending set ended with %v, want ErrGone", pending)
		}
		if s := l.last(); s.Up || s.Final || !errors.Is(s.Err, bus.ErrGone) {
			t.Errorf("state %+v, want away", s)
		}
		var now error
		o.Set(true, 0, time.Second, func(_ int64, err error) { now = err })
		if _, err := c.Level("beam-1"); !errors.Is(now, bus.ErrGone) || !errors.Is(err, bus.ErrGone) {
			t.Errorf("while it is away: set %v, level %v; want ErrGone", now, err)
		}
		time.Sleep(time.Minute)
		if p.set(func() {}); p.dials > 80 {
			t.Errorf("dialled %d times in a minute", p.dials)
		}
		p.set(func() { p.away, p.deaf = false, false })
		time.Sleep(2 * retryMost)
		synctest.Wait()
		if got, want := p.kinds(), []string{"output canister", "watch"}; !slices.Equal(got, want) {
			t.Errorf("after the reconnect it asked for %q, want %q", got, want)
		}
		if !l.last().Up {
			t.Errorf("state %+v, want up", l.last())
		}
	})
}

func TestASilentStationIsDead(t *testing.T) {
	connected(t, func(t *testing.T, p *peer, c *Client, l *log) {
		p.set(func() { p.away = true })
		time.Sleep(Silence + Silence/8)
		synctest.Wait()
		if s := l.last(); s.Up {
			t.Error("a station that says nothing is still up")
		}
	})
}

func TestHeartbeats(t *testing.T) {
	connected(t, func(t *testing.T, p *peer, c *Client, l *log) {
		time.Sleep(Silence / 2)
		synctest.Wait()
		p.mu.Lock()
		defer p.mu.Unlock()
		if want := int(Silence/2/Heartbeat) - 1; len(p.heard) < want {
			t.Errorf("%d heartbeats in %s, want at least %d", len(p.heard), Silence/2, want)
		}
	})
}

func TestAnotherBootIsRefused(t *testing.T) {
	connected(t, func(t *testing.T, p *peer, c *Client, l *log) {
		p.set(func() { p.hello.Boot = "b-2" })
		p.hangUp()
		time.Sleep(2 * retryMost)
		synctest.Wait()
		if s := l.last(); !s.Final || !errors.Is(s.Err, ErrAnotherBoot) {
			t.Errorf("state %+v, want final for another boot", s)
		}
	})
}

func TestGarbageEndsTheConnection(t *testing.T) {
	connected(t, func(t *testing.T, p *peer, c *Client, l *log) {
		p.say(Message{Kind: Watch, ID: 1})
		synctest.Wait()
		if s := l.last(); s.Up || !errors.Is(s.Err, ErrMessage) {
			t.Errorf("state %+v, want away for what a station does not say", s)
		}
	})
}

func TestTheClockFollowsTheStation(t *testing.T) {
	connected(t, func(t *testing.T, p *peer, c *Client, l *log) {
		const scale = 10
		expect := func(when string, want int64) {
			t.Helper()
			if got := c.Mono(); got != want {
				t.Errorf("%s: %d, want %d", when, got, want)
			}
		}
		expect("at the hello", 1000)
		time.Sleep(MarkEvery)
		expect("between marks", 1000+scale*int64(MarkEvery))
		time.Sleep(time.Second)
		expect("held up, as the station is", 1000+scale*int64(maxAhead))
		p.say(Message{Kind: Mark, Now: 1e9, Mono: 1e9, Source: "gpio"})
		synctest.Wait()
		expect("after a mark", 1e9)
		time.Sleep(maxAhead)
		ahead := int64(1e9) + scale*int64(maxAhead)
		expect("ahead of the next mark", ahead)
		p.say(Message{Kind: Mark, Now: 1e9 + 1, Mono: 0, Source: "gpio"})
		synctest.Wait()
		expect("never backwards", ahead)
		time.Sleep(maxAhead)
		expect("until the station caught up", ahead+1)
		p.set(func() { p.away = true })
		p.hangUp()
		time.Sleep(time.Minute)
		expect("by itself while the station is away", ahead+1+scale*int64(time.Minute))
		if got, want := c.UTC(2000), int64(6000); got != want {
			t.Errorf("UTC %d, want %d", got, want)
		}
	})
}

func TestDialSaysWhatToDo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		p.away = true
		_, err := Dial(Options{Socket: "/run/station.sock", Dial: p.dial})
		if err == nil || !strings.Contains(err.Error(), "/run/station.sock") || !strings.Contains(err.Error(), "scentsim station") {
			t.Errorf("error %v, want the socket and what to start", err)
		}
		newer := func() (net.Conn, error) {
			here, there := net.Pipe()
			go here.Write([]byte("{\"kind\":\"hello\",\"version\":1}\n"))
			return there, nil
		}
		begin := time.Now()
		if _, err := Dial(Options{Dial: newer}); !errors.Is(err, ErrMessage) || !strings.Contains(err.Error(), "same release") {
			t.Errorf("a station of another version: %v", err)
		}
		if time.Since(begin) > 0 {
			t.Error("another version was tried again, as if it could change")
		}
	})
}

func TestClosedClientRefuses(t *testing.T) {
	connected(t, func(t *testing.T, p *peer, c *Client, l *log) {
		o, err := c.Output("canister", false)
		if err != nil {
			t.Fatal(err)
		}
		c.Close()
		var failed error
		o.Set(true, 0, time.Second, func(_ int64, err error) { failed = err })
		if _, err := c.Level("x"); !errors.Is(failed, bus.ErrClosed) || !errors.Is(err, bus.ErrClosed) {
			t.Errorf("after Close: set %v, level %v; want ErrClosed", failed, err)
		}
		if len(l.state) != 0 {
			t.Errorf("Close told of states %+v", l.state)
		}
	})
}

// A station that takes nothing any more is given up, and nobody who asked it is left without an answer.
func TestAStationThatTakesNothing(t *testing.T) {
	connected(t, func(t *testing.T, p *peer, c *Client, l *log) {
		stuck := make(chan struct{})
		p.set(func() { p.reply = func(Message) Message { <-stuck; return Message{} } })
		release := sync.OnceFunc(func() { close(stuck) })
		defer release()
		answered := make(chan error, 2*outgoing)
		o := &output{client: c, line: "canister"}
		for range 2 * outgoing {
			o.Set(false, 0, 0, func(_ int64, err error) { answered <- err })
		}
		p.set(func() { p.away = true })
		release()
		time.Sleep(2 * Silence)
		synctest.Wait()
		if len(answered) != 2*outgoing {
			t.Errorf("%d of %d sets were answered", len(answered), 2*outgoing)
		}
		if l.last().Up {
			t.Error("still up")
		}
	})
}
