package trial

import (
	"strings"

	"scentpost/station/event"
	"scentpost/station/refusal"
)

// The reasons for which the engine refuses an input, with the names of their values.
const (
	NoSession      refusal.Code = "no-session"
	SessionActive  refusal.Code = "session-active" // session, phase
	OtherSession   refusal.Code = "other-session"
	WrongPhase     refusal.Code = "wrong-phase" // command, phase, want
	NotSealed      refusal.Code = "not-sealed"
	Paused         refusal.Code = "paused" // why
	AlreadyPaused  refusal.Code = "already-paused"
	NotPaused      refusal.Code = "not-paused"
	BeingAborted   refusal.Code = "being-aborted"
	AbortedAlready refusal.Code = "aborted-already"
	NothingToAbort refusal.Code = "nothing-to-abort"
	HasEnded       refusal.Code = "has-ended"
	NotEnded       refusal.Code = "not-ended"  // phase
	NotClosed      refusal.Code = "not-closed" // session: it has ended

	PlanRefused    refusal.Code = "plan-refused" // detail
	RuleRefused    refusal.Code = "rule-refused" // detail
	WitnessUnknown refusal.Code = "witness-unknown"
	PurgeTooShort  refusal.Code = "purge-too-short" // purge, needed
	RunTooLong     refusal.Code = "run-too-long"    // run, open
	LoaderAtSearch refusal.Code = "loader-at-search"
	LoadingRefused refusal.Code = "loading-refused" // detail
	PlanUndealable refusal.Code = "plan-undealable" // detail
	ShareUnsigned  refusal.Code = "share-unsigned"  // detail
	DiceMissing    refusal.Code = "dice-missing"

	NoRun          refusal.Code = "no-run"
	RunInProgress  refusal.Code = "run-in-progress" // run
	NoRunLeft      refusal.Code = "no-run-left"
	NotPresented   refusal.Code = "not-presented"
	NotShown       refusal.Code = "no-run-presented"
	NoSearch       refusal.Code = "no-search"
	SearchNotBegun refusal.Code = "search-not-begun"
	SearchBegun    refusal.Code = "search-begun"
	SearchOver     refusal.Code = "search-over"
	ReasonMissing  refusal.Code = "reason-missing"
	VoidTooLate    refusal.Code = "void-too-late"
	VoidAlready    refusal.Code = "void-already"

	NoPosition         refusal.Code = "no-position"         // position, positions
	NeedsTwoPositions  refusal.Code = "needs-two-positions" // positions
	NamesNoPosition    refusal.Code = "names-no-position"
	NothingToWithdraw  refusal.Code = "nothing-to-withdraw"
	CalledByButton     refusal.Code = "called-by-button"
	SearchStopped      refusal.Code = "search-stopped"
	WithdrawTooLate    refusal.Code = "withdraw-too-late" // limit
	CallLocked         refusal.Code = "call-locked"
	UnknownObservation refusal.Code = "unknown-observation" // what

	BackImpossible refusal.Code = "back-impossible" // back, out
	PersonUnnamed  refusal.Code = "person-unnamed"
	ClockSet       refusal.Code = "clock-set"
	NoDate         refusal.Code = "no-date" // detail

	// Inconsistent is an input that no person can give: one that the station itself made wrong, or that comes in another
	// order. Its detail says what.
	Inconsistent refusal.Code = "inconsistent"
)

// recorded are the words of each reason in the record. They are part of it: other words are another record.
var recorded = map[refusal.Code]string{
	NoSession:      "no session",
	SessionActive:  "a session is active: close it first",
	OtherSession:   "another session is active: close it first",
	WrongPhase:     "cannot {command}: the session is {phase}, not {want}",
	NotSealed:      "no sealed session",
	Paused:         "the session is paused: {why}",
	AlreadyPaused:  "the session is paused already",
	NotPaused:      "the session is not paused",
	BeingAborted:   "the session is being aborted",
	AbortedAlready: "the session is being aborted already",
	NothingToAbort: "no session that could be aborted",
	HasEnded:       "the session has ended",
	NotClosed:      "the session before has ended and is not closed",
	NotEnded:       "the session has not ended: it is {phase}",

	PlanRefused: "the plan is refused: {detail}",
	RuleRefused: "the pass rule is refused: {detail}",
	WitnessUnknown: "the plan asks for a witness ({witness}), and this station can record none yet: " +
		"take witness out of the plan, or write down the printed commitments by hand",
	PurgeTooShort: "a purge of {purge} is too short for the station, whose slowest device needs {needed} to change the air and come to rest: " +
		"make purge of the plan longer, or take the device out of the configuration",
	RunTooLong: "a run of {run} does not fit into the {open} that canisters may stay open: " +
		"make limits.run of the plan shorter, or timing.open of the station longer",
	LoaderAtSearch: "in a double-blind session the loader is neither handler nor assessor: let somebody else load",
	LoadingRefused: "the loading is refused: {detail}",
	PlanUndealable: "the plan cannot be dealt: {detail}",
	ShareUnsigned:  "the authority's share is not signed over this station's hash: {detail}",
	DiceMissing:    "no dice were typed",

	NoRun:          "no run is in progress",
	RunInProgress:  "a run is in progress",
	NoRunLeft:      "no run is left",
	NotPresented:   "the run was not presented yet",
	NotShown:       "no run is presented",
	NoSearch:       "no search is under way",
	SearchNotBegun: "the search had not begun yet",
	SearchBegun:    "the search is under way",
	SearchOver:     "the search of this run is over",
	VoidAlready:    "the run is void",
	ReasonMissing:  "a void needs a reason",
	VoidTooLate:    "nothing voids a run once its search has ended: the authority may invalidate it later, with a reason",

	NoPosition:         "no such position",
	NeedsTwoPositions:  "a call between two positions names two of the line",
	NamesNoPosition:    "this call names no position",
	NothingToWithdraw:  "no call that could be withdrawn",
	CalledByButton:     "a call by button stands",
	SearchStopped:      "the search was stopped: what was called stands",
	WithdrawTooLate:    "the time to withdraw has run out",
	CallLocked:         "the call is locked",
	UnknownObservation: "an observation is a change of behaviour, a final response or a hesitation",

	BackImpossible: "{out} aids went out, and {back} cannot have come back",
	PersonUnnamed:  "only a named person can say what the time is",
	ClockSet:       "the station's clock is set: nobody needs to say what the time is",
	NoDate:         "{detail}",

	Inconsistent: "{detail}",
}

// inconsistent is the reason of an input that no person can give.
func inconsistent(what string) *refusal.Reason {
	return refusal.New(Inconsistent, refusal.Detail, what)
}

// noPosition is the reason of a position that the session does not have.
func (m *Machine) noPosition(position int) *refusal.Reason {
	return refusal.New(NoPosition, "position", position, "positions", m.session.plan.Positions)
}

// wrongPhase is the reason of a command that comes in another phase than its own.
func (m *Machine) wrongPhase(command string, want Phase) *refusal.Reason {
	if m.phase == Idle {
		return refusal.New(NoSession)
	}
	return refusal.New(WrongPhase, "command", command, "phase", m.phase, "want", want)
}

// maxReason bounds the reason of a refusal in the record, in bytes: it may repeat what somebody typed.
const maxReason = 2000

// InRecord returns the words of a reason in the record; of a reason that is not the engine's its detail.
func InRecord(why *refusal.Reason) string {
	text := why.Value(refusal.Detail)
	if words, known := recorded[why.Code]; known {
		text = why.Fill(words)
	}
	if len(text) > maxReason {
		text = strings.ToValidUTF8(text[:maxReason], "") + "..."
	}
	return text
}

// Refusal returns why the input of the last step was refused, nil when it was not. Outside a session a refusal
// leaves no record.
func (m *Machine) Refusal() *refusal.Reason { return m.refusal }

// refuse writes an input that was refused.
func (m *Machine) refuse(in event.Event, why *refusal.Reason) {
	m.refusal = why
	if m.phase == Idle {
		return
	}
	body := &event.Refusal{Type: in.Type, Reason: InRecord(why)}
	if call, ok := in.Body.(*event.Call); ok && call != nil {
		body.Call, body.Position, body.Other = call.Kind, call.Position, call.Other
	}
	if press, ok := in.Body.(*event.Press); ok && press != nil {
		body.Role, body.HeldMS = press.Role, press.HeldMS
	}
	m.record(event.Event{Type: event.Refused, Session: m.session.id, Run: m.runIndex(), At: in.At, By: in.By, Body: body})
}
