package catalog

import (
	"errors"
	"strings"
	"testing"
	"time"

	"scentpost/drivers/bus"
)

func TestABoardIsACarrier(t *testing.T) {
	typ, ok := Find("nano")
	if !ok || typ.Carrier == nil || !typ.Port || typ.OnI2C() || len(typ.Pins) != 17 || typ.HoldsOnLoss || typ.Polled {
		t.Fatalf("%+v", typ)
	}
	speeds := make(chan int, 9)
	absent := errors.New("no such port")
	reach := Reach{ID: "nano-1", Now: func() int64 { return 1 }, Chance: func() uint32 { return 7 },
		Open: func(baud int) (bus.Port, error) { speeds <- baud; return nil, absent }}
	c, err := typ.Carrier(reach, Carried{Name: "nano-1", Pins: map[string]Wiring{"D4": {Output: true, ActiveLow: true}, "A0": {PullUp: true}}},
		values(t, typ, map[string]string{SettingBaud: "115200"}))
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
		if _, err := typ.Carrier(reach, carried(nil), values(t, typ, nil)); err == nil || !strings.Contains(err.Error(), "1 to 8 characters") {
			t.Errorf("id %q: %v", id, err)
		}
	}
}
