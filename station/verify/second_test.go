package verify

import (
	"testing"

	"scentpost/station/blind"
	"scentpost/station/event"
)

// TestTheSecondPartyIsNamed: an authority that nobody knows may be the station's own operator.
func TestTheSecondPartyIsNamed(t *testing.T) {
	d := dealt{station: newStation(t, 3), source: event.Seed{Source: event.TwoParty}}
	b := d.play(t)
	station, authority := []string{d.key}, []string{d.source.Key}
	for name, c := range map[string]struct {
		keys, authorities []string
		signer, party     string
		wrong             string
	}{
		"no key":                            {nil, nil, Unknown, Unknown, ""},
		"the station's key":                 {station, nil, Pinned, Unknown, ""},
		"the authority's key":               {nil, authority, Unknown, Pinned, ""},
		"both":                              {station, authority, Pinned, Pinned, ""},
		"each in the other's place":         {authority, station, Unknown, Unknown, "no station's key that you gave"},
		"the station's key as an authority": {nil, station, Unknown, Unknown, "no authority's key that you gave"},
	} {
		o := Options{Keys: c.keys, Authorities: c.authorities}
		if c.wrong != "" {
			wantNo(t, Members(membersOf(t, b), o), c.wrong)
			continue
		}
		if r := sealAlone(membersOf(t, b), o); !r.Consistent || r.Signer != c.signer || r.SecondParty != c.party || r.Authority != d.source.Key {
			t.Errorf("%s: signer %q, second party %q, authority %q, %v", name, r.Signer, r.SecondParty, r.Authority, r.Problems)
		}
	}
	d = dealt{station: newStation(t, 3), source: event.Seed{Source: event.Dice}}
	if r := sealAlone(membersOf(t, d.play(t)), Options{}); !r.Consistent || r.SecondParty != "" || r.Authority != "" {
		t.Errorf("dice: second party %q, authority %q, %v", r.SecondParty, r.Authority, r.Problems)
	}
}

// TestTheStationIsNoSecondParty lets the station answer its own hash with its own key.
func TestTheStationIsNoSecondParty(t *testing.T) {
	d := dealt{station: newStation(t, 3), source: event.Seed{Source: event.TwoParty}}
	b := d.play(t)
	binding, hash := blind.Binding{Station: d.log.Station}, [32]byte{2}
	answer, err := blind.Answer(d.station.private, blind.Request(binding, nil, hash))
	if err != nil {
		t.Fatal(err)
	}
	own := event.Seed{Source: event.TwoParty}
	if own.Key, own.Signature, err = blind.ParseAnswer(answer, []string{d.key}); err != nil {
		t.Fatal(err)
	}
	c := checker{bundle: b}
	s := sealing{load: &event.Load{StationHash: hexOf(hash)}, seed: &own}
	if _, ok := c.second(binding, &s); ok || len(c.problems) != 1 {
		t.Fatalf("%v", c.problems)
	}
}

// TestDiceThatNoStationTakes: too few of them leave a handful of draws to choose from.
func TestDiceThatNoStationTakes(t *testing.T) {
	for _, dice := range []string{"", "1", "1 2 3 4", "4  1 6 6 2", " 41662", "4\n1 6 6 2"} {
		c := checker{}
		if _, ok := c.second(blind.Binding{}, &sealing{seed: &event.Seed{Source: event.Dice, Dice: dice}}); ok || len(c.problems) != 1 {
			t.Errorf("%q: %v", dice, c.problems)
		}
	}
}

// TestALawThatNeverWas is no law that a later verifier could know.
func TestALawThatNeverWas(t *testing.T) {
	for _, law := range []int{0, -1} {
		d := dealt{station: newStation(t, 3), source: event.Seed{Source: event.Dice}, change: func(_ event.Type, b any) {
			if o, ok := b.(*event.Opening); ok {
				o.Laws.Engine = law
			}
		}}
		wantNo(t, Members(membersOf(t, d.play(t)), Options{}), "there never was one")
	}
}

// TestAWitnessOfNothing: a checkpoint from before the session says nothing of it.
func TestAWitnessOfNothing(t *testing.T) {
	s, b := unrevealed(t, 1)
	r := Members(membersOf(t, b), Options{Checkpoints: []string{b.Checkpoints[1].Note, b.Checkpoints[0].Note}})
	if !r.Consistent || r.Witnessed != b.Checkpoints[1].Size {
		t.Errorf("witnessed are %d records, %v", r.Witnessed, r.Problems)
	}
	var c checker
	c.bundle = b
	c.lines()
	c.log()
	first := c.seqs[0]
	roots, err := c.roots([]int64{first})
	if err != nil {
		t.Fatal(err)
	}
	before, err := s.signer.Checkpoint(first, roots[first])
	if err != nil {
		t.Fatal(err)
	}
	wantNo(t, Members(membersOf(t, b), Options{Checkpoints: []string{string(before)}}), "cannot be held against this bundle")
}
