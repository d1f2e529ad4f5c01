package catalog

import (
	"fmt"
	"strconv"
	"time"

	"scentpost/drivers/bus"
	"scentpost/drivers/bus/carrier"
	"scentpost/drivers/mcp23017"
)

// The names of the settings of what carries lines.
const (
	SettingPoll       = "poll"
	SettingHoldOnLoss = "hold_on_loss"
)

// Refused and Accepted are the choices of SettingHoldOnLoss.
const (
	Refused  = "refused"
	Accepted = "accepted"
)

// Pin is one line that a carrier offers.
type Pin struct {
	Name string
	// OutputOnly is set for a pin that may not be an input.
	OutputOnly bool
}

// Reach is what a carrier is reached by.
type Reach struct {
	// Wires are the I2C bus of a type that is on one.
	Wires bus.Wires
	// Open opens the serial port of a type that is behind one, at a speed in baud. ID is what the board there must
	// call itself.
	Open func(baud int) (bus.Port, error)
	ID   string
	// Board makes the bus of a board in another way than over a port; nil for never.
	Board BoardMaker
	// Now is the monotonic clock in nanoseconds, Chance draws 32 bits.
	Now    func() int64
	Chance func() uint32
}

// Carried is what a carrier is to know of the devices on it.
type Carried struct {
	Name string // the carrier's own, in the configuration
	// Pins are those that devices are on, by name.
	Pins map[string]Wiring
}

// Wiring is how a pin is wired.
type Wiring struct {
	Output    bool
	ActiveLow bool // a low voltage means active
	PullUp    bool // the carrier itself pulls it up
}

// PullUp is the only bias that a carrier can give to a pin.
const PullUp = "pull-up"

// expanders are the types that carry lines on an I2C bus.
func expanders() []Type {
	return []Type{
		{
			Name: "mcp23017", Class: Expander, About: "a port expander on I2C, whose sixteen pins serve other devices as lines",
			Addresses: mcp23017Addresses(), Interrupts: true, Pins: mcp23017Pins(), Biases: []string{PullUp}, Supply: "3.3 V", HoldsOnLoss: true, Polled: true,
			Settings: []Setting{
				addresses(mcp23017Addresses()),
				{Name: SettingPoll, About: "time from one look at the chip to the next", Min: 50 * time.Millisecond, Max: time.Second, Default: (250 * time.Millisecond).String()},
				{Name: SettingHoldOnLoss, About: "whether a canister may stay open until the daemon is back", Choices: []string{Refused, Accepted}, Default: Refused},
			},
			Carrier: newMCP23017,
		},
	}
}

// mcp23017Addresses are those that the chip can have.
func mcp23017Addresses() []uint16 {
	var out []uint16
	for at := mcp23017.FirstAddress; at <= mcp23017.LastAddress; at++ {
		out = append(out, uint16(at))
	}
	return out
}

// mcp23017Pins are A0 to A7 and B0 to B7.
func mcp23017Pins() []Pin {
	var out []Pin
	for _, port := range []string{"A", "B"} {
		for n := range 8 {
			name := port + strconv.Itoa(n)
			number, err := mcp23017.ParsePin(name)
			out = append(out, Pin{Name: name, OutputOnly: err == nil && mcp23017.OutputOnly[number]})
		}
	}
	return out
}

// transfersWithin is how long the wires may take for what one look needs, with some jobs of other chips before it.
const transfersWithin = 250 * time.Millisecond

// newMCP23017 makes the chip and has it looked after.
func newMCP23017(r Reach, c Carried, v Values) (carrier.Carrier, error) {
	wires := r.Wires
	at, err := strconv.ParseUint(v.Choices[SettingAddress], 0, 16)
	if err != nil {
		return carrier.Carrier{}, fmt.Errorf("mcp23017 %s: address: %w", c.Name, err)
	}
	poll := v.Durations[SettingPoll]
	pins := map[string]mcp23017.Pin{}
	for name, w := range c.Pins {
		number, err := mcp23017.ParsePin(name)
		if err != nil {
			return carrier.Carrier{}, fmt.Errorf("mcp23017 %s: %w", c.Name, err)
		}
		pins[name] = mcp23017.Pin{Number: number, ActiveLow: w.ActiveLow, PullUp: w.PullUp}
	}
	chip, err := mcp23017.New(wires, wires, mcp23017.Options{Name: c.Name, Address: uint16(at), Pins: pins, Lateness: poll + transfersWithin})
	if err != nil {
		return carrier.Carrier{}, err
	}
	return carrier.Carrier{Name: c.Name, Bus: chip, Interrupted: chip.Interrupt, Looked: chip.Attend(poll)}, nil
}

// Carries tells why a carrier of type t with the values v cannot serve a line of a part of a type, to which settings were
// given, with one of its pins; nil when it can. The error says what to do instead.
//
// A carrier whose outputs keep their level when nobody speaks to it may drive a canister only when the configuration
// accepts that: the dead-man of a dead daemon closes nothing. One that is polled misses a nose that is gone before it is
// read, and an emergency stop may not wait for wires that hang.
func (t Type) Carries(v Values, part Type, given map[string]string, line Line, pin string) error {
	for _, p := range t.Pins {
		if p.Name == pin && p.OutputOnly && !line.Output {
			return fmt.Errorf("pin %s of a %s may be an output only: take another pin for the %s", pin, t.Name, part.Name)
		}
	}
	switch {
	case t.Polled && part.Class == Beam:
		return fmt.Errorf("a %s is read now and then, and a nose that is gone by then leaves nothing: put the %s on a line of this machine", t.Name, part.Name)
	case t.Polled && given[SettingRole] == RoleEmergency:
		return fmt.Errorf("an emergency stop may not wait for the wires of a %s, which can hang: put the %s on a line of this machine", t.Name, part.Name)
	case t.HoldsOnLoss && part.Class == Canister && line.Output && v.Choices[SettingHoldOnLoss] != Accepted:
		return fmt.Errorf("a %s holds its outputs when the daemon is lost, so the %s would stay open until the daemon is back: put its drive on a line "+
			"of this machine, or set %s: %s on the %s and say in your procedure who looks after it", t.Name, part.Name, SettingHoldOnLoss, Accepted, t.Name)
	}
	return nil
}
