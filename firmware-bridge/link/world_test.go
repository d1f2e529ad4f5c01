package link

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"scentpost/firmware-bridge/frame"
	"scentpost/firmware-bridge/message"
	"scentpost/firmware-bridge/twin"
)

const (
	us     = int64(time.Microsecond)
	ms     = int64(time.Millisecond)
	second = int64(time.Second)
	baud   = 115_200
)

// noise is what a line does to bytes.
type noise struct {
	flip  float64 // chance of a bit to be another one; of ten bits, start and stop among them
	drop  float64 // of a byte to vanish
	twice float64 // of a byte to come twice
	frame float64 // of a frame to vanish
}

// chunk is what travels.
type chunk struct {
	at    int64 // when its last byte arrives
	bytes []byte
}

// world is a link, a board and the line between them, in one simulated time.
type world struct {
	*testing.T
	chance *rand.Rand
	now    int64
	ppm    float64
	sway   float64 // ppm by which the rate goes up and down besides
	baud   int64
	noise  noise
	sleepy bool  // the host wakes up late
	wakes  int64 // when it will, 0 while it has nothing to wake up for
	batch  int64 // what the board says is handed over at multiples of it
	cut    bool  // the line is cut: nothing arrives
	deaf   bool  // only the way to the board is

	link  *Machine
	board *twin.Board
	down  []chunk // to the board
	up    []chunk // to the host
	busy  [2]int64
	beat  int64 // when the next heartbeat is due, 0 for never

	facts   []Fact
	changes []twin.Change
	script  []action // what happens by itself, by time
}

type action struct {
	at int64
	do func()
}

var pins = map[string]message.Mode{"D2": message.PullUp, "D3": message.Input, "D5": message.OutLow, "D6": message.OutHigh, "D7": message.OutLow}

func boardPins() []message.Pin {
	all := byte(message.AbleInput | message.AbleOutput | message.AblePullUp | message.AbleTimed)
	var pins []message.Pin
	for _, name := range []string{"D2", "D3", "D4", "D5", "D6", "D7"} {
		pins = append(pins, message.Pin{Index: byte(len(pins)), Abilities: all, Name: name})
	}
	return append(pins, message.Pin{Index: 6, Abilities: message.AbleInput, Name: "D13"})
}

var boardID = message.ID{'n', 'a', 'n', 'o', '-', '1'}

func newWorld(t *testing.T, seed uint64) *world {
	t.Helper()
	w := &world{T: t, chance: rand.New(rand.NewPCG(seed, 1)), now: second, beat: second, ppm: 300, baud: baud}
	w.board = twin.New(twin.Options{Pins: boardPins(), ID: boardID, Kind: "twin", Micros: w.micros})
	var err error
	w.link, err = New(Options{ID: boardID, Pins: pins, Beat: 500 * time.Millisecond, Baud: baud, Session: w.chance.Uint32})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// micros is the board's clock.
func (w *world) micros(mono int64) uint64 {
	at := float64(mono)
	return uint64((at*(1+w.ppm*1e-6) + w.swayed(at)) / 1000)
}

// host is when the board's clock shows an instant.
func (w *world) host(micros uint64) int64 {
	at := float64(micros+1) * 1000 / (1 + w.ppm*1e-6)
	return int64(at - w.swayed(at))
}

// swayed is how far a clock whose rate goes up and down has got away, in nanoseconds. At 20 ppm it changes by 2 ppm/s at most.
func (w *world) swayed(at float64) float64 {
	const turn = 0.1 // radians per second
	return w.sway * 1e-6 / turn * 1e9 * (1 - math.Cos(turn*at/1e9))
}

// wakeUp is how late a host's program is woken: up to 200 us, and once in a hundred times 5 ms.
func (w *world) wakeUp() int64 {
	if w.chance.IntN(100) == 0 {
		return 5 * ms
	}
	return w.chance.Int64N(200 * us)
}

// carry puts bytes on the line: each takes its time, and some do not arrive as they were sent.
func (w *world) carry(line []chunk, busy *int64, bytes []byte) []chunk {
	for _, b := range bytes {
		*busy = max(*busy, w.now) + 10*second/w.baud
		if w.cut || w.chance.Float64() < w.noise.drop {
			continue
		}
		lost := false
		for bit := range 10 {
			if w.chance.Float64() < w.noise.flip {
				if bit >= 8 {
					lost = true // a start or stop bit
				}
				b ^= 1 << (bit % 8)
			}
		}
		if lost {
			continue
		}
		line = append(line, chunk{*busy, []byte{b}})
		if w.chance.Float64() < w.noise.twice {
			line = append(line, chunk{*busy, []byte{b}})
		}
	}
	return line
}

// exchange moves what the two sides have said.
func (w *world) exchange() {
	out, facts := w.link.Take()
	w.facts = append(w.facts, facts...)
	if !w.deaf && (w.noise.frame == 0 || w.chance.Float64() >= w.noise.frame) {
		w.down = w.carry(w.down, &w.busy[0], out)
	}
	said, changes := w.board.Take()
	w.changes = append(w.changes, changes...)
	if w.noise.frame == 0 || w.chance.Float64() >= w.noise.frame {
		before := len(w.up)
		w.up = w.carry(w.up, &w.busy[1], said)
		for i := before; i < len(w.up); i++ {
			if w.batch > 0 {
				w.up[i].at = (w.up[i].at/w.batch + 1) * w.batch
			}
			w.up[i].at += 20 * us
		}
	}
}

// next is when something happens next, at most until.
func (w *world) next(until int64) int64 {
	at := min(until, w.host(w.board.Due()))
	if w.wakes != 0 {
		at = min(at, w.wakes)
	} else if wants, any := w.wants(); any {
		at = min(at, wants)
	}
	if w.beat != 0 {
		at = min(at, w.beat)
	}
	if len(w.down) > 0 {
		at = min(at, w.down[0].at)
	}
	if len(w.script) > 0 {
		at = min(at, w.script[0].at)
	}
	return max(at, w.now)
}

// wants is when the host has something to do.
func (w *world) wants() (at int64, any bool) {
	at, any = w.link.Due()
	if len(w.up) > 0 && (!any || w.up[0].at < at) {
		return w.up[0].at, true
	}
	return at, any
}

// awake tells whether the host looks at what there is to do.
func (w *world) awake() bool {
	if at, any := w.wants(); !w.sleepy || !any || at > w.now {
		return !w.sleepy
	}
	if w.wakes == 0 {
		w.wakes = w.now + w.wakeUp()
	}
	if w.now < w.wakes {
		return false
	}
	w.wakes = 0
	return true
}

// until runs the world.
func (w *world) until(at int64) {
	for w.now < at {
		w.now = w.next(at)
		for len(w.script) > 0 && w.script[0].at <= w.now {
			do := w.script[0].do
			w.script = w.script[1:]
			do()
		}
		for len(w.down) > 0 && w.down[0].at <= w.now {
			w.board.Receive(w.now, w.down[0].bytes)
			w.down = w.down[1:]
		}
		awake := w.awake()
		for awake && len(w.up) > 0 && w.up[0].at <= w.now {
			w.link.Receive(w.now, w.up[0].bytes)
			w.up = w.up[1:]
		}
		if w.beat != 0 && w.now >= w.beat {
			w.link.Beat(w.now)
			w.beat = w.now + 100*ms
		}
		w.board.Tick(w.now)
		if awake {
			w.link.Tick(w.now)
		}
		w.exchange()
	}
}

// open opens the port, and waits until the link is up.
func (w *world) open() {
	w.Helper()
	w.link.Open(w.now)
	w.exchange()
	w.until(w.now + 2*second)
	if state, why := w.link.State(); state != Up {
		w.Fatalf("the link is %s after 2 s (%v)", state, why)
	}
}

// take returns the facts of a kind since the last call, and forgets all.
func (w *world) take(kinds ...FactKind) (some []Fact) {
	for _, f := range w.facts {
		for _, kind := range kinds {
			if f.Kind == kind {
				some = append(some, f)
			}
		}
	}
	w.facts = nil
	return some
}

// hear gives the link a frame of the board, as of a session.
func (w *world) hear(session uint32, number byte, msg message.Message) {
	w.link.Receive(w.now, frame.Append(nil, message.Append(nil, byte(session), number, msg)))
}

// said are the messages that the link has to say, which go nowhere.
func (w *world) said() (heads []message.Header, msgs []message.Message) {
	w.Helper()
	out, facts := w.link.Take()
	w.facts = append(w.facts, facts...)
	var split frame.Splitter
	split.Write(out, func(body []byte) {
		head, msg, err := message.Parse(body)
		if err != nil {
			w.Fatalf("the link says %x: %v", body, err)
		}
		heads, msgs = append(heads, head), append(msgs, msg)
	}, func(err error) { w.Fatalf("the link says what is no frame: %v", err) })
	return heads, msgs
}

// level is how an output of the board stands.
func (w *world) level(pin string) (level, driven bool) {
	for _, c := range w.changes {
		if c.Pin == pin {
			level, driven = c.Level, c.Driven
		}
	}
	return level, driven
}
