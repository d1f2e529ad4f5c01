package firmware

import (
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
	flip   float64 // chance of each bit of a byte, start and stop among them, to be another one

	now   int64
	beat  int64 // when the next heartbeat is due
	line  []arrival
	wakes int64 // when the host looks at what has come, 0 while nothing has
	facts []link.Fact
	edges []truth
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

const (
	labSlice = int64(200 * time.Microsecond)
	labBaud  = 500_000
)

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

// spoil is what the line makes of a byte; ok is false when it vanishes, with its start or stop bit.
func (l *lab) spoil(b byte) (_ byte, ok bool) {
	for bit := range 10 {
		if l.flip == 0 || l.chance.Float64() >= l.flip {
			continue
		}
		if bit >= 8 {
			return 0, false
		}
		b ^= 1 << bit
	}
	return b, true
}

// say puts what the link has to say on the line to the chip.
func (l *lab) say() {
	out, facts := l.link.Take()
	l.facts = append(l.facts, facts...)
	for _, b := range out {
		if spoilt, ok := l.spoil(b); ok {
			l.chip.Hear(l.chip.Now(), []byte{spoilt})
		} else {
			l.chip.Spoil(l.chip.Now(), []byte{b})
		}
	}
}

// hear takes what the chip has done.
func (l *lab) hear(reports []simavr.Report) {
	for _, r := range reports {
		switch r.Kind {
		case simavr.Said:
			b, ok := l.spoil(r.Byte)
			if !ok {
				continue
			}
			at := l.host(r.At)
			if l.wakes == 0 {
				// The host wakes up within 0.2 ms, and now and then 5 ms late.
				l.wakes = at + l.chance.Int64N(200_000)
				if l.chance.IntN(100) == 0 {
					l.wakes += int64(5 * time.Millisecond)
				}
			}
			l.line = append(l.line, arrival{at, b})
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

// deliver gives the link what had come when the host woke up.
func (l *lab) deliver() {
	if l.wakes == 0 || l.wakes > l.now {
		return
	}
	var bytes []byte
	for len(l.line) > 0 && l.line[0].at <= l.wakes {
		bytes, l.line = append(bytes, l.line[0].byte), l.line[1:]
	}
	l.link.Receive(l.wakes, bytes)
	l.wakes = 0
	if len(l.line) > 0 {
		l.wakes = l.now
	}
}

func (l *lab) run(d time.Duration) {
	l.Helper()
	for until := l.now + int64(d); l.now < until; {
		reports, err := l.chip.Run(l.cycle(l.now + labSlice))
		if err != nil {
			l.Fatal(err)
		}
		l.now += labSlice
		l.hear(reports)
		l.deliver()
		if l.now >= l.beat {
			l.link.Beat(l.now)
			l.beat = l.now + int64(100*time.Millisecond)
		}
		l.link.Tick(l.now)
		l.say()
	}
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
	l.flip = 0
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
