// Package pinbus makes lines of a bus of the pins of one board: it speaks with the board by a link, and tells in the words of
// the bus what the link finds.
//
// It is a state machine as the link is: it reads no clock and no port, and calls nobody. Bytes go in with the instant at
// which they came, bytes to write and what is to be told come out. Package board runs it behind a port, in real time.
package pinbus

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"scentpost/drivers/bus"
	"scentpost/firmware-bridge/clockmap"
	"scentpost/firmware-bridge/link"
	"scentpost/firmware-bridge/message"
)

// hold is the longest for an output that may be on for as long as it likes, which the protocol knows not; it is said
// again at half of it.
const hold = 10 * time.Minute

// Pin is how a pin of a board is used.
type Pin struct {
	Output    bool
	ActiveLow bool // the low voltage means active
	PullUp    bool // of an input
}

// mode is what the board is told of a pin. The safe level of an output is logically off.
func (p Pin) mode() message.Mode {
	switch {
	case p.Output && p.ActiveLow:
		return message.OutHigh
	case p.Output:
		return message.OutLow
	case p.PullUp:
		return message.PullUp
	}
	return message.Input
}

// Options are what the pins of a board are made of.
type Options struct {
	// Name stands in errors and is the source of the edges.
	Name string
	// ID is the board's own, message.NoID for whichever is there.
	ID message.ID
	// Pins are those that are used, by the names that the board gives them.
	Pins map[string]Pin
	// Beat is how long its outputs hold without a heartbeat, Baud the speed of the line.
	Beat time.Duration
	Baud int
	// Session draws the 32 bits of a session.
	Session func() uint32
}

// Report is how a board is, for those who look after it.
type Report struct {
	State link.State
	// Why is why it is not up, nil when it is.
	Why   error
	Board message.Board // as it said of itself last; Known tells whether it ever did
	Known bool
	Pins  []message.Pin
	Clock clockmap.Report
	Stats link.Stats
	Opens uint64 // of the port
}

// Machine is the pins of one board. It belongs to one goroutine at a time. What it has to tell must be told in order, and
// by one goroutine.
type Machine struct {
	opt  Options
	link *link.Machine

	out   []byte
	tells []func()

	up      bool
	why     error // it is not up
	looked  bool
	seen    int64 // the latest instant up to which everything was told
	opens   uint64
	closed  bool
	sink    bus.Sink
	lines   []string // that are watched
	outputs map[string]*output
	waits   map[uint64]func(mono int64, err error)
	token   uint64
	seq     uint64
}

// unanswered is the bus.ErrGone of a board that has not answered since the daemon began.
type unanswered string

// Error names the board.
func (u unanswered) Error() string { return fmt.Sprintf("board %s has not answered yet", string(u)) }

// Unwrap makes it a bus.ErrGone.
func (u unanswered) Unwrap() error { return bus.ErrGone }

// New returns the pins of a board whose port is not open. The error names everything that is wrong with the options.
func New(o Options) (*Machine, error) {
	if o.Name == "" {
		return nil, fmt.Errorf("board %q: a name is expected", o.Name)
	}
	modes := map[string]message.Mode{}
	for name, p := range o.Pins {
		modes[name] = p.mode()
	}
	l, err := link.New(link.Options{ID: o.ID, Pins: modes, Beat: o.Beat, Baud: o.Baud, Session: o.Session})
	if err != nil {
		return nil, fmt.Errorf("board %s: %w", o.Name, err)
	}
	return &Machine{opt: o, link: l, outputs: map[string]*output{}, waits: map[uint64]func(int64, error){},
		why: unanswered(o.Name)}, nil
}

// Take returns the bytes to write and what is to be told, in order, since the last call. The bytes go to the port at once:
// a ping is timed from now. What is told may call the machine.
func (m *Machine) Take() (out []byte, tells []func()) {
	out, tells = m.out, m.tells
	m.out, m.tells = nil, nil
	return out, tells
}

// Open begins to speak with the board: its port was opened, and what lies in it is stale.
func (m *Machine) Open(now int64) {
	m.opens++
	m.link.Open(now)
	m.flush(now)
}

// Shut says that the port could not be opened or is gone.
func (m *Machine) Shut(now int64, why error) {
	m.link.Shut(now, fmt.Errorf("%w: %w", link.ErrDown, why))
	m.flush(now)
	m.away(now, fmt.Errorf("board %s: %w: %w", m.opt.Name, bus.ErrGone, why))
}

// Receive takes bytes that came at an instant.
func (m *Machine) Receive(now int64, bytes []byte) {
	m.link.Receive(now, bytes)
	m.flush(now)
}

// Tick does what is due.
func (m *Machine) Tick(now int64) {
	m.link.Tick(now)
	m.renew(now)
	m.flush(now)
}

// Late says that nobody could listen for so long until now: it is no silence of the board's. What came meanwhile comes to
// Receive before it, and Tick after it.
func (m *Machine) Late(now int64, by time.Duration) { m.link.Late(now, by) }

// Due is the instant at which Tick will have something to do.
func (m *Machine) Due() (mono int64, any bool) {
	mono, any = m.link.Due()
	for _, o := range m.outputs {
		if o.held && (!any || o.renew < mono) {
			mono, any = o.renew, true
		}
	}
	return mono, any
}

// flush takes what the link has to say.
func (m *Machine) flush(now int64) {
	out, facts := m.link.Take()
	m.out = append(m.out, out...)
	for _, f := range facts {
		m.tell(now, f)
	}
	if state, why := m.link.State(); state == link.Wrong {
		m.away(now, fmt.Errorf("board %s: %w", m.opt.Name, why))
	}
}

// Looked tells whether the board was found, or the first attempt to is over.
func (m *Machine) Looked() bool { return m.looked }

// Busy tells whether somebody waits for an output.
func (m *Machine) Busy() bool { return m.link.Busy() }

// Watch asks for the inputs; see bus.Bus.
func (m *Machine) Watch(now int64, lines []string, sink bus.Sink) error {
	if m.sink != nil {
		return fmt.Errorf("board %s: its inputs are watched already", m.opt.Name)
	}
	for _, line := range lines {
		if p, known := m.opt.Pins[line]; !known || p.Output {
			return m.unknown(line, "input")
		}
	}
	m.sink, m.lines = sink, slices.Clone(lines)
	if !m.up {
		m.absent(now)
		return nil
	}
	levels := map[string]bool{} // it came up before anybody watched
	for _, line := range lines {
		levels[line], _ = m.link.Level(line)
	}
	m.present(now, levels)
	return nil
}

func (m *Machine) unknown(line, what string) error {
	var names []string
	for name, p := range m.opt.Pins {
		if p.Output == (what == "output") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return fmt.Errorf("board %s: %s: %w (it is configured with the %ss %s)", m.opt.Name, line, bus.ErrUnknownLine, what, strings.Join(names, ", "))
}

// Level reads an input; see bus.Bus.
func (m *Machine) Level(line string) (bool, error) {
	p, known := m.opt.Pins[line]
	if !known || p.Output {
		return false, m.unknown(line, "input")
	}
	level, ok := m.link.Level(line)
	if !ok {
		return false, m.why
	}
	return level != p.ActiveLow, nil
}

// Sources names the board; see bus.Bus.
func (m *Machine) Sources() map[string]time.Duration {
	return map[string]time.Duration{m.opt.Name: link.Lateness}
}

// beatsInTime is how many heartbeats are sent in the time that outputs hold without one: some may be lost on the way.
const beatsInTime = 5

// BeatEvery is how often it must hear a heartbeat; see bus.Keeper.
func (m *Machine) BeatEvery() time.Duration { return m.opt.Beat / beatsInTime }

// Beat is one heartbeat; see bus.Keeper.
func (m *Machine) Beat(now int64) {
	m.link.Beat(now)
	m.flush(now)
}

// Attend says whether somebody waits for what the inputs tell; see bus.Attendant.
func (m *Machine) Attend(on bool) { m.link.Arm(on) }

// Report returns how the board is.
func (m *Machine) Report() Report {
	r := Report{Pins: m.link.Pins(), Clock: m.link.Clock(), Stats: m.link.Stats(), Opens: m.opens}
	r.State, _ = m.link.State()
	r.Board, r.Known = m.link.Board()
	if !m.up {
		r.Why = m.why
	}
	return r
}
