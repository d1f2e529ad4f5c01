package link

import (
	"math/rand/v2"
	"testing"
	"time"

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
	noise  noise
	batch  int64 // what the board says is handed over at multiples of it
	cut    bool  // the line is cut: nothing arrives

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
	w := &world{T: t, chance: rand.New(rand.NewPCG(seed, 1)), now: second, beat: second, ppm: 300}
	w.board = twin.New(twin.Options{Pins: boardPins(), ID: boardID, Kind: "twin", Micros: w.micros})
	var err error
	w.link, err = New(Options{ID: boardID, Pins: pins, Beat: 500 * time.Millisecond, Baud: baud, Session: w.chance.Uint32})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// micros is the board's clock.
func (w *world) micros(mono int64) uint64 { return uint64(float64(mono) * (1 + w.ppm*1e-6) / 1000) }

// host is when the board's clock shows an instant.
func (w *world) host(micros uint64) int64 { return int64(float64(micros+1) * 1000 / (1 + w.ppm*1e-6)) }

// carry puts bytes on the line: each takes its time, and some do not arrive as they were sent.
func (w *world) carry(line []chunk, busy *int64, bytes []byte) []chunk {
	for _, b := range bytes {
		*busy = max(*busy, w.now) + 10*second/baud
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
	if w.noise.frame == 0 || w.chance.Float64() >= w.noise.frame {
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
	if due, any := w.link.Due(); any {
		at = min(at, due)
	}
	if w.beat != 0 {
		at = min(at, w.beat)
	}
	for _, line := range [][]chunk{w.down, w.up} {
		if len(line) > 0 {
			at = min(at, line[0].at)
		}
	}
	if len(w.script) > 0 {
		at = min(at, w.script[0].at)
	}
	return max(at, w.now)
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
		for len(w.up) > 0 && w.up[0].at <= w.now {
			w.link.Receive(w.now, w.up[0].bytes)
			w.up = w.up[1:]
		}
		if w.beat != 0 && w.now >= w.beat {
			w.link.Beat(w.now)
			w.beat = w.now + 100*ms
		}
		w.board.Tick(w.now)
		w.link.Tick(w.now)
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

// level is how an output of the board stands.
func (w *world) level(pin string) (level, driven bool) {
	for _, c := range w.changes {
		if c.Pin == pin {
			level, driven = c.Level, c.Driven
		}
	}
	return level, driven
}
