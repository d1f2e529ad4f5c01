package catalog

import (
	"fmt"
	"strconv"
	"time"

	"scentpost/drivers/bus"
	"scentpost/drivers/bus/carrier"
	"scentpost/firmware-bridge/board"
	"scentpost/firmware-bridge/message"
	"scentpost/firmware-bridge/pinbus"
)

// The names of the settings of boards.
const (
	SettingBaud      = "baud"
	SettingHeartbeat = "heartbeat"
)

// BoardMaker makes the bus of a board of what its pins are made of.
type BoardMaker func(pinbus.Options) (carrier.Carrier, error)

// MaxID is the most characters that a board's id has.
const MaxID = len(message.ID{})

// boards are the types of microcontroller boards that carry lines.
func boards() []Type {
	return []Type{
		{
			Name: "nano", Class: Board, About: "an Arduino Nano or Uno (ATmega328P) with the station's firmware, whose pins serve other devices as lines",
			Port: true, Pins: nanoPins(), Biases: []string{PullUp}, Supply: "5 V",
			NoPins: "D0 and D1 are the serial line, D13 is blinked by boot loaders, and A6 and A7 are no digital pins",
			Settings: []Setting{
				{Name: SettingBaud, About: "speed of its serial line, as its firmware was built", Choices: []string{"500000", "115200"}, Default: "500000"},
				{Name: SettingHeartbeat, About: "outputs go to their safe level when nothing was heard for this long", Min: message.LeastBeat, Max: 5 * time.Second, Default: "500ms"},
			},
			Carrier: newBoard,
		},
	}
}

// nanoPins are those that a device can be on. D0 and D1 are the serial line; D13 blinks while the boot loader runs, and
// its lamp loads it.
func nanoPins() (all []Pin) {
	for n := 2; n <= 12; n++ {
		all = append(all, Pin{Name: fmt.Sprint("D", n)})
	}
	for n := range 6 {
		all = append(all, Pin{Name: fmt.Sprint("A", n)})
	}
	return all
}

// newBoard makes a board, which looks for itself from then on.
func newBoard(r Reach, c Carried, v Values) (carrier.Carrier, error) {
	baud, err := strconv.Atoi(v.Choices[SettingBaud])
	if err != nil {
		return carrier.Carrier{}, fmt.Errorf("board %s: baud: %w", c.Name, err)
	}
	var id message.ID
	if n := copy(id[:], r.ID); n < len(r.ID) || n == 0 {
		return carrier.Carrier{}, fmt.Errorf("board %s: id %q: 1 to %d characters are expected", c.Name, r.ID, MaxID)
	}
	o := pinbus.Options{Name: c.Name, ID: id, Pins: map[string]pinbus.Pin{}, Beat: v.Durations[SettingHeartbeat], Baud: baud, Session: r.Chance}
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
