// Package carrier joins the lines of this machine and of what carries more of them into one bus.
package carrier

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"scentpost/drivers/bus"
)

// Colon stands between a carrier's name and the name of one of its pins.
const Colon = ":"

// Carrier is a device that carries lines for other devices: a port expander, a microcontroller board. It is a bus of its
// own, with sources that bear its name, and it tells of its pins that are absent as bus.PresenceSink says.
type Carrier struct {
	// Name is that of the device in the configuration; its lines are Name, a colon and the pin ("exp-1:A0").
	Name string
	// Bus has the pins, by their own names ("A0").
	Bus bus.Bus
	// Interrupt is the machine's own line that becomes active when the carrier asks to be read, "" for one that does not
	// ask. Several may share one. Interrupted hears of it: it must not wait.
	Interrupt   string
	Interrupted func(mono, bound int64)
	// Looked, unless nil, is closed when the carrier was looked for the first time, found or not.
	Looked <-chan struct{}
}

// Split takes the name of a line on a carrier apart; ok is false when no carrier of that name is among those known.
func Split(line string, known func(carrier string) bool) (carrier, pin string, ok bool) {
	carrier, pin, ok = strings.Cut(line, Colon)
	return carrier, pin, ok && known(carrier)
}

// Joined is a bus.Bus of several. A line whose name begins with a carrier's and a colon is that carrier's; every other
// one is the machine's own. What one of them does never waits for another.
type Joined struct {
	own      bus.Bus
	carriers map[string]bus.Bus
	ring     map[string][]func(mono, bound int64) // by line that interrupts
	sources  map[string]time.Duration
}

// Join joins the lines of the machine itself with those of its carriers. It refuses two of one name, and two that give
// one name to what stamps their edges: nobody could tell whose watermark it is.
func Join(own bus.Bus, carriers ...Carrier) (*Joined, error) {
	j := &Joined{own: own, carriers: map[string]bus.Bus{}, ring: map[string][]func(mono, bound int64){}, sources: maps.Clone(own.Sources())}
	if j.sources == nil {
		j.sources = map[string]time.Duration{}
	}
	for _, c := range carriers {
		switch {
		case c.Name == "" || strings.Contains(c.Name, Colon):
			return nil, fmt.Errorf("carrier %q: a name without a colon is expected", c.Name)
		case j.carriers[c.Name] != nil:
			return nil, fmt.Errorf("carrier %s: the name is taken by another carrier", c.Name)
		}
		j.carriers[c.Name] = c.Bus
		if c.Interrupt != "" {
			j.ring[c.Interrupt] = append(j.ring[c.Interrupt], c.Interrupted)
		}
		for source, lateness := range c.Bus.Sources() {
			if _, taken := j.sources[source]; taken {
				return nil, fmt.Errorf("carrier %s: what stamps its edges is called %q, as another source is: give it another name", c.Name, source)
			}
			j.sources[source] = lateness
		}
	}
	return j, nil
}

// route finds whose a line is, and what it is called there. Carrier is "" for the machine's own.
func (j *Joined) route(line string) (b bus.Bus, carrier, pin string) {
	carrier, pin, ok := Split(line, func(name string) bool { return j.carriers[name] != nil })
	if !ok {
		return j.own, "", line
	}
	return j.carriers[carrier], carrier, pin
}

// Watch asks each carrier for its lines in one go, and the machine for its own; see bus.Bus. All are asked, also for no
// line at all: what is absent is told at the watch. The error names everything that was refused.
func (j *Joined) Watch(lines []string, sink bus.Sink) error {
	byCarrier := map[string][]string{}
	for _, line := range lines {
		_, carrier, pin := j.route(line)
		byCarrier[carrier] = append(byCarrier[carrier], pin)
	}
	for line := range j.ring {
		if !slices.Contains(byCarrier[""], line) {
			byCarrier[""] = append(byCarrier[""], line)
		}
	}
	slices.Sort(byCarrier[""])
	failed := []error{j.own.Watch(byCarrier[""], newRelay("", sink, j.ring))}
	for _, name := range slices.Sorted(maps.Keys(j.carriers)) {
		if err := j.carriers[name].Watch(byCarrier[name], newRelay(name, sink, nil)); err != nil {
			failed = append(failed, fmt.Errorf("carrier %s: %w", name, err))
		}
	}
	return errors.Join(failed...)
}

// Output asks for an output of whoever has it; see bus.Bus.
func (j *Joined) Output(line string, safe bool) (bus.Output, error) {
	b, carrier, pin := j.route(line)
	out, err := b.Output(pin, safe)
	return out, of(carrier, err)
}

// Level reads a line of whoever has it; see bus.Bus.
func (j *Joined) Level(line string) (bool, error) {
	b, carrier, pin := j.route(line)
	level, err := b.Level(pin)
	return level, of(carrier, err)
}

// of says which carrier an error comes from.
func of(carrier string, err error) error {
	if carrier == "" || err == nil {
		return err
	}
	return fmt.Errorf("carrier %s: %w", carrier, err)
}

// Sources names what stamps edges on the machine and on every carrier; see bus.Bus.
func (j *Joined) Sources() map[string]time.Duration { return maps.Clone(j.sources) }

// Wires returns an I2C bus of the machine, when it has any.
func (j *Joined) Wires(name string) (bus.Wires, error) {
	machine, ok := j.own.(interface {
		Wires(name string) (bus.Wires, error)
	})
	if !ok {
		return nil, fmt.Errorf("%s: what has the lines has no I2C buses", name)
	}
	return machine.Wires(name)
}

// Close closes the carriers, then the machine's own lines, which carriers may need to the last. Each is closed whatever
// another one says.
func (j *Joined) Close() error {
	var failed []error
	for _, name := range slices.Sorted(maps.Keys(j.carriers)) {
		failed = append(failed, of(name, j.carriers[name].Close()))
	}
	return errors.Join(append(failed, j.own.Close())...)
}
