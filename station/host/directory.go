package host

import (
	"io"
	"maps"

	"scentpost/station/event"
	"scentpost/station/journal"
	"scentpost/station/record"
	"scentpost/station/refusal"
)

// directory maps the names of people and dogs to the salted references that stand for them in the record. The
// names themselves lie beside it, in rows that can be erased.
type directory struct {
	byName map[string]string // reference by its prefix and the name: a dog and a person may have one name
	byRef  map[string]string // never changed, only replaced: snapshots hold it
}

func newDirectory(known []journal.Identity) directory {
	d := directory{byName: map[string]string{}, byRef: map[string]string{}}
	for _, id := range known {
		d.byName[prefixOf(id)+id.Name] = id.Ref
		d.byRef[id.Ref] = id.Name
	}
	return d
}

func prefixOf(id journal.Identity) string {
	if id.Dog() {
		return event.DogPrefix
	}
	return event.PersonPrefix
}

// reference returns the reference of a name, making one by of, to be written with the next batch, when it is new.
func (h *Host) reference(prefix, name string, of func(salt [16]byte, name string) record.Identity) (string, *refusal.Reason) {
	if name == "" || name == event.ByStation || event.IsReference(name) {
		return name, nil
	}
	if ref, known := h.names.byName[prefix+name]; known {
		return ref, nil
	}
	var salt [16]byte
	if _, err := io.ReadFull(h.opt.Chance.IDs, salt[:]); err != nil {
		return "", noChance(err)
	}
	id := of(salt, name)
	h.names.byName[prefix+name] = id.Ref
	h.names.byRef = maps.Clone(h.names.byRef)
	h.names.byRef[id.Ref] = name
	h.batch.Identities = append(h.batch.Identities, id)
	return id.Ref, nil
}

// refer puts references in the place of every name in an event.
func (h *Host) refer(e *event.Event) (why *refusal.Reason) {
	replace := func(name *string) {
		if why == nil {
			*name, why = h.reference(event.PersonPrefix, *name, record.NewPerson)
		}
	}
	replace(&e.By)
	switch body := e.Body.(type) {
	case *event.Opening:
		replace(&body.Team.Handler)
		if why == nil {
			body.Team.Dog, why = h.reference(event.DogPrefix, body.Team.Dog, record.NewDog)
		}
		for i := range body.People {
			replace(&body.People[i].Ref)
		}
	case *event.Call:
		replace(&body.MadeBy)
		replace(&body.EnteredBy)
	}
	return why
}
