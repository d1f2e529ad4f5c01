package event

import "fmt"

// Bodies are integers, strings, booleans, and lists and structs of them: no floats, so that every machine writes
// the same bytes. 64-bit integers are written as strings. Instants are nanoseconds of the monotonic clock,
// durations milliseconds, hashes and nonces lower-case hexadecimal.

// Epoch begins a log. Prev fields are empty for the first epoch of a station.
type Epoch struct {
	Draft    int    `json:"draft"` // Draft of the program that wrote it; stands here in every draft
	Site     string `json:"site"`
	Why      string `json:"why"`              // "first", "tail lost", "restored", "acknowledged beyond", "another draft", "renamed", "key lost"
	Prev     string `json:"prev,omitempty"`   // the epoch that ended for ever
	PrevSize int64  `json:"prev_size,string"` // its last good size
	PrevRoot string `json:"prev_root,omitempty"`
	// PrevDraft is the draft of the epoch that ended, 0 when it is this one's own.
	PrevDraft int    `json:"prev_draft,omitempty"`
	Key       string `json:"key"` // the verifier key (note form) that signs this epoch's checkpoints
	Simulated bool   `json:"simulated,omitempty"`
	// Proof is the checkpoint (a signed note) from elsewhere that ended the epoch before: this station's key signed more than
	// its journal held, or other records.
	Proof string `json:"proof,omitempty"`
	// Aborted are the sessions of the epoch before that had not ended: none goes on.
	Aborted []string `json:"aborted,omitempty"`
}

// Laws are the versions of the code that decides; a record says which it was made under.
type Laws struct {
	Draw   int `json:"draw"`
	Engine int `json:"engine"`
	Score  int `json:"score"`
}

// Team is one dog with one handler. Dog ("d-...") and Handler ("p-...") are references; names lie in the identity file.
type Team struct {
	Dog        string `json:"dog"`
	Handler    string `json:"handler"`
	Discipline string `json:"discipline,omitempty"`
}

// Role is what a person does in a session.
type Role string

// The roles, least first. Public is everybody.
const (
	Public    Role = "public"
	Handler   Role = "handler"
	Assessor  Role = "assessor"
	Loader    Role = "loader"
	Authority Role = "authority"
	Admin     Role = "admin"
)

// Person is somebody with roles in this session.
type Person struct {
	Ref   string `json:"ref"`
	Roles []Role `json:"roles"`
	// SharesAccount is set when the same account of the machine also belongs to somebody of another role.
	SharesAccount bool `json:"shares_account,omitempty"`
	// ReadsVault is set when the person's account can read the station's files, sealed bodies included.
	ReadsVault bool `json:"reads_vault,omitempty"`
}

// Settings are the station's numbers that the engine decides by; they are part of what is sealed.
type Settings struct {
	LeadMS     int `json:"lead_ms"`     // from arming to the common start of all moves
	TravelMS   int `json:"travel_ms"`   // from the start of the moves to "presented"
	CloseMS    int `json:"close_ms"`    // from the lock or void to "closed"
	GridMS     int `json:"grid_ms"`     // the public grid that a mechanical void falls on, counted from "presented"
	WithdrawMS int `json:"withdraw_ms"` // how long an entered call may be taken back
	LongPress  int `json:"long_press_ms"`
	EdgeBudget int `json:"edge_budget"` // raw edges of one line in one run
	OpenMS     int `json:"open_ms"`     // longest time that a canister may stay open
	// PurgeMS is the shortest purge in which all that changes the air can work and come to rest; 0 where nothing does.
	PurgeMS int `json:"purge_ms,omitempty"`
}

// Opening opens a session. Plan and Rule are the exact bytes of their files.
type Opening struct {
	Name      string   `json:"name"`
	Plan      string   `json:"plan"`
	PlanHash  string   `json:"plan_hash"`
	Rule      string   `json:"rule,omitempty"`
	Mode      Mode     `json:"mode"`
	Team      Team     `json:"team"`
	People    []Person `json:"people"`
	Beams     []int    `json:"beams"` // the positions that have a beam
	Settings  Settings `json:"settings"`
	Draft     int      `json:"draft"` // as Epoch.Draft
	Laws      Laws     `json:"laws"`
	Config    string   `json:"config,omitempty"` // hash of the station's configuration
	Pinch     []string `json:"pinch,omitempty"`  // the pinch protections that the station's canisters declare
	Simulated bool     `json:"simulated,omitempty"`
}

// Loaded is what lies in one canister.
type Loaded struct {
	Position int    `json:"position"`
	Canister string `json:"canister"`
	Odour    string `json:"odour"`
}

// Load says that a set-up is loaded: a plan with what lies in the canisters, by which one draw is made, for one session or for
// those of several teams. It commits the station to its share of the seed. What lies where is sealed.
type Load struct {
	SetUp       string `json:"set_up"`
	Canisters   int    `json:"canisters"`    // how many were loaded
	LoadingHash string `json:"loading_hash"` // salted, so that nobody can try loadings
	// Openings are the leaf hashes of the openings of all sessions that are on this set-up so far.
	Openings    []string `json:"openings"`
	StationHash string   `json:"station_hash"` // commits to the station's share, and to all of the above
}

// Filling is what lies where, and the station's part of the seed; sealed until the reveal.
type Filling struct {
	Share   string   `json:"share"`
	Salt    string   `json:"salt"` // of LoadingHash
	Loading []Loaded `json:"loading"`
}

// SeedSource says who chose the draw.
type SeedSource string

// The sources of a seed, best first.
const (
	TwoParty SeedSource = "two-party"
	Dice     SeedSource = "dice"
	Alone    SeedSource = "station"
)

// Seed is the second party's answer to the station's request.
type Seed struct {
	Source    SeedSource `json:"source"`
	Key       string     `json:"key,omitempty"`       // the authority's verifier key (note form), two-party
	Signature string     `json:"signature,omitempty"` // its Ed25519 signature over the request, of which its share is made
	Dice      string     `json:"dice,omitempty"`      // as typed
}

// NonceSeed is what the nonces of the commitments are derived from; sealed until the reveal.
type NonceSeed struct {
	Seed string `json:"seed"`
}

// Commitment binds the station to the placement of one run before the first run begins.
type Commitment struct {
	Index      int    `json:"index"`
	Commitment string `json:"commitment"`
}

// PlacementOpening opens a commitment: one placement for a scheduled run, one for every composition for a
// reserve run. Used is the one that was presented, -1 when none was.
type PlacementOpening struct {
	Index      int      `json:"index"`
	Nonce      string   `json:"nonce"`
	Placements [][]Slot `json:"placements"`
	Used       int      `json:"used"`
}

// Shown lists the roles that are served the placement of a run before the reveal.
type Shown struct {
	To []Role `json:"to"`
}

// Restart is a daemon that came back in mid-session. SameBoot is false when the monotonic base was lost.
type Restart struct {
	SameBoot bool  `json:"same_boot"`
	Cause    Cause `json:"cause"` // CauseRestart, CausePower or CauseJournal
}

// End says how a session ended, and why where it was aborted.
type End struct {
	How Ending `json:"how"`
	Why
}

// AidCount is the count of the aids at the end: the canisters that were loaded with a target or a distractor, and how many of
// them somebody counted back. Blanks are no aids. Missing aids are an alarm.
type AidCount struct {
	Out    int    `json:"out"`
	Back   int    `json:"back"`
	Remark string `json:"remark,omitempty"`
}

// Missing returns how many aids did not come back.
func (c AidCount) Missing() int { return c.Out - c.Back }

// Text says the count in words, and what is missing in capitals.
func (c AidCount) Text() string {
	switch {
	case c.Out == 0:
		return "no aids went out"
	case c.Missing() == 0:
		return fmt.Sprintf("all %d aids back", c.Out)
	}
	return fmt.Sprintf("%d of %d aids back, %d MISSING", c.Back, c.Out, c.Missing())
}

// Arming fixes the instant at which all moves of the run start.
type Arming struct {
	MoveAt      int64 `json:"move_at,string"`
	PresentedAt int64 `json:"presented_at,string"`
}

// Lock closes a run to further facts at At.
type Lock struct {
	Reason LockReason `json:"reason"`
	At     int64      `json:"at,string"`
	// Inconclusive is set when error bounds leave open what came first.
	Inconclusive bool `json:"inconclusive,omitempty"`
}

// LockReason says what locked a run.
type LockReason string

// The reasons for a lock.
const (
	LockCall     LockReason = "call"
	LockClear    LockReason = "all clear"
	LockFinished LockReason = "finished"
	LockTimeOut  LockReason = "time-out"
)

// Void takes a run out of the result.
type Void struct {
	Why
	When string `json:"when"` // "before the lock"; nothing voids a run after it
}

// CallKind says what was called.
type CallKind string

// The kinds of calls.
const (
	CallAt      CallKind = "alert"
	CallClear   CallKind = "clear"
	CallBetween CallKind = "between" // between Position and Other
	CallNowhere CallKind = "nowhere" // an alert at no position
)

// Means says how a call reached the station.
type Means string

// The means of a call.
const (
	ByButton Means = "button"
	ByVoice  Means = "voice entered"
	ByPanel  Means = "panel"
)

// Call is the handler's call.
type Call struct {
	Kind      CallKind `json:"kind"`
	Position  int      `json:"position,omitempty"`
	Other     int      `json:"other,omitempty"`
	MadeBy    string   `json:"made_by"`
	EnteredBy string   `json:"entered_by"`
	Means     Means    `json:"means"`
}

// Observation is what the assessor saw the dog do.
type Observation struct {
	What     string `json:"what"` // "change of behaviour", "final response", "hesitation"
	Position int    `json:"position,omitempty"`
	Note     string `json:"note,omitempty"`
}

// Instant is one of the fixed moments of a run at which sealed facts are written.
type Instant string

// The instants of a run, in order.
const (
	Presented   Instant = "presented"
	ClosedAgain Instant = "closed"
	PurgedAgain Instant = "purged"
)

// Handling is the public side of what was done at one position up to an instant: that it was handled.
type Handling struct {
	Position int     `json:"position"`
	Instant  Instant `json:"instant"`
}

// Moves is the sealed side: what each canister that was used there did. An instant at 0 means never.
type Moves struct {
	Canister  string `json:"canister"`
	Open      bool   `json:"open"` // the commanded state
	Commanded int64  `json:"commanded,string"`
	Confirmed int64  `json:"confirmed,string"`
	Fault     string `json:"fault,omitempty"`
}

// Move is one commanded movement; a list of them tells the placement.
type Move struct {
	Position int
	Canister string
	Open     bool
}

// Beam is a nose that entered or left a position.
type Beam struct {
	Position int `json:"position"`
}

// ButtonRole says what a button is for.
type ButtonRole string

// The roles of a button. A short press of the alert button calls the position of the last beam, a long one is
// all clear.
const (
	ButtonAlert ButtonRole = "alert"
	ButtonClear ButtonRole = "all clear"
	ButtonStart ButtonRole = "start"
	ButtonAbort ButtonRole = "abort"
	ButtonEStop ButtonRole = "e-stop"
	ButtonStuck ButtonRole = "stuck" // any button held longer than a hand holds it
)

// Press is a button that was pressed and let go. The event's stamp is the press.
type Press struct {
	Role   ButtonRole `json:"role"`
	HeldMS int        `json:"held_ms"`
}

// RawEdge is an edge as the line gave it, before debouncing.
type RawEdge struct {
	Device string `json:"device"` // "beam-3"
	Active bool   `json:"active"`
}

// EdgeSum stands for the raw edges past a line's budget.
type EdgeSum struct {
	Device string `json:"device"`
	Budget int    `json:"budget"`
}

// LostEdges says that edges of beams or buttons may be missing in a run: one of them may have been a nose or a call. A run
// has one, and another where only that is from before the end of its search. Edges that a canister's limit switch may have made
// lost are never written so: devices tell of them without a source, and they stay behind the curtain of the run.
type LostEdges struct {
	Source string `json:"source"` // what stamps them
}

// Loss is what is known of lost edges. It is sealed: a source may stamp limit switches too, and how many of their edges
// are missing tells what moved.
type Loss struct {
	Lost int64  `json:"lost,string"` // that were numbered and never came; 0 when nobody counted
	From int64  `json:"from,string"` // all that is missing lies between these two, in monotonic nanoseconds
	To   int64  `json:"to,string"`
	Why  string `json:"why"`
}

// MaxWhy bounds the reason of a Loss, in bytes: its sealed body has one length.
const MaxWhy = 160

// Air is what one sensor of the air says at a fixed instant of a session: when it is sealed, and when a run is armed.
// It is its latest sample, taken before that instant, or the reason why there is none.
type Air struct {
	Device   string    `json:"device"`
	Readings []Reading `json:"readings"`
	// MeasuredAt is the instant of the sample, 0 when there is none; AgeMS how old it was.
	MeasuredAt int64  `json:"measured_at,string"`
	AgeMS      int    `json:"age_ms"`
	Why        string `json:"why,omitempty"` // why there are no readings
}

// Reading is one value that was measured, in thousandths of its unit.
type Reading struct {
	Quantity Quantity `json:"quantity"`
	Milli    int64    `json:"milli,string"`
}

// Quantity says what was measured, and in which unit.
type Quantity string

// The quantities of the air.
const (
	Temperature Quantity = "temperature °C"
	Humidity    Quantity = "relative humidity %"
	Pressure    Quantity = "pressure Pa"
)

// ClockFix is a change of the map from monotonic time to UTC: its offset, its quality, or the boot that it is of. Its
// own stamp is the first one by the new map.
type ClockFix struct {
	// StepNS is how far UTC stepped, in nanoseconds; 0 where only the quality changed, and where the boot is new:
	// two boots have no time in common.
	StepNS  int64   `json:"step_ns,string"`
	Quality Quality `json:"quality"`
	NewBoot bool    `json:"new_boot,omitempty"`
}

// TimeSaid is what a named person says that the time is, at a station whose clock nobody has set. It changes no stamp:
// the record's own is what the station showed at that moment.
type TimeSaid struct {
	Said string `json:"said"` // a date, or a time of day with its zone, as RFC 3339 writes them
}

// Refusal is an input that made no sense in the state that it met.
type Refusal struct {
	Type   Type   `json:"type"`
	Reason string `json:"reason"`
	// Call with its positions, or Role with its length, are what was refused when it was a call or a press: an alert
	// that does not count is not lost.
	Call     CallKind   `json:"call,omitempty"`
	Position int        `json:"position,omitempty"`
	Other    int        `json:"other,omitempty"`
	Role     ButtonRole `json:"role,omitempty"`
	HeldMS   int        `json:"held_ms,omitempty"`
}

// RefusalSum stands for refused commands of one person that came faster than their refusals are written.
type RefusalSum struct {
	Since   int64          `json:"since,string"` // the monotonic instant of the first one
	Refused []RefusedCount `json:"refused"`      // sorted by Type, each once
}

// RefusedCount says how many inputs of a kind were refused.
type RefusedCount struct {
	Type  Type  `json:"type"`
	Count int64 `json:"count,string"` // from 1
}

// Lateness is an input that arrived after its instant was closed.
type Lateness struct {
	Type     Type   `json:"type"`
	At       int64  `json:"at,string"`
	Position int    `json:"position,omitempty"`
	Detail   string `json:"detail,omitempty"`
}

// OpenedBody publishes a sealed body.
type OpenedBody struct {
	Of    int64  `json:"of,string"` // the seq of the record that it belongs to
	Nonce string `json:"nonce"`
	Body  string `json:"body"` // the exact bytes that were sealed, padding included
}

// Outcome is the result of one presentation.
type Outcome string

// The outcomes (DOMAIN.md, "Outcomes, decided").
const (
	Hit              Outcome = "hit"
	Miss             Outcome = "miss"
	FalseAlert       Outcome = "false alert"
	CorrectRejection Outcome = "correct rejection"
	NotSampled       Outcome = "not sampled"
	Inconclusive     Outcome = "inconclusive"
	OutcomeVoid      Outcome = "void"
)

// Presentation is one position of one run with its outcome.
type Presentation struct {
	Position int     `json:"position"`
	Kind     Kind    `json:"kind"`
	Odour    string  `json:"odour"`
	Outcome  Outcome `json:"outcome"`
	Sampled  string  `json:"sampled"`        // "yes", "no", "observed by assessor", "unknown"
	Flag     string  `json:"flag,omitempty"` // "unsearched", "time-out"
}

// Response is a nose that stayed at a position for the plan's dwell or longer. It is tabulated apart from the call:
// which of the two the dog was trained for is not for the station to say.
type Response struct {
	Position int `json:"position"`
	// FromMS is when the nose came, since the start of the search.
	FromMS   int `json:"from_ms"`
	LastedMS int `json:"lasted_ms"` // until it left, or until the lock
	// Uncertain is set when the error of the stamps could have made the difference.
	Uncertain bool `json:"uncertain,omitempty"`
}

// RunResult is a scored run. Latencies are from the first entry at the called position and from the start, -1
// when there is none.
type RunResult struct {
	Result        string         `json:"result"` // "correct", "wrong", "inconclusive"
	Presentations []Presentation `json:"presentations"`
	LatencyMS     int            `json:"latency_ms"`
	SinceStartMS  int            `json:"since_start_ms"`
	Responses     []Response     `json:"responses"`
	// LeftOut is how many more responses there were: a record's line has an end.
	LeftOut        int  `json:"responses_left_out,omitempty"`
	EffectiveBlind Mode `json:"effective_blindness"`
}

// Clause is one clause of a pass rule with its numbers, as decimal text.
type Clause struct {
	Name string `json:"name"`
	Need string `json:"need"`
	Got  string `json:"got"`
	Met  bool   `json:"met"`
}

// Verdict is what the pass rule says: "pass", "fail" or "not a valid test"; "no rule" without one.
type Verdict struct {
	Rule string `json:"rule"`
	// ConfirmedBy is the authority that confirmed the rule; without one the rule is a suggestion.
	ConfirmedBy string   `json:"confirmed_by,omitempty"`
	Verdict     string   `json:"verdict"`
	Clauses     []Clause `json:"clauses"`
	Hits        int      `json:"hits"`
	Misses      int      `json:"misses"`
	False       int      `json:"false_alerts"`
	Correct     int      `json:"correct_rejections"`
}
