package trial

import (
	"slices"
	"testing"
	"time"

	"scentpost/station/dwell"
	"scentpost/station/event"
)

func TestResponsesAreVisitsOfTheSealedDwell(t *testing.T) {
	m := New("s", "e")
	m.session.plan.Limits.Dwell = 3 * time.Second
	at := func(ms, bound int64, position int, entered bool) dwell.Pass {
		return dwell.Pass{Position: position, Entered: entered, At: ms * int64(time.Millisecond), Bound: bound * int64(time.Millisecond)}
	}
	r := &run{startedAt: int64(time.Second), lock: event.Lock{At: 30 * int64(time.Second)}, passes: []dwell.Pass{
		at(2000, 0, 1, true), at(4999, 0, 1, false), // too short
		at(6000, 0, 2, true), at(9000, 0, 2, false), // just long enough
		at(10000, 5, 3, true), at(13005, 5, 3, false), // long enough, unless the stamps err
		at(26000, 0, 4, true), at(31000, 0, 4, false), // still there at the lock
		at(30500, 0, 5, true), // after it
	}}
	want := []event.Response{
		{Position: 2, FromMS: 5000, LastedMS: 3000},
		{Position: 3, FromMS: 9000, LastedMS: 3005, Uncertain: true},
		{Position: 4, FromMS: 25000, LastedMS: 4000},
	}
	if got := m.responses(r); !slices.Equal(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// TestAFlickeringBeamDoesNotFillALine: its responses would not fit into one record, and the station would stop.
func TestAFlickeringBeamDoesNotFillALine(t *testing.T) {
	for _, n := range []int{maxResponses, maxResponses + 1, 20_000} {
		m := New("s", "e")
		m.session.plan.Limits.Dwell = 50 * time.Millisecond
		m.session.results = map[int]*event.RunResult{}
		r := &run{index: 1, lock: event.Lock{At: int64(n) * int64(time.Second), Reason: event.LockTimeOut}}
		for i := range int64(n) {
			at := i * int64(time.Second)
			r.passes = append(r.passes, dwell.Pass{Position: 1, Entered: true, At: at}, dwell.Pass{Position: 1, At: at + int64(60*time.Millisecond)})
		}
		m.scoreRun(event.Event{}, r)
		got := m.session.results[1]
		if len(got.Responses) != maxResponses || got.LeftOut != n-maxResponses || got.Responses[999].FromMS != 999_000 {
			t.Errorf("of %d responses %d are listed and %d left out", n, len(got.Responses), got.LeftOut)
		}
	}
}
