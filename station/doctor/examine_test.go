package doctor_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"scentpost/station/doctor"
)

// machine is a Machine that counts what it is asked.
type machine struct {
	seen   doctor.Evidence
	fails  error
	probes []string
	looks  int
}

func (m *machine) Account() doctor.Account { return m.seen.Account }
func (m *machine) Model() string           { return m.seen.Model }

func (m *machine) Chips() ([]doctor.Chip, error) {
	m.looks++
	return m.seen.Chips, m.fails
}

func (m *machine) Buses() ([]doctor.Bus, error) {
	m.looks++
	return m.seen.Buses, nil
}

func (m *machine) Port(path string) doctor.Port {
	m.looks++
	return m.seen.Ports[path]
}

func (m *machine) Probe(at doctor.Place) doctor.Answer {
	m.probes = append(m.probes, at.Bus+" "+at.Address)
	return m.seen.Answers[at]
}

func (m *machine) Stands(socket string) bool {
	m.looks++
	return socket == "v"
}

// TestExamineAsksForNoMoreThanItNeeds: a byte from the addresses that a device could have, once; nothing from under a
// daemon; and of a sealed session's devices not even a look.
func TestExamineAsksForNoMoreThanItNeeds(t *testing.T) {
	virtual := strings.Replace(stationText, "{type: linux}", "{type: virtual, socket: v}", 1)
	for _, c := range []struct {
		name   string
		text   string
		change func(*doctor.Evidence)
		daemon *doctor.Daemon
		looks  int
		probes []string
	}{
		{"no daemon", stationText, func(*doctor.Evidence) {}, nil, 2,
			[]string{"i2c-1 0x20", "i2c-1 0x21", "i2c-1 0x22", "i2c-1 0x23", "i2c-1 0x24", "i2c-1 0x25", "i2c-1 0x26", "i2c-1 0x27", "i2c-1 0x76", "i2c-1 0x77"}},
		{"a bus that hangs", stationText, func(e *doctor.Evidence) { answer(e, "0x20", doctor.Hangs) }, nil, 2, []string{"i2c-1 0x20"}},
		{"a bus without a file", stationText, func(e *doctor.Evidence) { e.Buses[0].Path = "" }, nil, 2, nil},
		{"a bus that may not be opened", stationText, func(e *doctor.Evidence) { deny(e, "i2c") }, nil, 2, nil},
		{"another bus", stationText, func(e *doctor.Evidence) { e.Buses[0].Name = "i2c-2" }, nil, 2, nil},
		{"a daemon", stationText, func(*doctor.Evidence) {}, &doctor.Daemon{}, 2, nil},
		{"a sealed session", stationText, func(*doctor.Evidence) {}, &doctor.Daemon{Sealed: true}, 0, nil},
		{"a virtual station", virtual, func(*doctor.Evidence) {}, nil, 1, nil},
		{"a virtual station with a daemon", virtual, func(*doctor.Evidence) {}, &doctor.Daemon{}, 0, nil},
	} {
		m := &machine{seen: healthy()}
		c.change(&m.seen)
		text := c.text
		if c.text == virtual {
			text = withoutI2C(virtual)
		}
		got, err := doctor.Examine(m, station(t, text), c.daemon)
		if err != nil || m.looks != c.looks || !slices.Equal(m.probes, c.probes) {
			t.Errorf("%s: looked %d times, want %d; asked %q, want %q; %v", c.name, m.looks, c.looks, m.probes, c.probes, err)
		}
		if got.Account.Name != "pi" || got.Daemon != c.daemon {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
	m := &machine{seen: healthy(), fails: errors.New("no /dev")}
	if _, err := doctor.Examine(m, station(t, stationText), nil); err == nil {
		t.Error("what could not be looked at is no error")
	}
}

// withoutI2C returns a station without what is on I2C.
func withoutI2C(text string) string {
	lines := strings.Split(strings.ReplaceAll(text, "exp-1:A0", "a0"), "\n")
	return strings.Join(slices.DeleteFunc(lines, func(l string) bool { return strings.Contains(l, "i2c-1") }), "\n")
}
