package host_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"scentpost/station/blind"
	"scentpost/station/event"
	"scentpost/station/host"
	"scentpost/station/readiness"
	"scentpost/station/refusal"
	"scentpost/station/trial"
)

// TestAnObstacleRefuses the opening of a session and the arming of a run, with its reason and without a record; when it is
// gone, the same command is taken.
func TestAnObstacleRefuses(t *testing.T) {
	h := newHouse(t)
	const code refusal.Code = "obstacle"
	var asked []readiness.Question
	there := true
	h.obstacle = func(q readiness.Question) *refusal.Reason {
		asked = append(asked, q)
		if there {
			return refusal.New(code)
		}
		return nil
	}
	refused := func(e event.Event, want refusal.Code) {
		t.Helper()
		size := h.host.Snapshot().Size
		answers := h.do(e)
		h.w.RunFor(20 * time.Millisecond)
		if a := *answers; len(a) != 1 || !a[0].Refused.Says(want) || want == code && (a[0].Seq != -1 || h.host.Snapshot().Size != size) {
			t.Errorf("%s is answered by %+v, with %d records of %d", e.Type, a, h.host.Snapshot().Size, size)
		}
	}
	refused(event.Event{Type: event.SessionOpened, By: "Vera", Body: opening(h.plan)}, code)
	there = false
	h.sealed()
	there = true
	arm := event.Event{Type: event.RunArmed, By: "Vera"}
	refused(arm, code)
	there = false
	h.searching()
	opened, run := readiness.Question{Positions: 2}, readiness.Question{Positions: 2, Run: true}
	if want := []readiness.Question{opened, opened, run, run}; !slices.Equal(asked, want) {
		t.Errorf("asked %+v, want %+v", asked, want)
	}
	// Within a run nobody is told whether another one could start: when that changes would tell what moved.
	there = true
	refused(arm, trial.RunInProgress)
	if len(asked) != 4 {
		t.Errorf("asked within a run: %+v", asked[4:])
	}
}

// TestAPlanWhoseCanistersTheStationLacksIsNotOpened: at every position it is said what is there and what is wanted, and
// nothing is written. Opened, a run that draws one of them could not be shown.
func TestAPlanWhoseCanistersTheStationLacksIsNotOpened(t *testing.T) {
	h := newHouse(t)
	whole := h.canisters[2]
	h.canisters[1], h.canisters[2] = []string{"1A"}, []string{"2A", "2C"}
	open := func() trial.Answer {
		t.Helper()
		answers := h.do(event.Event{Type: event.SessionOpened, By: "Vera", Body: opening(h.plan)})
		h.w.RunFor(20 * time.Millisecond)
		if len(*answers) != 1 {
			t.Fatalf("answered %+v", *answers)
		}
		return (*answers)[0]
	}
	size := h.host.Snapshot().Size
	a := open()
	for _, want := range []string{"position 1 has 1A, and the plan loads 1A, 1B and 1C", "position 2 has 2A and 2C, and the plan loads 2A, 2B and 2C"} {
		if !a.Refused.Says(host.CanistersLack) || !strings.Contains(a.Refused.Value("detail"), want) || a.Seq != -1 {
			t.Errorf("answered %+v, want %s", a, want)
		}
	}
	if s := h.host.Snapshot(); s.Size != size || s.View.Phase != trial.Idle {
		t.Errorf("%s with %d records, there were %d", s.View.Phase, s.Size, size)
	}
	h.canisters[1], h.canisters[2] = []string{"1A", "1B", "1C"}, whole
	if a := open(); a.Refused != nil {
		t.Errorf("with all canisters: %+v", a)
	}
}

// TestAPlanThatAVirtualStationIsNotPreparedForIsRefused: when a session is opened, and when a run is armed at a station that was
// started again and holds something else. Nothing is written for it.
func TestAPlanThatAVirtualStationIsNotPreparedForIsRefused(t *testing.T) {
	h := newHouse(t)
	plan, err := blind.ParsePlan("plan", []byte(h.plan))
	must(t, err)
	right := blind.Prepared{Loaded: plan.Loading(), Finds: []string{"tnt"}}
	wrong := blind.Prepared{Loaded: slices.Clone(right.Loaded), Finds: []string{"rdx"}}
	wrong.Loaded[1].Odour = "rdx"
	h.prepared = &blind.Prepared{}
	*h.prepared = wrong
	h.start("")
	refused := func(e event.Event) {
		t.Helper()
		size := h.host.Snapshot().Size
		answers := h.do(e)
		h.w.RunFor(20 * time.Millisecond)
		const want = "1B holds rdx, and the plan loads glove; the dog does not find tnt, a target of the plan"
		if a := *answers; len(a) != 1 || !a[0].Refused.Says(host.PlanDiffers) || a[0].Refused.Value("detail") != want || h.host.Snapshot().Size != size {
			t.Errorf("%s is answered by %+v", e.Type, a)
		}
	}
	refused(event.Event{Type: event.SessionOpened, By: "Vera", Body: opening(h.plan)})
	*h.prepared = right
	h.sealed()
	*h.prepared = wrong
	refused(event.Event{Type: event.RunArmed, By: "Vera"})
	*h.prepared = right
	h.searching()
}
