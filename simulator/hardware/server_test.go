package hardware

import (
	"context"
	"encoding/json"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"scentpost/drivers/virtual"
	"scentpost/simulator/world"
)

// pipes is a listener within the process, so that synctest's clock can run.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	if c, open := <-p; open {
		return c, nil
	}
	return nil, net.ErrClosed
}
func (p pipes) Close() error   { close(p); return nil }
func (p pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipes", Net: "unix"} }

func (p pipes) dial() net.Conn {
	here, there := net.Pipe()
	p <- there
	return here
}

// rig is a server in a bubble of synctest.
type rig struct {
	*testing.T
	station *Station
	lines   pipes
	probe   pipes
	goes    int
	stop    func()
}

// serve runs a test against a server; prepare plans what is to happen before the server takes the world.
func serve(t *testing.T, scale float64, test func(*rig), prepare ...func(*Station)) {
	synctest.Test(t, func(t *testing.T) {
		st, err := New(world.New(1), LineUp(2, 4, DefaultLoading))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range prepare {
			f(st)
		}
		r := &rig{T: t, station: st, lines: make(pipes), probe: make(pipes)}
		server, err := NewServer(st, "virtual-two", scale, func() { r.goes++ })
		if err != nil {
			t.Fatal(err)
		}
		server.Finds([]string{"tnt"})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- server.Serve(ctx, r.lines, r.probe) }()
		stopped := false
		r.stop = func() {
			if !stopped {
				stopped = true
				cancel()
				if err := <-ended; err != nil {
					t.Errorf("Serve: %v", err)
				}
			}
		}
		test(r)
		r.stop()
	})
}

// peer is a raw client on the wire that beats its heart, and keeps all that it was sent.
type peer struct {
	*testing.T
	conn  net.Conn
	in    chan virtual.Message // closed when the connection ends
	hello virtual.Message
	edges []virtual.Message
	quiet chan struct{}
}

func (r *rig) dial() *peer { return newPeer(r.T, r.lines.dial()) }

func newPeer(t *testing.T, conn net.Conn) *peer {
	p := &peer{T: t, conn: conn, in: make(chan virtual.Message, 10*backlog), quiet: make(chan struct{})}
	go func() {
		defer close(p.in)
		for read := virtual.NewReader(conn); ; {
			m, err := read.Next()
			if err != nil {
				return
			}
			p.in <- m
		}
	}()
	go func() {
		for beat := time.NewTicker(virtual.Heartbeat); ; {
			select {
			case <-p.quiet:
				beat.Stop()
				return
			case <-beat.C:
				if _, err := conn.Write([]byte(`{"kind":"heartbeat"}` + "\n")); err != nil {
					return
				}
			}
		}
	}()
	p.hello = p.next(virtual.Hello)
	return p
}

// next returns the next message of a kind; edges on the way are kept.
func (p *peer) next(kind virtual.Kind) virtual.Message {
	p.Helper()
	for m := range p.in {
		if m.Kind == virtual.Edge {
			p.edges = append(p.edges, m)
		}
		if m.Kind == kind {
			return m
		}
	}
	p.Fatalf("the connection ended before a %s", kind)
	return virtual.Message{}
}

// ask sends a request and returns its answer.
func (p *peer) ask(m virtual.Message) virtual.Message {
	p.Helper()
	p.send(m)
	for {
		if d := p.next(virtual.Done); d.ID == m.ID {
			return d
		}
	}
}

func (p *peer) send(m virtual.Message) {
	p.Helper()
	text, err := virtual.Append(nil, m)
	if err == nil {
		_, err = p.conn.Write(text)
	}
	if err != nil {
		p.Fatal(err)
	}
}

// over tells whether the connection ends.
func (p *peer) over() bool {
	for range p.in {
	}
	return true
}

// leave ends the connection as a killed client would: without a word.
func (p *peer) leave() {
	close(p.quiet)
	_ = p.conn.Close()
	synctest.Wait()
}

func TestServerDoesWhatIsAskedAtItsInstant(t *testing.T) {
	serve(t, 10, func(r *rig) {
		p := r.dial()
		h := p.hello
		if h.Station != "virtual-two" || h.Scale != 10 || h.Boot != world.DefaultBoot || len(h.Lines) != 2*4*3+2+4+2 ||
			h.Sources[SourceFront] != 20*time.Second || h.UTC-h.Mono != r.station.world.Now().UTC-r.station.world.Mono() {
			t.Errorf("hello %+v", h)
		}
		if len(h.Loaded) != 8 || h.Loaded[5] != (virtual.Loaded{Position: 2, Canister: "2B", Odour: "smokeless-powder"}) || !slices.Equal(h.Finds, []string{"tnt"}) {
			t.Errorf("hello says loaded %+v, finds %q", h.Loaded, h.Finds)
		}
		if d := p.ask(virtual.Message{Kind: virtual.Watch, ID: 1, Lines: []string{"c1a.opened", "c1a.closed", "beam1"}}); d.Error != "" {
			t.Errorf("watch: %+v", d)
		}
		if d := p.ask(virtual.Message{Kind: virtual.Output, ID: 2, Line: "c1a.drive"}); d.Error != "" {
			t.Errorf("output: %+v", d)
		}
		began := time.Now()
		at := h.Mono + int64(20*time.Second)
		d := p.ask(virtual.Message{Kind: virtual.Set, ID: 3, Line: "c1a.drive", Level: true, At: at, Longest: 10 * time.Second})
		if d.Error != "" || d.Mono != at {
			t.Errorf("set: %+v, want it done at %d", d, at)
		}
		if real := time.Since(began); real < 1900*time.Millisecond || real > 2100*time.Millisecond {
			t.Errorf("20 s at scale 10 took %s", real)
		}
		for len(p.edges) < 4 { // opened, and by itself closed again
			p.next(virtual.Edge)
		}
		last := p.edges[3]
		if last.Line != "c1a.closed" || !last.Level || last.Source != SourceLimits || last.Seq != 4 ||
			last.Mono < at+int64(10*time.Second) || last.Mono > at+int64(11*time.Second) {
			t.Errorf("the last edge is %+v", last)
		}
		if d := p.ask(virtual.Message{Kind: virtual.Level, ID: 4, Line: "c1a.closed"}); !d.Level {
			t.Errorf("level: %+v", d)
		}
		p.leave()
	})
}

func TestServerRefuses(t *testing.T) {
	serve(t, 1, func(r *rig) {
		p := r.dial()
		for i, c := range []struct {
			m    virtual.Message
			code virtual.ErrorCode
			why  string
		}{
			{virtual.Message{Kind: virtual.Watch, Lines: []string{"x"}}, virtual.ErrorUnknownLine, `"x"`},
			{virtual.Message{Kind: virtual.Output, Line: "x"}, virtual.ErrorUnknownLine, `"x"`},
			{virtual.Message{Kind: virtual.Level, Line: "x"}, virtual.ErrorUnknownLine, `"x"`},
			{virtual.Message{Kind: virtual.Set, Line: "x"}, virtual.ErrorUnknownLine, `"x"`},
			{virtual.Message{Kind: virtual.Set, Line: "c1a.drive"}, virtual.ErrorRefused, "not asked for"},
			{virtual.Message{Kind: virtual.Output, Line: "beam1"}, virtual.ErrorRefused, "is an input"},
			{virtual.Message{Kind: virtual.Watch, Lines: []string{"c1a.drive"}}, virtual.ErrorRefused, "is an output"},
		} {
			c.m.ID = uint64(i + 1)
			if d := p.ask(c.m); d.Error != c.code || !strings.Contains(d.Why, c.why) {
				t.Errorf("%+v: %+v, want %s and %q", c.m, d, c.code, c.why)
			}
		}
		p.ask(virtual.Message{Kind: virtual.Output, ID: 50, Line: "c1a.drive"})
		p.send(virtual.Message{Kind: virtual.Set, ID: 51, Line: "c1a.drive", Level: true, At: 1 << 60})
		p.send(virtual.Message{Kind: virtual.Set, ID: 52, Line: "c1a.drive"})
		if d := p.next(virtual.Done); d.ID != 51 || d.Error != virtual.ErrorReplaced {
			t.Errorf("the replaced set: %+v", d)
		}
		p.send(virtual.Message{Kind: virtual.Mark, Source: "a client"})
		if !p.over() {
			t.Error("a client that says what only a station says was kept")
		}
		p.leave()
	})
}

func TestMarksComeInTimeAndKeepTheirPromise(t *testing.T) {
	serve(t, 50, func(r *rig) {
		p := r.dial()
		p.ask(virtual.Message{Kind: virtual.Watch, ID: 1, Lines: []string{"beam1", "beam2"}})
		promise, came := map[string]int64{}, map[string]time.Time{}
		for began := time.Now(); time.Since(began) < 5*time.Second; {
			m := <-p.in
			switch m.Kind {
			case virtual.Mark:
				if last, ok := came[m.Source]; ok && time.Since(last) > virtual.MarkEvery {
					t.Fatalf("%s without a mark of %s", time.Since(last), m.Source)
				}
				promise[m.Source], came[m.Source] = m.Mono, time.Now()
			case virtual.Edge:
				if m.Mono < promise[m.Source] {
					t.Fatalf("an edge at %d after the promise of %d", m.Mono, promise[m.Source])
				}
				p.edges = append(p.edges, m)
			}
		}
		if len(came) != 2 || len(p.edges) < 1000 {
			t.Errorf("marks of %v, %d edges", came, len(p.edges))
		}
		p.leave()
	}, func(st *Station) {
		in := false
		var dab func() // a nose in and out at odd instants
		dab = func() {
			in = !in
			st.Beam(1, in)
			st.world.After(137*time.Millisecond, dab)
		}
		dab()
	})
}

func TestALostClientClosesEverything(t *testing.T) {
	for name, lose := range map[string]func(*peer){
		"killed": func(p *peer) { p.leave() },
		"silent": func(p *peer) { close(p.quiet); time.Sleep(virtual.Silence + 100*time.Millisecond); synctest.Wait() },
		"babble": func(p *peer) { close(p.quiet); _, _ = p.conn.Write([]byte("x\n")); synctest.Wait() },
	} {
		t.Run(name, func(t *testing.T) {
			serve(t, 1, func(r *rig) {
				p := r.dial()
				p.ask(virtual.Message{Kind: virtual.Output, ID: 1, Line: "c2c.drive"})
				p.ask(virtual.Message{Kind: virtual.Set, ID: 2, Line: "c2c.drive", Level: true})
				time.Sleep(time.Second)
				if got := answer(t, r.probe, Question{Probe: true}); !got.Client || got.Canisters[6].State != "open" {
					t.Fatalf("before: %+v", got)
				}
				lose(p)
				got := answer(t, r.probe, Question{Probe: true})
				if got.Client || got.Canisters[6].Driven {
					t.Errorf("at once: %+v", got.Canisters[6])
				}
				time.Sleep(time.Second)
				if got := answer(t, r.probe, Question{Probe: true}); got.Canisters[6].State != "closed" {
					t.Errorf("after its travel: %+v", got.Canisters[6])
				}
				again := r.dial() // the station takes the next client, whose outputs start safe
				if d := again.ask(virtual.Message{Kind: virtual.Set, ID: 1, Line: "c2c.drive", Level: true}); d.Error != virtual.ErrorRefused {
					t.Errorf("an output of an earlier connection: %+v", d)
				}
				again.leave()
				_ = p.conn.Close()
			})
		})
	}
}

func TestASecondClientIsTurnedAway(t *testing.T) {
	serve(t, 1, func(r *rig) {
		p := r.dial()
		began := time.Now()
		second, third := r.lines.dial(), r.lines.dial()
		if m, err := virtual.NewReader(third).Next(); err != nil || m.Error != virtual.ErrorRefused || time.Since(began) > 0 {
			t.Errorf("the third client got %+v, %v after %s", m, err, time.Since(began))
		}
		m, err := virtual.NewReader(second).Next()
		if err != nil || m.Error != virtual.ErrorRefused || !strings.Contains(m.Why, "in use") {
			t.Errorf("the second client got %+v, %v", m, err)
		}
		if d := p.ask(virtual.Message{Kind: virtual.Level, ID: 1, Line: "beam1"}); d.Error != "" {
			t.Errorf("the first one is disturbed: %+v", d)
		}
		p.leave()
	})
}

// TestTheNextDaemonMayComeBeforeTheEndOfTheLast: the end of a killed client and the beginning of its successor
// reach the station in any order.
func TestTheNextDaemonMayComeBeforeTheEndOfTheLast(t *testing.T) {
	serve(t, 1, func(r *rig) {
		p := r.dial()
		conn := r.lines.dial()
		time.Sleep(secondWaits / 2)
		p.leave()
		next := newPeer(t, conn)
		if d := next.ask(virtual.Message{Kind: virtual.Output, ID: 1, Line: "c1a.drive"}); d.Error != "" {
			t.Errorf("the successor is refused: %+v", d)
		}
		next.leave()
		waits := r.lines.dial() // waits when the server ends
		again := r.lines.dial()
		synctest.Wait()
		r.stop()
		_, _ = waits.Close(), again.Close()
	})
}

func TestAClientThatDoesNotListenIsGivenUp(t *testing.T) {
	serve(t, 1, func(r *rig) {
		conn := r.lines.dial()
		for range 60 * 5 { // a minute of heartbeats, nothing read
			if _, err := conn.Write([]byte(`{"kind":"heartbeat"}` + "\n")); err != nil {
				break
			}
			time.Sleep(virtual.Heartbeat)
		}
		synctest.Wait()
		if got := answer(t, r.probe, Question{Probe: true}); got.Client {
			t.Error("it is kept")
		}
	})
}

func TestTheEndOfTheServerEndsItsConnections(t *testing.T) {
	serve(t, 1, func(r *rig) {
		p := r.dial()
		idle := r.probe.dial()
		synctest.Wait()
		r.stop()
		if !p.over() {
			t.Error("the client is still connected")
		}
		if _, err := idle.Read(make([]byte, 1)); err == nil {
			t.Error("the probe is still connected")
		}
		p.leave()
	})
}

func TestServersThatAreNone(t *testing.T) {
	st, _ := New(world.New(1), LineUp(1, 1, nil))
	for _, scale := range []float64{0, -1, virtual.MaxScale + 1} {
		if _, err := NewServer(st, "x", scale, nil); err == nil || !strings.Contains(err.Error(), "scale") {
			t.Errorf("scale %v: %v", scale, err)
		}
	}
	if _, err := NewServer(st, "", 1, nil); err == nil {
		t.Error("a station without a name")
	}
	server, err := NewServer(st, "x", 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	dead, _ := net.Listen("tcp", "127.0.0.1:0")
	_ = dead.Close()
	if err := server.Serve(t.Context(), dead, nil); err == nil || !strings.Contains(err.Error(), "accept") {
		t.Errorf("a dead listener: %v", err)
	}
}

// answer asks a probe one question.
func answer(t *testing.T, probe pipes, q Question) State {
	t.Helper()
	conn := probe.dial()
	defer conn.Close()
	if err := json.NewEncoder(conn).Encode(q); err != nil {
		t.Fatal(err)
	}
	var s State
	if err := json.NewDecoder(conn).Decode(&s); err != nil {
		t.Fatal(err)
	}
	return s
}

func levelOf(line string) virtual.Message {
	return virtual.Message{Kind: virtual.Level, ID: 1, Line: line}
}
