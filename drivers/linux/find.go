//go:build linux

package linux

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"scentpost/drivers/bus"
)

// Survey is the GPIO chips of this machine, as they were when somebody looked. Looking asks for no line and changes none.
type Survey struct{ Chips []Chip }

// Chip is one GPIO chip. Its number moves from one kernel to the next, its label stays.
type Chip struct {
	Path  string // of the character device, today
	Label string
	Lines []Line // by offset
	// Err says why nothing more is known of it than its path; fs.ErrPermission where the account may not open it.
	Err error
}

// Line is one line of a chip.
type Line struct {
	Name string // "" for one without a name, which a configuration cannot name
	// Consumer is who has requested it, "" when nobody has.
	Consumer string
}

// Place is where a line is today.
type Place struct {
	Path, Label string // of its chip
	Offset      uint32
	Line        Line
}

// Look surveys the chips of this machine.
func Look() (Survey, error) {
	k, err := newCdev()
	if err != nil {
		return Survey{}, err
	}
	s, err := look(k)
	return s, errors.Join(err, k.close())
}

// look asks every chip what it is. One that goes away meanwhile is left out.
func look(k kernel) (Survey, error) {
	var s Survey
	paths, err := k.chips()
	if err != nil {
		return s, fmt.Errorf("list the GPIO chips: %w", err)
	}
	for _, path := range paths {
		chip, err := inspect(k, path)
		if err != nil && !errors.Is(err, fs.ErrPermission) {
			continue
		}
		chip.Path, chip.Err = path, err
		s.Chips = append(s.Chips, chip)
	}
	return s, nil
}

func inspect(k kernel, path string) (Chip, error) {
	c, err := k.open(path)
	if err != nil {
		return Chip{}, err
	}
	about, err := c.about()
	return about, errors.Join(err, c.close())
}

// has tells whether a chip of that label could be looked at.
func (s Survey) has(label string) bool {
	for _, c := range s.Chips {
		if c.Err == nil && c.Label == label {
			return true
		}
	}
	return false
}

// Find returns where a line is that is given as "name" or "chip label:name". The error wraps bus.ErrUnknownLine, and says
// what to do.
func (s Survey) Find(line string) (Place, error) {
	var found []Place
	var names, labels []string
	var denied error
	for _, c := range s.Chips {
		if c.Err != nil {
			denied = c.Err
			continue
		}
		labels = append(labels, c.Label)
		for offset, l := range c.Lines {
			if full := c.Label + ":" + l.Name; l.Name != "" && (l.Name == line || full == line) {
				found = append(found, Place{Path: c.Path, Label: c.Label, Offset: uint32(offset), Line: l})
				names = append(names, full)
			}
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return Place{}, fmt.Errorf("line %q: %w: %d lines are named so (%s): name the chip too, as label:line, where the labels differ",
			line, bus.ErrUnknownLine, len(found), strings.Join(names, ", "))
	case denied != nil:
		return Place{}, fmt.Errorf("line %q: %w: %w (is the user in the group gpio?)", line, bus.ErrUnknownLine, denied)
	case len(labels) == 0:
		return Place{}, fmt.Errorf("line %q: %w: this machine has no GPIO chip (%s)", line, bus.ErrUnknownLine, chipPattern)
	}
	return Place{}, fmt.Errorf("line %q: %w (the chips here are %s; gpioinfo lists their lines)", line, bus.ErrUnknownLine, strings.Join(labels, ", "))
}
