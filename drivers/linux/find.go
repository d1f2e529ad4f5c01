//go:build linux

package linux

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"scentpost/drivers/bus"
)

// place is where a line is: chip numbers move from one kernel to the next, labels and names stay.
type place struct {
	path   string // of the character device, today
	label  string
	offset uint32
	info   lineInfo
}

// survey is all chips of this machine, as they were when it was made.
type survey struct {
	places []place
	labels []string
	denied error // a chip that may not be opened, nil when all could be
}

// look asks every chip what it is. One that goes away meanwhile is left out.
func look(k kernel) (survey, error) {
	var s survey
	paths, err := k.chips()
	if err != nil {
		return s, fmt.Errorf("list the GPIO chips: %w", err)
	}
	for _, path := range paths {
		info, err := inspect(k, path)
		if errors.Is(err, fs.ErrPermission) {
			s.denied = err
		}
		if err != nil {
			continue
		}
		s.labels = append(s.labels, info.label)
		for offset, l := range info.lines {
			s.places = append(s.places, place{path: path, label: info.label, offset: uint32(offset), info: l})
		}
	}
	return s, nil
}

func inspect(k kernel, path string) (chipInfo, error) {
	c, err := k.open(path)
	if err != nil {
		return chipInfo{}, err
	}
	info, err := c.about()
	return info, errors.Join(err, c.close())
}

// find returns the place of a line given as "name" or "chip label:name".
func (s survey) find(line string) (place, error) {
	var found []place
	for _, p := range s.places {
		if p.info.name != "" && (p.info.name == line || p.label+":"+p.info.name == line) {
			found = append(found, p)
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		var names []string
		for _, p := range found {
			names = append(names, fmt.Sprintf("%s:%s", p.label, p.info.name))
		}
		return place{}, fmt.Errorf("line %q: %w: %d lines are named so (%s): name the chip too, as label:line, where the labels differ",
			line, bus.ErrUnknownLine, len(found), strings.Join(names, ", "))
	case s.denied != nil:
		return place{}, fmt.Errorf("line %q: %w: %w (is the user in the group gpio?)", line, bus.ErrUnknownLine, s.denied)
	case len(s.labels) == 0:
		return place{}, fmt.Errorf("line %q: %w: this machine has no GPIO chip (%s)", line, bus.ErrUnknownLine, chipPattern)
	}
	return place{}, fmt.Errorf("line %q: %w (the chips here are %s; gpioinfo lists their lines)", line, bus.ErrUnknownLine, strings.Join(s.labels, ", "))
}
