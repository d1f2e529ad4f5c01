package trial

import (
	"scentpost/station/event"
	"scentpost/station/refusal"
)

// Snapshot is what may be shown of a station: its state as of the last durable record. What of it somebody may see
// is decided in package control.
type Snapshot struct {
	View  View
	Names map[string]string // reference -> name
	Epoch string
	Size  int64 // durable records
	At    event.Stamp
	// Checkpoint is the last signed checkpoint, to be witnessed.
	Checkpoint []byte
	// Request is View.Request as a note that the station signed, nil when there is none.
	Request []byte
	// Failed is why the journal stopped, nil while it works.
	Failed *refusal.Reason
}

// Answer is what became of a command.
type Answer struct {
	// Seq is the record that the command became, or its refusal's; -1 when it left none.
	Seq int64
	// Refused says why the command was refused, nil when it was carried out.
	Refused *refusal.Reason
}
