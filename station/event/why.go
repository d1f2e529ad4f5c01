package event

// Why says why something was done: for a cause of the station, which a reason may say more of, or without a cause for the reason
// that a person gave. Neither tells anything of the placement. A person who uses the words of a cause gives no cause.
type Why struct {
	Cause  Cause  `json:"cause,omitempty"`
	Reason string `json:"reason,omitempty"`
}

// Given tells whether there is a cause or a reason.
func (w Why) Given() bool { return w != Why{} }

// String joins the cause with the reason, for a sentence.
func (w Why) String() string {
	if w.Cause != "" && w.Reason != "" {
		return string(w.Cause) + ": " + w.Reason
	}
	return string(w.Cause) + w.Reason
}

// Cause is why the station itself does something.
type Cause string

// The causes of a void. Those of an emergency stop, an abort button and mechanical voids pause the session too.
const (
	CauseMechanical  Cause = "mechanical"
	CauseRestart     Cause = "daemon restarted"
	CausePower       Cause = "power cut"
	CauseJournal     Cause = "journal failed"
	CauseEStop       Cause = "emergency stop"
	CauseAbortButton Cause = "abort button"
	CauseLateSync    Cause = "late sync"
	CauseSimulation  Cause = "simulation late" // commands came late to a virtual station
	CauseEdges       Cause = "edge budget spent"
	CauseButton      Cause = "stuck button"
	CauseSource      Cause = "source lost"
	CauseLost        Cause = "edges lost"
	CauseUnstarted   Cause = "not started in time"
)

// Other causes: of a pause, of an abort, of an end without enough valid runs, and of a note on the air.
const (
	CauseMechanicalVoids Cause = "mechanical voids"
	CauseConfig          Cause = "configuration changed"
	CauseReserve         Cause = "reserve used up"
	CausePurge           Cause = "purge failed"
)
