package yard_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"scentpost/simulator/dog"
	"scentpost/simulator/yard"
	"scentpost/station/control"
	"scentpost/station/event"
	"scentpost/station/health"
	"scentpost/station/trial"
)

// TestMissingAidsAreAnAlarm: a count that lacks aids is a condition until all aids of a later session are back, over a restart
// too, and stands in status and list.
func TestMissingAidsAreAnAlarm(t *testing.T) {
	y := newYard(t, "virtual-two", func(o *yard.Options) { o.Scripts, o.Machine = []dog.Script{}, untouched })
	alarm := func(y *yard.Yard) string {
		all := y.Control.Status(y.Host.Snapshot(), control.Person{}).Conditions
		if i := slices.IndexFunc(all, func(c health.Condition) bool { return c.Code == health.AidsMissing }); i >= 0 {
			return all[i].Evidence
		}
		return ""
	}
	session := func(y *yard.Yard, back *int) *control.Status {
		file, src := plan(t, "short")
		if err := y.Prepare(file, src, nil); err != nil {
			t.Fatal(err)
		}
		if _, err := y.Do(event.Assessor, control.Request{Command: "abort"}); err != nil {
			t.Fatal(err)
		}
		y.World.RunWhile(func() bool { return y.Host.Snapshot().View.Phase != trial.Ended }, y.World.Mono()+int64(time.Hour))
		refused, err := y.Do(event.Loader, control.Request{Command: "close"})
		if err == nil || !refused.Refused.Says(control.BackUncounted) {
			t.Fatalf("closed without a count: %v", err)
		}
		closed, err := y.Do(event.Loader, control.Request{Command: "close", Back: back, AllBack: back == nil})
		if err != nil {
			t.Fatal(err)
		}
		return closed.Status
	}
	status := session(y, new(1))
	out := status.Aids.Out
	if count, counted := status.Aids.Count(); !counted || count.Back != 1 || out < 2 {
		t.Fatalf("%+v", status.Aids)
	}
	if got := alarm(y); !strings.Contains(got, status.Session+": 1 of ") || !strings.Contains(got, "MISSING") {
		t.Errorf("the alarm is %q", got)
	}
	told := alarm(y)
	if err := y.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := y.Start(); err != nil {
		t.Fatal(err)
	}
	if got := alarm(y); got != told {
		t.Errorf("after a restart the alarm is %q", got)
	}
	list, err := y.Do(event.Loader, control.Request{Command: "list"})
	if err != nil || list.List[0].AidsOut != out || list.List[0].AidsBack != 1 {
		t.Errorf("%+v, %v", list.List, err)
	}
	if session(y, nil); alarm(y) != "" {
		t.Errorf("all aids of a later session are back, and the alarm is %q", alarm(y))
	}
}
