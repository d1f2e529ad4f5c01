// Package link speaks with one board: sessions, commands, events, and the time of both, as a state machine.
//
// It reads no clock and no port. Bytes go in with the instant at which they came, bytes to write and facts come out, and
// an instant at which it wants to be asked again. What the two sides say is specified in ../PROTOCOL.md.
package link

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"scentpost/firmware-bridge/clockmap"
	"scentpost/firmware-bridge/frame"
	"scentpost/firmware-bridge/message"
)

// The host's numbers.
const (
	// Lateness is what the source of its edges declares: so long after an instant the board has reported past it, or its
	// link is down.
	Lateness = 500 * time.Millisecond
	// silence is how long ago the last ping that was answered may have been sent until the link is down. What comes
	// without having been asked for keeps no link up: it says nothing of the way to the board. The rest of Lateness is for
	// a host that wakes up late.
	silence = Lateness - 50*time.Millisecond
	// rising is how long a board that is not up may leave a question without an answer.
	rising = 2 * time.Second
	// resend is how long an answer may take until its question is sent again.
	resend = 50 * time.Millisecond
	// greet is the pause between two greetings of a board that does not answer: it may be in its boot loader.
	greet = 250 * time.Millisecond
	// pingArmed and pingIdle are the pauses between pings, pingFirst those of the first few. A dither of up to a
	// quarter is added, so that pings fall into every phase of a converter that batches.
	pingFirst = 15 * time.Millisecond
	pingArmed = 35 * time.Millisecond
	pingIdle  = 100 * time.Millisecond
	// pingLost is how long the answer to one may take until the next one is sent. With the dither it is no more than
	// 50 ms. When no answer was of use for the time of doubt, which is longer than any pause, pingOften tries again and again,
	// some 30 times until the silence is over. pingsOpen are as many as there may be by then: none is too late to be believed.
	pingLost  = 40 * time.Millisecond
	pingOften = 10 * time.Millisecond
	doubt     = 130 * time.Millisecond
	pingsOpen = 48
	// firstPings are needed before an instant of the board's is believed.
	firstPings = 8
	// askAgain is the least pause between two requests to send events again.
	askAgain = 10 * time.Millisecond
	// stampBound is how far a board's own stamp may be off: its interrupts wait for each other.
	stampBound = 50 * time.Microsecond
	// wrongAgain is how long a board that is the wrong one is left alone.
	wrongAgain = 5 * time.Second
	// doneWithin is how long after its instant a command may take until it has failed.
	doneWithin = time.Second
	// window is how many commands may be without an answer.
	window = 8
)

// The errors of a link, to be tested with errors.Is.
var (
	// ErrReplaced: a newer command for the same output came before this one was done.
	ErrReplaced = errors.New("replaced by a newer command")
	// ErrDown: the board does not answer; it is asked again and again.
	ErrDown = errors.New("the board is away")
	// ErrRefused: the board answered a command with no.
	ErrRefused = errors.New("the board refuses")
	// ErrBoard: the board is not the one that the configuration names, or cannot do what it wants.
	ErrBoard = errors.New("the board is not as configured")
)

// Options are what a link is made of.
type Options struct {
	// ID is the board's id, NoID to take any board.
	ID message.ID
	// Pins are the modes of the pins that are used, by their names on the board.
	Pins map[string]message.Mode
	// Beat is how long outputs hold without a heartbeat.
	Beat time.Duration
	// Baud is the speed of the line, in bits per second; a byte takes ten.
	Baud int
	// Session draws the 32 bits of a session.
	Session func() uint32
}

// State is how far a link has come.
type State string

// The states.
const (
	Shut       State = "shut"       // the port is not open
	Greeting   State = "greeting"   // the board has not answered yet
	Describing State = "describing" // the board says what it is
	Timing     State = "timing"     // the clocks are compared
	Setting    State = "setting"    // the board is being configured
	Levelling  State = "levelling"  // the levels of its inputs are read
	Up         State = "up"
	Wrong      State = "wrong" // it is another board, or cannot do what is wanted
)

// Machine is one end of one link. It belongs to one goroutine.
type Machine struct {
	opt   Options
	wire  time.Duration // how long a ping takes on the line
	state State
	why   error // the board is wrong, or the link down

	split   frame.Splitter
	session uint32
	heard   int64 // when the board answered last; once pings are, when the last one was sent whose answer was of use
	spared  int64 // no silence before it counts: nobody listened
	asked   int64 // when the question of the present state was sent
	loose   int   // bytes that came, while greeting, of neither a frame nor a piece that is none
	board   message.Board
	met     bool // board is of an earlier session
	pins    []message.Pin
	config  message.Configure

	commands commands
	events   events
	clock    timing

	gone missing

	out, outSpare     []byte
	facts, factsSpare []Fact
	stats             Stats
}

// missing is what was lost while the link was not up, told when it is up again.
type missing struct {
	any  bool
	from int64 // the last watermark before
	lost uint64
	why  string
}

// Stats count what became of a link, since it was made.
type Stats struct {
	Sessions uint64 // that were opened
	Frames   uint64 // valid ones that came
	Errors   uint64 // pieces of the line that were no frames; while nobody answers, the length of a frame without one too
	Strange  uint64 // valid frames of other sessions, versions or types
	Resends  uint64 // commands and greetings that were sent again
	Lost     uint64 // events that the board counted as lost
	Glitches uint64 // that it counted: pulses of inputs too short to be edges
	Passed   uint64 // frames that the board passed over, and bytes that it lost
	Doubles  uint64 // events that came again
	Unsafe   uint64 // outputs that were not at their safe level by the last answer, bit 0 is pin 0
	// Fast are answers that came sooner than the wire allows, Contradicting times that the board's clock jumped: of the
	// clocks of all sessions together, where Clock tells of the present one.
	Fast, Contradicting uint64
}

// New returns a link whose port is not open. The error names everything that is wrong with the options.
func New(o Options) (*Machine, error) {
	var wrong []string
	if o.Baud < 1200 || o.Session == nil {
		wrong = append(wrong, fmt.Sprintf("baud %d and a source of sessions: at least 1200 and one are expected", o.Baud))
	}
	if o.Beat < message.LeastBeat || o.Beat > message.MostBeat {
		wrong = append(wrong, fmt.Sprintf("heartbeat %s, expected %s to %s", o.Beat, message.LeastBeat, message.MostBeat))
	}
	if len(wrong) > 0 {
		return nil, fmt.Errorf("link: %s", strings.Join(wrong, "; "))
	}
	return &Machine{opt: o, state: Shut, wire: wire(o.Baud)}, nil
}

// State returns how far the link has come, and why it is not up.
func (m *Machine) State() (State, error) { return m.state, m.why }

// Board returns what the board last said of itself; ok is false when it never did.
func (m *Machine) Board() (b message.Board, ok bool) { return m.board, m.met }

// Pins returns what the board's pins are able to, as far as they are known.
func (m *Machine) Pins() []message.Pin { return slices.Clone(m.pins) }

// Stats returns the counters.
func (m *Machine) Stats() Stats {
	s, clock := m.stats, m.Clock()
	s.Fast += clock.Fast
	s.Contradicting += clock.Contradicting
	return s
}

// Clock returns what is known of the board's clock.
func (m *Machine) Clock() clockmap.Report {
	if m.clock.fit == nil {
		return clockmap.Report{}
	}
	return m.clock.fit.Report()
}

// Take returns the bytes to write and the facts since the last call. The bytes go to the port at once: a ping is timed from
// now. Both are valid until the next call of Take.
func (m *Machine) Take() (out []byte, facts []Fact) {
	out, facts = m.out, m.facts
	m.out, m.outSpare = m.outSpare[:0], out
	m.facts, m.factsSpare = m.factsSpare[:0], facts
	return out, facts
}

// Open begins: the port was opened, and what lies in its buffers is stale.
func (m *Machine) Open(now int64) {
	m.Shut(now, fmt.Errorf("%w: its port was opened anew", ErrDown))
	m.greet(now, nil)
}

// Shut ends: the port was closed or is gone.
func (m *Machine) Shut(now int64, why error) {
	if m.state == Shut {
		return
	}
	m.down(now, why)
	m.state, m.why = Shut, why
}

// greet begins a new session.
func (m *Machine) greet(now int64, why error) {
	session := m.opt.Session()
	for session&0xFF == 0 || session&0xFF == m.session&0xFF {
		session = session*1664525 + 1013904223 // the low byte must be another one
	}
	m.session = session
	m.split.Reset()
	m.state, m.why = Greeting, why
	m.heard, m.loose = now, 0
	m.stats.Sessions++
	m.commands, m.events = commands{}, events{}
	m.stats = m.Stats() // with what the map of this clock counted
	m.clock = timing{fit: clockmap.New(m.wire), armed: m.clock.armed}
	m.hello(now)
}

func (m *Machine) hello(now int64) {
	m.asked = now
	m.send(0, &message.Hello{Session: m.session, Lowest: message.Version, Highest: message.Version})
}

// wire is how long a ping takes on a line.
func wire(baud int) time.Duration {
	body := message.Append(nil, 1, 0, &message.Ping{})
	bits := 10 * len(frame.Append(nil, body))
	return time.Duration(bits) * time.Second / time.Duration(baud)
}

func (m *Machine) send(number byte, msg message.Message) {
	var body [frame.MaxBody]byte
	m.out = frame.Append(m.out, message.Append(body[:0], byte(m.session), number, msg))
}

// down gives up a session: whoever waits for an output is told, and from the last watermark on edges may be missing.
func (m *Machine) down(now int64, why error) {
	wasUp := m.state == Up
	for _, w := range m.commands.giveUp() {
		m.tell(Fact{Kind: Done, Token: w, Err: why})
	}
	if wasUp {
		m.gone = missing{any: true, from: m.events.told, why: why.Error()}
		m.tell(Fact{Kind: Gap, From: m.events.told, Why: why.Error()})
		m.tell(Fact{Kind: Away, Mono: now, Err: why})
	}
}

// lose gives up a session and begins another one.
func (m *Machine) lose(now int64, why error) {
	m.down(now, why)
	m.greet(now, why)
}

// patience is how long after a question, or a ping, the link is down.
func (m *Machine) patience() time.Duration {
	if m.state == Up {
		return silence
	}
	return rising
}

// Tick does what is due.
func (m *Machine) Tick(now int64) {
	if m.state == Shut {
		return
	}
	switch {
	case m.state == Wrong && now-m.since() >= int64(wrongAgain):
		m.greet(now, m.why)
		return
	case m.state != Greeting && m.state != Wrong && now-m.since() >= int64(m.patience()):
		m.lose(now, fmt.Errorf("%w: no answer for %s", ErrDown, m.patience()))
		return
	}
	switch m.state {
	case Greeting:
		if now-m.asked >= int64(greet) {
			m.stats.Resends++
			m.hello(now)
		}
	case Describing:
		if now-m.asked >= int64(resend) {
			m.stats.Resends++
			m.describe(now)
		}
	}
	m.again(now)
	m.overdue(now)
	m.ping(now)
}

// Late says that nobody could listen or ask for so long until now, as on a machine that stood still. What came meanwhile
// comes to Receive before it, and Tick after it: that time is no silence of the board's, and no command fails by it.
func (m *Machine) Late(now int64, by time.Duration) {
	m.spared = min(m.since()+int64(by), now)
	for i := range m.commands.outputs {
		m.commands.outputs[i].late += int64(by)
	}
}

// since is from when on the board is silent.
func (m *Machine) since() int64 { return max(m.heard, m.spared) }

// Due is the instant at which Tick will have something to do.
func (m *Machine) Due() (mono int64, ok bool) {
	if m.state == Shut {
		return 0, false
	}
	switch m.state {
	case Greeting:
		return m.asked + int64(greet), true
	case Wrong:
		return m.since() + int64(wrongAgain), true
	}
	due := m.since() + int64(m.patience())
	if m.state == Describing {
		due = min(due, m.asked+int64(resend))
	}
	if at, waits := m.commands.due(); waits {
		due = min(due, at)
	}
	if at, waits := m.pingDue(); waits {
		due = min(due, at)
	}
	return due, true
}
