package host

import (
	"io"
	"maps"
	"strings"

	"scentpost/station/event"
	"scentpost/station/journal"
	"scentpost/station/record"
	"scentpost/station/refusal"
)

// directory maps the names of people and dogs to the salted references that stand for them in the record. The
// names themselves lie beside it, in rows that can be erased.
type directory struct {
	byName map[string]string
	byRef  map[string]string // never changed, only replaced: snapshots hold it
}

func newDirectory(known []journal.Identity) directory {
	d := directory{byName: map[string]string{}, byRef: map[string]string{}}
	for _, id := range known {
		d.byName[id.Name] = id.Ref
		d.byRef[id.Ref] = id.Name
	}
	return d
}

// reference returns the reference of a name, making one, to be written with the next batch, when it is new.
func (h *Host) reference(name string) (string, *refusal.Reason) {
	if name == "" || name == event.ByStation || strings.HasPrefix(name, event.PersonPrefix) {
		return name, nil
	}
	if ref, known := h.names.byName[name]; known {
		return ref, nil
	}
	var salt [16]byte
	if _, err := io.ReadFull(h.opt.Chance.IDs, salt[:]); err != nil {
		return "", noChance(err)
	}
	id := record.NewIdentity(salt, name)
	h.names.byName[name] = id.Ref
	h.names.byRef = maps.Clone(h.names.byRef)
	h.names.byRef[id.Ref] = name
	h.batch.Identities = append(h.batch.Identities, id)
	return id.Ref, nil
}

// refer puts references in the place of every name in an event.
func (h *Host) refer(e *event.Event) (why *refusal.Reason) {
	replace := func(name *string) {
		if why == nil {
			*name, why = h.reference(*name)
		}
	}
	replace(&e.By)
	switch body := e.Body.(type) {
	case *event.Opening:
		replace(&body.Team.Dog)
		replace(&body.Team.Handler)
		for i := range body.People {
			replace(&body.People[i].Ref)
		}
	case *event.Call:
		replace(&body.MadeBy)
		replace(&body.EnteredBy)
	}
	return why
}
