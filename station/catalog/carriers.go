package catalog

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"scentpost/drivers/bus"
	"scentpost/drivers/bus/carrier"
	"scentpost/drivers/mcp23017"
	"scentpost/firmware-bridge/board"
	"scentpost/firmware-bridge/message"
	"scentpost/firmware-bridge/pinbus"
	"scentpost/station/templates"
)

// Carrier makes what carries lines for other devices, and has it looked after.
type Carrier func(Reach, Carried, templates.Values) (carrier.Carrier, error)

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

// BoardMaker makes the bus of a board of what its pins are made of.
type BoardMaker func(pinbus.Options) (carrier.Carrier, error)

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

// Fits implements templates.Part.
func (Carrier) Fits(t templates.Template) error {
	switch {
	case t.Carries == nil:
		return errors.New("lines that it carries are expected, and a class whose devices carry some")
	case !t.OnI2C() && t.Port == "":
		return errors.New("addresses on an I2C bus or a serial port are expected")
	case t.Carries.Holds:
		return settings(t, templates.SettingHoldOnLoss)
	}
	return nil
}

// transfersWithin is how long the wires may take for what one look needs, with some jobs of other chips before it.
const transfersWithin = 250 * time.Millisecond

// newMCP23017 makes the chip and has it looked after.
func newMCP23017(r Reach, c Carried, v templates.Values) (carrier.Carrier, error) {
	wires := r.Wires
	at, err := addressOf(v)
	if err != nil {
		return carrier.Carrier{}, fmt.Errorf("mcp23017 %s: %w", c.Name, err)
	}
	every := v.Durations[poll]
	pins := map[string]mcp23017.Pin{}
	for name, w := range c.Pins {
		number, err := mcp23017.ParsePin(name)
		if err != nil {
			return carrier.Carrier{}, fmt.Errorf("mcp23017 %s: %w", c.Name, err)
		}
		pins[name] = mcp23017.Pin{Number: number, ActiveLow: w.ActiveLow, PullUp: w.PullUp}
	}
	chip, err := mcp23017.New(wires, wires, mcp23017.Options{Name: c.Name, Address: at, Pins: pins, Lateness: every + transfersWithin})
	if err != nil {
		return carrier.Carrier{}, err
	}
	return carrier.Carrier{Name: c.Name, Bus: chip, Interrupted: chip.Interrupt, Looked: chip.Attend(every)}, nil
}

// newBoard makes a board, which looks for itself from then on.
func newBoard(r Reach, c Carried, v templates.Values) (carrier.Carrier, error) {
	baud, err := strconv.Atoi(v.Choices[templates.SettingBaud])
	if err != nil {
		return carrier.Carrier{}, fmt.Errorf("board %s: baud: %w", c.Name, err)
	}
	var id message.ID
	if n := copy(id[:], r.ID); n < len(r.ID) || n == 0 {
		return carrier.Carrier{}, fmt.Errorf("board %s: id %q: 1 to %d characters are expected", c.Name, r.ID, len(id))
	}
	o := pinbus.Options{Name: c.Name, ID: id, Pins: map[string]pinbus.Pin{}, Beat: v.Durations[heartbeat], Baud: baud, Session: r.Chance}
	for name, w := range c.Pins {
		o.Pins[name] = pinbus.Pin{Output: w.Output, ActiveLow: w.ActiveLow, PullUp: w.PullUp}
	}
	if r.Board != nil {
		return r.Board(o)
	}
	b, err := board.New(board.Options{Options: o, Open: func() (bus.Port, error) { return r.Open(baud) }, Now: r.Now})
	if err != nil {
		return carrier.Carrier{}, err
	}
	return carrier.Carrier{Name: c.Name, Bus: b, Looked: b.Looked()}, nil
}
