package words

import "scentpost/station/event"

// causes says in words why the station does something by itself. None says more than a placement allows: which canister was at
// fault is sealed until the reveal.
var causes = map[event.Cause]string{
	event.CauseMechanical:      "a canister did not do what it had to",
	event.CauseRestart:         "the daemon was started again",
	event.CausePower:           "the power was cut",
	event.CauseJournal:         "the journal took no records",
	event.CauseEStop:           "the emergency stop was pressed",
	event.CauseAbortButton:     "the abort button was pressed",
	event.CauseLateSync:        "the canisters could not open at one instant",
	event.CauseSimulation:      "the simulation was late, and the canisters could not open at one instant",
	event.CauseEdges:           "a line changed more often than the record takes",
	event.CauseButton:          "a button is stuck",
	event.CauseSource:          "beams or buttons could not be heard",
	event.CauseLost:            "changes of a beam or a button were lost",
	event.CauseUnstarted:       "the search was not started in time",
	event.CauseMechanicalVoids: "canisters failed in more than one run",
	event.CauseConfig:          "the configuration is not the one that the session was opened under: a change takes effect between sessions only",
	event.CauseReserve:         "the reserve runs were used up",
	event.CausePurge:           "the air was not changed",
}

// Why says why something was done: in words of its own for a cause of the station, else as the person put it.
func Why(why event.Why) string {
	said, own := causes[why.Cause]
	switch {
	case !own:
		return why.String()
	case why.Reason != "":
		return said + ": " + why.Reason
	}
	return said
}
