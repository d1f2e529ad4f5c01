package message

// Cause is why a board started last.
type Cause byte

// The causes.
const (
	CauseUnknown Cause = iota
	CausePower
	CauseReset // the reset pin
	CauseBrownOut
	CauseWatchdog
)

var causes = [...]string{"unknown", "power", "reset pin", "brown-out", "watchdog"}

// String returns the word for the cause.
func (c Cause) String() string { return causes[min(int(c), len(causes)-1)] }

// Board is how a board describes itself. It answers HELLO, and comes unasked after a start.
type Board struct {
	Session       uint32 // 0 after a start
	Boot          uint32 // counts the starts, NoBoot when the board cannot
	Cause         Cause
	Configured    bool
	Beating       bool // heartbeats are heard
	Named         bool // it has an id
	Firmware      [3]byte
	Build         [8]byte
	ID            ID
	Configuration uint32 // Configure.Sum of the one in force, 0 for none
	Discarded     uint16 // events that the session's begin threw away
	Pins          byte
	Room          uint16 // events that it can hold
	ResolutionNS  uint16
	Kind          string // at most 8 characters
	Time          uint64 // microseconds of its clock
}

// NoBoot is the boot counter of a board that cannot count.
const NoBoot = 0xFFFFFFFF

// The abilities of a pin.
const (
	AbleInput  = 1 << iota
	AbleOutput // may drive
	AblePullUp
	AbleTimed // edges are stamped in an interrupt
)

// Pin is what one pin of a board is able to; 0 for one that there is not.
type Pin struct {
	Index     byte
	Abilities byte
	Name      string // at most 8 characters
}

// Result answers a command.
type Result byte

// The results.
const (
	Taken Result = iota
	NotConfigured
	NoHeartbeat
	NoOutput
	Late
	TooFarAhead
	NoLongest
	SafeCame
	NotAble
	NotNow
)

var results = [...]string{
	"taken", "the board is not configured", "the board hears no heartbeat", "the pin is no output", "its instant was past",
	"its instant is too far ahead", "it has no longest time", "a command to the safe level came before it",
	"the pin is not able to do that", "the board has an id, or is configured",
}

// String returns words for the result.
func (r Result) String() string { return results[min(int(r), len(results)-1)] }

// Ack answers a command or a Safe, whose number is in the header.
type Ack struct {
	Of     Type
	Result Result
}

// Pong answers a Ping.
type Pong struct {
	Cookie   uint32
	Received uint64 // when the last byte of the Ping came, microseconds of the board's clock
	Levels   uint64 // the voltages of all inputs
	Unsafe   uint64 // the outputs that are not at their safe level
	Next     uint16 // events below it, and no others, are stamped up to Time
	Dropped  uint16 // edges that found no room, since the start
	Glitches uint16 // edges too close to tell apart, since the start
	Errors   uint16 // frames passed over and bytes overrun, since the start
	Time     uint64
}

const pongSize = 44

// Type is TypeBoard.
func (*Board) Type() Type { return TypeBoard }

func (m *Board) append(dst []byte) []byte {
	dst = le.AppendUint32(le.AppendUint32(dst, m.Session), m.Boot)
	dst = append(dst, byte(m.Cause), one(m.Configured)|one(m.Beating)<<1|one(m.Named)<<2)
	dst = append(append(append(dst, m.Firmware[:]...), m.Build[:]...), m.ID[:]...)
	dst = le.AppendUint16(le.AppendUint32(dst, m.Configuration), m.Discarded)
	dst = le.AppendUint16(le.AppendUint16(append(dst, m.Pins), m.Room), m.ResolutionNS)
	return le.AppendUint64(padded(dst, m.Kind, 8), m.Time)
}

func (m *Board) read(r *reader) {
	m.Session, m.Boot = r.u32(), r.u32()
	m.Cause = Cause(r.most(byte(CauseWatchdog), "cause"))
	state := r.most(7, "state")
	m.Configured, m.Beating, m.Named = state&1 != 0, state&2 != 0, state&4 != 0
	m.Firmware, m.Build, m.ID = [3]byte(r.take(3)), [8]byte(r.take(8)), ID(r.take(8))
	m.Configuration, m.Discarded = r.u32(), r.u16()
	m.Pins = r.most(MaxPins, "pins")
	m.Room, m.ResolutionNS = r.u16(), r.u16()
	m.Kind, m.Time = r.text(8, "kind"), r.u64()
}

// Type is TypePin.
func (*Pin) Type() Type { return TypePin }

func (m *Pin) append(dst []byte) []byte { return padded(append(dst, m.Index, m.Abilities), m.Name, 8) }

func (m *Pin) read(r *reader) {
	m.Index, m.Abilities, m.Name = r.u8(), r.most(15, "abilities"), r.text(8, "name")
}

// Type is TypeAck.
func (*Ack) Type() Type { return TypeAck }

func (m *Ack) append(dst []byte) []byte { return append(dst, byte(m.Of), byte(m.Result)) }

func (m *Ack) read(r *reader) {
	m.Of, m.Result = Type(r.u8()), Result(r.most(byte(NotNow), "result"))
	if !m.Of.Command() && m.Of != TypeSafe {
		r.fail(ErrValue, "type 0x%02X is not acknowledged", byte(m.Of))
	}
}

// Type is TypePong.
func (*Pong) Type() Type { return TypePong }

func (m *Pong) append(dst []byte) []byte {
	dst = le.AppendUint64(le.AppendUint32(dst, m.Cookie), m.Received)
	dst = le.AppendUint64(le.AppendUint64(dst, m.Levels), m.Unsafe)
	dst = le.AppendUint16(le.AppendUint16(dst, m.Next), m.Dropped)
	dst = le.AppendUint16(le.AppendUint16(dst, m.Glitches), m.Errors)
	return le.AppendUint64(dst, m.Time)
}

func (m *Pong) read(r *reader) {
	m.Cookie, m.Received, m.Levels, m.Unsafe = r.u32(), r.u64(), r.u64(), r.u64()
	m.Next, m.Dropped, m.Glitches, m.Errors, m.Time = r.u16(), r.u16(), r.u16(), r.u16(), r.u64()
	if m.Received > m.Time {
		r.fail(ErrValue, "answered at %d, before %d when it came", m.Time, m.Received)
	}
}
