package hardware

import (
	"slices"

	"scentpost/drivers/bus/bustest"
	"scentpost/drivers/bus/carrier"
	"scentpost/drivers/mcp23017"
)

// expander is a port expander of the station, at register level, with what hangs on its pins: the lines that bear its
// name and a colon. What it drives stays as it is when nobody speaks to it.
type expander struct {
	*bustest.MCP23017
	station   *Station
	pins      map[int]*line
	interrupt *line // that it asks with, nil for none
}

// carry hangs the lines of the station that are a chip's on its pins.
func (s *Station) carry(c Chip, model *bustest.MCP23017) *expander {
	e := &expander{MCP23017: model, station: s, pins: map[int]*line{}}
	for name, l := range s.lines {
		_, pin, own := carrier.Split(name, func(on string) bool { return on == c.Name })
		number, err := mcp23017.ParsePin(pin)
		if !own || err != nil {
			continue // a line of the machine, which nobody can ask for here when it names a pin that there is not
		}
		e.pins[number] = l
		if l.drive == nil {
			model.Drive(number, l.level)
			l.follow = func() {
				model.Drive(number, l.level)
				s.ask()
			}
		}
	}
	if c.Interrupt != "" {
		if e.interrupt = s.lines[c.Interrupt]; e.interrupt == nil {
			e.interrupt = s.input(c.Interrupt, SourceLimits) // it tells of limit switches too
		}
	}
	s.carriers = append(s.carriers, e)
	return e
}

// Tx is one transfer, and what it does to the pins.
func (e *expander) Tx(address uint16, write, read []byte) error {
	err := e.MCP23017.Tx(address, write, read)
	e.settle()
	return err
}

// settle brings what hangs on the pins to their levels.
func (e *expander) settle() {
	for number := range 16 {
		if l := e.pins[number]; l != nil && l.drive != nil {
			e.station.drive(l, e.Pin(number))
		}
	}
	e.station.ask()
}

// ask brings the lines that chips ask with to their levels: one that several share is active while any of them asks.
func (s *Station) ask() {
	for _, e := range s.carriers {
		if e.interrupt == nil {
			continue
		}
		s.set(e.interrupt, slices.ContainsFunc(s.carriers, func(other *expander) bool {
			return other.interrupt == e.interrupt && other.Interrupts()
		}))
	}
}

// off takes the chip's power, and with it all that it drives; powered again it is as new.
func (e *expander) off() {
	e.Reset()
	e.settle()
}
