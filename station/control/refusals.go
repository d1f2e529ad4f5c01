package control

import "scentpost/station/refusal"

// The reasons for which a request is refused before it reaches the host, with the names of their values. Those of the
// engine stand in package trial, those of the host in package host.
const (
	RequestTooLong   refusal.Code = "request-too-long"  // most
	RequestMalformed refusal.Code = "request-malformed" // detail
	CommandUnknown   refusal.Code = "command-unknown"   // command, commands
	ArgumentUnused   refusal.Code = "argument-unused"   // argument, command
	ArgumentMissing  refusal.Code = "argument-missing"  // argument, command
	TextTooLong      refusal.Code = "text-too-long"     // argument, most
	TextReserved     refusal.Code = "text-reserved"     // argument: it looks like a reference of the record
	TextUnseen       refusal.Code = "text-unseen"       // argument, sign: no reader sees it
	NameTooLong      refusal.Code = "name-too-long"     // argument, most
	NameEdged        refusal.Code = "name-edged"        // argument: a space stands before or after it

	RoleLacking    refusal.Code = "role-lacking"    // person, command, roles
	SpeakerUnknown refusal.Code = "speaker-unknown" // command, roles: the public may not
	NotYours       refusal.Code = "not-yours"       // as: an account may not speak for this person
	NotYoursNear   refusal.Code = "not-yours-near"  // as, near: it may speak for one whose name is near
	SpeakerUnnamed refusal.Code = "speaker-unnamed" // command, roles: several people share the account
	AccountUnknown refusal.Code = "account-unknown" // uid, command, roles: it belongs to nobody

	OnePerson      refusal.Code = "one-person"     // person, mode: handler and assessor of a blind session
	MayBeOne       refusal.Code = "may-be-one"     // person, role, other, other_role, mode: two roles that must be apart
	PersonUnknown  refusal.Code = "person-unknown" // person, role
	PersonNear     refusal.Code = "person-near"    // person, role, near: unknown, and a known name is near
	SealTwice      refusal.Code = "seal-twice"     // more than one answer to the station's hash
	SealUnanswered refusal.Code = "seal-unanswered"
	DiceRefused    refusal.Code = "dice-refused"  // detail
	ShareRefused   refusal.Code = "share-refused" // detail
	MeansUnknown   refusal.Code = "means-unknown" // means
	CallUnplaced   refusal.Code = "call-unplaced" // a call says neither a position nor that it is at none
	BetweenItself  refusal.Code = "between-itself"
	BackUncounted  refusal.Code = "back-uncounted"   // out: how many aids came back was not said
	BackTwice      refusal.Code = "back-twice"       // a count, and that all are back
	SpeaksAlready  refusal.Code = "speaks-already"   // no copy holds the reports up
	SpeakInSession refusal.Code = "speak-in-session" // phase: deciding for this station ends its epoch
	ExportsBusy    refusal.Code = "exports-busy"     // most: as many are under way
	RecordsUnread  refusal.Code = "records-unread"   // detail: the journal gave no list or bundle
)
