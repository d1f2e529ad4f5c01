package clockmap

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

const (
	us     = int64(time.Microsecond)
	ms     = int64(time.Millisecond)
	second = int64(time.Second)
)

// clock is a board's clock whose rate wanders. It is asked for growing instants only.
type clock struct {
	chance *rand.Rand
	at     int64   // the host's instant that it was asked for last
	shows  float64 // nanoseconds
	ppm    float64
	drift  float64 // ppm/s, changed now and then
	next   int64   // when drift changes
	centre float64
}

func newClock(chance *rand.Rand, ppm float64) *clock {
	return &clock{chance: chance, ppm: ppm, centre: ppm, shows: float64(chance.Int64N(int64(time.Hour)))}
}

// read is what the clock shows at the host's instant, in whole microseconds.
func (c *clock) read(host int64) uint64 {
	for c.at < host {
		if c.at >= c.next {
			c.drift = c.chance.Float64()*4 - 2
			if math.Abs(c.ppm-c.centre) > 50 {
				c.drift = math.Copysign(2, c.centre-c.ppm)
			}
			c.next = c.at + c.chance.Int64N(20*second)
		}
		step := min(host-c.at, ms)
		c.shows += float64(step) * (1 + c.ppm*1e-6)
		c.ppm += c.drift * float64(step) / 1e9
		c.at += step
	}
	return uint64(c.shows / 1000)
}

// line is how a ping travels.
type line struct {
	wire  int64
	batch int64 // what comes back is handed over at multiples of it
}

// wakeUp is how late a host's program is woken: up to 200 us, and once in a hundred times 5 ms.
func wakeUp(chance *rand.Rand) int64 {
	if chance.IntN(100) == 0 {
		return 5 * ms
	}
	return chance.Int64N(200 * us)
}

// handedOver is when bytes that reached the host at an instant are in the program's hands.
func (l line) handedOver(chance *rand.Rand, at int64) int64 {
	if l.batch > 0 {
		at = (at/l.batch + 1) * l.batch
	}
	return at + wakeUp(chance)
}

// outcome is how good a map was over many events, in nanoseconds.
type outcome struct {
	errors, bounds []int64
	outside        int
}

func (o *outcome) p99(of []int64) time.Duration {
	slices.Sort(of)
	return time.Duration(of[len(of)*99/100])
}

// trial maps events of one board for a while: pings each 40 ms, dithered, as while a run is armed.
func trial(chance *rand.Rand, ppm float64, l line, minutes int) (o outcome, m *Map, c *clock) {
	c = newClock(chance, ppm)
	m = New(time.Duration(l.wire))
	for at := second; at < int64(minutes)*60*second; at += 40*ms + chance.Int64N(10*ms) {
		// An event somewhere since the last ping, mapped when it is known.
		if m.Ready() {
			happened := at - chance.Int64N(30*ms)
			if happened > c.at {
				got, bound := m.Host(c.read(happened))
				off := max(got-happened, happened-got)
				if at > 3*second { // the first pings have settled
					o.errors, o.bounds = append(o.errors, off), append(o.bounds, bound)
					if off > bound {
						o.outside++
					}
				}
			}
		}
		came := at + chance.Int64N(20*us) + l.wire
		received := c.read(came)
		answered := came + 30*us + chance.Int64N(100*us)
		shown := c.read(answered)
		got := l.handedOver(chance, answered+chance.Int64N(30*us)+int64(float64(l.wire)/(1+ppm*1e-6)))
		if err := m.Add(Ping{Sent: at, Got: got, Received: received, Time: shown}); err != nil {
			panic(err)
		}
		at = max(at, got)
	}
	return o, m, c
}

// TestTheBoundHolds: boards that are off by up to 19,000 ppm and drift, hosts that wake up late, converters that batch.
func TestTheBoundHolds(t *testing.T) {
	for _, wire := range []int64{1100 * us, 4774 * us} { // 55 bytes at 500,000 and at 115,200 baud
		for _, batch := range []int64{0, ms, 16 * ms} {
			var all outcome
			for i, ppm := range []float64{-19000, -10000, -5000, -200, 0, 200, 5000, 10000, 19000} {
				seed := [2]uint64{uint64(wire), uint64(batch)*10 + uint64(i)}
				o, m, c := trial(rand.New(rand.NewPCG(seed[0], seed[1])), ppm, line{wire: wire, batch: batch}, 4)
				all.errors, all.bounds = append(all.errors, o.errors...), append(all.bounds, o.bounds...)
				all.outside += o.outside
				if r := m.Report(); math.Abs(r.DriftPPM+c.ppm/(1+c.ppm*1e-6)) > r.Slack || r.Contradicting > 0 || r.Fast > 0 {
					t.Errorf("seed %v, %.0f ppm: %+v", seed, ppm, r)
				}
			}
			n := len(all.errors)
			errs, bounds := all.p99(all.errors), all.p99(all.bounds)
			t.Logf("wire %s, batch %s: %d events, %d outside; p99 of the error %s, of the bound %s", time.Duration(wire), time.Duration(batch), n, all.outside, errs, bounds)
			if n < 10_000 || all.outside*1000 > n {
				t.Errorf("%d of %d events outside the bound", all.outside, n)
			}
			limit := 300 * time.Microsecond
			if batch > 0 {
				limit = time.Duration(batch/2 + ms)
			}
			if bounds > limit || batch == 0 && errs > 100*time.Microsecond {
				t.Errorf("wire %s, batch %s: p99 of the bound %s (at most %s), of the error %s", time.Duration(wire), time.Duration(batch), bounds, limit, errs)
			}
		}
	}
}

// TestAClockThatIsFurtherOffContradictsItself, so that somebody can be told: no bound holds of it.
func TestAClockThatIsFurtherOffContradictsItself(t *testing.T) {
	for _, ppm := range []float64{-40000, -22000, 22000, 40000} {
		_, m, _ := trial(rand.New(rand.NewPCG(5, 6)), ppm, line{wire: 1100 * us}, 1)
		if r := m.Report(); r.Contradicting < 60 {
			t.Errorf("%.0f ppm: %+v", ppm, r)
		}
	}
}

// TestTheShortestRoundTripIsKept, whatever came before and after it.
func TestTheShortestRoundTripIsKept(t *testing.T) {
	m := New(time.Millisecond)
	for i, trip := range []int64{300, 40, 500} {
		sent := int64(i+1) * second
		if err := m.Add(Ping{Sent: sent, Got: sent + 2*ms + trip*us, Received: uint64(sent / us), Time: uint64(sent / us)}); err != nil {
			t.Fatal(err)
		}
	}
	if r := m.Report(); r.Least != 40*time.Microsecond || r.RoundTrip != 500*time.Microsecond {
		t.Errorf("%+v", r)
	}
}

func TestTheBoundGrowsInSilence(t *testing.T) {
	_, m, _ := trial(rand.New(rand.NewPCG(1, 2)), 200, line{wire: 1100 * us}, 1)
	_, now := m.Host(m.last.Received)
	last := now
	for _, later := range []uint64{1e6, 10e6, 60e6} {
		_, bound := m.Host(m.last.Received + later)
		if bound <= last {
			t.Errorf("%d us later the bound is %d, before %d", later, bound, last)
		}
		last = bound
	}
	if last > int64(20*time.Millisecond) {
		t.Errorf("after a minute of silence the bound is %s", time.Duration(last))
	}
}

func TestThereAndBack(t *testing.T) {
	for _, ppm := range []float64{-5000, 0, 5000} {
		_, m, _ := trial(rand.New(rand.NewPCG(3, 4)), ppm, line{wire: 1100 * us}, 1)
		for _, from := range []int64{-30e6, -1, 0, 1, 777, 30e6} {
			board := uint64(int64(m.last.Received) + from)
			mono, _ := m.Host(board)
			if got := int64(m.Board(mono)) - int64(board); got < -1 || got > 1 {
				t.Errorf("%.0f ppm: %d us on comes back %d us off", ppm, from, got)
			}
		}
	}
	if got := New(0).Board(-1 << 40); got != 0 {
		t.Errorf("before the board's start: %d", got)
	}
}

func TestPingsThatAreNone(t *testing.T) {
	m := New(1100 * time.Microsecond)
	good := Ping{Sent: second, Got: second + 2400*us, Received: 5000, Time: 5100}
	if err := m.Add(good); err != nil {
		t.Fatal(err)
	}
	later := func(change func(*Ping)) Ping {
		p := Ping{Sent: 2 * second, Got: 2*second + 2400*us, Received: 1_005_000, Time: 1_005_100}
		change(&p)
		return p
	}
	for name, c := range map[string]struct {
		p    Ping
		want error
	}{
		"faster than the wire":      {later(func(p *Ping) { p.Got = p.Sent + 2000*us }), ErrFast},
		"turned for centuries":      {later(func(p *Ping) { p.Time = 1<<64 - 1 }), ErrFast},
		"got before it was sent":    {later(func(p *Ping) { p.Got = p.Sent - 1 }), ErrOrder},
		"answered before it came":   {later(func(p *Ping) { p.Time = p.Received - 1 }), ErrOrder},
		"older than the one before": {later(func(p *Ping) { p.Received = 4000 }), ErrOrder},
	} {
		before := *m
		if err := m.Add(c.p); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		if before.x != m.x || before.y != m.y || len(before.spans) != len(m.spans) {
			t.Errorf("%s: it changed the map", name)
		}
	}
	if err := m.Add(later(func(*Ping) {})); err != nil {
		t.Errorf("a sound one after them: %v", err)
	}
	if r := m.Report(); r.Fast != 2 || r.Pings != 2 {
		t.Errorf("%+v, want 2 too fast and 2 used", r)
	}
}

// TestAContradictionIsForgotten: a clock that jumps, as no board's does, costs the past and not the map.
func TestAContradictionIsForgotten(t *testing.T) {
	m := New(1100 * time.Microsecond)
	at, jump := second, uint64(0)
	for i := range 400 {
		if i == 200 {
			jump = 100_000
		}
		board := uint64(at/us) + jump
		if err := m.Add(Ping{Sent: at, Got: at + 2300*us, Received: board + 1100, Time: board + 1150}); err != nil {
			t.Fatal(err)
		}
		at += 40 * ms
	}
	r := m.Report()
	if r.Contradicting == 0 {
		t.Error("nobody noticed a jump of 100 ms")
	}
	mono, bound := m.Host(uint64(at/us) + jump)
	if off := max(mono-at, at-mono); off > bound || bound > ms {
		t.Errorf("after it: %d ns off, bound %d", off, bound)
	}
}

func BenchmarkAdd(b *testing.B) {
	m := New(1100 * time.Microsecond)
	at := second
	for b.Loop() {
		if err := m.Add(Ping{Sent: at, Got: at + 2300*us, Received: uint64(at / us), Time: uint64(at/us) + 50}); err != nil {
			b.Fatal(err)
		}
		at += 40 * ms
	}
}

func ExampleMap() {
	m := New(1100 * time.Microsecond)
	for at := second; at < 3*second; at += 100 * ms {
		board := uint64(at / us)
		m.Add(Ping{Sent: at, Got: at + 2200*us + 80*us, Received: board + 1100, Time: board + 1150})
	}
	mono, bound := m.Host(2_500_000)
	fmt.Println(time.Duration(mono).Round(100*time.Microsecond), bound < 200*us)
	// Output: 2.5s true
}

// TestStampsThatAreBroken: whatever a board says, an instant is mapped to one that can be reckoned with.
func TestStampsThatAreBroken(t *testing.T) {
	_, m, _ := trial(rand.New(rand.NewPCG(5, 6)), 200, line{wire: 1100 * us}, 1)
	for _, stamp := range []uint64{0, 1 << 62, 1 << 63, 1<<64 - 1} {
		mono, bound := m.Host(stamp)
		if mono < -math.MaxInt64/4 || mono > math.MaxInt64/4 || bound < 0 || bound > math.MaxInt64/4 {
			t.Errorf("%d is at %d, give or take %d", stamp, mono, bound)
		}
	}
}
