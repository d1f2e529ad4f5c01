package catalog

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"scentpost/drivers/bus"
	"scentpost/drivers/bus/bustest"
)

// wires are a bus with one chip on it, whose jobs are done at once and whose time stands.
type wires struct{ *bustest.MCP23017 }

func (wires) Now() int64                     { return 1 }
func (wires) At(int64, func()) (stop func()) { return func() {} }
func (w wires) Do(job func()) error          { job(); return nil }
func carried(pins map[string]Wiring) Carried { return Carried{Name: "exp-1", Pins: pins} }
func values(t *testing.T, typ Type, g map[string]string) Values {
	t.Helper()
	v, problems := typ.Check(g)
	if problems != nil {
		t.Fatal(problems)
	}
	return v
}

func TestAnExpanderIsACarrier(t *testing.T) {
	typ, ok := Find("mcp23017")
	if !ok || typ.Carrier == nil || !typ.OnI2C() || len(typ.Pins) != 16 || !typ.Interrupts {
		t.Fatalf("%+v", typ)
	}
	chip := bustest.NewMCP23017(0x21, 0xFFFF)
	c, err := typ.Carrier(Reach{Wires: wires{chip}}, carried(map[string]Wiring{"A0": {ActiveLow: true}, "B3": {ActiveLow: true, PullUp: true}}),
		values(t, typ, map[string]string{SettingAddress: "0x21", SettingPoll: "100ms"}))
	if err != nil {
		t.Fatal(err)
	}
	select {
	case <-c.Looked:
	default:
		t.Error("nobody looked for it")
	}
	if got := c.Bus.Sources(); c.Name != "exp-1" || got["exp-1"] != 100*time.Millisecond+transfersWithin {
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

func TestNoCarrierOfAPinThatThereIsNot(t *testing.T) {
	typ, _ := Find("mcp23017")
	w := wires{bustest.NewMCP23017(0x20, 0xFFFF)}
	if _, err := typ.Carrier(Reach{Wires: w}, carried(map[string]Wiring{"C0": {}}), values(t, typ, nil)); err == nil || !strings.Contains(err.Error(), "A0 to A7 or B0 to B7") {
		t.Errorf("%v", err)
	}
	if _, err := typ.Carrier(Reach{Wires: w}, carried(nil), Values{}); err == nil {
		t.Error("without an address")
	}
}

// TestWhatAnExpanderCarries: each refusal says what to do instead.
func TestWhatAnExpanderCarries(t *testing.T) {
	expander, _ := Find("mcp23017")
	accepted := map[string]string{SettingHoldOnLoss: Accepted}
	for _, c := range []struct {
		on    map[string]string
		part  string
		given map[string]string
		role  string
		pin   string
		says  string
	}{
		{nil, "light", nil, RoleLine, "A0", ""},
		{nil, "fan", nil, RoleLine, "A7", ""},
		{nil, "button", map[string]string{SettingRole: "alert"}, RoleLine, "A0", ""},
		{nil, "button", map[string]string{SettingRole: RoleEmergency}, RoleLine, "A0", "an emergency stop may not wait"},
		{nil, "button", map[string]string{SettingRole: "alert"}, RoleLine, "B7", "may be an output only"},
		{nil, "beam", nil, RoleLine, "A0", "a nose that is gone by then leaves nothing"},
		{accepted, "beam", nil, RoleLine, "A0", "a nose that is gone by then leaves nothing"},
		{nil, "shutter", nil, "drive", "A0", "hold_on_loss: accepted"},
		{map[string]string{SettingHoldOnLoss: Refused}, "shutter", nil, "drive", "A0", "hold_on_loss: accepted"},
		{accepted, "shutter", nil, "drive", "A0", ""},
		{nil, "shutter", nil, "closed", "A0", ""},
		{accepted, "shutter", nil, "closed", "A7", "may be an output only"},
	} {
		part, _ := Find(c.part)
		var line Line
		for _, l := range part.Lines {
			if l.Role == c.role {
				line = l
			}
		}
		err := expander.Carries(values(t, expander, c.on), part, c.given, line, c.pin)
		if got := fmt.Sprint(err); err == nil != (c.says == "") || c.says != "" && !strings.Contains(got, c.says) {
			t.Errorf("%v carries %s of a %s on %s: %s, want %q", c.on, c.role, c.part, c.pin, got, c.says)
		}
	}
	light, _ := Find("light")
	shutter, _ := Find("shutter")
	if err := light.Carries(Values{}, shutter, nil, shutter.Lines[0], "A0"); err != nil {
		t.Errorf("what holds nothing refuses: %v", err)
	}
	if _, problems := expander.Check(map[string]string{SettingAddress: "0x28"}); problems[SettingAddress] == nil {
		t.Error("an address that the chip cannot have was taken")
	}
}

var _ bus.Wires = wires{}
