package control

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"scentpost/station/blind"
	"scentpost/station/event"
	"scentpost/station/health"
	"scentpost/station/history"
	"scentpost/station/trial"
)

// Inbox is what control needs of the host.
type Inbox interface {
	// Submit takes a command; done is called once, when its answer is durable, and must not wait.
	Submit(e event.Event, done func(trial.Answer))
	// Snapshot returns what may be shown now.
	Snapshot() trial.Snapshot
	// Watch calls f with every new state until stop is called; f must not wait.
	Watch(f func(trial.Snapshot)) (stop func())
}

// Archive is what control needs of the journal.
type Archive interface {
	// Export returns the bundle of a session as far as it is signed, the last session's for ""; with the names
	// behind the references or without.
	Export(session string, names bool) (name string, bundle []byte, err error)
	// Sessions returns the sessions of the journal, oldest first.
	Sessions() ([]history.Listed, error)
}

// Options are what a service is made of.
type Options struct {
	Site, Station string
	Simulated     bool
	People        []Person
	// Authorities are the verifier keys (note form) of those who may answer the station's hash.
	Authorities []string
	Inbox       Inbox
	Archive     Archive
	// Conditions returns what is wrong with the station, nil for nobody who knows. They must tell nothing of a
	// placement: everybody sees them.
	Conditions func() []health.Condition
	// Blocked returns why no session can be run at all, "" when they can; nil for never.
	Blocked func() string
	// CannotStart returns why the next run over so many positions cannot start, "" when it can; nil for never. It is the
	// one fact about canisters that is public from seal to reveal, and its reason names none. It is shown between runs
	// alone: within one, when it changes would tell what moved.
	CannotStart func(positions int) string
	// Blank tells whether the conditions are younger than the seal, so that nobody can say what was so then; nil for never.
	Blank func() bool
	// Devices are those of the configuration, in its order, and Boards the boards among them.
	Devices []Device
	Boards  []Board
	// Figures returns what a board and its link have come to, nil for never. They are shown only while no placement is
	// secret.
	Figures func(board string) (f BoardFigures, known bool)
}

// Service answers requests.
type Service struct {
	opt   Options
	inbox Inbox
}

// New returns a service.
func New(opt Options) (*Service, error) {
	if opt.Inbox == nil || opt.Archive == nil {
		return nil, errors.New("control: inbox and archive must be set")
	}
	if opt.Conditions == nil {
		opt.Conditions = func() []health.Condition { return nil }
	}
	if opt.Blank == nil {
		opt.Blank = func() bool { return false }
	}
	if opt.CannotStart == nil {
		opt.CannotStart = func(int) string { return "" }
	}
	if opt.Blocked == nil {
		opt.Blocked = func() string { return "" }
	}
	return &Service{opt: opt, inbox: opt.Inbox}, nil
}

// Response answers a request. OK is false when the station said no; Error then says why and what to do.
type Response struct {
	OK     bool             `json:"ok"`
	Error  string           `json:"error,omitempty"`
	Seq    int64            `json:"seq,string,omitempty"`
	Status *Status          `json:"status,omitempty"`
	List   []history.Listed `json:"list,omitempty"`
	// Devices answer "doctor".
	Devices []DeviceLine `json:"devices,omitempty"`
	// Boards answer "boards".
	Boards []BoardLine `json:"boards,omitempty"`
	// Name, Bundle and Unfinished answer "export". Unfinished says that the session goes on: its bundle is not whole.
	Name       string `json:"name,omitempty"`
	Bundle     []byte `json:"bundle,omitempty"`
	Unfinished bool   `json:"unfinished,omitempty"`
}

// Person returns a person of the station by name; known is false when there is none.
func (s *Service) Person(name string) (p Person, known bool) {
	i := slices.IndexFunc(s.opt.People, func(p Person) bool { return p.Name == name })
	if i < 0 {
		return Person{}, false
	}
	return s.opt.People[i], true
}

// Do answers one request of a person; done is called once, possibly later and on another goroutine.
func (s *Service) Do(who Person, r Request, done func(Response)) {
	if !MayDo(r.Command, who.Roles) {
		done(Response{Error: denied(r, who)})
		return
	}
	switch r.Command {
	case "status", "watch":
		status := s.statusFor(s.inbox.Snapshot(), who)
		done(Response{OK: true, Status: &status})
	case "doctor":
		state := s.inbox.Snapshot()
		status := s.statusFor(state, who)
		done(Response{OK: true, Status: &status, Devices: s.deviceLines(status)})
	case "boards":
		status := s.statusFor(s.inbox.Snapshot(), who)
		done(Response{OK: true, Status: &status, Boards: s.boardLines(status)})
	case "list":
		list, err := s.opt.Archive.Sessions()
		done(respond(Response{List: list}, err))
	case "export":
		unfinished := underWay(s.inbox.Snapshot().View, r.Session)
		name, bundle, err := s.opt.Archive.Export(r.Session, s.opt.Simulated || len(who.Roles) > 0)
		done(respond(Response{Name: name, Bundle: bundle, Unfinished: unfinished}, err))
	default:
		s.submit(r, who, done)
	}
}

// underWay tells whether a session has not ended; "" is the last one.
func underWay(v trial.View, session string) bool {
	return v.Phase != trial.Idle && v.Phase != trial.Ended && v.Session != "" && (session == "" || session == v.Session)
}

func respond(r Response, err error) Response {
	if err != nil {
		return Response{Error: err.Error()}
	}
	r.OK = true
	return r
}

func denied(r Request, who Person) string {
	if who.Name == "" {
		return fmt.Sprintf("%s needs a role (%s)", r.Command, RoleNames(may[r.Command]))
	}
	return fmt.Sprintf("%s may not %s: it needs one of the roles %s", who.Name, r.Command, RoleNames(may[r.Command]))
}

func (s *Service) submit(r Request, who Person, done func(Response)) {
	e, err := s.toEvent(r, who)
	if err != nil {
		done(Response{Error: err.Error()})
		return
	}
	s.inbox.Submit(e, func(a trial.Answer) {
		switch {
		case a.Refused != nil:
			done(Response{Error: trial.InRecord(a.Refused) + before(r.Command, s.inbox.Snapshot().View.Phase), Seq: max(a.Seq, 0)})
		default:
			status := s.statusFor(s.inbox.Snapshot(), who)
			done(Response{OK: true, Seq: a.Seq, Status: &status})
		}
	})
}

// steps are what makes a session ready for its runs, in order.
var steps = []string{"open", "load", "seal"}

// before says behind a refusal what has to come before a command, "" where the session is far enough for it.
func before(command string, phase trial.Phase) string {
	needs := slices.Index(steps, command)
	if slices.Contains([]string{"arm", "start", "call", "clear", "withdraw", "finish", "observe", "void"}, command) {
		needs = len(steps)
	}
	done := slices.Index([]trial.Phase{trial.Idle, trial.Opened, trial.Loaded}, phase)
	if done < 0 || done >= needs {
		return ""
	}
	which, words := "it", steps[done:needs]
	if done == 0 {
		which = "one"
	}
	last := len(words) - 1
	if last == 0 {
		return fmt.Sprintf(": %s %s first", words[0], which)
	}
	return fmt.Sprintf(": %s and %s %s first", strings.Join(words[:last], ", "), words[last], which)
}

// opening fills in the body of a session's opening. Names stay names: the host puts references in their place.
func (s *Service) opening(r Request, e event.Event) (event.Event, error) {
	plan, err := blind.ParsePlan(r.PlanName, []byte(r.Plan))
	if err != nil {
		return e, err
	}
	var rule []byte
	if plan.Rule != "" && r.Rule != "" {
		rule = []byte(r.Rule)
	}
	if err := CheckPlan(r.PlanName, plan, rule); err != nil {
		return e, err
	}
	for _, who := range [][2]string{{"dog", r.Dog}, {"handler", r.Handler}, {"assessor", r.Assessor}} {
		if who[1] == "" {
			return e, fmt.Errorf("a session needs the name of its %s", who[0])
		}
	}
	if plan.Mode != "open" && r.Handler == r.Assessor {
		return e, fmt.Errorf("%s cannot be handler and assessor of a %s-blind session: name two people, or take mode: open", r.Handler, plan.Mode)
	}
	hash := plan.Hash()
	opening := &event.Opening{
		Name: r.PlanName, Plan: r.Plan, PlanHash: hex.EncodeToString(hash[:]), Rule: r.Rule, Mode: string(plan.Mode),
		Team:  event.Team{Dog: r.Dog, Handler: r.Handler, Discipline: r.Discipline},
		Draft: event.Draft, Laws: trial.Laws(),
	}
	opening.People = s.present(r)
	e.Type, e.Body = event.SessionOpened, opening
	return e, nil
}

// present lists who takes part, each with the roles that the station gives them; the handler and the assessor of
// the session need not be known to the station.
func (s *Service) present(r Request) []event.Person {
	people := []event.Person{}
	add := func(name string, roles []event.Role, shares, readsVault bool) {
		people = append(people, event.Person{Ref: name, Roles: slices.Clone(roles), SharesAccount: shares, ReadsVault: readsVault})
	}
	for _, p := range s.opt.People {
		roles := p.Roles
		if p.Name == r.Handler && !slices.Contains(roles, event.Handler) {
			roles = append(slices.Clone(roles), event.Handler)
		}
		add(p.Name, roles, p.SharesAccount, p.ReadsVault)
	}
	known := func(name string) bool {
		return slices.ContainsFunc(s.opt.People, func(p Person) bool { return p.Name == name })
	}
	if !known(r.Handler) {
		add(r.Handler, []event.Role{event.Handler}, false, false)
	}
	if !known(r.Assessor) && r.Assessor != r.Handler {
		add(r.Assessor, []event.Role{event.Assessor}, false, false)
	}
	return people
}

// seed fills in what the second party answered. That nobody did must be asked for: a seal cannot be undone.
func (s *Service) seed(r Request, e event.Event) (event.Event, error) {
	seed := &event.Seed{Source: event.Alone}
	share, dice := strings.TrimSpace(r.Share) != "", strings.TrimSpace(r.Dice) != ""
	switch {
	case share && dice:
		return e, errors.New("a seed is answered by a share or by dice, not by both")
	case r.Alone && (share || dice):
		return e, errors.New("a seed is answered by a share or by dice, or by the station alone, not by both")
	case r.Alone:
	case !share && !dice:
		return e, errors.New("the station's hash has no answer: give the authority's answer (--share) or dice (--dice), " +
			"or say that the station alone is to choose the draw (--station-alone), which the record then says for good")
	case dice:
		dice, err := blind.CheckDice(r.Dice)
		if err != nil {
			return e, err
		}
		seed.Source, seed.Dice = event.Dice, dice
	default:
		share, key, signature, err := blind.ParseAnswer(r.Share, s.opt.Authorities)
		if err != nil {
			return e, err
		}
		seed.Source, seed.Share, seed.Key, seed.Signature = event.TwoParty, share, key, signature
	}
	e.Type, e.Body = event.SessionSealed, seed
	return e, nil
}
