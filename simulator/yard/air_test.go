package yard_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"scentpost/simulator/hardware"
	"scentpost/simulator/yard"
	"scentpost/station/catalog"
	"scentpost/station/control"
	"scentpost/station/event"
	"scentpost/station/record"
	"scentpost/station/templates"
	"scentpost/station/trial"
	"scentpost/station/verify"
)

// airing is what a station's blowers and sounders did, and the runs they did it in.
type airing struct {
	y      *yard.Yard
	on     map[string]int64 // what is on, since when
	rounds map[string]int   // how often each was on
	wrong  []string
}

// watchAir watches a station's air from outside.
func watchAir(y *yard.Yard) *airing {
	a := &airing{y: y, on: map[string]int64{}, rounds: map[string]int{}}
	y.Hardware.Subscribe(func(c hardware.Change) {
		if c.What != hardware.Blow && c.What != hardware.Call {
			return
		}
		v := a.y.Host.Snapshot().View
		if c.State == "off" {
			delete(a.on, c.Name)
			return
		}
		a.on[c.Name] = c.Mono
		a.rounds[c.Name]++
		if calm := c.What == hardware.Blow && v.Run.State == trial.Purging || c.What == hardware.Call && v.Run.Index == 0; !calm {
			a.wrong = append(a.wrong, fmt.Sprintf("%s is on in run %d, %s", c.Name, v.Run.Index, v.Run.State))
		}
	})
	y.Host.Watch(func(s trial.Snapshot) {
		if s.View.Run.Index != 0 && s.View.Run.State != trial.Purging && len(a.on) > 0 {
			a.wrong = append(a.wrong, fmt.Sprintf("%v is on in run %d, %s", a.on, s.View.Run.Index, s.View.Run.State))
		}
	})
	return a
}

// TestTheAirOfASession: changed after every run by everything there is, at rest before the next one; measured at the seal
// and each arming; and nobody hears anything during a search.
func TestTheAirOfASession(t *testing.T) {
	y := newYard(t, "virtual-air", nil)
	air := watchAir(y)
	file, src := plan(t, "lineup-six")
	conduct(t, y, file, src, rule(t))
	runs := len(y.Host.Snapshot().View.Runs())
	for _, name := range []string{"fan", "valve-1", "valve-6", "buzzer"} {
		if air.rounds[name] != runs {
			t.Errorf("%s was on %d times in %d runs", name, air.rounds[name], runs)
		}
	}
	if air.wrong != nil || len(air.on) != 0 {
		t.Errorf("%v; still on: %v", air.wrong, air.on)
	}
	_, bundle, err := y.Archive.Bundle("", true)
	if err != nil {
		t.Fatal(err)
	}
	if r := verify.Verify(bundle, verify.Options{}); !r.Consistent || r.Replay != verify.ReplayChecked {
		t.Errorf("the record: %+v", r)
	}
	samples := 0
	for _, r := range records(t, y) {
		a, sampled := r.Event.Body.(*event.Air)
		if !sampled {
			continue
		}
		samples++
		if a.Device != "air" || len(a.Readings) != 3 || a.AgeMS < 0 || a.AgeMS > 61_000 || a.MeasuredAt+int64(a.AgeMS)*1e6 > r.Event.At.Mono {
			t.Errorf("run %d: %+v at %d", r.Event.Run, a, r.Event.At.Mono)
		}
	}
	if samples != runs+1 {
		t.Errorf("%d samples in a session of %d runs", samples, runs)
	}
	if !bytes.Contains(bundle, []byte(`"air":[{"device":"air","readings":[{"quantity":"temperature °C"`)) {
		t.Error("the report does not say what the air was")
	}
}

func records(t *testing.T, y *yard.Yard) []record.Record {
	t.Helper()
	lines, err := y.Store.Lines(0, 1<<20, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	var all []record.Record
	for _, l := range lines {
		r, err := record.Decode(l.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	return all
}

// TestTheFanStandsBeforeTheNextRun: it is off its run-down before the interval ends.
func TestTheFanStandsBeforeTheNextRun(t *testing.T) {
	y := newYard(t, "virtual-air", nil)
	var off, purged int64
	y.Hardware.Subscribe(func(c hardware.Change) {
		if c.Name == "fan" && c.State == "off" {
			off = c.Mono
		}
	})
	y.Host.Watch(func(s trial.Snapshot) {
		if s.View.Run.State == trial.Purging {
			purged = 0
		} else if purged == 0 && off != 0 && s.View.Run.Index == 0 {
			purged = y.World.Mono()
			if rest := time.Duration(purged - off); rest < 4*time.Second || rest > 5*time.Second {
				t.Errorf("the fan went off %s before the end of the purge, and runs down for 4s", rest)
			}
		}
	})
	file, src := plan(t, "lineup-six")
	conduct(t, y, file, src, rule(t))
	if purged == 0 {
		t.Error("no purge ended")
	}
}

// TestAnEmergencyStopStopsThePurge: at once, below everything that thinks.
func TestAnEmergencyStopStopsThePurge(t *testing.T) {
	y := newYard(t, "virtual-air", nil)
	air := watchAir(y)
	file, src := plan(t, "lineup-six")
	if err := y.Prepare(file, src, rule(t)); err != nil {
		t.Fatal(err)
	}
	pressed := int64(0)
	y.Hardware.Subscribe(func(c hardware.Change) {
		if c.Name == "fan" && c.State == "on" && pressed == 0 {
			y.World.After(3*time.Second, func() {
				pressed = y.World.Mono()
				if err := y.Hardware.Button(hardware.ButtonEStop, true); err != nil {
					t.Error(err)
				}
				y.World.After(time.Millisecond, func() {
					if len(air.on) != 0 {
						t.Errorf("a millisecond later %v is on", air.on)
					}
				})
				y.World.After(time.Second, func() { _ = y.Hardware.Button(hardware.ButtonEStop, false) })
			})
		}
	})
	if err := y.Conduct(); err != nil {
		t.Fatal(err)
	}
	if pressed == 0 || air.wrong != nil {
		t.Errorf("pressed at %d; %v", pressed, air.wrong)
	}
}

// TestASensorThatIsAbsentIsInTheRecordAndInTheConditions: no reading is invented, and the session runs.
func TestASensorThatIsAbsentIsInTheRecordAndInTheConditions(t *testing.T) {
	y := newYard(t, "virtual-air", nil)
	if err := y.Hardware.Unplug("air"); err != nil {
		t.Fatal(err)
	}
	y.World.RunFor(2 * time.Minute)
	told := fmt.Sprint(y.Conditions.All())
	if !strings.Contains(told, "device-absent") || !strings.Contains(told, "no chip acknowledged") {
		t.Errorf("conditions: %s", told)
	}
	file, src := plan(t, "go-nogo")
	conduct(t, y, file, src, rule(t))
	samples := 0
	for _, r := range records(t, y) {
		if a, sampled := r.Event.Body.(*event.Air); sampled {
			samples++
			if len(a.Readings) != 0 || !strings.Contains(a.Why, "no chip acknowledged") || a.MeasuredAt != 0 {
				t.Errorf("%+v", a)
			}
		}
	}
	if samples == 0 {
		t.Error("the record says nothing of the air")
	}
}

// TestAPurgeThatIsTooShortIsRefusedAtTheOpening: before anybody loads anything.
func TestAPurgeThatIsTooShortIsRefusedAtTheOpening(t *testing.T) {
	y := newYard(t, "virtual-air", nil)
	file, src := plan(t, "lineup-six")
	short := bytes.Replace(src, []byte("purge: 30s"), []byte("purge: 5s"), 1)
	if bytes.Equal(short, src) {
		t.Fatal("the plan has no purge of 30s")
	}
	if err := y.Prepare(file, short, rule(t)); err == nil || !strings.Contains(err.Error(), "purge-too-short (needed 5.5s, purge 5s)") {
		t.Errorf("got %v", err)
	}
}

// TestAnIdleStationWritesNothing: it measures, and nobody hears of it.
func TestAnIdleStationWritesNothing(t *testing.T) {
	y := newYard(t, "virtual-air", nil)
	y.World.RunFor(time.Second)
	before := y.Store.Size()
	y.World.RunFor(time.Hour)
	if after := y.Store.Size(); after != before {
		t.Errorf("%d records became %d", before, after)
	}
}

// TestTheReasonsForASoundAreTheChoicesOfABuzzer: two packages that know nothing of each other speak of the same.
func TestTheReasonsForASoundAreTheChoicesOfABuzzer(t *testing.T) {
	if trial.SoundRunEnd != templates.AtRunEnd || trial.SoundSessionEnd != templates.AtSessionEnd {
		t.Error("a buzzer would not sound at what it is set to")
	}
	typ, _ := catalog.Find("buzzer")
	sounds, _ := typ.Setting(templates.SettingSounds)
	if !slices.Equal(sounds.Choices, []string{trial.SoundSessionEnd, trial.SoundRunEnd}) {
		t.Errorf("choices %q", sounds.Choices)
	}
}

// TestWhatEndsTheDaemonEndsThePurge: a killed daemon's lines fall to off, and one whose journal fails switches off itself.
func TestWhatEndsTheDaemonEndsThePurge(t *testing.T) {
	for name, end := range map[string]func(*yard.Yard) error{
		"killed": (*yard.Yard).Kill,
		"its journal failed": func(y *yard.Yard) error {
			y.Disk.Break(errors.New("input/output error"))
			return y.Hardware.Button(hardware.ButtonAbort, true) // something that must be written
		},
	} {
		y := newYard(t, "virtual-air", nil)
		air := watchAir(y)
		file, src := plan(t, "lineup-six")
		if err := y.Prepare(file, src, rule(t)); err != nil {
			t.Fatal(err)
		}
		if _, err := y.Do(event.Assessor, control.Request{Command: "arm"}); err != nil {
			t.Fatal(err)
		}
		y.World.RunWhile(func() bool { return len(air.on) == 0 }, y.World.Mono()+int64(10*time.Minute))
		y.World.RunFor(time.Second)
		if len(air.on) == 0 {
			t.Fatalf("%s: the air is not changed after a run", name)
		}
		if err := end(y); err != nil {
			t.Fatal(err)
		}
		y.World.RunFor(500 * time.Millisecond)
		_ = y.Hardware.Button(hardware.ButtonAbort, false)
		if y.World.RunFor(500 * time.Millisecond); len(air.on) != 0 {
			t.Errorf("%s: a second later %v is on", name, air.on)
		}
	}
}
