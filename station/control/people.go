package control

import (
	"slices"
	"strings"

	"scentpost/station/access"
	"scentpost/station/event"
	"scentpost/station/names"
	"scentpost/station/refusal"
)

// apart returns why two roles that a mode keeps apart might be held by one person, nil when they are not: the handler and the
// assessor, and with one of them whoever the mode keeps from the search. Names are compared as people read them. That one
// person has two of the roles by one name is judged by the engine where it depends on what that person does.
func (s *Service) apart(mode event.Mode, handler, assessor string) *refusal.Reason {
	if mode == event.ModeOpen {
		return nil
	}
	if handler == assessor {
		return refusal.New(OnePerson, "person", handler, "mode", mode)
	}
	one := func(person string, role event.Role, other string, otherRole event.Role) *refusal.Reason {
		if person == other || !names.MayBeOne(person, other) {
			return nil
		}
		return refusal.New(MayBeOne, "person", person, "role", role, "other", other, "other_role", otherRole, "mode", mode)
	}
	if why := one(handler, event.Handler, assessor, event.Assessor); why != nil {
		return why
	}
	for _, p := range s.opt.People {
		var why *refusal.Reason
		switch {
		case mode == event.ModeDouble && access.Holds(p.Roles, mayLoad):
			if why = one(handler, event.Handler, p.Name, event.Loader); why == nil {
				why = one(assessor, event.Assessor, p.Name, event.Loader)
			}
		case mode == event.ModeSingle && slices.Contains(p.Roles, event.Assessor): // who is served the placement
			why = one(handler, event.Handler, p.Name, event.Assessor)
		}
		if why != nil {
			return why
		}
	}
	return nil
}

// known returns why the handler or the assessor of an opening is not taken: the station does not know them, and the request
// does not say that they are new. A slip of the finger would stand in the record for good.
func (s *Service) known(r *Request) *refusal.Reason {
	if r.New {
		return nil
	}
	all := s.knownNames()
	for _, one := range []struct {
		name string
		role event.Role
	}{{r.Handler, event.Handler}, {r.Assessor, event.Assessor}} {
		if slices.Contains(all, one.name) {
			continue
		}
		if near := names.Nearest(one.name, all); near != "" {
			return refusal.New(PersonNear, "person", one.name, "role", one.role, "near", near)
		}
		return refusal.New(PersonUnknown, "person", one.name, "role", one.role)
	}
	return nil
}

// knownNames are the people of the configuration, in its order, and those of earlier sessions.
func (s *Service) knownNames() []string {
	var all, earlier []string
	for _, p := range s.opt.People {
		all = append(all, p.Name)
	}
	for ref, name := range s.inbox.Snapshot().Names {
		if strings.HasPrefix(ref, event.PersonPrefix) {
			earlier = append(earlier, name)
		}
	}
	slices.Sort(earlier) // a suggestion must not depend on the order of a map
	return append(all, earlier...)
}
