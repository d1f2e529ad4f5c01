package control

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"scentpost/station/blind"
	"scentpost/station/event"
	"scentpost/station/record"
	"scentpost/station/trial"
)

// longPlan returns a plan whose opening takes beyond bytes more than there is room for, with a rule of ruleLength.
func longPlan(t *testing.T, beyond, ruleLength int) (blind.Plan, []byte) {
	t.Helper()
	base := rulePlan(t)
	rule := []byte("\n" + strings.Repeat("x", ruleLength-1)) // the newline takes two bytes in a line
	length := bodyLength(t, event.SessionOpened, &event.Opening{Plan: string(base.Text) + "#", Rule: string(rule)})
	comment := "#" + strings.Repeat("x", mostTexts-length+beyond)
	plan, err := blind.ParsePlan("ruled.yaml", append(slices.Clone(base.Text), comment...))
	if err != nil {
		t.Fatal(err)
	}
	return plan, rule
}

func bodyLength(t *testing.T, kind event.Type, body any) int {
	t.Helper()
	n, err := record.BodyLength(kind, body)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestAPlanMustFitIntoItsRecord: with its rule, to the byte.
func TestAPlanMustFitIntoItsRecord(t *testing.T) {
	for _, ruleLength := range []int{1, 5000} {
		for _, beyond := range []int{-1, 0, 1, 200_000} {
			plan, rule := longPlan(t, beyond, ruleLength)
			err := checkLines("ruled.yaml", plan, rule)
			if (err != nil) != (beyond > 0) || err != nil && !strings.Contains(err.Error(), fmt.Sprintf("take %d bytes of one line of the record, and %d are the most", mostTexts+beyond, mostTexts)) {
				t.Errorf("%d bytes beyond, with a rule of %d: %v", beyond, ruleLength, err)
			}
		}
	}
	plan, rule := longPlan(t, 1, 1)
	s := newTestService(t, newInbox(trial.View{Phase: trial.Idle}))
	var said string
	s.Do(people[0], Request{Command: "open", As: "Ada", PlanName: "ruled.yaml", Plan: string(plan.Text), Rule: string(rule), Dog: "Rex", Handler: "Hari", Assessor: "Ada"},
		func(r Response) { said = r.Refused.Error() })
	if !strings.Contains(said, "plan and pass rule take") {
		t.Errorf("session open says %q", said)
	}
}

// TestTheLargestOpeningFits fills all that stands in an opening beside plan and rule.
func TestTheLargestOpeningFits(t *testing.T) {
	const people, beams, positions = 500, 64, 64 // of package config
	opening := &event.Opening{Name: strings.Repeat("<", maxText), PlanHash: strings.Repeat("0", 64), Mode: "double", Config: strings.Repeat("0", 64),
		Team:     event.Team{Dog: longRef(0), Handler: longRef(1), Discipline: strings.Repeat("\"", maxText)},
		Settings: event.Settings{LeadMS: 1 << 30, TravelMS: 1 << 30, CloseMS: 1 << 30, GridMS: 1 << 30, WithdrawMS: 1 << 30, LongPress: 1 << 30, EdgeBudget: 1 << 30, OpenMS: 1 << 30, PurgeMS: 1 << 30},
		Draft:    1 << 30, Laws: event.Laws{Draw: 1 << 30, Engine: 1 << 30, Score: 1 << 30}, Simulated: true}
	for i := range people + 2 { // the handler and the assessor may be named in the request alone
		opening.People = append(opening.People, event.Person{Ref: longRef(i), SharesAccount: true, ReadsVault: true,
			Roles: []event.Role{event.Handler, event.Assessor, event.Loader, event.Authority, event.Admin}})
	}
	for i := range beams {
		opening.Beams = append(opening.Beams, positions-i%10)
	}
	for i := range 8 {
		opening.Pinch = append(opening.Pinch, fmt.Sprintf("a protection of the catalogue %d", i))
	}
	if n := bodyLength(t, event.SessionOpened, opening); n > besideTexts {
		t.Errorf("the largest opening takes %d bytes beside plan and rule, %d are kept for it", n, besideTexts)
	} else if n < besideTexts/2 {
		t.Errorf("the largest opening takes only %d of %d bytes: keep less", n, besideTexts)
	}
}

// longRef returns a reference as the host makes them.
func longRef(n int) string {
	return record.NewPerson([16]byte{byte(n), byte(n >> 8)}, "name").Ref
}

// TestNoDrawOpensMoreThanWasChecked draws from plans and compares each opening with the longest that was reckoned with.
func TestNoDrawOpensMoreThanWasChecked(t *testing.T) {
	for _, plan := range []blind.Plan{
		rulePlan(t),
		rulePlan(t, "reserve: 2", "reserve: 0"),
		rulePlan(t, "tnt, c4", `tnt, "a \"long\" näme of an odour"`),
		rulePlan(t, "[glove]", "[glove, a distractor of some length]", "[tnt, c4, glove, blank]", "[tnt, c4, glove, a distractor of some length, blank]"),
	} {
		most := bodyLength(t, event.PlacementOpened, largestOpening(plan, plan.Loading()))
		longest := 0
		for seed := range byte(20) {
			deal, err := blind.Draw(plan, plan.Loading(), [32]byte{seed})
			if err != nil {
				t.Fatal(err)
			}
			rows := deal.Reserve
			for _, p := range deal.Scheduled {
				rows = append(rows, []event.Placement{p})
			}
			for i, row := range rows {
				opening := &event.PlacementOpening{Index: i + 1, Nonce: strings.Repeat("0", 64), Used: -1}
				for _, p := range row {
					opening.Placements = append(opening.Placements, p.Reveal())
				}
				longest = max(longest, bodyLength(t, event.PlacementOpened, opening))
			}
		}
		if longest > most || longest < most/2 {
			t.Errorf("%q: an opening takes %d bytes, %d were reckoned with", plan.Targets.Odours, longest, most)
		}
	}
}

// TestAReserveTooWideForItsRecordIsRefused: each reserve run opens a placement for every composition in one line.
func TestAReserveTooWideForItsRecordIsRefused(t *testing.T) {
	wide := func(odourLength int) blind.Plan {
		odours := make([]string, 5)
		for i := range odours {
			odours[i] = fmt.Sprintf("%c%s", 'a'+i, strings.Repeat("x", odourLength-1))
		}
		text := fmt.Sprintf(`plan: Wide
form: lineup
mode: double
positions: 8
runs: 6
reserve: 1
loading: {each_position: [%[1]s, glove, blank]}
targets: {odours: [%[1]s], per_run: 0..4}
distractors: {odours: [glove], per_run: 0..4}
limits: {run: 20s, dwell: 3s}
`, strings.Join(odours, ", "))
		plan, err := blind.ParsePlan("wide.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return plan
	}
	if err := CheckPlan("wide.yaml", wide(2), nil); err == nil || !strings.Contains(err.Error(), "wide.yaml:6:10: reserve: the placements of one reserve run take") {
		t.Errorf("630 placements of 8 positions: %v", err)
	}
	narrow := rulePlan(t)
	if err := checkLines("ruled.yaml", narrow, nil); err != nil {
		t.Error(err)
	}
}
