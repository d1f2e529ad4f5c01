package trial

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"scentpost/station/blind"
	"scentpost/station/event"
	"scentpost/station/score"
)

// open begins a session. Nothing but the event's own bytes is looked at: the same opening gives the same session
// on every machine.
func (m *Machine) open(in event.Event) string {
	if m.phase != Idle {
		return "a session is active: close it first"
	}
	if in.Session == "" {
		return "a session needs an id"
	}
	opening := in.Body.(*event.Opening)
	plan, err := blind.ParsePlan(opening.Name, []byte(opening.Plan))
	if err != nil {
		return "the plan is refused: " + err.Error()
	}
	if reason := fits(plan, *opening); reason != "" {
		return reason
	}
	if _, err := score.ParseRule("rule", []byte(opening.Rule)); opening.Rule != "" && err != nil {
		return "the pass rule is refused: " + err.Error()
	}
	m.session = session{
		id:      in.Session,
		opening: *opening,
		plan:    plan,
		opened:  map[int]bool{},
		results: map[int]*event.RunResult{},
		binding: blind.Binding{Station: m.station, Epoch: m.epoch, Session: in.Session, PlanHash: plan.Hash()},
	}
	m.phase, m.run = Opened, nil
	m.keep(in)
	return ""
}

// fits returns why a plan cannot be run as the opening says and by the station's settings, "" when it can.
func fits(plan blind.Plan, o event.Opening) string {
	set := o.Settings
	spare := ms(set.OpenMS) - ms(set.TravelMS) - ms(set.WithdrawMS) - int64(plan.Limits.Run)
	switch hash := plan.Hash(); {
	case o.PlanHash != hex.EncodeToString(hash[:]):
		return "the plan's hash is not that of its bytes"
	case o.Mode != plan.Mode:
		return fmt.Sprintf("the session's mode is %q and the plan's is %q", o.Mode, plan.Mode)
	case o.Laws != event.Laws{Draw: blind.DrawLaw, Engine: Law, Score: score.Law}:
		return "the session names laws that this station does not go by"
	case plan.Witness != blind.WitnessNone:
		return fmt.Sprintf("the plan asks for a witness (%s), and this station can record none yet: "+
			"take witness out of the plan, or write down the printed commitments by hand", plan.Witness)
	case set.LeadMS < 0 || set.TravelMS < 0 || set.CloseMS < 0 || set.WithdrawMS < 0 || set.LongPress < 0 || set.PurgeMS < 0:
		return "a time of the station's settings is below zero"
	case set.GridMS < 1 || set.EdgeBudget < 1 || set.OpenMS < 1:
		return "the station's settings lack a grid, a budget of edges or a longest open time"
	case int64(plan.Purge) < ms(set.PurgeMS):
		return fmt.Sprintf("a purge of %s is too short for the station, whose slowest device needs %s to change the air and come to rest: "+
			"make purge of the plan longer, or take the device out of the configuration", plan.Purge, time.Duration(ms(set.PurgeMS)))
	case spare <= 0:
		return fmt.Sprintf("a run of %s does not fit into the %s that canisters may stay open: "+
			"make limits.run of the plan shorter, or timing.open of the station longer", plan.Limits.Run, time.Duration(ms(set.OpenMS)))
	}
	return ""
}

// loaded says what lies where, and commits the station to its share of the seed.
func (m *Machine) loaded(in event.Event) string {
	if m.phase != Opened {
		return m.wrongPhase("load", Opened)
	}
	if reason := m.mayLoad(in.By); reason != "" {
		return reason
	}
	load, sealed := in.Body.(*event.Load), in.Secret.(*event.StationShare)
	share, err := decode32(sealed.Share)
	if err != nil {
		return "the station's share is not 32 bytes"
	}
	hash := blind.LoadingHash(load.Loading)
	binding := m.session.binding
	binding.LoadingHash = hash
	if load.LoadingHash != hex.EncodeToString(hash[:]) {
		return "the loading's hash is not that of the loading"
	}
	if err := m.session.plan.CheckLoading(load.Loading); err != nil {
		return "the loading is refused: " + err.Error()
	}
	stationHash := blind.StationHash(binding, share)
	if load.StationHash != hex.EncodeToString(stationHash[:]) {
		return "the station's hash does not commit to its share"
	}
	m.session.binding = binding
	m.session.load = *load
	m.session.share = event.Seal(share)
	m.phase = Loaded
	m.record(in)
	m.checkpoint(CheckpointLoad)
	return ""
}

// seal draws the placements from the two shares and commits to each of them.
func (m *Machine) seal(in event.Event) string {
	if m.phase != Loaded {
		return m.wrongPhase("seal", Loaded)
	}
	seed, sealed := in.Body.(*event.Seed), in.Secret.(*event.NonceSeed)
	nonces, err := decode32(sealed.Seed)
	if err != nil {
		return "the seed of the nonces is not 32 bytes"
	}
	authority, reason := m.authorityShare(*seed)
	if reason != "" {
		return reason
	}
	s := &m.session
	drawSeed := blind.SessionSeed(s.binding, s.share.Reveal(), authority)
	deal, err := blind.Draw(s.plan, s.load.Loading, drawSeed)
	if err != nil {
		return "the plan cannot be dealt: " + err.Error()
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
	return ""
}

// authorityShare returns what the second party puts into the seed: its share, the hash of its dice, or nothing.
func (m *Machine) authorityShare(seed event.Seed) ([]byte, string) {
	switch seed.Source {
	case event.TwoParty:
		share, err := decode32(seed.Share)
		if err != nil {
			return nil, "the authority's share is not 32 bytes of hexadecimal"
		}
		hash, _ := decode32(m.session.load.StationHash)
		if err := blind.VerifyShare(seed.Key, hash, share, seed.Signature); err != nil {
			return nil, "the authority's share is not signed over this station's hash: " + err.Error()
		}
		return share[:], ""
	case event.Dice:
		if seed.Dice == "" {
			return nil, "no dice were typed"
		}
		sum := sha256.Sum256([]byte(seed.Dice))
		return sum[:], ""
	case event.Alone:
		return nil, ""
	default:
		return nil, fmt.Sprintf("unknown source of the seed %q", seed.Source)
	}
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

func (m *Machine) pause(in event.Event) string {
	switch {
	case m.phase != Sealed:
		return m.wrongPhase("pause", Sealed)
	case m.session.paused != "":
		return "the session is paused already"
	}
	m.session.paused = in.Body.(*event.Reason).Reason
	if m.session.paused == "" {
		m.session.paused = "paused"
	}
	m.record(in)
	return ""
}

func (m *Machine) resume(in event.Event) string {
	if m.phase != Sealed || m.session.paused == "" {
		return "the session is not paused"
	}
	m.session.paused = ""
	m.record(in)
	return ""
}

// pauseFor pauses the session for a reason of the station's own.
func (m *Machine) pauseFor(in event.Event, reason string) {
	if m.session.paused != "" {
		return
	}
	m.session.paused = reason
	m.derive(in, event.SessionPaused, 0, &event.Reason{Reason: reason})
}

// abort ends the session. A run in progress is closed first, so that what was done to its canisters is written
// before the reveal.
func (m *Machine) abort(in event.Event) string {
	if m.phase == Idle || m.phase == Ended {
		return "no session that could be aborted"
	}
	if m.session.aborted != "" {
		return "the session is being aborted already"
	}
	m.session.aborted = in.Body.(*event.Reason).Reason
	if m.session.aborted == "" {
		m.session.aborted = "aborted"
	}
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
	return ""
}

// closeSession counts the aids back and lets go of the session.
func (m *Machine) closeSession(in event.Event) string {
	if m.phase != Ended {
		return m.wrongPhase("close", Ended)
	}
	if count := in.Body.(*event.AidCount); count.Out < 0 || count.Back < 0 {
		return "aids cannot be counted below zero"
	}
	m.record(in)
	m.checkpoint(CheckpointClose)
	m.phase = Idle
	return ""
}

// finish ends the session: everything is opened, every run scored, the verdict given. It is never a command.
func (m *Machine) finish(in event.Event) {
	end := event.End{How: "completed"}
	switch {
	case m.session.aborted != "":
		end = event.End{How: "aborted", Reason: m.session.aborted}
	case m.session.shortBy > 0:
		end = event.End{How: "not valid", Reason: "the reserve runs were used up"}
	}
	m.phase = Ended
	m.derive(in, event.SessionEnded, 0, &end)
	m.out = append(m.out, Effect{Kind: Open})
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

func (m *Machine) wrongPhase(what string, want Phase) string {
	return fmt.Sprintf("cannot %s: the session is %s, not %s", what, m.phase, want)
}

func decode32(text string) (b [32]byte, err error) {
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != len(b) {
		return b, fmt.Errorf("want %d hexadecimal digits", 2*len(b))
	}
	return [32]byte(raw), nil
}
