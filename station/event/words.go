package event

import "slices"

// The words of this file stand in plans, rules and records. No other package writes them as text.

// Mode says who at the search may know the placement: what a plan intends, and what a run was in effect.
type Mode string

// The modes, least blind first.
const (
	ModeOpen   Mode = "open"   // all know the placement
	ModeSingle Mode = "single" // the assessor does, the handler does not
	ModeDouble Mode = "double" // nobody at the search does
)

// Modes returns all modes, least blind first.
func Modes() []Mode { return []Mode{ModeOpen, ModeSingle, ModeDouble} }

// Blinder tells whether a mode hides more than another. A word that is no mode hides nothing.
func (m Mode) Blinder(than Mode) bool { return slices.Index(Modes(), m) > slices.Index(Modes(), than) }

// Ending says how a session ended.
type Ending string

// The ways in which a session ends.
const (
	EndCompleted Ending = "completed"
	EndAborted   Ending = "aborted"
	EndNotValid  Ending = "not valid" // the reserve was used up
)

// Policy says how something counts that is neither right nor wrong. Which of the words a plan or a rule may use is checked
// where it is read.
type Policy string

// The policies.
const (
	PolicyWrong   Policy = "wrong"
	PolicyMiss    Policy = "miss" // for a target
	PolicyLeftOut Policy = "left-out"
)
