package config_test

import (
	"fmt"
	"strings"
	"testing"

	"scentpost/station/config"
	"scentpost/station/templates"
)

// airy is what a station may have besides; line 17 is the fan of all positions.
const airy = `  - {name: fan, type: fan, line: fan}
  - {name: fan-1, type: fan, position: 1, line: fan1}
  - {name: buzzer, type: buzzer, line: buzzer}
  - {name: air, type: bme280, bus: i2c-1}
  - {name: air-2, type: bme280, bus: i2c-1, address: 0x77}
`

func TestPurgeSoundAndAir(t *testing.T) {
	c, err := config.Read("f", []byte(good+airy), types)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, class := range []templates.Class{templates.Purge, templates.Sound, templates.Environment} {
		for _, d := range c.Of(class) {
			got = append(got, fmt.Sprintf("%s %d %s%s", d.Name, d.Position, d.Bus, d.Address))
		}
	}
	want := "fan 0 ,fan-1 1 ,buzzer 0 ,air 0 i2c-10x76,air-2 0 i2c-10x77"
	if strings.Join(got, ",") != want {
		t.Errorf("got %s, want %s", strings.Join(got, ","), want)
	}
}

func TestProblemsOfPurgeSoundAndAir(t *testing.T) {
	for _, c := range []struct{ name, old, new, want string }{
		{"a fan elsewhere", "position: 1, line: fan1", "position: 2, line: fan1", `18:40: devices[5].position: a position from 1 to 1 is expected`},
		{"a fan at no position", "position: 1, line: fan1", "position: 0, line: fan1", `18:40: devices[5].position: a position from 1 to 1 is expected`},
		{"a buzzer at a position", "type: buzzer,", "type: buzzer, position: 1,", `19:44: devices[6].position: a buzzer has no position (take it away)`},
		{"a sensor at a position", "type: bme280,", "type: bme280, position: 1,", `20:41: devices[7].position: a bme280 has no position (take it away)`},
		{"no bus", "bme280, bus: i2c-1}", "bme280}", `20:6: devices[7].bus: is missing (such as i2c-1: ls /dev/i2c-* lists them)`},
		{"no name of a bus", "bus: i2c-1}", "bus: /dev/i2c-1}", `20:36: devices[7].bus: "/dev/i2c-1" is not the name of an I2C bus (such as i2c-1: ls /dev/i2c-* lists them)`},
		{"a bus of the wrong type", "bus: i2c-1}", "bus: 1}", `20:36: devices[7].bus: text is expected, not a whole number (put it in quotes if it is meant as text: "1")`},
		{"an address that it cannot have", "0x77", "0x78", `21:54: devices[8].address: "0x78" cannot be chosen (did you mean "0x76"?)`},
		{"an address used twice", ", address: 0x77", "", `21:6: devices[8]: 0x76 on i2c-1 is taken by "air" in line 20 (set another address on one of the two, or take another bus)`},
		{"an address written twice", "0x77", "0x76", `21:54: devices[8].address: 0x76 on i2c-1 is taken by "air" in line 20 (set another address on one of the two, or take another bus)`},
		{"a sensor on a line", "bus: i2c-1}", "bus: i2c-1, line: a}", `20:6: devices[7]: a bme280 has no lines (take the line away, and give its bus and address)`},
		{"a fan on a bus", "line: fan}", "line: fan, bus: i2c-1}", `17:44: devices[4].bus: a fan is on lines, not on a bus (take it away)`},
		{"an address of a fan", "line: fan}", "line: fan, address: 0x76}", `17:39: devices[4].address: unknown key (known: bus, canister, id, interrupt, line, lines, name, port, position, type)`},
	} {
		if !strings.Contains(airy, c.old) {
			t.Fatalf("%s: there is no %q", c.name, c.old)
		}
		_, err := config.Read("f", []byte(good+strings.Replace(airy, c.old, c.new, 1)), types)
		if err == nil || err.Error() != "f:"+c.want {
			t.Errorf("%s: got\n%v\nwant\nf:%s", c.name, err, c.want)
		}
	}
	// The same address on another bus is another place.
	elsewhere := strings.Replace(airy, "bus: i2c-1, address: 0x77", "bus: i2c-3", 1)
	if _, err := config.Read("f", []byte(good+elsewhere), types); err != nil {
		t.Error(err)
	}
}
