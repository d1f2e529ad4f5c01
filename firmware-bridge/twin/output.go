package twin

import (
	"time"

	"scentpost/firmware-bridge/message"
)

// set takes a command to an output; it is done now or when its time comes.
func (b *Board) set(number byte, s message.Set) message.Result {
	switch {
	case !b.configured:
		return message.NotConfigured
	case s.Pin >= message.MaxPins || !b.config.Modes[s.Pin].Output():
		return message.NoOutput
	case s.Level == b.config.Modes[s.Pin].Safe():
		b.fall(int(s.Pin))
		b.done(int(s.Pin), s.Level, message.BySet, number)
		return message.Taken
	case !b.beating:
		return message.NoHeartbeat
	case b.barred[s.Pin] > 0:
		return message.SafeCame
	case s.Longest == 0:
		return message.NoLongest
	}
	ahead := int64(s.At - b.micros(b.now))
	switch {
	case s.At>>63 != 0 || ahead > message.MostAhead.Microseconds():
		return message.TooFarAhead // no clock gets to the last instants
	case ahead < -message.LateAfter.Microseconds():
		return message.Late
	case ahead > 0:
		b.outputs[s.Pin].pending, b.outputs[s.Pin].number = &s, number
	default:
		b.begin(number, s)
	}
	return message.Taken
}

// begin drives an output away from its safe level, for a time.
func (b *Board) begin(number byte, s message.Set) {
	i, now := int(s.Pin), b.micros(b.now)
	o := &b.outputs[i]
	o.pending = nil
	if o.level != s.Level {
		b.drive(i, s.Level)
	}
	o.until = now + uint64(s.Longest)
	b.done(i, s.Level, message.BySet, number)
}

// done tells that an output was driven.
func (b *Board) done(i int, level bool, how message.How, number byte) {
	b.note(message.Event{Kind: message.Done, Time: b.micros(b.now), Pin: byte(i), Number: number, Level: level, How: how})
}

func micros(d time.Duration) uint64 { return uint64(d.Microseconds()) }

// safe takes outputs to their safe level.
func (b *Board) safe(number byte, s message.Safe) {
	again := b.safeSeen && number == b.safeNo
	b.safeNo, b.safeSeen = number, true
	ahead := s.Before - b.expected
	for i := range b.outputs {
		if s.Pins>>i&1 == 0 {
			continue
		}
		if ahead <= remembers { // more than the host may have under way: the SAFE is an old one
			b.barred[i] = max(b.barred[i], ahead)
		}
		if !b.config.Modes[i].Output() {
			continue
		}
		b.fall(i)
		if !again {
			b.done(i, b.config.Modes[i].Safe(), message.BySafe, number)
		}
	}
	b.send(number, &message.Ack{Of: message.TypeSafe})
}

// beaten takes a heartbeat, unless it is not newer than the last.
func (b *Board) beaten(count uint16) bool {
	if b.counted && int16(count-b.count) <= 0 {
		return false
	}
	b.count, b.counted = count, true
	if b.configured {
		b.alive()
	}
	return true
}

// alive is a heartbeat. The first one after a configuration drives the outputs, to their safe level.
func (b *Board) alive() {
	b.beat = b.micros(b.now)
	if b.beating {
		return
	}
	b.beating = true
	for i, mode := range b.config.Modes {
		if mode.Output() && !b.outputs[i].driven {
			b.outputs[i].driven, b.outputs[i].level = true, mode.Safe()
			b.changes = append(b.changes, Change{Pin: b.opt.Pins[i].Name, Driven: true, Level: mode.Safe(), Micros: b.beat})
		}
	}
}

// fall takes an output to its safe level, and forgets what is pending.
func (b *Board) fall(i int) (fell bool) {
	o := &b.outputs[i]
	o.pending = nil
	if !o.driven || o.level == b.config.Modes[i].Safe() {
		return false
	}
	b.drive(i, b.config.Modes[i].Safe())
	return true
}

func (b *Board) drive(i int, level bool) {
	b.outputs[i].level = level
	b.changes = append(b.changes, Change{Pin: b.opt.Pins[i].Name, Driven: true, Level: level, Micros: b.micros(b.now)})
}

// Tick does what is due: it is what the timer's interrupt and the main loop do.
func (b *Board) Tick(mono int64) {
	b.now = mono
	b.pass()
}

func (b *Board) pass() {
	now := b.micros(b.now)
	if b.beating && now-b.beat >= uint64(b.config.BeatMS)*1000 {
		b.beating = false
		b.fallAll(message.ByLoss)
	}
	for i := range b.outputs {
		b.due(i, now)
	}
	if b.session != 0 && now-b.heard >= micros(lapse) {
		b.rest()
		b.session = 0
		b.say()
	}
	if b.session == 0 && now-b.said >= micros(announce) {
		b.say()
	}
	b.report(now)
}

func (b *Board) fallAll(how message.How) {
	for i := range b.outputs {
		if b.fall(i) {
			b.done(i, b.config.Modes[i].Safe(), how, 0)
		}
	}
}

// due does what is due of one output. What falls forgets what is pending.
func (b *Board) due(i int, now uint64) {
	o := &b.outputs[i]
	if o.driven && o.level != b.config.Modes[i].Safe() && now >= o.until {
		b.fall(i)
		b.done(i, o.level, message.ByLongest, 0)
	}
	if s := o.pending; s != nil && now >= s.At {
		b.begin(o.number, *s)
	}
}

// report sends events: those that were not sent yet, and all again when no answer comes.
func (b *Board) report(now uint64) {
	if b.session == 0 {
		return
	}
	if b.sent > 0 && now-b.answered >= b.pause(now) {
		b.sent = 0
	}
	for b.sent < len(b.events) {
		rest := b.events[b.sent:]
		n, time := max(message.Fit(rest, now), 1), now
		if n < len(rest) {
			time = rest[n].Time // nothing behind this frame is stamped before the first event that is not in it
		}
		b.send(0, &message.Events{First: b.first + uint16(b.sent), Time: time, List: rest[:n]})
		b.sent += n
		b.answered = now
	}
}

// pause is how long events wait for their acknowledgement until they are sent again.
func (b *Board) pause(now uint64) uint64 {
	if now-b.heard >= micros(patience) {
		return micros(slowly)
	}
	return micros(resend)
}

// Due is the instant of the board's clock at which Tick will have something to do.
func (b *Board) Due() (at uint64) {
	next := b.said + micros(announce)
	if b.session != 0 {
		next = min(b.micros(b.now)+micros(announce), b.heard+micros(lapse))
	}
	if b.beating {
		next = min(next, b.beat+uint64(b.config.BeatMS)*1000)
	}
	if b.sent > 0 {
		next = min(next, b.answered+b.pause(b.micros(b.now)))
	}
	for i := range b.outputs {
		o := &b.outputs[i]
		if o.pending != nil {
			next = min(next, o.pending.At)
		}
		if o.driven && o.level != b.config.Modes[i].Safe() {
			next = min(next, o.until)
		}
	}
	return next + b.began
}
