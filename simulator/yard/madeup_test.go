package yard_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"scentpost/drivers/bus"
	"scentpost/drivers/bus/settle"
	"scentpost/simulator/hardware"
	"scentpost/simulator/yard"
	"scentpost/station/catalog"
	"scentpost/station/config"
	"scentpost/station/devices"
	"scentpost/station/doctor"
	"scentpost/station/health"
	"scentpost/station/templates"
	"scentpost/station/trial"
)

// A class and a part that the rest of the program does not know: a load cell with a threshold, which tells whether something
// lies on the plate of a position. This is all that is written for them.
var (
	scales   = templates.Class{Name: "scale", Stands: templates.AtPosition, Alone: true, Needed: templates.ThatReach}
	loadCell = catalog.Sensor(func(v templates.Values) (bus.Sensor, error) {
		line, err := settle.New(v.Durations["settle"])
		return &plate{line}, err
	})
)

const loadCellTemplate = `type: load-cell
class: scale
title: Load cell with a threshold
about: A load cell under the plate of a position, whose amplifier switches a line at a weight.
wiring: From the amplifier's open collector to an input line with a pull-up.
lines:
  - {role: line, direction: in, about: active while something lies on the plate}
settings:
  - {name: settle, about: a change counts when the line then stood still for this long, unit: duration, min: 0s, max: 1s, default: 300ms}
  - {name: unit, about: what its threshold is written in, unit: word, choices: [grams, ounces]}
datasheet: {none: made up}
accuracy: not known
tells: nothing
`

// plate is the part of a load cell.
type plate struct{ line *settle.Line }

func (p *plate) Start(dst []bus.Fact, level bool, _ int64) []bus.Fact {
	p.line.Start(level)
	return dst
}

func (p *plate) Edge(dst []bus.Fact, level bool, mono, bound int64) []bus.Fact {
	dst = p.Advance(dst, mono)
	p.line.Edge(level, mono, bound)
	return dst
}

func (p *plate) Advance(dst []bus.Fact, known int64) []bus.Fact {
	if change, ok := p.line.Advance(known); ok && change.Level {
		dst = append(dst, bus.Fact{Kind: "loaded", Mono: change.Mono, Bound: change.Bound})
	}
	return dst
}

func (p *plate) Due() (int64, bool)     { return p.line.Due() }
func (p *plate) Hold() time.Duration    { return p.line.Hold() }
func (p *plate) Pending() (int64, bool) { return p.line.Pending() }
func (p *plate) Active() bool           { return p.line.Level() }

// madeUp returns the made-up type, with what it tells, and all types with it.
func madeUp(t *testing.T, tells templates.Tells) (templates.Type, []templates.Type) {
	t.Helper()
	text := strings.Replace(loadCellTemplate, "tells: nothing", "tells: "+string(tells), 1)
	template, err := templates.Parse("load-cell.yaml", []byte(text), append(templates.Classes(), scales))
	if err != nil {
		t.Fatal(err)
	}
	typ := templates.Type{Template: template, Part: loadCell}
	return typ, append(catalog.Types(), typ)
}

// TestAMadeUpClassIsCheckedAndShown: the check of a configuration holds a device to its class, its lines and its settings, and
// the pages and the doctor tell of it.
func TestAMadeUpClassIsCheckedAndShown(t *testing.T) {
	typ, known := madeUp(t, templates.Nothing)
	const good = "{name: scale-1, type: load-cell, position: 1, line: GPIO5, unit: grams}"
	read := func(device string) (config.Config, error) {
		return config.Read("f", []byte("site: s\nstation: t\ndata: d\nsocket: s\ndriver: {type: linux, lines: {GPIO5: {bias: pull-up}}}\npositions: 2\ndevices:\n  - "+device+"\n"), known)
	}
	for _, c := range []struct{ old, new, want string }{
		{"position: 1, ", "", "f:8:6: devices[0].position: is missing: a load-cell stands at a position (a number from 1 to 2)"},
		{"position: 1", "position: 3", "f:8:48: devices[0].position: a position from 1 to 2 is expected"},
		{"unit: grams", "unit: gram", `f:8:70: devices[0].unit: "gram" cannot be chosen (did you mean "grams"?)`},
		{", unit: grams", "", "f:8:6: devices[0].unit: is missing: a load-cell must say it (known: grams, ounces)"},
		{"unit: grams", "unit: grams, settle: 2s", "f:8:85: devices[0].settle: 2s is out of range: from 0s to 1s"},
		{"line: GPIO5", "bus: i2c-1", "f:8:56: devices[0].bus: a load-cell is on lines, not on a bus"},
		{"type: load-cell", "type: loadcell", `"loadcell" is no type of device (did you mean "load-cell"?)`},
		{"}", "}\n  - {name: scale-2, type: load-cell, position: 1, line: GPIO6, unit: ounces}", "f:9:48: devices[1].position: position 1 has a scale already, in line 8"},
	} {
		if _, err := read(strings.Replace(good, c.old, c.new, 1)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q instead of %q: %v, want %q", c.new, c.old, err, c.want)
		}
	}
	cfg, err := read(good)
	if err != nil || len(cfg.Of(scales)) != 1 {
		t.Fatalf("%+v, %v", cfg.Devices, err)
	}
	var page, text strings.Builder
	templates.Markdown(&page, typ.Template)
	templates.Text(&text, typ.Template)
	for _, said := range []string{page.String(), text.String()} {
		if !strings.Contains(said, "position: 1, line: GPIO5, unit: grams}") || !strings.Contains(said, "Load cell with a threshold") {
			t.Errorf("the page says\n%s", said)
		}
	}
	held := doctor.Evidence{Chips: []doctor.Chip{{Label: "chip", Lines: []doctor.Line{{Name: "GPIO5", Consumer: "x"}}}}}
	found := doctor.Diagnose(cfg, held).Devices[0]
	if found.Type != "load-cell" || len(found.Problems) != 1 || found.Problems[0].Cause != doctor.Held {
		t.Errorf("the doctor says %+v", found)
	}
}

// TestAMadeUpClassIsPartOfASession: a virtual station with it runs a session to its end, and what it tells
// reaches as far as there is an event for it.
func TestAMadeUpClassIsPartOfASession(t *testing.T) {
	typ, known := madeUp(t, templates.Nothing)
	y := newYard(t, "virtual-two", func(o *yard.Options) { o.Config = with(t, typ, known) })
	file, src := plan(t, "short")
	conduct(t, y, file, src, rule(t))
	if v := y.Host.Snapshot().View; v.Verdict == nil || v.Used != 0 || v.Runs()[0].State != trial.Completed {
		t.Errorf("verdict %v, %d reserve runs used", v.Verdict, v.Used)
	}
	if told := y.Conditions.All(); len(told) != 0 {
		t.Errorf("conditions %+v", told)
	}
	if err := y.Hardware.Touch("more", true); err != nil {
		t.Fatal(err)
	}
	y.World.RunFor(2 * time.Second)
	told := y.Conditions.All()
	if len(told) != 1 || told[0].Code != health.DeviceFault || told[0].On != "more" || !strings.Contains(told[0].Evidence, `it tells "loaded", and the station has no event for that of a scale`) {
		t.Errorf("what it tells is lost without a word: %+v", told)
	}
}

// TestWhatAMadeUpClassTellsDecidesWhoSeesIt: a fault of it is shown from seal to reveal where it tells nothing, and what it tells
// before the reveal has to have a seal.
func TestWhatAMadeUpClassTellsDecidesWhoSeesIt(t *testing.T) {
	for tells, shown := range map[templates.Tells]health.Exposure{templates.Nothing: health.Open, templates.Content: health.Frozen, templates.Placement: health.Frozen} {
		typ, known := madeUp(t, tells)
		cfg := with(t, typ, known)
		if got := devices.Exposure(cfg)(health.DeviceFault, "more"); got != shown {
			t.Errorf("tells %s: its fault is shown as %v, want %v", tells, got, shown)
		}
		layout, err := hardware.FromConfig(cfg, nil)
		if err != nil || !slices.Equal(layout.Contacts, []hardware.Contact{{Name: "more", Line: "more.line", Sealed: tells != templates.Nothing}}) {
			t.Errorf("tells %s: contacts %+v, %v", tells, layout.Contacts, err)
		}
		_, err = yard.New(yard.Options{Seed: 1, Secrets: 1, Config: cfg})
		if got := fmt.Sprint(err); (err == nil) != (tells == templates.Nothing) || err != nil && !strings.Contains(got, "device more: tells "+string(tells)+": what it gives would be public before the reveal") {
			t.Errorf("tells %s: the station is opened: %v", tells, err)
		}
	}
}
