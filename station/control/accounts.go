package control

import (
	"slices"

	"scentpost/station/event"
	"scentpost/station/names"
	"scentpost/station/refusal"
)

// Account is a person of the station's configuration with the account of the machine that speaks for them.
type Account struct {
	Name  string
	Roles []event.Role
	UID   int // below 0 for none
}

// Accounts tell which person an account of the machine speaks for.
type Accounts struct {
	list      []Account
	simulated bool
	own       int
}

// NewAccounts returns the accounts of a station. own is the account of the daemon: whoever has it reads the vault, as root
// does. At a simulated station anybody may speak for a person without an account.
func NewAccounts(list []Account, simulated bool, own int) Accounts {
	return Accounts{list: slices.Clone(list), simulated: simulated, own: own}
}

// People returns the people in the order of the configuration, with what their accounts mean for a blind session.
func (a Accounts) People() []Person {
	people := make([]Person, len(a.list))
	for i, p := range a.list {
		people[i] = a.person(p)
	}
	return people
}

// UIDs returns the accounts of the machine that the station knows: those of its people, the daemon's and root's.
func (a Accounts) UIDs() []int {
	known := []int{0, a.own}
	for _, p := range a.list {
		if p.UID >= 0 {
			known = append(known, p.UID)
		}
	}
	return known
}

// rolesFor returns the roles that may give a command, nil for an unknown one.
func rolesFor(command string) []event.Role {
	if c := find(command); c != nil {
		return c.Roles
	}
	return nil
}

func (a Accounts) person(p Account) Person {
	shared := func(o Account) bool { return p.UID >= 0 && o.UID == p.UID && o.Name != p.Name }
	return Person{Name: p.Name, Roles: p.Roles, SharesAccount: slices.ContainsFunc(a.list, shared),
		ReadsVault: p.UID == 0 || p.UID > 0 && p.UID == a.own}
}

// notYours is the reason for which an account may not speak for a person; it names one of its own that was meant, if one was.
func notYours(as string, mine []Account) *refusal.Reason {
	var all []string
	for _, p := range mine {
		all = append(all, p.Name)
	}
	if near := names.Nearest(as, all); near != "" {
		return refusal.New(NotYoursNear, "as", as, "near", near)
	}
	return refusal.New(NotYours, "as", as)
}

// Who returns the person that a request of an account speaks for: the one that it names, if the account may speak for them,
// else the only one of the account. At a simulated station where nobody is named it is the first who may give the command,
// so that one person at a keyboard can play all parts. Anything that everybody may ask is asked by the public, which has no
// name, where no person is found.
func (a Accounts) Who(uid int, as, command string) (Person, *refusal.Reason) {
	var mine []Account
	for _, p := range a.list {
		if p.UID == uid || a.simulated && p.UID < 0 {
			mine = append(mine, p)
		}
	}
	if as != "" {
		i := slices.IndexFunc(mine, func(p Account) bool { return p.Name == as })
		if i < 0 {
			return Person{}, notYours(as, mine)
		}
		return a.person(mine[i]), nil
	}
	public := Person{}
	switch {
	case len(mine) == 1:
		return a.person(mine[0]), nil
	case MayDo(command, public.Roles):
		return public, nil
	case a.simulated:
		if i := slices.IndexFunc(mine, func(p Account) bool { return MayDo(command, p.Roles) }); i >= 0 {
			return a.person(mine[i]), nil
		}
	case len(mine) > 1:
		return public, refusal.New(SpeakerUnnamed, "command", command, "roles", rolesFor(command))
	}
	if len(mine) > 0 {
		return public, refusal.New(SpeakerUnknown, "command", command, "roles", rolesFor(command))
	}
	return public, refusal.New(AccountUnknown, "uid", uid, "command", command, "roles", rolesFor(command))
}
