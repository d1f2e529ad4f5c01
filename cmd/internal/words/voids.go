package words

import "scentpost/station/event"

// voids says in words for what reason of its own the station takes a run out of the result. None says more than a placement
// allows: which canister was at fault is sealed until the reveal.
var voids = map[string]string{
	event.VoidMechanical: "a canister did not do what it had to",
	event.VoidRestart:    "the daemon was started again",
	event.VoidPower:      "the power was cut",
	event.VoidJournal:    "the journal took no records",
	event.VoidEStop:      "the emergency stop was pressed",
	event.VoidLateSync:   "the canisters could not open at one instant",
	event.VoidEdges:      "a line changed more often than the record takes",
	event.VoidButton:     "a button is stuck",
	event.VoidSource:     "beams or buttons could not be heard",
	event.VoidLost:       "changes of a beam or a button were lost",
	event.VoidUnstarted:  "the search was not started in time",
}

// Void says why a run is void: in words of its own for the station's reasons, else as the person put it.
func Void(reason string) string {
	if said, own := voids[reason]; own {
		return said
	}
	return reason
}
