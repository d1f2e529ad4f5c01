package firmware

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"time"

	"scentpost/firmware-bridge/firmware/simavr"
	"scentpost/firmware-bridge/firmware/simavr/simavrtest"
	"scentpost/firmware-bridge/link"
	"scentpost/firmware-bridge/message"
)

// lab is the host's real link and the real firmware in one simulated time: nanoseconds of the host, against which the
// chip's cycles are off by ppm.
type lab struct {
	*testing.T
	chance *rand.Rand
	link   *link.Machine
	chip   *simavr.Chip
	ppm    float64
	noise  noise
	down   cable // to the chip
	up     cable // to the host

	now   int64
	beat  int64 // when the next heartbeat is due
	line  []arrival
	wakes int64 // when the host looks at what has come, 0 while nothing has
	facts []link.Fact
	edges []truth
}

// noise is what happens to bytes on their way.
type noise struct {
	flip  float64 // chance of each bit of a byte, start and stop among them, to be another one
	drop  float64 // of a byte to vanish
	twice float64 // of a byte to come twice
	frame float64 // of a frame to vanish
}

// cable is one way of the line.
type cable struct {
	within, lost bool // a frame, which vanishes
}

// arrival is a byte that has come to the host.
type arrival struct {
	at   int64
	byte byte
}

// truth is an edge, and when it really was.
type truth struct {
	at    int64
	level bool
}

const labBaud = 500_000

var labPins = map[string]message.Mode{"D2": message.Input, "D4": message.OutLow, "D5": message.OutHigh}

// newLab is a link that is up.
func newLab(t *testing.T, ppm float64, stream uint64) *lab {
	t.Helper()
	l := &lab{T: t, chance: rand.New(rand.NewPCG(seed, stream)), chip: simavrtest.Start(t, labBaud), ppm: ppm}
	var err error
	l.link, err = link.New(link.Options{ID: message.NoID, Pins: labPins, Beat: 500 * time.Millisecond, Baud: labBaud, Session: l.chance.Uint32})
	if err != nil {
		t.Fatal(err)
	}
	l.run(100 * time.Millisecond)
	l.link.Open(l.now)
	l.link.Arm(true)
	l.run(3 * time.Second)
	if state, why := l.link.State(); state != link.Up {
		t.Fatalf("the link is %s after 3 s (%v)", state, why)
	}
	return l
}

// cycle and host turn the two clocks into each other.
func (l *lab) cycle(host int64) uint64 {
	return uint64(float64(host) * us / 1000 * (1 + l.ppm*1e-6))
}

func (l *lab) host(cycle uint64) int64 { return int64(float64(cycle) * 1000 / us / (1 + l.ppm*1e-6)) }

// carry is what a cable makes of a byte: how often it arrives, and whether it has its start and stop bits.
func (l *lab) carry(c *cable, b byte) (_ byte, times int, whole bool) {
	if begins := b != 0 && !c.within; begins {
		c.lost = l.happens(l.noise.frame)
	}
	c.within = b != 0
	if c.lost || l.happens(l.noise.drop) {
		return 0, 0, true
	}
	whole = true
	for bit := range 10 {
		if l.happens(l.noise.flip) {
			whole = whole && bit < 8
			b ^= 1 << bit // beyond a byte for start and stop bit
		}
	}
	if l.happens(l.noise.twice) {
		return b, 2, whole
	}
	return b, 1, whole
}

func (l *lab) happens(chance float64) bool { return chance > 0 && l.chance.Float64() < chance }

// say puts what the link has to say on the line to the chip.
func (l *lab) say() {
	out, facts := l.link.Take()
	l.facts = append(l.facts, facts...)
	for _, b := range out {
		b, times, whole := l.carry(&l.down, b)
		put := l.chip.Hear
		if !whole {
			put = l.chip.Spoil
		}
		put(l.chip.Now(), bytes.Repeat([]byte{b}, times))
	}
}

// hear takes what the chip has done.
func (l *lab) hear(reports []simavr.Report) {
	for _, r := range reports {
		switch r.Kind {
		case simavr.Said:
			l.arrive(r)
		case simavr.Edge:
			l.edges = append(l.edges, truth{l.host(r.At), r.Level})
		case simavr.Overrun:
			l.Errorf("the board lost a byte at cycle %d", r.At)
		case simavr.Started:
			if r.As != simavr.ByPower {
				l.Errorf("the board started anew: %s", r.As)
			}
		}
	}
}

// arrive is a byte of the chip's. The host wakes up for it within 0.2 ms, and now and then 5 ms late.
func (l *lab) arrive(r simavr.Report) {
	b, times, whole := l.carry(&l.up, r.Byte)
	if !whole {
		return
	}
	at := l.host(r.At)
	for range times {
		l.line = append(l.line, arrival{at, b})
	}
	if l.wakes != 0 || times == 0 {
		return
	}
	l.wakes = at + l.chance.Int64N(200_000)
	if l.chance.IntN(100) == 0 {
		l.wakes += int64(5 * time.Millisecond)
	}
}

// deliver gives the link what had come when the host woke up.
func (l *lab) deliver() {
	if l.wakes == 0 || l.wakes > l.now {
		return
	}
	var came []byte
	for len(l.line) > 0 && l.line[0].at <= l.wakes {
		came, l.line = append(came, l.line[0].byte), l.line[1:]
	}
	l.link.Receive(l.wakes, came)
	l.wakes = 0
	if len(l.line) > 0 {
		l.wakes = l.now
	}
}

// run lets time pass.
func (l *lab) run(d time.Duration) {
	l.Helper()
	for until := l.now + int64(d); l.now < until; {
		l.pass(until)
		l.deliver()
		if l.now >= l.beat {
			l.link.Beat(l.now)
			l.beat = l.now + int64(100*time.Millisecond)
		}
		l.link.Tick(l.now)
		l.say()
	}
}

// pass goes on to the next instant at which the host or the chip has something to do.
func (l *lab) pass(until int64) {
	l.Helper()
	run, next := l.chip.Listen, min(until, l.beat)
	if due, any := l.link.Due(); any {
		next = min(next, due)
	}
	if l.wakes != 0 { // until then, nobody looks at what the chip says
		run, next = l.chip.Run, min(next, l.wakes)
	}
	next = max(next, l.now+int64(time.Microsecond))
	reports, err := run(l.cycle(next))
	if err != nil {
		l.Fatal(err)
	}
	if reached := l.chip.Now(); reached < l.cycle(next) {
		next = max(l.now, l.host(reached))
	}
	l.now = next
	l.hear(reports)
}

// play gives the input an edge each period, with a jitter of up to half of it.
func (l *lab) play(count int, period time.Duration) {
	l.Helper()
	l.facts, l.edges = nil, nil
	for n := range count {
		at := l.now + l.chance.Int64N(int64(period)/2)
		l.chip.Pin(l.cycle(at), "D2", n%2 == 0)
		l.run(period)
	}
	l.noise = noise{}
	l.run(time.Second)
}

// some are the facts of a kind.
func (l *lab) some(kind link.FactKind) (some []link.Fact) {
	for _, f := range l.facts {
		if f.Kind == kind {
			some = append(some, f)
		}
	}
	return some
}
