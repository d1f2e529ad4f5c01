package devices

import (
	"strings"
	"testing"
	"time"

	"scentpost/drivers/shutter"
	"scentpost/station/event"
)

const (
	isLate  = "simulation-late virtual-station true commands come to the virtual station up to 200ms of its time after their instants"
	later   = "simulation-late virtual-station true commands come to the virtual station up to 1s of its time after their instants"
	byThen  = FaultLag + "800ms"
	byAgain = FaultLag + "1s"
)

// lagged are the void runs so far, and the moves.
func (w *world) lagged() (voids, moves []string) {
	for _, e := range w.events {
		if v, is := e.Body.(*event.Void); is {
			voids = append(voids, v.Why.String())
		}
	}
	return voids, w.seen()
}

// TestALateSimulationIsNoFaultOfACanister: the run whose canisters were to open is void by the simulation, once and at once,
// whatever lies where. A closing that comes late is waited for, and the condition alone tells.
func TestALateSimulationIsNoFaultOfACanister(t *testing.T) {
	for name, c := range map[string]struct {
		lag, travel int64
		voids       []string
		moves       []string
		conditions  []string
	}{
		"in time": {0, 300 * ms, nil, []string{"100 1:1A open=true 100 400", "5000 1:1A open=false 5000 5300"}, nil},
		"late": {1000 * ms, 300 * ms, []string{string(event.CauseSimulation)}, []string{
			"100 1:1A open=true 0 0 " + byThen, "5000 1:1A open=false 0 0 " + byThen, "5000 1:1A open=false 6000 6300"},
			[]string{"300 " + isLate, "1100 " + later}},
		"late and stuck open": {1000 * ms, -1, []string{string(event.CauseSimulation)}, []string{
			"100 1:1A open=true 0 0 " + byThen, "5000 1:1A open=false 0 0 " + byThen,
			"5000 1:1A open=false 6000 0 " + byAgain, "5000 1:1A open=false 6000 0 " + shutter.FaultNotClosed},
			[]string{"300 " + isLate, "1100 " + later, "7400 device-fault canister-1A true " + shutter.FaultNotClosed}},
	} {
		t.Run(name, func(t *testing.T) {
			w := opened(t, nil)
			w.lag = c.lag
			w.travel = func(string) int64 {
				if w.now > 5000*ms {
					return c.travel
				}
				return 300 * ms
			}
			w.station.Move(100*ms, time.Minute, run("A"))
			w.until(5000 * ms)
			w.station.CloseAll()
			w.until(9000 * ms)
			voids, moves := w.lagged()
			expect(t, "void runs", voids, c.voids)
			expect(t, "moves", moves, c.moves)
			expect(t, "conditions", w.heard(), c.conditions)
		})
	}
}

// TestTheSimulationIsInTimeAgain: the condition is over when no command was late for long enough, and comes with the next.
func TestTheSimulationIsInTimeAgain(t *testing.T) {
	w := opened(t, nil)
	w.lag = 1000 * ms
	w.station.Move(100*ms, time.Minute, run("AAAAAA"))
	w.until(3000 * ms)
	w.station.CloseAll()
	w.until(4500 * ms)
	w.lag = 0
	expect(t, "late", w.heard(), []string{"300 " + isLate, "1100 " + later})
	over := 4000*ms + int64(inTimeFor)
	w.until(over - 20*ms)
	expect(t, "not long enough", w.heard(), nil)
	w.until(over + 20*ms)
	if got := w.heard(); len(got) != 1 || !strings.HasSuffix(got[0], "simulation-late virtual-station false") {
		t.Errorf("in time for long enough: %q", got)
	}
	w.lag = 1000 * ms
	w.station.CloseAll()
	w.until(over + 5000*ms)
	expect(t, "late while everything rests", w.heard(), nil)
	w.station.Move(over+5000*ms, time.Minute, run("AAAAAA"))
	w.until(over + 10_000*ms)
	if got := w.heard(); len(got) != 2 || !strings.HasSuffix(got[0], isLate) || !strings.HasSuffix(got[1], later) {
		t.Errorf("late once more: %q", got)
	}
}

// TestWhatIsLateTellsNoPlacement: two placements are void alike, at one instant and once.
func TestWhatIsLateTellsNoPlacement(t *testing.T) {
	public := func(letters string) []string {
		w := opened(t, nil)
		w.lag = 1000 * ms
		w.station.Move(100*ms, time.Minute, run(letters))
		w.until(3000 * ms)
		w.station.CloseAll()
		w.until(5000 * ms)
		voids, _ := w.lagged()
		return append(voids, w.heard()...)
	}
	expect(t, "public side", public("BBABAB"), public("AAAAAA"))
	expect(t, "public side", public("AAAAAA"), []string{string(event.CauseSimulation), "300 " + isLate, "1100 " + later})
}
