package control

import (
	"strings"

	"scentpost/station/blind"
	"scentpost/station/event"
	"scentpost/station/record"
	"scentpost/station/strict"
)

// besideTexts is the room that is kept in the line of a session's opening for all but the texts of plan and rule: the
// most people that a configuration may name, the envelope, the station's settings. A test fills it.
const besideTexts = 96 << 10

// The most bytes of a line's body, and of plan and rule in the body of an opening.
const (
	mostBody  = record.MaxLine - record.MaxEnvelope
	mostTexts = mostBody - besideTexts
)

// checkLines tells whether each line that a session by this plan will write fits into the record. Found out later, at
// the opening of a placement, it would end the session. The error is a *strict.Problems.
func checkLines(file string, plan blind.Plan, rule []byte) error {
	doc, err := strict.Parse(file, plan.Text)
	if err != nil {
		return err
	}
	loading := plan.Loading()
	for _, line := range []struct {
		kind              event.Type
		body              any
		most              int
		field, what, hint string
	}{
		{event.SessionOpened, &event.Opening{Plan: string(plan.Text), Rule: string(rule)}, mostTexts,
			"", "plan and pass rule take", "leave comments out, or split the plan"},
		{event.Opened, &event.OpenedBody{Nonce: strings.Repeat("0", 64), Body: filled(loading)}, mostBody,
			"loading", "the loading takes", "fewer canisters, or shorter names of odours"},
		{event.PlacementOpened, largestOpening(plan, loading), mostBody,
			"reserve", "the placements of one reserve run take", "narrower ranges of targets and distractors, shorter names of odours, or no reserve runs"},
	} {
		length, err := record.BodyLength(line.kind, line.body)
		if err != nil {
			return err
		}
		if length > line.most {
			doc.Problem(line.field, line.hint, "%s %d bytes of one line of the record, and %d are the most", line.what, length, line.most)
		}
	}
	return doc.Err()
}

// filled returns the sealed body of a loading as it is opened.
func filled(loading []event.Loaded) string {
	zeros := strings.Repeat("0", 64)
	body, err := record.EncodeSecret(event.SessionLoaded, &event.Filling{Share: zeros, Salt: zeros, Loading: loading})
	if err != nil {
		return "" // the plan's names are longer than a plan may have them
	}
	return string(body)
}

// largestOpening returns an opening of placements as long as the longest that a session by the plan can write: that of
// a reserve run, with a placement for each composition.
func largestOpening(plan blind.Plan, loading []event.Loaded) *event.PlacementOpening {
	var canisters []string
	for _, l := range loading {
		canisters = append(canisters, l.Canister)
	}
	slot := func(kind event.Kind, odours []string) event.Slot {
		return event.Slot{Position: plan.Positions, Canister: longest(canisters), Kind: kind, Odour: longest(odours)}
	}
	compositions := plan.Compositions()
	if len(compositions) == 0 {
		compositions = []blind.Composition{{Targets: plan.Targets.PerRun.Max, Distractors: plan.Positions - plan.Targets.PerRun.Max}}
	}
	out := &event.PlacementOpening{Nonce: strings.Repeat("0", 64), Index: blind.MaxRuns + blind.MaxReserve, Used: blind.MaxPlacements}
	for _, c := range compositions {
		slots := make([]event.Slot, plan.Positions) // where each stands makes no difference to the length
		for i := range slots {
			switch {
			case i < c.Targets:
				slots[i] = slot(event.Target, plan.Targets.Odours)
			case i < c.Targets+c.Distractors:
				slots[i] = slot(event.Distractor, plan.Distractors.Odours)
			default:
				slots[i] = slot(event.Blank, []string{blind.BlankOdour})
			}
		}
		out.Placements = append(out.Placements, slots)
	}
	return out
}

// longest returns the text that has most bytes, "" of none.
func longest(texts []string) string {
	most := ""
	for _, t := range texts {
		if len(t) > len(most) {
			most = t
		}
	}
	return most
}
