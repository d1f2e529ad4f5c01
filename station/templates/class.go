package templates

import (
	"slices"
)

// Class says what a station uses a device for, and what follows from that for every device of the class.
type Class struct {
	Name string // the word in a template
	// Stands says whether a device has a position.
	Stands Standing
	// Alone is set where a position has one such device at most.
	Alone bool
	// Needed says which sessions cannot be held while such a device is absent.
	Needed Need
	// Carries is set where a device carries lines for others.
	Carries bool
}

// Standing says whether the devices of a class have a position.
type Standing int

// Where devices stand.
const (
	Nowhere    Standing = iota // no device has a position
	Anywhere                   // a device serves one position, or all where none is given
	AtPosition                 // every device stands at one position
)

// Need says which sessions need the devices of a class.
type Need int

// The needs.
const (
	ByNone    Need = iota // every session can be held without them
	ThatReach             // a session over the position of such a device; without a position, every session
	ByAll                 // every session
)

// The classes that rules of the station name.
var (
	Beam     = Class{Name: "beam", Stands: AtPosition, Alone: true, Needed: ThatReach} // a nose at a position
	Button   = Class{Name: "button", Needed: ByAll}                                    // a hand
	Canister = Class{Name: "canister", Stands: AtPosition, Needed: ThatReach}          // presents and closes an aid
	Light    = Class{Name: "light"}                                                    // shows something to people

	Purge       = Class{Name: "purge", Stands: Anywhere, Needed: ThatReach} // changes the air between runs
	Sound       = Class{Name: "sound"}                                      // is heard, never during a search
	Environment = Class{Name: "environment"}                                // measures the air
	Timekeeper  = Class{Name: "clock"}                                      // keeps the time over a power cut
	Expander    = Class{Name: "expander", Carries: true}                    // carries lines for other devices
	Board       = Class{Name: "board", Carries: true}                       // a microcontroller that carries lines for other devices
)

// Classes is the table of all classes. A new class is a row here; what becomes of its devices at a station goes by the
// contract of its parts, see package catalog.
func Classes() []Class {
	return []Class{Beam, Button, Canister, Light, Purge, Sound, Environment, Timekeeper, Expander, Board}
}

// classNames returns the words of classes.
func classNames(classes []Class) (names []string) {
	for _, c := range classes {
		names = append(names, c.Name)
	}
	return names
}

// classOf returns the class of a word; the zero Class when there is none.
func classOf(name string, classes []Class) Class {
	i := slices.IndexFunc(classes, func(c Class) bool { return c.Name == name })
	if i < 0 {
		return Class{}
	}
	return classes[i]
}
