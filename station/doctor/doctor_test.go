package doctor_test

import (
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"scentpost/station/catalog"
	"scentpost/station/config"
	"scentpost/station/doctor"
)

var update = flag.Bool("update", false, "write the expected texts anew")

// stationText is a station on the lines of a Pi, with an expander and a sensor of the air.
const stationText = `site: demo
station: yard
data: journal
socket: s
driver: {type: linux}
people: [{name: Ana, roles: [assessor]}]
positions: 1
devices:
  - {name: exp-1, type: mcp23017, bus: i2c-1, address: "0x20", interrupt: GPIO4}
  - {name: air, type: bme280, bus: i2c-1, address: "0x76"}
  - {name: beam-1, type: beam, position: 1, line: GPIO17}
  - {name: call, type: button, role: alert, line: "exp-1:A0"}
  - {name: ready, type: light, line: "pinctrl-bcm2711:GPIO22"}
`

func station(t testing.TB, text string) config.Config {
	t.Helper()
	cfg, err := config.Read("station.yaml", []byte(text), catalog.Types())
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// healthy is a Pi on which all devices of the station are there. Each call returns one of its own.
func healthy() doctor.Evidence {
	node := func(path, group string) doctor.Node { return doctor.Node{Path: path, Group: group, Mode: 0o660} }
	return doctor.Evidence{
		File:    "station.yaml",
		Account: doctor.Account{Name: "pi", Groups: []string{"pi", "gpio", "i2c"}, Listed: []string{"pi", "gpio", "i2c"}, Known: []string{"gpio", "i2c"}},
		Model:   "Raspberry Pi 4 Model B Rev 1.4",
		Chips: []doctor.Chip{
			{Node: node("/dev/gpiochip0", "gpio"), Label: "pinctrl-bcm2711", Lines: []doctor.Line{{Name: "GPIO4"}, {Name: "GPIO17"}, {Name: "GPIO22"}, {Name: ""}}},
			{Node: node("/dev/gpiochip1", "gpio"), Label: "raspberrypi-exp-gpio", Lines: []doctor.Line{{Name: "BT_ON"}}},
		},
		Buses: []doctor.Bus{{Name: "i2c-1", Node: node("/dev/i2c-1", "i2c")}},
		Answers: map[doctor.Place]doctor.Answer{
			{Bus: "i2c-1", Address: "0x20"}: doctor.Answers, {Bus: "i2c-1", Address: "0x76"}: doctor.Answers,
			{Bus: "i2c-1", Address: "0x77"}: doctor.Silent,
		},
	}
}

// causes are what can be wrong with a healthy machine: what is done to it, the cause that must be found, on which devices
// and on which others it tells, and what must be said.
var causes = []struct {
	name    string
	damage  func(*doctor.Evidence)
	cause   doctor.Cause
	devices string // that have the cause
	wrong   string // all that are not well
	says    []string
}{
	{"nothing", func(*doctor.Evidence) {}, "", "", "", nil},
	{"not in the group", func(e *doctor.Evidence) { deny(e, "gpio"); e.Account.Groups, e.Account.Listed = nil, nil },
		doctor.NoGroup, "exp-1 beam-1 ready", "exp-1 beam-1 call ready", []string{"sudo usermod -aG gpio pi", "/dev/gpiochip0 belongs"}},
	{"not logged in anew", func(e *doctor.Evidence) { deny(e, "gpio"); e.Account.Groups = nil },
		doctor.OldLogin, "exp-1 beam-1 ready", "exp-1 beam-1 call ready", []string{"log out and in again"}},
	{"no udev rule", func(e *doctor.Evidence) { deny(e, "gpio"); own(e, "root", 0o600) },
		doctor.NoRule, "exp-1 beam-1 ready", "exp-1 beam-1 call ready",
		[]string{`KERNEL=="gpiochip*", GROUP="gpio", MODE="0660"`, "/etc/udev/rules.d/60-scentpost.rules", "udevadm trigger --subsystem-match=gpio", "mode 0600"}},
	{"no udev rule and no group", func(e *doctor.Evidence) { deny(e, "gpio"); own(e, "root", 0o660); e.Account.Known = nil },
		doctor.NoRule, "exp-1 beam-1 ready", "exp-1 beam-1 call ready", []string{"sudo groupadd --system gpio && "}},
	{"a sandbox", func(e *doctor.Evidence) { deny(e, "gpio") },
		doctor.NoRule, "exp-1 beam-1 ready", "exp-1 beam-1 call ready", []string{"getfacl /dev/gpiochip0"}},
	{"no chip", func(e *doctor.Evidence) { e.Chips = nil },
		doctor.NoChip, "exp-1 beam-1 ready", "exp-1 beam-1 call ready", []string{"no GPIO chip", "update the kernel"}},
	{"no chip, no Pi", func(e *doctor.Evidence) { e.Chips, e.Model = nil, "" },
		doctor.NoChip, "exp-1 beam-1 ready", "exp-1 beam-1 call ready", []string{"driver: {type: virtual}"}},
	{"another label", func(e *doctor.Evidence) { e.Chips[0].Label = "pinctrl-rp1" },
		doctor.UnknownLabel, "ready", "ready", []string{`the label "pinctrl-bcm2711"`, "pinctrl-rp1, raspberrypi-exp-gpio"}},
	{"a label misspelt", func(e *doctor.Evidence) { e.Chips[0].Label = "pinctrl-bcm2712" },
		doctor.UnknownLabel, "ready", "ready", []string{`did you mean "pinctrl-bcm2712:GPIO22"?`}},
	{"no such line", func(e *doctor.Evidence) { e.Chips[0].Lines[1].Name = "GPIO_17" },
		doctor.UnknownLine, "beam-1", "beam-1", []string{`is named "GPIO17"`, `did you mean "GPIO_17"?`}},
	{"no such line of the chip", func(e *doctor.Evidence) { e.Chips[0].Lines[2].Name = "GPI022" },
		doctor.UnknownLine, "ready", "ready", []string{`did you mean "pinctrl-bcm2711:GPI022"?`}},
	{"no line of a near name", func(e *doctor.Evidence) { e.Chips[0].Lines[1].Name = "ID_SDA" },
		doctor.UnknownLine, "beam-1", "beam-1", []string{"gpioinfo lists the names"}},
	{"two lines of a name", func(e *doctor.Evidence) { e.Chips[1].Lines[0].Name = "GPIO17" },
		doctor.Ambiguous, "beam-1", "beam-1", []string{"one of pinctrl-bcm2711:GPIO17, raspberrypi-exp-gpio:GPIO17"}},
	{"a line of another program", func(e *doctor.Evidence) { e.Chips[0].Lines[1].Consumer = "pigpio" },
		doctor.Held, "beam-1", "beam-1", []string{`is held by "pigpio"`, `calls itself "pigpio"`}},
	{"a line of another daemon of ours", func(e *doctor.Evidence) { e.Chips[0].Lines[1].Consumer = "scentpost" },
		doctor.Held, "beam-1", "beam-1", []string{"sudo systemctl stop scentpostd"}},
	{"a line of sysfs", func(e *doctor.Evidence) { e.Chips[0].Lines[1].Consumer = "sysfs" },
		doctor.Held, "beam-1", "beam-1", []string{"/sys/class/gpio/unexport"}},
	{"the line of an interrupt", func(e *doctor.Evidence) { e.Chips[0].Lines[0].Consumer = "button" },
		doctor.Held, "exp-1", "exp-1 call", []string{`interrupt: "GPIO4" is held by "button"`}},
	{"the bus is off", func(e *doctor.Evidence) { e.Buses = nil },
		doctor.BusOff, "exp-1 air", "exp-1 air call", []string{"no I2C bus", "sudo raspi-config nonint do_i2c 0", "dtparam=i2c_arm=on", "/boot/firmware/config.txt"}},
	{"the bus is off, no Pi", func(e *doctor.Evidence) { e.Buses[0].Name, e.Model = "i2c-7", "" },
		doctor.BusOff, "exp-1 air", "exp-1 air call", []string{"no i2c-1; it has i2c-7", "sudo modprobe i2c-dev"}},
	{"no module", func(e *doctor.Evidence) { e.Buses[0].Path = "" },
		doctor.NoModule, "exp-1 air", "exp-1 air call", []string{"sudo modprobe i2c-dev && ", "modules-load.d"}},
	{"not in the group of the bus", func(e *doctor.Evidence) { deny(e, "i2c"); e.Account.Groups, e.Account.Listed = nil, nil },
		doctor.NoGroup, "exp-1 air", "exp-1 air call", []string{"sudo usermod -aG i2c pi"}},
	{"no udev rule of the bus", func(e *doctor.Evidence) { deny(e, "i2c"); e.Buses[0].Group = "root" },
		doctor.NoRule, "exp-1 air", "exp-1 air call", []string{`SUBSYSTEM=="i2c-dev", KERNEL=="i2c-[0-9]*", GROUP="i2c"`}},
	{"nothing answers", func(e *doctor.Evidence) { answer(e, "0x76", doctor.Silent) },
		doctor.NoAnswer, "air", "air", []string{"nothing answers at 0x76 of i2c-1", "wiring of a bme280: I2C with 3.3 V"}},
	{"another address answers", func(e *doctor.Evidence) { answer(e, "0x76", doctor.Silent); answer(e, "0x77", doctor.Answers) },
		doctor.OtherAddress, "air", "air", []string{"at 0x77 something does", `write address: "0x77"`}},
	{"the bus hangs", func(e *doctor.Evidence) { answer(e, "0x20", doctor.Hangs) },
		doctor.BusHangs, "exp-1 air", "exp-1 air call", []string{"SDA low", "switch the power"}},
	{"the carrier is absent", func(e *doctor.Evidence) { answer(e, "0x20", doctor.Silent) },
		doctor.CarrierAbsent, "call", "exp-1 call", []string{`"exp-1:A0" is a pin of exp-1`, "mend exp-1 first"}},
	{"a chip that keeps its outputs", func(e *doctor.Evidence) { e.Chips[0].Keeps = true }, "", "", "",
		[]string{"note: pinctrl-bcm2711 keeps its outputs when the daemon is killed", "pinctrl_bcm2835.persist_gpio_outputs=N"}},
	{"root", func(e *doctor.Evidence) { e.Account = doctor.Account{Name: "root", Root: true} }, "", "", "", []string{"sudo -u scentpost scentpostd doctor"}},
}

// TestOneCauseEach breaks one thing of a healthy machine at a time. Each must be found by its cause, with the command
// that mends it, on the devices that it concerns and on no other.
func TestOneCauseEach(t *testing.T) {
	const all = "exp-1 air beam-1 call ready"
	for _, c := range causes {
		seen := healthy()
		c.damage(&seen)
		r := doctor.Diagnose(station(t, stationText), seen)
		with := func(is func(doctor.Finding) bool) string {
			var names []string
			for _, f := range r.Devices {
				if is(f) {
					names = append(names, f.Device)
				}
			}
			return strings.Join(names, " ")
		}
		caused := with(func(f doctor.Finding) bool {
			return slices.ContainsFunc(f.Problems, func(p doctor.Problem) bool { return p.Cause == c.cause && c.cause != "" })
		})
		if wrong := with(func(f doctor.Finding) bool { return !f.Found }); caused != c.devices || wrong != c.wrong {
			t.Errorf("%s: %s on %q, want %q; wrong are %q, want %q", c.name, c.cause, caused, c.devices, wrong, c.wrong)
		}
		if c.wrong == "" && with(func(f doctor.Finding) bool { return f.Where != "" }) != all {
			t.Errorf("%s: it does not say where all devices are: %+v", c.name, r.Devices)
		}
		var text strings.Builder
		doctor.Write(&text, r)
		for _, says := range c.says {
			if !strings.Contains(text.String(), says) {
				t.Errorf("%s: it does not say %q:\n%s", c.name, says, &text)
			}
		}
		for _, f := range r.Devices {
			for _, p := range f.Problems {
				if p.Do == "" || p.What == "" {
					t.Errorf("%s: %s: a problem without a text or without what to do: %+v", c.name, f.Device, p)
				}
			}
		}
	}
}

func answer(e *doctor.Evidence, address string, a doctor.Answer) {
	e.Answers[doctor.Place{Bus: "i2c-1", Address: address}] = a
}

// deny has the files of a group refuse the account; who may not open them sees no more of them.
func deny(e *doctor.Evidence, group string) {
	for i := range e.Chips {
		if e.Chips[i].Group == group {
			e.Chips[i].Denied, e.Chips[i].Lines, e.Chips[i].Label = true, nil, ""
		}
	}
	for i := range e.Buses {
		if e.Buses[i].Group == group {
			e.Buses[i].Denied, e.Answers = true, nil
		}
	}
}

// own gives the chips to a group with a mode.
func own(e *doctor.Evidence, group string, mode fs.FileMode) {
	for i := range e.Chips {
		e.Chips[i].Group, e.Chips[i].Mode = group, mode
	}
}

// TestTheWholeText compares whole texts with files.
func TestTheWholeText(t *testing.T) {
	virtual := withoutI2C(strings.Replace(stationText, "{type: linux}", "{type: virtual, socket: v}", 1))
	for name, c := range map[string]struct {
		text   string
		change func(*doctor.Evidence)
	}{
		"healthy": {stationText, func(*doctor.Evidence) {}},
		"ill": {stationText, func(e *doctor.Evidence) {
			e.Account = doctor.Account{Name: "pi", Known: []string{"gpio", "i2c"}}
			deny(e, "gpio")
			answer(e, "0x76", doctor.Silent)
		}},
		"daemon": {stationText, func(e *doctor.Evidence) {
			e.Chips[0].Lines[1].Consumer, e.Chips[0].Lines[2].Name, e.Answers = "scentpost", "GPIO_22", nil
			e.Daemon = &doctor.Daemon{Socket: "/run/scentpost/s", Next: "open a session", Devices: []doctor.Told{
				{Name: "exp-1", Found: true}, {Name: "air", Why: "no answer"}, {Name: "beam-1", Found: true},
				{Name: "call", Found: true, Why: "stuck for 12 s"}, {Name: "ready", Why: "no such line"}}}
		}},
		"restarted": {stationText, func(e *doctor.Evidence) {
			e.Chips, e.Answers = nil, nil
			e.Daemon = &doctor.Daemon{Socket: "/run/scentpost/s", Sealed: true, Next: "arm the next run", Devices: []doctor.Told{
				{Name: "exp-1", Untold: true}, {Name: "air", Found: true}, {Name: "beam-1", Found: true}, {Name: "call", Untold: true}, {Name: "ready", Found: true}}}
		}},
		"sealed": {stationText, func(e *doctor.Evidence) {
			e.Chips, e.Answers = nil, nil
			e.Daemon = &doctor.Daemon{Socket: "/run/scentpost/s", Sealed: true, Next: "arm the next run", Devices: []doctor.Told{
				{Name: "exp-1", AtSeal: true, Found: true}, {Name: "air", Found: true}, {Name: "beam-1", Found: true}, {Name: "call", AtSeal: true, Why: "away"}}}
		}},
		"virtual":        {virtual, func(e *doctor.Evidence) { e.Stands = true }},
		"virtual-absent": {virtual, func(*doctor.Evidence) {}},
	} {
		seen := healthy()
		c.change(&seen)
		var text strings.Builder
		doctor.Write(&text, doctor.Diagnose(station(t, c.text), seen))
		file := filepath.Join("testdata", name+".txt")
		if *update {
			if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil || text.String() != string(want) {
			t.Errorf("%s: %v; it says\n%s\nwant\n%s", name, err, &text, want)
		}
	}
}

// TestTheReadmeShowsWhatIsSaid: the example there is no invention.
func TestTheReadmeShowsWhatIsSaid(t *testing.T) {
	lines := strings.Split(stationText, "\n")
	text := strings.Join(slices.DeleteFunc(lines, func(l string) bool { return strings.Contains(l, "call") || strings.Contains(l, "ready") }), "\n")
	seen := healthy()
	seen.Account.Name = "scentpost"
	answer(&seen, "0x76", doctor.Silent)
	answer(&seen, "0x77", doctor.Answers)
	seen.Chips[0].Lines[1].Consumer = "pigpio"
	var said strings.Builder
	doctor.Write(&said, doctor.Diagnose(station(t, text), seen))
	readme, err := os.ReadFile("../../README.md")
	if err != nil || !strings.Contains(string(readme), "```\n"+said.String()+"```\n") {
		t.Errorf("README.md does not show (%v)\n%s", err, &said)
	}
}
