package devices

import (
	"slices"
	"testing"
)

func TestStatus(t *testing.T) {
	w := opened(t, nil)
	w.pulse(100*ms, "beam2", true)
	w.At(200*ms, func() { w.seq += 3; w.edge("stop", true) })
	w.until(1000 * ms)
	got := w.station.Status()
	if got.Lost["gpio"] != 3 || !got.Stopped || !slices.Equal(got.Active, []string{"beam-2", "stop"}) {
		t.Errorf("status %+v, want 3 lost, stopped, beam-2 and stop active", got)
	}
	w.edge("stop", false)
	w.seq = 0 // the source began anew
	w.edge("beam2", false)
	w.until(2000 * ms)
	if got := w.station.Status(); got.Lost["gpio"] != 3 || got.Stopped || got.Active != nil {
		t.Errorf("status %+v, want 3 lost and nothing active", got)
	}
}
