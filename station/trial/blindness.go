package trial

import (
	"slices"

	"scentpost/station/event"
	"scentpost/station/refusal"
)

// rolesOf returns the roles of a person in this session.
func (m *Machine) rolesOf(ref string) []event.Role {
	var roles []event.Role
	if ref == m.session.opening.Team.Handler {
		roles = append(roles, event.Handler)
	}
	for _, p := range m.session.opening.People {
		if p.Ref == ref {
			roles = append(roles, p.Roles...)
		}
	}
	return roles
}

// mayLoad returns why somebody may not load this session: in double mode the loader is neither handler nor assessor.
func (m *Machine) mayLoad(ref string) *refusal.Reason {
	roles := m.rolesOf(ref)
	if m.session.plan.Mode != event.ModeDouble || !(slices.Contains(roles, event.Handler) || slices.Contains(roles, event.Assessor)) {
		return nil
	}
	return refusal.New(LoaderAtSearch)
}

// effectiveBlindness is the lower of what was intended and what was possible. An account of the machine that somebody
// shares speaks for all who share it: when the handler shares one, what the assessor is served in single mode is open;
// when the loader does, somebody at the search may have loaded, and double is single. Whoever is at the search and can
// read the station's files, or is handler and assessor at once where the assessor is served, makes it open. Where all
// is simulated, accounts mean nothing.
func (m *Machine) effectiveBlindness() event.Mode {
	o := m.session.opening
	if o.Mode == event.ModeSingle && slices.Contains(m.rolesOf(o.Team.Handler), event.Assessor) {
		return event.ModeOpen
	}
	if o.Simulated {
		return o.Mode
	}
	switch {
	case m.readsVault():
		return event.ModeOpen
	case o.Mode == event.ModeSingle && m.shares(event.Handler):
		return event.ModeOpen
	case o.Mode == event.ModeDouble && m.shares(event.Loader):
		return event.ModeSingle
	}
	return o.Mode
}

// readsVault tells whether somebody at the search can read the station's files.
func (m *Machine) readsVault() bool {
	for _, p := range m.session.opening.People {
		roles := m.rolesOf(p.Ref)
		if p.ReadsVault && (slices.Contains(roles, event.Handler) || slices.Contains(roles, event.Assessor)) {
			return true
		}
	}
	return false
}

// shares tells whether somebody with a role shares an account of the machine.
func (m *Machine) shares(role event.Role) bool {
	for _, p := range m.session.opening.People {
		if p.SharesAccount && slices.Contains(m.rolesOf(p.Ref), role) {
			return true
		}
	}
	return false
}
