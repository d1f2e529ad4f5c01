package words

import (
	"scentpost/station/control"
	"scentpost/station/control/socket"
	"scentpost/station/host"
	"scentpost/station/readiness"
	"scentpost/station/refusal"
	"scentpost/station/trial"
)

// said are the words of every code; a name in braces stands for a value. A test finds codes that lack words, and words
// whose values nobody gives.
var said = map[refusal.Code]string{
	control.RequestTooLong:   "the request is longer than {most} bytes",
	control.RequestMalformed: "the request cannot be read: {detail}",
	control.CommandUnknown:   "unknown command {command}: want one of {commands}",
	control.ArgumentUnused:   "{command} takes no {argument}",
	control.ArgumentMissing:  "{command} needs its {argument}",
	control.TextTooLong:      "{argument} is longer than {most} bytes",
	control.TextReserved:     "{argument} looks like a reference of the record: write a name or words",
	control.TextUnseen:       "{argument} holds {sign}, a sign that no reader sees: leave it out, or type the text instead of pasting it",
	control.NameTooLong:      "{argument} is a name of more than {most} characters: shorten it",
	control.NameEdged:        "{argument} begins or ends with a space: leave it out",

	control.RoleLacking:    "{person} may not {command}: it needs one of the roles {roles}",
	control.SpeakerUnknown: "{command} needs a role ({roles}): say who you are",
	control.SpeakerUnnamed: "{command} needs a role ({roles}): several people share this account, say who you are with --as NAME",
	control.AccountUnknown: "{command} needs a role ({roles}), and uid {uid} belongs to nobody in the station's configuration: " +
		"write `uid: {uid}` beside your name under people",
	control.NotYours:     `this account may not speak for "{as}": see people in the station's configuration`,
	control.NotYoursNear: `this account may not speak for "{as}": did you mean --as "{near}"?`,

	control.OnePerson: "{person} cannot be handler and assessor of a {mode}-blind session: name two people, or take mode: open",
	control.MayBeOne: `"{person}" ({role}) and "{other}" ({other_role}) may be one person, whom a {mode}-blind session keeps apart: where it is one, ` +
		"name another person; where it is not, write the names so that people can tell them apart",
	control.PersonUnknown: `"{person}" is not known to this station as {role}: write the name as the configuration has it, or say --new`,
	control.PersonNear:    `"{person}" is not known to this station as {role}: did you mean "{near}"? Somebody who is new is taken with --new`,
	control.SealTwice:     "the station's hash takes one answer, not both: a share, dice, or the station alone",
	control.SealUnanswered: "the station's hash has no answer: give the authority's answer (--share) or dice (--dice), " +
		"or say that the station alone is to choose the draw (--station-alone), which the record then says for good",
	control.DiceRefused:   "{detail}",
	control.ShareRefused:  "{detail}",
	control.MeansUnknown:  `a call is entered by "voice" or "panel", not "{means}"`,
	control.CallUnplaced:  "a call names a position, or says that it is at none",
	control.BetweenItself: "a call between a position and itself: name two positions, or one",
	control.BackUncounted: "{out} aids went out: count them, then say how many came back (`scentpost session close --back N`), " +
		"or that all did (`scentpost session close --all-back`)",
	control.BackTwice:      "a count of the aids and that all are back were both said: say one of them",
	control.ExportsBusy:    "{most} records are being exported at this moment: try again when one of them is written",
	control.RecordsUnread:  "{detail}",
	control.SpeaksAlready:  "no copy of this station holds up its reports: there is nothing to decide",
	control.SpeakInSession: "a session is {phase}, and deciding for this station would end its epoch: close or abort the session first",

	host.Busy:          "the station has too many commands waiting: try again",
	host.JournalFailed: "the journal failed: {detail}",
	host.NoChance:      "the station has no random bytes: {detail}",
	host.NotWritable:   "{detail}",
	host.CanistersLack: "{detail}",
	host.PlanDiffers: "the virtual station is not prepared for this plan: {detail}. End it, and start it with the plan: " +
		"scentsim station CONFIG --seed N --plan PLAN (the daemon goes on by itself)",

	readiness.Starting:      "no session can be run yet: the station is starting",
	readiness.LinesAwaited:  "no session can be run yet: the station's lines are not there ({on})",
	readiness.LinesAway:     "the station's lines are away ({on}): it starts again when they are back",
	readiness.EStopHeld:     "the emergency stop is held: let it go first",
	readiness.ButtonStuck:   "a button is stuck ({buttons}): let it go, or look for what holds it down; no run starts until then",
	readiness.DiskFull:      "the journal's disk is full: no session or run can start until there is room; delete or move what is not needed",
	readiness.DiskReadOnly:  "the journal's disk takes no writes: see scentpost session status",
	readiness.JournalAway:   "no session can be run: the journal cannot be opened now: {detail} (it is tried again by itself, and nothing is given up)",
	readiness.DevicesAbsent: "these devices are absent: {detail} (they are looked for; scentpost session status tells when they are there)",
	readiness.DeviceUntold: "a device that the run needs is absent: check the cables and power of all boards and devices (scentpost board ls " +
		"shows the ports; the reveal tells which one it was, as before it that could tell of a canister)",

	trial.NoSession:      "no session is open",
	trial.SessionActive:  "session {session} is {phase}: end and close it before another one (`scentpost session abort` ends it early)",
	trial.OtherSession:   "another session is active: close it first",
	trial.WrongPhase:     "the session is {phase}: {command} is for one that is {want}",
	trial.NotSealed:      "no session is sealed",
	trial.Paused:         "no run is armed while the session is paused",
	trial.AlreadyPaused:  "the session is paused already",
	trial.NotPaused:      "the session is not paused",
	trial.BeingAborted:   "the session is being aborted",
	trial.AbortedAlready: "the session is being aborted already",
	trial.NothingToAbort: "there is no session to abort",
	trial.HasEnded:       "the session has ended",
	trial.NotClosed:      "session {session} has ended and is not closed",
	trial.NotEnded:       "the session is {phase} and has not ended, which it does by itself after the last run (`scentpost session abort` ends it early)",

	trial.PlanRefused: "{detail}",
	trial.RuleRefused: "the pass rule is refused: {detail}",
	trial.WitnessUnknown: "the plan asks for a witness ({witness}), and this station can record none yet: " +
		"take witness out of the plan, or write down the printed commitments by hand",
	trial.PurgeTooShort: "a purge of {purge} is too short for the station, whose slowest device needs {needed} to change the air and come to rest: " +
		"make purge of the plan longer, or take the device out of the configuration",
	trial.RunTooLong: "a run of {run} does not fit into the {open} that canisters may stay open: " +
		"make limits.run of the plan shorter, or timing.open of the station longer",
	trial.LoaderAtSearch: "in a double-blind session the loader is neither handler nor assessor: let somebody else load",
	trial.LoadingRefused: "the loading is refused: {detail}",
	trial.PlanUndealable: "the plan cannot be dealt: {detail}",
	trial.ShareUnsigned:  "the authority's share is not signed over this station's hash: {detail}",
	trial.DiceMissing:    "no dice were typed",

	trial.NoRun:          "no run is in progress",
	trial.RunInProgress:  "run {run} is in progress",
	trial.NoRunLeft:      "no run is left",
	trial.NotPresented:   "the run is not presented yet",
	trial.NotShown:       "no run is presented",
	trial.NoSearch:       "no search is under way",
	trial.SearchBegun:    "the search is under way already",
	trial.SearchOver:     "the search of this run is over",
	trial.VoidAlready:    "the run is void already",
	trial.SearchNotBegun: "the search had not begun yet",
	trial.ReasonMissing:  "a void needs a reason",
	trial.VoidTooLate:    "a run cannot be voided once its search has ended: the authority may invalidate it later, with a reason",

	trial.NoPosition:         "position {position}: the session has positions 1 to {positions}",
	trial.NeedsTwoPositions:  "a call between two positions names two of the positions 1 to {positions}",
	trial.NamesNoPosition:    "this call names no position",
	trial.NothingToWithdraw:  "there is no call to withdraw",
	trial.CallLocked:         "the call is locked and stands",
	trial.CalledByButton:     "a call by button stands",
	trial.SearchStopped:      "the search was stopped: the call stands",
	trial.WithdrawTooLate:    "a call can be withdrawn within {limit}: the call stands",
	trial.UnknownObservation: "an observation is one of: change of behaviour, final response, hesitation (not {what})",

	trial.BackImpossible: "{out} aids went out: 0 to {out} can be counted back, not {back}",
	trial.PersonUnnamed:  "only a named person can say what the time is",
	trial.ClockSet:       "the station's clock is set: it needs no word of what the time is",
	trial.NoDate:         "{detail}",
	trial.Inconsistent:   "the station refused its own input: {detail}",

	socket.TooManyClients: "too many clients: this account has too many connections to the station open: end some, or try again",
	socket.TooManyWatches: "too many clients: this account watches the station {watches} times already, or too many accounts do: end a `scentpost watch`",
	socket.Unnamed:        "no socket is named: name the daemon's with --socket or in SCENTPOST_SOCKET",
	socket.Folder:         "{path} is a folder, the socket of a daemon is expected: name the socket in it with --socket",
	socket.NotASocket:     "{path} is no socket: name the daemon's with --socket; its configuration says where it lies",
	socket.PathTooLong:    "{path}: the path is too long for a socket (107 bytes at most)",
	socket.Absent:         "no daemon answers on {path}: start scentpostd, or name its socket with --socket (there is nothing of that name)",
	socket.Ended:          "no daemon answers on {path}: it has ended and left its socket: start scentpostd, or name another socket with --socket",
	socket.Silent:         "no daemon answers on {path}: start scentpostd, or name its socket with --socket",
	socket.Failed:         "the daemon's socket {path} cannot be opened: {detail}",
	socket.Shut: "this account (uid {uid}) may not reach the daemon's socket {path}: {path} has mode {mode}: " +
		"a daemon opens it to everybody when it starts, so start the daemon again",
	socket.FolderShut: "this account (uid {uid}) may not reach the daemon's socket {path}: {folder} has mode {mode}: " +
		"ask as its owner or root (sudo), or have the configuration put the socket elsewhere",
	socket.FolderOfGroup: "this account (uid {uid}) may not reach the daemon's socket {path}: {folder} has mode {mode}: " +
		"join its group (sudo usermod -aG {group} YOUR-NAME, then log in again), or ask as its owner or root",
	socket.Unreachable: "this account (uid {uid}) may not reach the daemon's socket {path}: {detail}",
	socket.HungUp:      "the daemon hung up; `scentpost session status` tells whether the command was carried out",
	socket.Gibberish:   "the daemon's answer cannot be read: {detail}",
	socket.ExportStalled: "the daemon sent nothing more of the export for {seconds} s, so no file was made of it: " +
		"look whether it answers (scentpost session status), and export it again",
	socket.ExportCutOff: "the daemon hung up before the end of the export, so no file was made of it: export it again (scentpost session status tells whether the daemon answers)",
}
