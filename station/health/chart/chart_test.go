package chart_test

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"scentpost/station/event"
	"scentpost/station/health"
	"scentpost/station/health/chart"
)

// rig is a chart with its log, its readers, and a clock that goes on by a second a look.
type rig struct {
	*chart.Chart
	log  bytes.Buffer
	now  int64
	told int
}

func newRig() *rig {
	r := &rig{}
	withoutTime := func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}
	r.Chart = chart.New(chart.Options{
		Log: slog.New(slog.NewTextHandler(&r.log, &slog.HandlerOptions{ReplaceAttr: withoutTime})),
		Now: func() event.Stamp { r.now += int64(time.Second); return event.Stamp{UTC: r.now} },
		Rule: func(_ health.Code, on string) health.Exposure {
			if on == "gpio" {
				return health.Bare
			}
			return health.Frozen
		},
	})
	r.Watch(func() { r.told++ })
	return r
}

func (r *rig) expect(t *testing.T, what string, told, shown int, log ...string) {
	t.Helper()
	var want strings.Builder
	for _, line := range log {
		want.WriteString("level=" + line + "\n")
	}
	if r.told != told || len(r.All()) != shown || r.log.String() != want.String() {
		t.Errorf("%s: told %d times, want %d; it shows %+v and has logged\n%swant\n%s", what, r.told, told, r.All(), &r.log, &want)
	}
	r.told = 0
	r.log.Reset()
}

// TestWhileSealedNobodyHearsOfACanister: neither status nor log nor who watches, until the reveal.
func TestWhileSealedNobodyHearsOfACanister(t *testing.T) {
	r := newRig()
	r.Raise(health.DeviceFault, "canister-1a", "jammed")
	r.Raise(health.BrokerAway, "broker", "refused")
	r.expect(t, "after a restart, with nothing known yet", 1, 1, `WARN msg=condition code=broker-away on=broker evidence=refused`)
	if !r.Blank() {
		t.Error("it knows what was so at a seal that it has not seen")
	}
	r.Follow(true)
	r.Follow(false)
	if r.Blank() {
		t.Error("after a reveal it knows nothing yet")
	}
	r.expect(t, "no session is sealed", 1, 2,
		`WARN msg=condition code=device-fault on=canister-1a evidence=jammed since=1970-01-01T00:00:01.000Z times=1`)
	r.Follow(false)
	r.Follow(true)
	r.Condition(health.DeviceFault, "canister-1a", "", false)
	r.Condition(health.DeviceFault, "canister-2b", "jammed", true)
	r.Raise(health.DeviceFault, "canister-2b", "jammed")
	if !r.Sealed() || r.Blank() || !r.Holds(health.DeviceFault, "canister-2b") || r.Holds(health.DeviceFault, "canister-1a") {
		t.Error("it does not know what holds")
	}
	r.expect(t, "a canister, while sealed", 0, 2)
	r.Raise(health.DeviceAbsent, "gpio", "line c2b.drive is away")
	r.Clear(health.BrokerAway, "broker")
	r.expect(t, "what may be told, while sealed", 2, 2,
		`WARN msg=condition code=device-absent on=gpio evidence="`+health.Withheld+`"`, `INFO msg="condition over" code=broker-away on=broker`)
	r.Follow(true)
	r.expect(t, "sealed still", 0, 2)
	r.Follow(false)
	r.expect(t, "after the reveal", 1, 3,
		`WARN msg=condition code=device-fault on=canister-1a evidence=jammed since=1970-01-01T00:00:01.000Z times=1 until=1970-01-01T00:00:03.000Z`,
		`WARN msg=condition code=device-fault on=canister-2b evidence=jammed since=1970-01-01T00:00:04.000Z times=2`,
		`WARN msg=condition code=device-absent on=gpio evidence="line c2b.drive is away" since=1970-01-01T00:00:06.000Z times=1`)
}

// TestWhatPassedWhileItStartedIsLogged and shown no longer: a board that came a moment after the daemon is not absent.
func TestWhatPassedWhileItStartedIsLogged(t *testing.T) {
	r := newRig()
	r.Raise(health.DeviceAbsent, "nano-1", "board nano-1 has not answered yet")
	r.Clear(health.DeviceAbsent, "nano-1")
	r.Follow(false)
	r.expect(t, "no session", 1, 0,
		`WARN msg=condition code=device-absent on=nano-1 evidence="board nano-1 has not answered yet" since=1970-01-01T00:00:01.000Z times=1 until=1970-01-01T00:00:02.000Z`)
}

// TestWhoStopsWatching hears nothing more; it may stop from within.
func TestWhoStopsWatching(t *testing.T) {
	r := newRig()
	var stop func()
	heard := 0
	stop = r.Watch(func() { heard++; stop() })
	r.Raise(health.BrokerAway, "broker", "")
	r.Raise(health.JournalFull, "", "")
	if heard != 1 || r.told != 2 {
		t.Errorf("it heard %d times, the other %d times", heard, r.told)
	}
}

// TestManyRaise: any goroutine may.
func TestManyRaise(t *testing.T) {
	c := chart.New(chart.Options{Log: slog.New(slog.DiscardHandler), Now: func() event.Stamp { return event.Stamp{} }})
	var group sync.WaitGroup
	for i := range 4 {
		group.Go(func() {
			for range 100 {
				c.Raise(health.BrokerAway, "broker", "")
				c.Follow(i%2 == 0)
				c.All()
				c.Clear(health.BrokerAway, "broker")
			}
		})
	}
	group.Wait()
	if len(c.All()) != 0 {
		t.Errorf("it holds %+v", c.All())
	}
}
