package link

import (
	"fmt"
	"slices"
	"time"

	"scentpost/firmware-bridge/message"
)

// command is one numbered message on its way.
type command struct {
	number byte
	msg    message.Message
	pin    int    // of a Set, -1 otherwise
	token  uint64 // who waits for it, 0 for nobody
	once   bool   // a Set for at once: its instant is that of its sending, whenever that is
}

// commands is what a link has under way.
type commands struct {
	queue []command // not sent yet: at most one for each output, and a configuration
	sent  []command // sent and not acknowledged, at most window
	next  byte      // the number of the next command
	at    int64     // when sent was sent last

	safe     message.Safe // the latest, while it is not acknowledged
	safeNo   byte
	safeWait bool
	safeAt   int64 // when it was sent last

	outputs [message.MaxPins]output
	beats   uint16
}

// output is what is under way for one output. Set and Safe are numbered each by itself.
type output struct {
	token  uint64 // who waits for it to be done, 0 for nobody
	sent   bool   // it has a number
	number byte
	safe   bool  // the number is that of a Safe
	late   int64 // when it has failed if nothing was heard of it
}

// giveUp returns who waits, and forgets them.
func (c *commands) giveUp() (tokens []uint64) {
	for i := range c.outputs {
		if t := c.outputs[i].token; t != 0 {
			tokens = append(tokens, t)
			c.outputs[i].token = 0
		}
	}
	return tokens
}

// due is when something is to be sent again, or has failed.
func (c *commands) due() (mono int64, ok bool) {
	consider := func(at int64) {
		if !ok || at < mono {
			mono, ok = at, true
		}
	}
	if c.safeWait {
		consider(c.safeAt + int64(resend))
	}
	if len(c.sent) > 0 {
		consider(c.at + int64(resend))
	}
	for i := range c.outputs {
		if o := &c.outputs[i]; o.token != 0 {
			consider(o.late)
		}
	}
	return mono, ok
}

// overdue tells of commands that nothing was heard of, and takes them back: what has failed must not be done later.
func (m *Machine) overdue(now int64) {
	for i := range m.commands.outputs {
		if o := &m.commands.outputs[i]; o.token != 0 && now >= o.late {
			m.tell(Fact{Kind: Done, Token: o.token, Err: fmt.Errorf("%w: pin %s was not driven within %s", ErrRefused, m.name(byte(i)), doneWithin)})
			o.token = 0
			m.commands.takeBack(1 << i)
		}
	}
}

// takeBack takes back every Set of some pins that is on its way. The number of one that was sent stays in the row.
func (c *commands) takeBack(pins uint64) {
	covered := func(q command) bool { return q.msg.Type() == message.TypeSet && pins>>q.pin&1 != 0 }
	c.queue = slices.DeleteFunc(c.queue, covered)
	for i, q := range c.sent {
		if covered(q) {
			c.sent[i] = command{number: q.number, msg: &message.Nothing{}, pin: -1}
		}
	}
}

// Busy tells whether somebody waits for an output.
func (m *Machine) Busy() bool {
	return slices.ContainsFunc(m.commands.outputs[:], func(o output) bool { return o.token != 0 })
}

// pin returns the index of an output, or why it is none now.
func (m *Machine) pin(name string) (int, error) {
	if m.state != Up {
		why := m.why
		if why == nil {
			why = fmt.Errorf("%w: the link is %s", ErrDown, m.state)
		}
		return 0, why
	}
	for i, p := range m.pins {
		if p.Name == name && m.config.Modes[i].Output() {
			return i, nil
		}
	}
	return 0, fmt.Errorf("%w: pin %s is no output", ErrBoard, name)
}

// await puts somebody who waits for an output in the place of whoever waited.
func (m *Machine) await(pin int, o output) {
	if before := m.commands.outputs[pin].token; before != 0 {
		m.tell(Fact{Kind: Done, Token: before, Err: ErrReplaced})
	}
	m.commands.outputs[pin] = o
}

// Set drives an output to a voltage at an instant of the host, and back to its safe level longest later. To the safe
// level use Safe. A fact Done with the token, which is not 0, says what became of it.
func (m *Machine) Set(now int64, name string, level bool, at int64, longest time.Duration, token uint64) {
	pin, err := m.pin(name)
	if err != nil {
		m.tell(Fact{Kind: Done, Token: token, Err: err})
		return
	}
	c := &m.commands
	set := &message.Set{Pin: byte(pin), Level: level, At: m.clock.fit.Board(max(at, now)), Longest: uint32(min(longest.Microseconds(), 1<<32-1))}
	c.queue = slices.DeleteFunc(c.queue, func(q command) bool { return q.pin == pin && q.msg.Type() == message.TypeSet })
	m.await(pin, output{token: token, late: max(at, now) + int64(doneWithin)}) // the number comes when it is sent
	c.queue = append(c.queue, command{msg: set, pin: pin, token: token, once: at <= now})
	m.pump(now)
}

// Safe takes outputs to their safe level at once, ahead of all commands; every output has a token of its own.
func (m *Machine) Safe(now int64, tokens map[string]uint64) {
	c := &m.commands
	var pins uint64
	number := c.safeNo + 1
	for _, name := range sortedKeys(tokens) {
		pin, err := m.pin(name)
		if err != nil {
			m.tell(Fact{Kind: Done, Token: tokens[name], Err: err})
			continue
		}
		pins |= 1 << pin
		m.await(pin, output{token: tokens[name], sent: true, number: number, safe: true, late: now + int64(doneWithin)})
	}
	if pins == 0 {
		return
	}
	c.takeBack(pins) // sent again it could open what this closes
	if c.safeWait {  // the one before was not acknowledged: this one does its work too
		for i := range c.outputs {
			if o := &c.outputs[i]; c.safe.Pins>>i&1 != 0 && o.safe {
				o.number = number
			}
		}
		pins |= c.safe.Pins
	}
	c.safeNo, c.safe, c.safeWait, c.safeAt = number, message.Safe{Pins: pins, Before: c.next}, true, now
	m.send(number, &c.safe)
}

// Beat sends one heartbeat. Only the loop that looks after the canisters may call it.
func (m *Machine) Beat(now int64) {
	if m.state == Levelling || m.state == Up {
		m.commands.beats++
		m.send(0, &message.Beat{Count: m.commands.beats})
		m.pump(now)
	}
}

// pump sends what the window has room for. Behind a Safe it waits for the answer: a Safe that is sent again must find
// nothing newer to undo. A Set waits for the session's first heartbeat, without which the board refuses it.
func (m *Machine) pump(now int64) {
	c := &m.commands
	for len(c.queue) > 0 && len(c.sent) < window && !c.safeWait {
		q := c.queue[0]
		if c.beats == 0 && q.msg.Type() == message.TypeSet {
			return
		}
		c.queue = c.queue[1:]
		q.number = c.next
		c.next++
		if o := &c.outputs[max(q.pin, 0)]; q.token != 0 && o.token == q.token {
			o.sent, o.number = true, q.number
		}
		if len(c.sent) == 0 {
			c.at = now
		}
		c.sent = append(c.sent, q)
		m.sendCommand(now, q)
	}
}

// again sends again what has no answer.
func (m *Machine) again(now int64) {
	c := &m.commands
	if c.safeWait && now-c.safeAt >= int64(resend) {
		c.safeAt = now
		m.stats.Resends++
		m.send(c.safeNo, &c.safe)
	}
	if len(c.sent) > 0 && now-c.at >= int64(resend) {
		c.at = now
		for _, q := range c.sent {
			m.stats.Resends++
			m.sendCommand(now, q)
		}
	}
}

// sendCommand sends a command. One for a fixed instant that is past by now is sent as it is: the board says so.
func (m *Machine) sendCommand(now int64, q command) {
	if set, sets := q.msg.(*message.Set); sets && q.once {
		set.At = m.clock.fit.Board(now)
	}
	m.send(q.number, q.msg)
}

// acknowledged takes the answer to a command or a Safe.
func (m *Machine) acknowledged(now int64, number byte, a message.Ack) {
	c := &m.commands
	if a.Of == message.TypeSafe {
		if c.safeWait && number == c.safeNo {
			c.safeWait = false
			m.pump(now)
		}
		return
	}
	if len(c.sent) == 0 || c.sent[0].number != number {
		return // a double, or ahead of one whose answer was lost: it is sent again and answered again
	}
	q := c.sent[0]
	c.sent = c.sent[1:]
	c.at = now
	m.answered(q, a.Result)
	m.pump(now)
}

// answered does what the answer to a command is for.
func (m *Machine) answered(q command, result message.Result) {
	switch q.msg.(type) {
	case *message.Configure:
		if m.state != Setting {
			return
		}
		if result != message.Taken {
			m.refuse(fmt.Errorf("%w: it does not take its configuration: %s", ErrBoard, result))
			return
		}
		m.state = Levelling
	case *message.Set:
		if result == message.Taken {
			return
		}
		if o := &m.commands.outputs[q.pin]; o.token == q.token {
			o.token = 0
			m.tell(Fact{Kind: Done, Token: q.token, Err: fmt.Errorf("%w: %s", ErrRefused, result)})
		}
	}
}

// done takes that an output was driven.
func (m *Machine) done(e message.Event, at, bound int64) {
	o := &m.commands.outputs[e.Pin]
	switch {
	case e.How == message.ByLongest:
		m.tell(Fact{Kind: Fell, Pin: m.name(e.Pin), Mono: at, Bound: bound, Why: "its longest time was over"})
	case e.How == message.ByLoss:
		m.tell(Fact{Kind: Fell, Pin: m.name(e.Pin), Mono: at, Bound: bound, Why: "the board heard no heartbeat"})
		if o.token != 0 && !o.safe { // what was pending is forgotten there
			m.tell(Fact{Kind: Done, Token: o.token, Err: fmt.Errorf("%w: %s", ErrRefused, message.NoHeartbeat)})
			o.token = 0
		}
	case o.token != 0 && o.sent && o.number == e.Number && o.safe == (e.How == message.BySafe):
		m.tell(Fact{Kind: Done, Token: o.token, Mono: at, Bound: bound})
		o.token = 0
	}
}

func sortedKeys(m map[string]uint64) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
