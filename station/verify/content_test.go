package verify

import (
	"crypto/sha256"
	"slices"
	"strings"
	"testing"

	"scentpost/station/blind"
	"scentpost/station/event"
	"scentpost/station/record"
	"scentpost/station/trial"
)

const smallPlan = `plan: Small
form: lineup
presentation: actuated
mode: double
positions: 3
runs: 2
reserve: 1
loading: {each_position: [tnt, glove, blank]}
targets: {odours: [tnt], per_run: 0..1}
distractors: {odours: [glove], per_run: 1}
calls: first-ends
limits: {run: 20s, dwell: 3s}
purge: 5s
feedback: none
reward: none
inconclusive: wrong
`

// dealt is a session that was dealt and revealed by hand, without the engine, which would not have written it: see
// sealAlone. change may spoil any body before it becomes a record.
type dealt struct {
	*station
	from   int64
	change func(t event.Type, body any)
	source event.Seed
}

// sealAlone verifies a bundle up to its seal.
func sealAlone(members []record.Member, o Options) Report {
	c := checker{options: o}
	c.bundle, c.problems = record.Parse(members)
	if c.evidence() {
		s := c.gather()
		c.seal(&s)
	}
	return c.report()
}

func (d *dealt) event(t event.Type, run int, body, secret any) {
	if d.change != nil {
		d.change(t, body)
		if secret != nil {
			d.change(t, secret)
		}
	}
	d.station.event(t, run, body, secret)
}

func (d *dealt) play(t *testing.T) record.Bundle {
	plan, err := blind.ParsePlan("small.yaml", []byte(smallPlan))
	if err != nil {
		t.Fatal(err)
	}
	d.session = "s-7"
	d.from = d.tree.Size()
	hash := sha256.Sum256([]byte(smallPlan))
	d.event(event.SessionOpened, 0, &event.Opening{Name: "small.yaml", Plan: smallPlan, PlanHash: hexOf(hash), Mode: "double",
		Draft: event.Draft, Laws: trial.Laws(), Simulated: true}, nil)
	loading := plan.Loading()
	share, nonces := [32]byte{1, 2, 3}, [32]byte{4, 5, 6}
	b, load, filling := blind.Load(blind.Binding{Station: d.log.Station, Epoch: d.log.Epoch, SetUp: setUp, PlanHash: hash}, d.openings(), loading, share, [32]byte{7})
	d.event(event.SessionLoaded, 0, load, filling)
	d.checkpoint("load")
	authority := d.answer(t, blind.Request(b, load.Openings, blind.StationHash(b, load.Openings, share)))
	d.event(event.SessionSealed, 0, &d.source, &event.NonceSeed{Seed: hexOf(nonces)})
	deal, err := blind.Draw(plan, loading, blind.SessionSeed(b, share, authority))
	if err != nil {
		t.Fatal(err)
	}
	var all [][]event.Placement
	for i := range deal.Scheduled {
		all = append(all, deal.Scheduled[i:i+1])
	}
	all = append(all, deal.Reserve...)
	for i, p := range all {
		commitment := blind.Commit(b, i+1, blind.CommitmentNonce(nonces, i+1), p)
		d.event(event.RunCommitted, 0, &event.Commitment{Index: i + 1, Commitment: hexOf(commitment)}, nil)
	}
	d.checkpoint("seal")
	d.event(event.SessionEnded, 0, &event.End{How: "aborted"}, nil)
	d.open(0, d.now, asIs)
	for i, p := range all {
		o := &event.PlacementOpening{Index: i + 1, Nonce: hexOf(blind.CommitmentNonce(nonces, i+1)), Used: -1}
		for _, one := range p {
			o.Placements = append(o.Placements, slices.Clone(one.Reveal()))
		}
		d.event(event.PlacementOpened, i+1, o, nil)
	}
	d.event(event.SessionRevealed, 0, nil, nil)
	d.event(event.SessionScored, 0, &event.Verdict{Verdict: "no rule"}, nil)
	d.checkpoint("reveal")
	return d.bundle(d.from)
}

// answer fills in what the second party says.
func (d *dealt) answer(t *testing.T, request string) []byte {
	switch d.source.Source {
	case event.TwoParty:
		private, public, err := record.NewKey(d.chance, "authority")
		if err != nil {
			t.Fatal(err)
		}
		text, err := blind.Answer(private, request)
		if err != nil {
			t.Fatal(err)
		}
		d.source.Key, d.source.Signature, err = blind.ParseAnswer(text, []string{public})
		if err != nil {
			t.Fatal(err)
		}
		share, err := blind.AuthorityShare(public, request, d.source.Signature)
		if err != nil {
			t.Fatal(err)
		}
		return share[:]
	case event.Dice:
		d.source.Dice = "4 1 6 6 2"
		sum := sha256.Sum256([]byte(d.source.Dice))
		return sum[:]
	}
	return nil
}

func TestTheSealIsFollowedFromTheSharesToThePlacements(t *testing.T) {
	for _, source := range []event.SeedSource{event.TwoParty, event.Dice, event.Alone} {
		d := dealt{station: newStation(t, 3), source: event.Seed{Source: source}}
		b := d.play(t)
		o := Options{}
		if d.source.Key != "" {
			o.Keys = []string{d.key, d.source.Key}
		}
		if r := sealAlone(membersOf(t, b), o); !r.Consistent || r.Seed != string(source) {
			t.Fatalf("%s: %+v", source, r.Problems)
		}
		wantNo(t, Members(membersOf(t, b), o), "the engine ") // which did not write it
	}
}

// TestASpoiltSealIsNamed lets a station that signs everything properly lie in one body at a time.
func TestASpoiltSealIsNamed(t *testing.T) {
	swap := func(text *string) { *text = strings.Repeat("0", len(*text)) }
	for name, c := range map[string]struct {
		change func(t event.Type, body any)
		want   string
	}{
		"plan hash": {func(_ event.Type, b any) {
			if o, ok := b.(*event.Opening); ok {
				swap(&o.PlanHash)
			}
		}, "record 1: the plan's hash"},
		"loading hash": {func(_ event.Type, b any) {
			if o, ok := b.(*event.Load); ok {
				swap(&o.LoadingHash)
			}
		}, "record 2: the loading that was opened"},
		"salt": {func(_ event.Type, b any) {
			if o, ok := b.(*event.Filling); ok {
				swap(&o.Salt)
			}
		}, "record 2: the loading that was opened"},
		"loading": {func(_ event.Type, b any) {
			if o, ok := b.(*event.Filling); ok {
				o.Loading[0].Odour, o.Loading[1].Odour = o.Loading[1].Odour, o.Loading[0].Odour
			}
		}, "record 2: the loading that was opened"},
		"canisters": {func(_ event.Type, b any) {
			if o, ok := b.(*event.Load); ok {
				o.Canisters++
			}
		}, "record 2: says that 10 canisters were loaded, and 9 were"},
		"set-up": {func(_ event.Type, b any) {
			if o, ok := b.(*event.Load); ok {
				o.SetUp = "\n123456789abcdef"
			}
		}, "record 2: the set-up's id"},
		"openings": {func(_ event.Type, b any) {
			if o, ok := b.(*event.Load); ok {
				swap(&o.Openings[0])
			}
		}, "record 2: the share that was opened"},
		"station's share": {func(_ event.Type, b any) {
			if o, ok := b.(*event.Filling); ok {
				swap(&o.Share)
			}
		}, "record 2: the share that was opened"},
		"signature": {func(_ event.Type, b any) {
			if o, ok := b.(*event.Seed); ok {
				swap(&o.Signature)
			}
		}, "record 3: the authority's answer"},
		"commitment": {func(_ event.Type, b any) {
			if o, ok := b.(*event.Commitment); ok && o.Index == 2 {
				swap(&o.Commitment)
			}
		}, "the placement is not the one that record 5 committed to"},
		"nonce": {func(_ event.Type, b any) {
			if o, ok := b.(*event.PlacementOpening); ok && o.Index == 1 {
				swap(&o.Nonce)
			}
		}, "the nonce is not the one"},
		"placement": {func(_ event.Type, b any) {
			if o, ok := b.(*event.PlacementOpening); ok && o.Index == 3 {
				o.Placements[0][0].Odour = "other"
			}
		}, "the placement is not the one that record 6 committed to"},
		"commitment left out": {func(_ event.Type, b any) {
			if o, ok := b.(*event.PlacementOpening); ok && o.Index == 3 {
				o.Index = 4
			}
		}, "placement.opened is there twice or out of order"},
	} {
		t.Run(name, func(t *testing.T) {
			d := dealt{station: newStation(t, 3), source: event.Seed{Source: event.TwoParty}, change: c.change}
			wantNo(t, Members(membersOf(t, d.play(t)), Options{}), c.want)
		})
	}
}

// TestAnAuthorityThatSignedNothingIsNotTaken names an authority's key beside dice that it never saw.
func TestAnAuthorityThatSignedNothingIsNotTaken(t *testing.T) {
	_, key, err := record.NewKey(newStation(t, 8).chance, "authority")
	if err != nil {
		t.Fatal(err)
	}
	d := dealt{station: newStation(t, 3), source: event.Seed{Source: event.Dice}}
	d.change = func(_ event.Type, b any) {
		if seed, ok := b.(*event.Seed); ok {
			seed.Key = key
		}
	}
	wantNo(t, Members(membersOf(t, d.play(t)), Options{Authorities: []string{key}}), "no authority answered the station")
}

// TestAnotherDrawIsNamed commits properly to a placement that the seed does not draw.
func TestAnotherDrawIsNamed(t *testing.T) {
	d := dealt{station: newStation(t, 3), source: event.Seed{Source: event.Dice}}
	d.change = func(_ event.Type, b any) {
		if seed, ok := b.(*event.Seed); ok {
			seed.Dice += " 1" // the station dealt with other dice than it wrote down
		}
	}
	wantNo(t, Members(membersOf(t, d.play(t)), Options{}), "was not placed as the seed draws it")
}

// TestOpenings spoils what a reveal must publish.
func TestOpenings(t *testing.T) {
	for name, c := range map[string]struct {
		change func(t event.Type, body any)
		open   func(d *dealt)
		want   string
	}{
		"left out":        {open: func(d *dealt) { delete(d.bodies, 2) }, want: "record 2: its sealed body was never opened"},
		"another's body":  {open: func(d *dealt) { b := d.bodies[2]; b.body = d.bodies[3].body; d.bodies[2] = b }, want: "is not the one that record 2 sealed"},
		"another's nonce": {open: func(d *dealt) { b := d.bodies[2]; b.nonce = [32]byte{}; d.bodies[2] = b }, want: "is not the one that record 2 sealed"},
		"twice": {open: func(d *dealt) {
			b := d.bodies[2]
			d.append(record.Opening(d.session, 0, d.now, 2, b.nonce, b.body))
		}, want: "opens record 2 a second time"},
		"not sealed": {open: func(d *dealt) {
			d.append(record.Opening(d.session, 0, d.now, 1, [32]byte{}, []byte("{}")))
		}, want: "opens record 1, which is not sealed"},
		"outside": {open: func(d *dealt) {
			d.append(record.Opening(d.session, 0, d.now, 0, [32]byte{}, []byte("{}")))
		}, want: "opens record 0, which is not before it in this session"},
	} {
		t.Run(name, func(t *testing.T) {
			d := dealt{station: newStation(t, 3), source: event.Seed{Source: event.Alone}}
			d.change = func(kind event.Type, _ any) {
				if kind == event.SessionEnded {
					c.open(&d)
				}
			}
			wantNo(t, Members(membersOf(t, d.play(t)), Options{}), c.want)
		})
	}
}
