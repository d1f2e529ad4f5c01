package catalog_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"scentpost/drivers/bus"
	"scentpost/drivers/bus/bustest"
	"scentpost/drivers/mcp23017"
	"scentpost/station/catalog"
	"scentpost/station/templates"
)

// wires are a bus with one chip on it, whose jobs are done at once and whose time stands.
type wires struct{ *bustest.MCP23017 }

var _ bus.Wires = wires{}

func (wires) Now() int64                     { return 1 }
func (wires) At(int64, func()) (stop func()) { return func() {} }
func (w wires) Do(job func()) error          { job(); return nil }

func carried(pins map[string]catalog.Wiring) catalog.Carried {
	return catalog.Carried{Name: "exp-1", Pins: pins}
}

// makeCarrier makes a carrier that is absent, and closes it.
func makeCarrier(part catalog.Carrier, v templates.Values) error {
	absent := func(int) (bus.Port, error) { return nil, errors.New("no such port") }
	c, err := part(catalog.Reach{Wires: wires{bustest.NewMCP23017(0x20, 0)}, ID: "x", Now: func() int64 { return 1 }, Chance: func() uint32 { return 7 }, Open: absent}, carried(nil), v)
	if err != nil {
		return err
	}
	return c.Bus.Close()
}

func TestAnExpanderIsACarrier(t *testing.T) {
	typ, values := find(t, "mcp23017", map[string]string{templates.SettingAddress: "0x21", "poll": "100ms"})
	if !typ.OnI2C() || typ.Interrupt == "" || !typ.Carries.Polled || !typ.Carries.Holds {
		t.Fatalf("%+v", typ)
	}
	chip := bustest.NewMCP23017(0x21, 0xFFFF)
	c, err := typ.Part.(catalog.Carrier)(catalog.Reach{Wires: wires{chip}}, carried(map[string]catalog.Wiring{"A0": {ActiveLow: true}, "B3": {ActiveLow: true, PullUp: true}}), values)
	if err != nil {
		t.Fatal(err)
	}
	select {
	case <-c.Looked:
	default:
		t.Error("nobody looked for it")
	}
	if got := c.Bus.Sources(); c.Name != "exp-1" || got["exp-1"] != 350*time.Millisecond {
		t.Errorf("%s: sources %v", c.Name, got)
	}
	out, err := c.Bus.Output("A0", false)
	if err != nil {
		t.Fatal(err)
	}
	if !chip.Pin(0) {
		t.Error("an active-low output is not at its safe level")
	}
	out.Set(true, 0, 0, nil)
	if chip.Pin(0) {
		t.Error("it is not driven")
	}
	if level, err := c.Bus.Level("B3"); err != nil || level {
		t.Errorf("level %v, %v", level, err)
	}
	if c.Interrupted == nil {
		t.Error("its interrupt reaches nobody")
	}
}

// TestThePinsOfAnExpanderAreThoseOfItsChip: all that the part knows, and those that it allows as outputs only.
func TestThePinsOfAnExpanderAreThoseOfItsChip(t *testing.T) {
	typ, _ := find(t, "mcp23017", nil)
	numbers := map[int]bool{}
	for _, pin := range typ.Carries.Pins {
		number, err := mcp23017.ParsePin(pin)
		if err != nil || numbers[number] {
			t.Errorf("%s: %v", pin, err)
		}
		numbers[number] = true
		if only := slices.Contains(typ.Carries.OutputsOnly, pin); only != mcp23017.OutputOnly[number] {
			t.Errorf("%s: an output only: the template says %v", pin, only)
		}
	}
	if len(numbers) != 16 || len(typ.Addresses) != mcp23017.LastAddress-mcp23017.FirstAddress+1 {
		t.Errorf("pins %v, addresses %q", numbers, typ.Addresses)
	}
}

func TestNoCarrierOfAPinThatThereIsNot(t *testing.T) {
	typ, values := find(t, "mcp23017", nil)
	part := typ.Part.(catalog.Carrier)
	w := wires{bustest.NewMCP23017(0x20, 0xFFFF)}
	if _, err := part(catalog.Reach{Wires: w}, carried(map[string]catalog.Wiring{"C0": {}}), values); err == nil || !strings.Contains(err.Error(), "A0 to A7 or B0 to B7") {
		t.Errorf("%v", err)
	}
	if _, err := part(catalog.Reach{Wires: w}, carried(nil), templates.Values{}); err == nil {
		t.Error("without an address")
	}
}

func TestABoardIsACarrier(t *testing.T) {
	typ, values := find(t, "nano", map[string]string{templates.SettingBaud: "115200"})
	if typ.Port == "" || typ.OnI2C() || len(typ.Carries.Pins) != 17 || typ.Carries.Holds || typ.Carries.Polled {
		t.Fatalf("%+v", typ)
	}
	part := typ.Part.(catalog.Carrier)
	speeds := make(chan int, 9)
	absent := errors.New("no such port")
	reach := catalog.Reach{ID: "nano-1", Now: func() int64 { return 1 }, Chance: func() uint32 { return 7 },
		Open: func(baud int) (bus.Port, error) { speeds <- baud; return nil, absent }}
	c, err := part(reach, catalog.Carried{Name: "nano-1", Pins: map[string]catalog.Wiring{"D4": {Output: true, ActiveLow: true}, "A0": {PullUp: true}}}, values)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Bus.Close()
	<-c.Looked
	if baud := <-speeds; baud != 115200 {
		t.Errorf("opened at %d baud", baud)
	}
	if _, err := c.Bus.Output("D4", false); err != nil {
		t.Error(err)
	}
	if _, err := c.Bus.Output("A0", false); err == nil {
		t.Error("an input was given as an output")
	}
	if _, err := c.Bus.Level("A0"); !errors.Is(err, bus.ErrGone) {
		t.Errorf("level of an absent board: %v", err)
	}
	keeper, keeps := c.Bus.(bus.Keeper)
	if !keeps || keeper.BeatEvery() != 100*time.Millisecond {
		t.Error("it is not kept alive")
	}
	for _, id := range []string{"", "nine-long"} {
		reach.ID = id
		if _, err := part(reach, carried(nil), values); err == nil || !strings.Contains(err.Error(), "1 to 8 characters") {
			t.Errorf("id %q: %v", id, err)
		}
	}
}
