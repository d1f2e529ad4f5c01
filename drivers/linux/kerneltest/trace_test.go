//go:build linux

package kerneltest

import "testing"

func TestParseMovement(t *testing.T) {
	for line, want := range map[string]Movement{
		"     scentpostd-133     [000] .....     6.817485: gpio_value: 529 set 0":        {Line: 529, Mono: 6_817_485_000, Kind: "set"},
		"            init-1       [000] d..1.  3615.000001: gpio_value: 512 set 1":       {Line: 512, Mono: 3_615_000_001_000, Kind: "set", Value: true},
		"     scentpostd-133     [000] .....     3.588816: gpio_direction: 512  in (0)":  {Line: 512, Mono: 3_588_816_000, Kind: "in"},
		"     scentpostd-133     [000] .....     3.588816: gpio_direction: 512 out (-5)": {Line: 512, Mono: 3_588_816_000, Kind: "out", Value: true},
	} {
		if got, err := ParseMovement(line); err != nil || got != want {
			t.Errorf("%q: %+v, %v, want %+v", line, got, err, want)
		}
	}
	for _, line := range []string{
		"", "CPU:0 [LOST 12 EVENTS]", "     scentpostd-133     [000] .....     6.817485: gpio_value: 529 get 0",
		"     scentpostd-133     [000] .....     6.817485: gpio_value: 99999999999999999999 set 0",
	} {
		if got, err := ParseMovement(line); err == nil {
			t.Errorf("%q is taken for %+v", line, got)
		}
	}
}

func FuzzParseMovement(f *testing.F) {
	f.Add("     scentpostd-133     [000] .....     6.817485: gpio_value: 529 set 0")
	f.Add("     scentpostd-133     [000] .....     3.588816: gpio_direction: 512  in (0)")
	f.Add("CPU:0 [LOST 12 EVENTS]")
	f.Fuzz(func(t *testing.T, line string) {
		m, err := ParseMovement(line)
		if err == nil && (m.Line < 0 || m.Mono < 0 || m.Kind != "set" && m.Kind != "in" && m.Kind != "out") {
			t.Errorf("%q is taken for %+v", line, m)
		}
	})
}
