package trial

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"scentpost/station/blind"
	"scentpost/station/event"
	"scentpost/station/refusal"
	"scentpost/station/score"
)

// open begins a session. Nothing but the event's own bytes is looked at: the same opening gives the same session
// on every machine.
func (m *Machine) open(in event.Event) *refusal.Reason {
	switch m.phase {
	case Idle:
	case Ended:
		return refusal.New(NotClosed, "session", m.session.id)
	default:
		return refusal.New(SessionActive, "session", m.session.id, "phase", m.phase)
	}
	if in.Session == "" {
		return inconsistent("a session needs an id")
	}
	opening := in.Body.(*event.Opening)
	plan, err := blind.ParsePlan(opening.Name, []byte(opening.Plan))
	if err != nil {
		return refusal.New(PlanRefused, refusal.Detail, err)
	}
	if reason := fits(plan, *opening); reason != nil {
		return reason
	}
	if _, err := score.ParseRule("rule", []byte(opening.Rule)); opening.Rule != "" && err != nil {
		return refusal.New(RuleRefused, refusal.Detail, err)
	}
	m.session = session{
		id:      in.Session,
		opening: *opening,
		plan:    plan,
		opened:  map[int]bool{},
		results: map[int]*event.RunResult{},
		binding: blind.Binding{Station: m.station, Epoch: m.epoch, PlanHash: plan.Hash()},
	}
	m.phase, m.run = Opened, nil
	m.keep(in)
	return nil
}

// fits returns why a plan cannot be run as the opening says and by the station's settings, nil when it can.
func fits(plan blind.Plan, o event.Opening) *refusal.Reason {
	set := o.Settings
	spare := ms(set.OpenMS) - ms(set.TravelMS) - ms(set.WithdrawMS) - int64(plan.Limits.Run)
	switch hash := plan.Hash(); {
	case o.PlanHash != hex.EncodeToString(hash[:]):
		return inconsistent("the plan's hash is not that of its bytes")
	case o.Mode != plan.Mode:
		return inconsistent(fmt.Sprintf("the session's mode is %q and the plan's is %q", o.Mode, plan.Mode))
	case o.Draft != event.Draft || o.Laws != Laws():
		return inconsistent("the session names laws that this station does not go by")
	case plan.Witness != blind.WitnessNone:
		return refusal.New(WitnessUnknown, "witness", plan.Witness)
	case set.LeadMS < 0 || set.TravelMS < 0 || set.CloseMS < 0 || set.WithdrawMS < 0 || set.LongPress < 0 || set.PurgeMS < 0:
		return inconsistent("a time of the station's settings is below zero")
	case set.GridMS < 1 || set.EdgeBudget < 1 || set.OpenMS < 1:
		return inconsistent("the station's settings lack a grid, a budget of edges or a longest open time")
	case int64(plan.Purge) < ms(set.PurgeMS):
		return refusal.New(PurgeTooShort, "purge", plan.Purge, "needed", time.Duration(ms(set.PurgeMS)))
	case spare <= 0:
		return refusal.New(RunTooLong, "run", plan.Limits.Run, "open", time.Duration(ms(set.OpenMS)))
	}
	return nil
}

// loaded says what lies where, and commits the station to its share of the seed.
func (m *Machine) loaded(in event.Event) *refusal.Reason {
	if m.phase != Opened {
		return m.wrongPhase("load", Opened)
	}
	if reason := m.mayLoad(in.By); reason != nil {
		return reason
	}
	load, filling := in.Body.(*event.Load), in.Secret.(*event.Filling)
	share, err := decode32(filling.Share)
	if err != nil {
		return inconsistent("the station's share is not 32 bytes")
	}
	salt, err := decode32(filling.Salt)
	if err != nil {
		return inconsistent("the salt of the loading's hash is not 32 bytes")
	}
	binding := m.session.binding
	binding.SetUp, binding.LoadingHash = load.SetUp, blind.LoadingHash(salt, filling.Loading)
	stationHash := blind.StationHash(binding, load.Openings, share)
	switch {
	case !blind.AreDigits(load.SetUp, blind.SetUpDigits):
		return inconsistent("the id of a set-up is not 16 hexadecimal digits")
	case slices.ContainsFunc(load.Openings, func(o string) bool { return !blind.AreDigits(o, 64) }):
		return inconsistent("the hash of an opening is not 64 hexadecimal digits")
	case load.Canisters != len(filling.Loading):
		return inconsistent("the number of canisters is not that of the loading")
	case load.LoadingHash != hex.EncodeToString(binding.LoadingHash[:]):
		return inconsistent("the loading's hash is not that of the loading")
	case load.StationHash != hex.EncodeToString(stationHash[:]):
		return inconsistent("the station's hash does not commit to its share")
	}
	if err := m.session.plan.CheckLoading(filling.Loading); err != nil {
		return refusal.New(LoadingRefused, refusal.Detail, err)
	}
	m.session.binding = binding
	m.session.load = *load
	m.session.loading = event.Seal(filling.Loading)
	m.session.aids = m.session.plan.AidsOut(filling.Loading)
	m.session.share = event.Seal(share)
	m.phase = Loaded
	m.record(in)
	m.checkpoint(CheckpointLoad)
	return nil
}

// seal draws the placements from the two shares and commits to each of them.
func (m *Machine) seal(in event.Event) *refusal.Reason {
	if m.phase != Loaded {
		return m.wrongPhase("seal", Loaded)
	}
	seed, sealed := in.Body.(*event.Seed), in.Secret.(*event.NonceSeed)
	nonces, err := decode32(sealed.Seed)
	if err != nil {
		return inconsistent("the seed of the nonces is not 32 bytes")
	}
	authority, reason := m.authorityShare(*seed)
	if reason != nil {
		return reason
	}
	s := &m.session
	drawSeed := blind.SessionSeed(s.binding, s.share.Reveal(), authority)
	deal, err := blind.Draw(s.plan, s.loading.Reveal(), drawSeed)
	if err != nil {
		return refusal.New(PlanUndealable, refusal.Detail, err)
	}
	s.seed, s.nonces, s.deal = *seed, event.Seal(nonces), event.Seal(deal)
	for i := range deal.Scheduled {
		s.next = append(s.next, nextRun{index: i + 1})
	}
	m.phase = Sealed
	m.record(in)
	for index := 1; index <= len(deal.Scheduled)+len(deal.Reserve); index++ {
		hash := blind.Commit(s.binding, index, blind.CommitmentNonce(nonces, index), m.placements(index))
		m.derive(in, event.RunCommitted, 0, &event.Commitment{Index: index, Commitment: hex.EncodeToString(hash[:])})
	}
	m.checkpoint(CheckpointSeal)
	m.sample(in.At)
	return nil
}

// authorityShare returns what the second party puts into the seed: its share, the hash of its dice, or nothing.
func (m *Machine) authorityShare(seed event.Seed) ([]byte, *refusal.Reason) {
	switch seed.Source {
	case event.TwoParty:
		share, err := blind.AuthorityShare(seed.Key, m.session.request(), seed.Signature)
		if err != nil {
			return nil, refusal.New(ShareUnsigned, refusal.Detail, err)
		}
		return share[:], nil
	case event.Dice:
		if seed.Dice == "" {
			return nil, refusal.New(DiceMissing)
		}
		sum := sha256.Sum256([]byte(seed.Dice))
		return sum[:], nil
	case event.Alone:
		return nil, nil
	default:
		return nil, inconsistent(fmt.Sprintf("unknown source of the seed %q", seed.Source))
	}
}

// request is what the second party is asked to sign, "" before anything was loaded.
func (s *session) request() string {
	hash, err := decode32(s.load.StationHash)
	if err != nil {
		return ""
	}
	return blind.Request(s.binding, s.load.Openings, hash)
}

// placements returns what the commitment of a run covers: one placement for a scheduled run, one for every
// composition for a reserve run.
func (m *Machine) placements(index int) []event.Placement {
	deal := m.session.deal.Reveal()
	if n := len(deal.Scheduled); index > n {
		return deal.Reserve[index-n-1]
	}
	return deal.Scheduled[index-1 : index]
}

func (m *Machine) pause(in event.Event) *refusal.Reason {
	switch {
	case m.phase != Sealed:
		return m.wrongPhase("pause", Sealed)
	case m.session.paused != nil:
		return refusal.New(AlreadyPaused)
	}
	why := in.Body.(*event.Why)
	if !attributed(in, *why) {
		return anothersCause()
	}
	m.session.paused = why
	m.record(in)
	return nil
}

func (m *Machine) resume(in event.Event) *refusal.Reason {
	switch {
	case m.phase != Sealed:
		return m.wrongPhase("resume", Sealed)
	case m.session.paused == nil:
		return refusal.New(NotPaused)
	}
	m.session.paused = nil
	m.record(in)
	return nil
}

// attributed tells whether what is said why fits whose doing it is: the station has causes, a person has not.
func attributed(in event.Event, why event.Why) bool {
	return (why.Cause != "") == (in.By == event.ByStation)
}

func anothersCause() *refusal.Reason {
	return inconsistent("the station says its cause, and a person a reason")
}

// pauseFor pauses the session for a cause of the station.
func (m *Machine) pauseFor(in event.Event, cause event.Cause) {
	if m.session.paused != nil {
		return
	}
	m.session.paused = &event.Why{Cause: cause}
	m.derive(in, event.SessionPaused, 0, m.session.paused)
}

// abort ends the session. A run in progress is closed first, so that what was done to its canisters is written
// before the reveal.
func (m *Machine) abort(in event.Event) *refusal.Reason {
	switch m.phase {
	case Idle:
		return refusal.New(NothingToAbort)
	case Ended:
		return refusal.New(HasEnded)
	}
	if m.session.aborted != nil {
		return refusal.New(AbortedAlready)
	}
	why := in.Body.(*event.Why)
	if !attributed(in, *why) {
		return anothersCause()
	}
	m.session.aborted = why
	m.record(in)
	m.do(CloseAll)
	switch {
	case m.run == nil:
		m.finish(in)
	case m.run.state == Called:
		m.settle()
	case m.run.voidableBy(in.At.Mono): // else the lock of what ran out of time comes
		m.run.state = Aborted
		m.endSearch(in.At.Mono)
	}
	return nil
}

// closeSession counts the aids back and lets go of the session.
func (m *Machine) closeSession(in event.Event) *refusal.Reason {
	switch m.phase {
	case Idle:
		return refusal.New(NoSession)
	case Opened, Loaded, Sealed:
		return refusal.New(NotEnded, "phase", m.phase)
	}
	count, out := in.Body.(*event.AidCount), m.session.aids
	switch {
	case count.Out != out:
		return inconsistent(fmt.Sprintf("%d aids went out, and %d are counted", out, count.Out))
	case count.Back < 0 || count.Back > out:
		return refusal.New(BackImpossible, "back", count.Back, "out", out)
	}
	m.session.count, m.session.counted = *count, true
	m.record(in)
	m.checkpoint(CheckpointClose)
	m.phase = Idle
	return nil
}

// finish ends the session: everything is opened, every run scored, the verdict given. It is never a command.
func (m *Machine) finish(in event.Event) {
	end := event.End{How: event.EndCompleted}
	switch {
	case m.session.aborted != nil:
		end = event.End{How: event.EndAborted, Why: *m.session.aborted}
	case m.session.shortBy > 0:
		end = event.End{How: event.EndNotValid, Why: event.Why{Cause: event.CauseReserve}}
	}
	m.phase = Ended
	m.derive(in, event.SessionEnded, 0, &end)
	m.openBodies(in, 0)
	m.openPlacements(in)
	m.derive(in, event.SessionRevealed, 0, nil)
	m.score(in, end)
	m.checkpoint(CheckpointReveal)
	m.sound(SoundSessionEnd)
}

// openPlacements opens every commitment that is still closed.
func (m *Machine) openPlacements(in event.Event) {
	deal := m.session.deal.Reveal()
	for index := 1; index <= len(deal.Scheduled)+len(deal.Reserve); index++ {
		m.openPlacement(in, index)
	}
}

func (m *Machine) openPlacement(in event.Event, index int) {
	s := &m.session
	if s.opened[index] {
		return
	}
	s.opened[index] = true
	nonce := blind.CommitmentNonce(s.nonces.Reveal(), index)
	opening := &event.PlacementOpening{Index: index, Nonce: hex.EncodeToString(nonce[:]), Used: -1}
	for _, p := range m.placements(index) {
		opening.Placements = append(opening.Placements, p.Reveal())
	}
	for _, r := range s.runs {
		if r.index == index {
			opening.Used = r.used
		}
	}
	m.derive(in, event.PlacementOpened, index, opening)
}

func decode32(text string) (b [32]byte, err error) {
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != len(b) {
		return b, fmt.Errorf("want %d hexadecimal digits", 2*len(b))
	}
	return [32]byte(raw), nil
}
