package host

import "scentpost/station/refusal"

// The reasons for which the host takes no command, beside those of the engine, with the names of their values.
const (
	Busy          refusal.Code = "busy"            // too many commands wait
	JournalFailed refusal.Code = "journal-failed"  // detail
	NoChance      refusal.Code = "no-random-bytes" // detail
	NotWritable   refusal.Code = "not-writable"    // detail: it fits into no line of the record
	// CanistersLack is a plan that loads canisters which the station does not have. The detail lists them by position.
	CanistersLack refusal.Code = "canisters-lack"
	// PlanDiffers is a plan that a virtual station is not prepared for. The detail lists where it differs.
	PlanDiffers refusal.Code = "plan-differs"
)
