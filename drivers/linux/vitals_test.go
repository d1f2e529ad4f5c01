//go:build linux

package linux

import (
	"os"
	"path/filepath"
	"testing"
)

// sys writes a folder as the kernel shows it.
func sys(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestReadVitals(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		want  Vitals
	}{
		"nothing":         {nil, Vitals{}},
		"a Pi":            {map[string]string{"class/thermal/thermal_zone0/temp": "48312\n", "class/hwmon/hwmon1/name": "rpi_volt\n", "class/hwmon/hwmon1/in0_lcrit_alarm": "0\n"}, Vitals{MilliCelsius: 48312, HasTemperature: true, TellsVoltage: true}},
		"a weak supply":   {map[string]string{"class/hwmon/hwmon0/name": "rpi_volt\n", "class/hwmon/hwmon0/in0_lcrit_alarm": "1\n"}, Vitals{UnderVoltage: true, TellsVoltage: true}},
		"another monitor": {map[string]string{"class/hwmon/hwmon0/name": "acpi\n", "class/hwmon/hwmon0/in0_lcrit_alarm": "1\n"}, Vitals{}},
		"no alarm":        {map[string]string{"class/hwmon/hwmon0/name": "rpi_volt\n"}, Vitals{}},
		"the hottest":     {map[string]string{"class/thermal/thermal_zone0/temp": "40000", "class/thermal/thermal_zone1/temp": "71000", "class/thermal/thermal_zone2/temp": "-5000"}, Vitals{MilliCelsius: 71000, HasTemperature: true}},
		"below zero":      {map[string]string{"class/thermal/thermal_zone0/temp": "-5000\n"}, Vitals{MilliCelsius: -5000, HasTemperature: true}},
		"no number":       {map[string]string{"class/thermal/thermal_zone0/temp": "hot\n", "class/thermal/thermal_zone1/temp": ""}, Vitals{}},
	} {
		if got := ReadVitals(sys(t, c.files)); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

func TestDiskOf(t *testing.T) {
	if d, err := DiskOf(t.TempDir()); err != nil || d.Free <= 0 || d.ReadOnly {
		t.Errorf("a folder to write in: %+v, %v", d, err)
	}
	if _, err := DiskOf(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a folder that is not there has room")
	}
	const kernels = "/proc" // a file system that nobody writes to
	if d, err := DiskOf(kernels); err != nil || d.Free != 0 {
		t.Errorf("%s: %+v, %v", kernels, d, err)
	}
}

func TestKeepsOutputs(t *testing.T) {
	const file = "module/pinctrl_bcm2835/parameters/persist_gpio_outputs"
	for _, c := range []struct {
		text, label string
		keeps       bool
	}{
		{"Y\n", "pinctrl-bcm2835", true}, {"Y\n", "pinctrl-bcm2711", true}, {"N\n", "pinctrl-bcm2835", false},
		{"Y\n", "pinctrl-rp1", false}, {"Y\n", "gpio-sim.0", false}, {"", "pinctrl-bcm2835", false},
	} {
		if got := KeepsOutputs(sys(t, map[string]string{file: c.text}), c.label); got != c.keeps {
			t.Errorf("%s with %q keeps its outputs: %t", c.label, c.text, got)
		}
	}
	if KeepsOutputs(t.TempDir(), "pinctrl-bcm2835") {
		t.Error("a kernel that says nothing of it keeps its outputs")
	}
}
