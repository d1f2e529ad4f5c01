package hardware

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"scentpost/drivers/bme280"
	"scentpost/drivers/bus"
	"scentpost/drivers/bus/bustest"
	"scentpost/drivers/virtual"
	"scentpost/simulator/world"
)

// airy is a station with a sensor of the air.
func airy(t *testing.T) (*Station, *Connection) {
	t.Helper()
	layout := LineUp(1, 1, nil)
	layout.Chips = []Chip{{Name: "air", Bus: "i2c-1", Address: 0x76, Chip: bustest.NewBME280(0x76)}}
	s, err := New(world.New(1), layout)
	if err != nil {
		t.Fatal(err)
	}
	c, err := s.Connect()
	if err != nil {
		t.Fatal(err)
	}
	return s, c
}

// TestTheRealPartMeasuresTheVirtualAir: a virtual station's chip answers as the data sheet says.
func TestTheRealPartMeasuresTheVirtualAir(t *testing.T) {
	s, c := airy(t)
	w, err := c.Wires("i2c-1")
	if err != nil {
		t.Fatal(err)
	}
	part, err := bme280.New(w, 0x76)
	if err != nil {
		t.Fatal(err)
	}
	var got bus.Air
	measure := func() error {
		done := errors.New("the job was not done")
		if err := w.Do(func() {
			if done = part.Begin(); done != nil {
				return
			}
			wait, err := part.Measure()
			if done = err; err == nil {
				w.At(w.Now()+int64(wait), func() { got, done = part.Fetch() })
			}
		}); err != nil {
			return err
		}
		s.world.RunFor(time.Second)
		return done
	}
	if err := measure(); err != nil || got.TemperatureMilliC/1000 != 25 {
		t.Errorf("%+v, %v", got, err)
	}
	for _, there := range []bool{false, true} {
		if err := s.Unplug("air"); err != nil {
			t.Fatal(err)
		}
		if err := measure(); (err == nil) != there || !there && !errors.Is(err, bustest.ErrNoChip) {
			t.Errorf("plugged in: %v: %v", there, err)
		}
	}
	if err := s.Unplug("water"); err == nil {
		t.Error("a chip that there is not was unplugged")
	}
	if _, err := c.Wires("i2c-7"); !errors.Is(err, bus.ErrUnknownLine) {
		t.Errorf("a bus that there is not: %v", err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if err := measure(); !errors.Is(err, bus.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
}

// TestTransfersOnTheWire: the server makes them, and says what failed.
func TestTransfersOnTheWire(t *testing.T) {
	serve(t, 1, func(r *rig) {
		p := r.dial()
		if fmt.Sprint(p.hello.Buses) != "[i2c-1]" {
			t.Errorf("buses %v", p.hello.Buses)
		}
		read := func(id uint64, bus string, address uint16) virtual.Message {
			return p.ask(virtual.Message{Kind: virtual.I2C, ID: id, Bus: bus, Address: address, Write: []byte{0xD0}, Read: 1})
		}
		if d := read(1, "i2c-1", 0x76); d.Error != "" || len(d.Data) != 1 || d.Data[0] != 0x60 {
			t.Errorf("the chip's id: %+v", d)
		}
		if d := read(2, "i2c-1", 0x20); d.Error != virtual.ErrorTransfer || !strings.Contains(d.Why, "no chip acknowledged") || d.Data != nil {
			t.Errorf("an address where nothing is: %+v", d)
		}
		if d := read(3, "i2c-2", 0x76); d.Error != virtual.ErrorTransfer || !strings.Contains(d.Why, "i2c-2") {
			t.Errorf("a bus that there is not: %+v", d)
		}
		p.leave()
	}, func(s *Station) {
		s.buses["i2c-1"] = &bustest.Chips{}
		s.buses["i2c-1"].Put(0x76, bustest.NewBME280(0x76))
	})
}
