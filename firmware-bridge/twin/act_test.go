package twin

import (
	"scentpost/firmware-bridge/frame"
	"scentpost/firmware-bridge/message"
)

// begin opens a session, configures the board and sends the first heartbeat.
func (s *script) begin() {
	s.hello()
	s.run(grid)
	s.command(&message.Configure{BeatMS: 997, Modes: modes[0]})
	s.beat()
	s.run(grid)
}

// modes are configurations: the first is of every kind, the last one that no board is able to.
var modes = func() (all [4][message.MaxPins]message.Mode) {
	for i := 2; i < 20; i++ {
		all[0][i] = []message.Mode{message.Input, message.PullUp, message.OutLow, message.OutHigh, message.OutLow, message.Unused}[i%6]
		all[1][i] = []message.Mode{message.OutHigh, message.OutLow}[i%2]
		all[2][i] = message.Input
	}
	all[0][13], all[1][13] = message.Input, message.Unused
	all[3][13] = message.OutLow
	return all
}()

func (s *script) hello() {
	s.settle()
	session := s.chance.Uint32() | 1
	if byte(session) == byte(s.session) {
		session ^= 2
	}
	s.session, s.next, s.safe, s.beats = session, 0, 0, uint16(s.chance.Uint32())
	s.say(0, &message.Hello{Session: session, Lowest: 1, Highest: byte(1 + s.chance.IntN(3))})
}

func (s *script) beat() {
	s.beats += 1 + uint16(s.chance.IntN(3))
	s.say(0, &message.Beat{Count: s.beats})
}

// span is how long a window is.
func (s *script) span() int64 {
	spans := []int64{grid, grid, grid, grid, 2 * grid, 3 * grid, 7 * grid, 13 * grid, 40 * grid, long}
	if s.chance.IntN(60) == 0 {
		return 3000 * ms
	}
	return spans[s.chance.IntN(len(spans))]
}

// act does one thing.
func (s *script) act() {
	switch n := s.chance.IntN(100); {
	case n < 22:
		s.beat()
	case n < 44:
		s.command(s.set())
	case n < 52:
		s.close()
	case n < 62:
		s.cookie++
		s.say(0, &message.Ping{Cookie: s.cookie})
	case n < 72:
		s.hold()
	case n < 82:
		s.edge(2+s.chance.IntN(18), s.chance.IntN(2) == 0)
	case n < 85:
		s.again()
	case n < 93:
		s.bad()
	default:
		s.seldom()
	}
}

// seldom does what would end most of what is under way if it came often.
func (s *script) seldom() {
	switch s.chance.IntN(12) {
	case 0:
		s.hello()
	case 1:
		s.say(0, &message.Hello{Session: s.session, Lowest: 1, Highest: 1})
	case 2:
		s.say(0, &message.Hello{Session: s.session + 4, Lowest: 2, Highest: 9}) // no version of theirs
	case 3, 4:
		beat := []uint16{57, 207, 997, 997, 49, 10_001}[s.chance.IntN(6)]
		s.command(&message.Configure{BeatMS: beat, Modes: modes[s.chance.IntN(len(modes))]})
	case 5:
		s.command(&message.Name{ID: []message.ID{message.NoID, {'n', 'a', 'n', 'o'}}[s.chance.IntN(2)]})
		s.run(10 * grid) // it is written
	case 6, 7:
		s.command(&message.Nothing{})
	case 8:
		s.glitch()
	case 9:
		for i := range 60 + s.chance.IntN(120) { // more than there is room for
			s.edge(6+i%2, i/2%2 == 0)
		}
	default:
		s.say(0, &message.Describe{Index: byte(s.chance.IntN(25))})
	}
}

// set is a command to an output, for now, for later, too late or too far ahead.
func (s *script) set() message.Message {
	far := int64(message.MostAhead / 1000)
	at := s.micros()
	switch s.chance.IntN(10) {
	case 0:
		at -= 45_000
	case 1:
		at -= 55_000
	case 2:
		at += uint64(far - 5000)
	case 3:
		at += uint64(far + 5000)
	case 4:
		at = []uint64{0, 1 << 63, 1<<64 - 1, 1<<63 + at, at + 1<<32, at - 1<<32}[s.chance.IntN(6)]
	case 5, 6:
	default:
		at += 5000 + 10_000*uint64(s.chance.IntN(30))
	}
	longest := 3500 + 10_000*uint32(s.chance.IntN(60))
	switch s.chance.IntN(12) {
	case 0:
		longest = 0
	case 1:
		longest = 1<<32 - 1
	}
	return &message.Set{Pin: byte(s.chance.IntN(22)), Level: s.chance.IntN(3) > 0, At: at, Longest: longest}
}

// close is a SAFE, new or again, whose `before` is what the host would say, or not.
func (s *script) close() {
	if s.chance.IntN(4) > 0 {
		s.safe++
	}
	before := s.next + []byte{0, 0, 0, 1, 2, 5, 8, 9, 200}[s.chance.IntN(9)]
	s.say(s.safe, &message.Safe{Pins: s.chance.Uint64() & s.chance.Uint64(), Before: before})
}

// hold is a HELD: of all, of some, of what was held long ago, of what never was.
func (s *script) hold() {
	s.settle()
	held, next := s.board.first, s.board.first+uint16(len(s.board.events))
	at := []uint16{next, next, next, held, held + uint16(len(s.board.events)/2), held - 3, held - 200, next + 1, next + 300, held + 1<<15}[s.chance.IntN(10)]
	s.say(0, &message.Held{Next: at, Again: s.chance.IntN(3) == 0})
}

// again is a command that came before, or is not the next.
func (s *script) again() {
	number := s.next - byte(s.chance.IntN(12))
	if number == s.next {
		number += 1 + byte(s.chance.IntN(200))
	}
	msgs := []message.Message{s.set(), &message.Nothing{}, &message.Configure{BeatMS: 997, Modes: modes[0]}}
	s.say(number, msgs[s.chance.IntN(len(msgs))])
}

// bad is what is no frame, or none of the session, or says what cannot be.
func (s *script) bad() {
	byt := func() byte { return byte(s.chance.Uint32()) }
	sound := message.Append(nil, byte(s.session), s.next, s.set())
	switch s.chance.IntN(10) {
	case 0: // noise
		noise := make([]byte, 1+s.chance.IntN(150))
		for i := range noise {
			noise[i] = byt() & 0x1F
		}
		s.hear(append(noise, 0))
	case 1, 2: // a bit is another one
		wire := frame.Append(nil, sound)
		bit := s.chance.IntN(8 * len(wire))
		wire[bit/8] ^= 1 << (bit % 8)
		s.hear(append(wire, 0))
	case 3:
		sound[0] = byt() | 2 // version
		s.hear(frame.Append(nil, sound))
	case 4:
		sound[1] = []byte{0, byte(message.TypeName) + 1, byte(message.TypePong), 0xFF}[s.chance.IntN(4)]
		s.hear(frame.Append(nil, sound))
	case 5:
		sound[2] ^= 1 + byt()&0x7F // session
		s.hear(frame.Append(nil, sound))
	case 6:
		s.hear(frame.Append(nil, append(sound, byt()))) // length
	case 7:
		s.say(1+byt()&0x7F, &message.Beat{Count: s.beats + 1}) // a number where there is none
	case 8:
		ping := message.Append(nil, byte(s.session), 0, &message.Ping{Cookie: 5})
		ping[len(ping)-1] = 1 // what fills it
		s.hear(frame.Append(nil, ping))
	default:
		s.odd()
	}
}

// odd is a frame whose values cannot be.
func (s *script) odd() {
	switch s.chance.IntN(5) {
	case 0:
		s.say(0, &message.Hello{Session: s.chance.Uint32() << 8, Lowest: 1, Highest: 1})
	case 1:
		s.say(0, &message.Hello{Session: s.session + 2, Lowest: 3, Highest: 1})
	case 2:
		s.say(0, &message.Beat{Count: s.beats - uint16(s.chance.IntN(3))})
	case 3:
		set := message.Append(nil, byte(s.session), s.next, s.set())
		set[5] = 2 // the level
		s.hear(frame.Append(nil, set))
	default:
		held := message.Append(nil, byte(s.session), 0, &message.Held{Next: s.board.first})
		held[6] = 2 // again
		s.hear(frame.Append(nil, held))
	}
}
