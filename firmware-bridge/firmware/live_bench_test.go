package firmware

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"scentpost/drivers/bus"
	"scentpost/drivers/linux"
	"scentpost/firmware-bridge/board"
	"scentpost/firmware-bridge/firmware/simavr"
	"scentpost/firmware-bridge/firmware/simavr/simavrtest"
	"scentpost/firmware-bridge/frame"
	"scentpost/firmware-bridge/message"
	"scentpost/firmware-bridge/pinbus"
	"scentpost/firmware-bridge/visit"
)

const (
	benchBaud = 500_000
	// unheld is how many events the loop without acknowledgements lets a board keep before it begins a new session.
	unheld = 90
	// patience bounds a wait; nothing is measured by it.
	patience = 30 * time.Second
)

// bench is the real firmware in real time, with what its pins do.
type bench struct {
	testing.TB
	chip  *simavr.Live
	link  string
	drove chan string // of D4
}

func newBench(b testing.TB) *bench {
	b.Helper()
	built := simavrtest.Build(b, benchBaud)
	n := &bench{TB: b, link: filepath.Join(b.TempDir(), "board"), drove: make(chan string, 1024)}
	var err error
	n.chip, err = simavr.StartLive(built.Runner, built.Flash(), benchBaud, n.link, func(r simavr.Report) {
		if r.Kind == simavr.Drove && r.Pin == "D4" {
			select {
			case n.drove <- r.As:
			default:
			}
		}
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := n.chip.Close(); err != nil {
			b.Error(err)
		}
	})
	return n
}

// inbox takes edges as a station does.
type inbox struct {
	edges chan bus.Edge
	here  chan bool
	count atomic.Int64
}

func (i *inbox) Edge(e bus.Edge) {
	i.count.Add(1)
	select {
	case i.edges <- e:
	default:
	}
}
func (i *inbox) Watermark(bus.Watermark) {}
func (i *inbox) Presence(p bus.Presence) {
	if p.Here {
		i.here <- true
	}
}

// station is the link with acknowledgements, kept alive and attending.
func (n *bench) station() (*inbox, bus.Output) {
	n.Helper()
	clock, err := linux.NewClock()
	if err != nil {
		n.Fatal(err)
	}
	one, err := board.New(board.Options{Options: pinbus.Options{Name: "board", ID: message.NoID, Baud: benchBaud, Beat: 500 * time.Millisecond, Session: rand.Uint32,
		Pins: map[string]pinbus.Pin{"D2": {}, "D4": {Output: true}}}, Now: clock.Mono, Open: func() (bus.Port, error) { return linux.OpenSerial(n.link, benchBaud) }})
	if err != nil {
		n.Fatal(err)
	}
	in := &inbox{edges: make(chan bus.Edge, 16), here: make(chan bool, 16)}
	out, err := one.Output("D4", false)
	if err == nil {
		err = one.Watch([]string{"D2"}, in)
	}
	if err != nil {
		n.Fatal(err)
	}
	beats, done := time.NewTicker(one.BeatEvery()), make(chan struct{})
	go func() {
		for {
			select {
			case <-beats.C:
				one.Beat()
			case <-done:
				return
			}
		}
	}()
	n.Cleanup(func() { beats.Stop(); close(done); one.Close() })
	one.Attend(true)
	await(n, in.here)
	return in, out
}

func await[T any](t testing.TB, c <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(patience):
		t.Fatal("nothing came")
	}
	return v
}

// came waits for what a machine that is very busy may have lost, when the link went down.
func came[T any](c <-chan T) bool {
	select {
	case <-c:
		return true
	case <-time.After(2 * time.Second):
		return false
	}
}

// naive is a loop that reads to the next zero and acknowledges nothing.
type naive struct {
	n       *bench
	port    bus.Port
	session uint32
	split   frame.Splitter
	events  chan int  // how many this session has had so far
	fresh   chan bool // a new session began, or the board took its configuration
	count   atomic.Int64
	stop    chan struct{}
}

func (n *bench) naive() *naive {
	n.Helper()
	port, err := linux.OpenSerial(n.link, benchBaud)
	if err != nil {
		n.Fatal(err)
	}
	v := visit.New(port, 1)
	if _, err := v.Greet(); err != nil {
		n.Fatal(err)
	}
	seen, err := v.Look()
	if err != nil {
		n.Fatal(err)
	}
	config := &message.Configure{BeatMS: 10_000}
	config.Modes[slices.IndexFunc(seen.Pins, func(p message.Pin) bool { return p.Name == "D2" })] = message.Input
	l := &naive{n: n, port: port, session: 1, events: make(chan int, 1024), fresh: make(chan bool, 16), stop: make(chan struct{})}
	l.send(config)
	ended := make(chan struct{})
	go func() { defer close(ended); l.read() }()
	n.Cleanup(func() { close(l.stop); <-ended; port.Close() })
	await(n, l.fresh) // before it, no edge is an event
	return l
}

func (l *naive) send(m message.Message) {
	if _, err := l.port.Write(frame.Append(nil, message.Append(nil, byte(l.session), 0, m))); err != nil {
		l.n.Error(err)
	}
}

func (l *naive) read() {
	had := 0
	for buffer := make([]byte, 512); ; {
		select {
		case <-l.stop:
			return
		default:
		}
		n, err := l.port.Read(buffer)
		if err != nil {
			return
		}
		l.split.Write(buffer[:n], func(body []byte) {
			head, msg, err := message.Parse(body)
			_, taken := msg.(*message.Ack)
			if greeting, is := msg.(*message.Board); err == nil && (taken || is && greeting.Session == l.session) {
				select {
				case l.fresh <- true:
				default:
				}
			}
			e, is := msg.(*message.Events)
			if err != nil || !is || head.Session != byte(l.session) {
				return
			}
			if upto := int(e.First) + len(e.List); upto > had {
				l.count.Add(int64(upto - had))
				had = upto
				select {
				case l.events <- had:
				default:
				}
			}
			if had >= unheld {
				had = 0
				l.session = l.session%200 + 1
				l.send(&message.Hello{Session: l.session, Lowest: message.Version, Highest: message.Version})
			}
		}, func(error) {})
	}
}

// times are what one thing took each time.
type times []time.Duration

func (t times) report(b *testing.B) {
	if len(t) == 0 {
		b.Fatal("nothing came")
	}
	slices.Sort(t)
	b.ReportMetric(float64(len(t))/float64(b.N), "came/op")
	b.ReportMetric(float64(t[len(t)/2].Microseconds()), "p50-us")
	b.ReportMetric(float64(t[len(t)*99/100].Microseconds()), "p99-us")
}

// BenchmarkLive is the real firmware in simavr behind a pseudo terminal, in real time, with the host's side of the line in this
// process. The runner looks at its pins and its line every half millisecond, which is part of what is measured.
func BenchmarkLive(b *testing.B) {
	b.Run("edge", func(b *testing.B) {
		n := newBench(b)
		in, _ := n.station()
		var took times
		for i := 0; b.Loop(); i++ {
			began := time.Now()
			n.pin(i%2 == 0)
			if came(in.edges) {
				took = append(took, time.Since(began))
			}
		}
		took.report(b)
	})
	b.Run("edge-unacknowledged", func(b *testing.B) {
		n := newBench(b)
		l := n.naive()
		var took times
		for i := 0; b.Loop(); i++ {
			began := time.Now()
			n.pin(i%2 == 0)
			if !came(l.events) {
				continue
			}
			took = append(took, time.Since(began))
			if len(took)%unheld == 0 {
				await(b, l.fresh)
			}
		}
		took.report(b)
	})
	b.Run("command", func(b *testing.B) {
		n := newBench(b)
		_, out := n.station()
		for await(b, n.drove) != simavr.Low { // the first heartbeat drives it to its safe level
		}
		var took times
		for i := 0; b.Loop(); i++ {
			began := time.Now()
			out.Set(i%2 == 0, 0, 10*time.Second, nil)
			if came(n.drove) {
				took = append(took, time.Since(began))
			}
		}
		took.report(b)
	})
	for _, rate := range []int{100, 1000} {
		b.Run(fmt.Sprintf("cpu-%d", rate), func(b *testing.B) {
			n := newBench(b)
			in, _ := n.station()
			n.cpu(b, rate, &in.count)
		})
		b.Run(fmt.Sprintf("cpu-%d-unacknowledged", rate), func(b *testing.B) {
			n := newBench(b)
			l := n.naive()
			go func() {
				for {
					select {
					case <-l.events:
					case <-l.stop:
						return
					}
				}
			}()
			n.cpu(b, rate, &l.count)
		})
	}
}

func (n *bench) pin(high bool) {
	if err := n.chip.Pin("D2", high); err != nil {
		n.Fatal(err)
	}
}

// cpu measures what part of a processor this process takes at a rate of edges, giving the edges included. Where the machine is too busy
// for the runner fewer edges come than were given: the figure says how many.
func (n *bench) cpu(b *testing.B, rate int, came *atomic.Int64) {
	const span = 2 * time.Second
	for b.Loop() {
		tick := time.NewTicker(time.Second / time.Duration(rate))
		before, used, began := came.Load(), processor(n), time.Now()
		given := 0
		for ; time.Since(began) < span; given++ {
			n.pin(given%2 == 0)
			<-tick.C
		}
		tick.Stop()
		elapsed := time.Since(began)
		b.ReportMetric(float64(given)/elapsed.Seconds(), "given/s")
		b.ReportMetric(100*float64(processor(n)-used)/float64(elapsed), "cpu-%")
		b.ReportMetric(float64(came.Load()-before)/elapsed.Seconds(), "edges/s")
	}
}

// processor is how much processor time this process has had.
func processor(t testing.TB) time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		t.Fatal(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
