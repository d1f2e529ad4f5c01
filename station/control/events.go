package control

import (
	"encoding/hex"
	"slices"
	"strings"

	"scentpost/station/blind"
	"scentpost/station/event"
	"scentpost/station/refusal"
	"scentpost/station/trial"
)

// The functions here fill in the event that a request asks for. They check what the request alone shows; the engine checks
// what depends on the session.

// opening opens a session. Names stay names: the host puts references in their place.
func (s *Service) opening(r *Request, e *event.Event) *refusal.Reason {
	plan, err := blind.ParsePlan(r.PlanName, []byte(r.Plan))
	if err != nil {
		return refusal.New(trial.PlanRefused, refusal.Detail, err)
	}
	var rule []byte
	if plan.Rule != "" && r.Rule != "" {
		rule = []byte(r.Rule)
	}
	if err := CheckPlan(r.PlanName, plan, rule); err != nil {
		return refusal.New(trial.PlanRefused, refusal.Detail, err)
	}
	if why := s.apart(plan.Mode, r.Handler, r.Assessor); why != nil {
		return why
	}
	if why := s.known(r); why != nil {
		return why
	}
	hash := plan.Hash()
	e.Type, e.Body = event.SessionOpened, &event.Opening{
		Name: r.PlanName, Plan: r.Plan, PlanHash: hex.EncodeToString(hash[:]), Rule: r.Rule, Mode: plan.Mode,
		Team:   event.Team{Dog: r.Dog, Handler: r.Handler, Discipline: r.Discipline},
		Draft:  event.Draft,
		Laws:   trial.Laws(),
		People: s.present(r),
	}
	return nil
}

// present lists who takes part, each with the roles that the station gives them; a handler or an assessor who is new has that
// one role.
func (s *Service) present(r *Request) []event.Person {
	people := []event.Person{}
	for _, p := range s.opt.People {
		roles := slices.Clone(p.Roles)
		if p.Name == r.Handler && !slices.Contains(roles, event.Handler) {
			roles = append(roles, event.Handler)
		}
		people = append(people, event.Person{Ref: p.Name, Roles: roles, SharesAccount: p.SharesAccount, ReadsVault: p.ReadsVault})
	}
	if _, known := s.Person(r.Handler); !known {
		people = append(people, event.Person{Ref: r.Handler, Roles: []event.Role{event.Handler}})
	}
	if _, known := s.Person(r.Assessor); !known && r.Assessor != r.Handler {
		people = append(people, event.Person{Ref: r.Assessor, Roles: []event.Role{event.Assessor}})
	}
	return people
}

// seed fills in what the second party answered. That nobody did must be asked for: a seal cannot be undone.
func (s *Service) seed(r *Request, e *event.Event) *refusal.Reason {
	seed := &event.Seed{Source: event.Alone}
	shared, thrown := strings.TrimSpace(r.Share) != "", strings.TrimSpace(r.Dice) != ""
	switch {
	case shared && thrown, r.Alone && (shared || thrown):
		return refusal.New(SealTwice)
	case r.Alone:
	case thrown:
		dice, err := blind.CheckDice(r.Dice)
		if err != nil {
			return refusal.New(DiceRefused, refusal.Detail, err)
		}
		seed.Source, seed.Dice = event.Dice, dice
	case shared:
		key, signature, err := blind.ParseAnswer(r.Share, s.opt.Authorities)
		if err != nil {
			return refusal.New(ShareRefused, refusal.Detail, err)
		}
		seed.Source, seed.Key, seed.Signature = event.TwoParty, key, signature
	default:
		return refusal.New(SealUnanswered)
	}
	e.Type, e.Body = event.SessionSealed, seed
	return nil
}

// calling enters a call at a position, between two, or at none.
func (s *Service) calling(r *Request, e *event.Event) *refusal.Reason {
	call := event.Call{Kind: event.CallAt, Position: r.Position}
	switch {
	case r.Nowhere:
		call.Kind, call.Position = event.CallNowhere, 0
	case r.Position == 0:
		return refusal.New(CallUnplaced)
	case r.Between == r.Position:
		return refusal.New(BetweenItself)
	case r.Between != 0:
		call.Kind, call.Other = event.CallBetween, r.Between
	}
	return s.entered(call, r, e)
}

// allClear enters the call of all clear.
func (s *Service) allClear(r *Request, e *event.Event) *refusal.Reason {
	return s.entered(event.Call{Kind: event.CallClear}, r, e)
}

// The means by which a request says that a call came.
const (
	meansVoice = "voice"
	meansPanel = "panel"
)

// entered fills in a call that a person enters for the handler.
func (s *Service) entered(call event.Call, r *Request, e *event.Event) *refusal.Reason {
	switch r.Means {
	case meansPanel:
		call.Means = event.ByPanel
	case meansVoice, "":
		call.Means = event.ByVoice
	default:
		return refusal.New(MeansUnknown, "means", r.Means)
	}
	call.MadeBy, call.EnteredBy = s.inbox.Snapshot().View.Team.Handler, e.By
	e.Type, e.Body = event.CallMade, &call
	return nil
}

// closing counts the aids back. Where some went out somebody must have counted them.
func (s *Service) closing(r *Request, e *event.Event) *refusal.Reason {
	count := &event.AidCount{Out: s.inbox.Snapshot().View.Aids, Remark: r.Note}
	switch {
	case r.AllBack && r.Back != nil:
		return refusal.New(BackTwice)
	case r.AllBack:
		count.Back = count.Out
	case r.Back != nil:
		count.Back = *r.Back
	case count.Out > 0:
		return refusal.New(BackUncounted, "out", count.Out)
	}
	e.Type, e.Body = event.SessionClosed, count
	return nil
}
