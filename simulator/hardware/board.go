package hardware

import (
	"maps"
	"slices"

	"scentpost/drivers/bus/carrier"
)

// Board is where a microcontroller board is soldered in: the lines that bear its name and a colon end at its pins, and not at
// the machine.
type Board struct {
	station *Station
	lines   map[string]*line // by pin
}

// Solder has the lines of a board end at its pins, and returns it. From now on input hears of each change of an input's
// level.
func (s *Station) Solder(name string, input func(pin string, level bool)) *Board {
	b := &Board{station: s, lines: map[string]*line{}}
	for _, l := range s.lines {
		_, pin, own := carrier.Split(l.name, func(on string) bool { return on == name })
		if !own {
			continue
		}
		b.lines[pin] = l
		if l.drive == nil {
			l.follow = func() { input(pin, l.level) }
		}
	}
	return b
}

// Pins are those that lines end at, in the order of their names.
func (b *Board) Pins() []string { return slices.Sorted(maps.Keys(b.lines)) }

// Level is the logical level of a pin's line.
func (b *Board) Level(pin string) bool { return b.lines[pin].level }

// Drive gives the line of an output its level. A pin that no output ends at drives nothing.
func (b *Board) Drive(pin string, level bool) {
	if l := b.lines[pin]; l != nil && l.drive != nil {
		b.station.drive(l, level)
	}
}
