package verify

import (
	"slices"
	"testing"

	"scentpost/station/event"
	"scentpost/station/record"
	"scentpost/station/trial"
)

// FuzzMembers puts anything in the place of a member, and writes the manifest anew: nothing else than the member
// itself is consistent, and nothing makes the verifier panic.
func FuzzMembers(f *testing.F) {
	_, b := unrevealed(f, 1)
	members := membersOf(f, b)
	for i, m := range members {
		f.Add(byte(i), m.Data)
	}
	f.Fuzz(func(t *testing.T, which byte, data []byte) {
		changed := cloneMembers(members)
		i := int(which) % len(changed)
		same := string(changed[i].Data) == string(data)
		changed[i].Data = data
		if r := Members(changed, Options{}); r.Consistent && !same {
			t.Fatalf("%s is said to be consistent with %q", changed[i].Name, data)
		}
		relisted, err := record.WithManifest(changed)
		if err != nil {
			return
		}
		if r := Members(relisted, Options{}); r.Consistent && !same && changed[i].Name != record.MemberManifest &&
			changed[i].Name != record.MemberIdentities { // fewer names are a bundle too
			t.Fatalf("%s, listed, is said to be consistent with %q", changed[i].Name, data)
		}
	})
}

// FuzzSignedNonsense lets a station with a good key sign any sequence of records: the verifier may say what it
// likes, but must say it.
func FuzzSignedNonsense(f *testing.F) {
	all := event.Types()
	slices.Sort(all)
	f.Add([]byte{1, 2, 3, 4, 5, 6, 7, 8})
	f.Fuzz(func(t *testing.T, order []byte) {
		s := newStation(t, 5)
		s.session = "s-1"
		from := s.event(event.SessionOpened, 0, &event.Opening{Draft: event.Draft, Laws: trial.Laws(), Simulated: true}, nil)
		for i, o := range order[:min(len(order), 60)] {
			kind := all[int(o)%len(all)]
			if kind == event.SessionOpened {
				continue
			}
			s.event(kind, i%3, event.NewBody(kind), event.NewSecret(kind))
			if o > 200 {
				s.open(0, s.now, asIs)
			}
		}
		s.event(event.SessionEnded, 0, &event.End{}, nil)
		s.open(0, s.now, asIs)
		s.event(event.SessionRevealed, 0, nil, nil)
		s.event(event.SessionScored, 0, &event.Verdict{}, nil)
		s.checkpoint("reveal")
		if r := Members(membersOf(t, s.bundle(from)), Options{}); r.Consistent {
			t.Fatalf("%v is said to be consistent", order)
		}
	})
}
