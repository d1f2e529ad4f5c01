package vitals_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"scentpost/station/health"
	"scentpost/station/health/vitals"
)

// judged writes which conditions hold, after those that held before.
func judged(r vitals.Reading, held ...health.Code) string {
	var out []string
	for _, v := range vitals.Judge(r, func(code health.Code) bool { return slices.Contains(held, code) }) {
		if !health.Known(v.Code) {
			panic(v.Code)
		}
		if v.Holds {
			out = append(out, string(v.Code)+" ("+v.Evidence+")")
		}
	}
	return strings.Join(out, "; ")
}

func TestJudge(t *testing.T) {
	const mega = 1_000_000
	heat := func(milli int) vitals.Reading { return vitals.Reading{MilliCelsius: milli, HasTemperature: true} }
	disk := func(free int64) vitals.Reading {
		return vitals.Reading{HasDisk: true, Free: free, Journal: vitals.Figures{Bytes: 2000 * mega, Records: 100_000, SessionRecords: 1000, SessionLasted: time.Hour}}
	}
	for _, c := range []struct {
		name string
		r    vitals.Reading
		held []health.Code
		want string
	}{
		{"a machine that tells nothing", vitals.Reading{}, nil, ""},
		{"cool", heat(48_312), nil, ""},
		{"below zero", heat(-12_000), nil, ""},
		{"not yet warm", heat(69_999), nil, ""},
		{"warm", heat(70_000), nil, "board-warm (70.0 °C)"},
		{"still warm", heat(67_000), []health.Code{health.BoardWarm}, "board-warm (67.0 °C)"},
		{"no more warm", heat(66_999), []health.Code{health.BoardWarm}, ""},
		{"not yet hot", heat(79_999), []health.Code{health.BoardWarm}, "board-warm (80.0 °C)"},
		{"hot", heat(80_000), []health.Code{health.BoardWarm}, "board-hot (80.0 °C)"},
		{"still hot", heat(77_000), []health.Code{health.BoardHot}, "board-hot (77.0 °C)"},
		{"warm again", heat(76_999), []health.Code{health.BoardHot}, "board-warm (77.0 °C)"},
		{"a weak supply", vitals.Reading{UnderVoltage: true}, nil, "under-voltage (the kernel says so)"},
		{"no clock", vitals.Reading{WantsClock: true}, nil, "clock-not-kept (the kernel knows no clock with a battery, and the configuration names none)"},
		{"no clock that is missed", vitals.Reading{}, nil, ""},
		{"an empty battery", vitals.Reading{WantsClock: true, Clocks: []vitals.Clock{{Name: "rtc0", Why: "empty"}, {Name: "rtc1", Why: "1970"}}}, nil, "clock-not-kept (rtc0: empty; rtc1: 1970)"},
		{"one good clock", vitals.Reading{WantsClock: true, Clocks: []vitals.Clock{{Name: "rtc0", Why: "empty"}, {Name: "rtc1"}}}, nil, ""},
		{"mounted read-only", vitals.Reading{HasDisk: true, ReadOnly: true}, nil, "journal-read-only (its file system is mounted read-only)"},
		{"a key for its owner alone", vitals.Reading{KeyFile: "k", KeyMode: 0o600}, nil, ""},
		{"a key that all may read", vitals.Reading{KeyFile: "/d/k", KeyMode: 0o644}, nil, "key-open (/d/k has mode 0644: sudo chmod 600 /d/k)"},
		{"a key of a group", vitals.Reading{KeyFile: "k", KeyMode: 0o640}, nil, "key-open (k has mode 0640: sudo chmod 600 k)"},
		{"room for a day", disk(160 * mega), nil, ""},
		{"room for less", disk(160*mega - 1), nil, "space-low (159 MB are free: room for 7 hours of running sessions, at 20 MB an hour (as the last session wrote))"},
		{"no room", disk(0), nil, "space-low (0 MB are free: room for 0 hours of running sessions, at 20 MB an hour (as the last session wrote))"},
		{"nothing measured", vitals.Reading{HasDisk: true, Free: 100 * mega}, nil,
			"space-low (100 MB are free: room for 2 hours of running sessions, at 33 MB an hour (assumed: no session was long enough to measure))"},
	} {
		if got := judged(c.r, c.held...); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// TestPerHour: 20 kB a record and 1,000 records in an hour are 20 MB an hour; what is too short is not measured.
func TestPerHour(t *testing.T) {
	whole := vitals.Figures{Bytes: 2_000_000_000, Records: 100_000, SessionRecords: 1000, SessionLasted: time.Hour}
	for _, c := range []struct {
		change   func(*vitals.Figures)
		want     int64
		measured bool
	}{
		{func(*vitals.Figures) {}, 20_000_000, true},
		{func(f *vitals.Figures) { f.SessionLasted = 30 * time.Minute }, 40_000_000, true},
		{func(f *vitals.Figures) { f.SessionLasted = 4 * time.Minute }, vitals.DefaultPerHour, false},
		{func(f *vitals.Figures) { f.SessionLasted = -time.Hour }, vitals.DefaultPerHour, false},
		{func(f *vitals.Figures) { f.Records = 0 }, vitals.DefaultPerHour, false},
		{func(f *vitals.Figures) { f.SessionRecords = 0 }, vitals.DefaultPerHour, false},
		{func(f *vitals.Figures) { f.Bytes = 0 }, vitals.DefaultPerHour, false},
	} {
		f := whole
		c.change(&f)
		if got, measured := f.PerHour(); got != c.want || measured != c.measured {
			t.Errorf("%+v: %d, %v; want %d, %v", f, got, measured, c.want, c.measured)
		}
	}
}

// TestJudgeIsSettled: judging the same reading again changes nothing, at most one heat holds, and no reading panics.
func TestJudgeIsSettled(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := vitals.Reading{
			MilliCelsius: rapid.IntRange(-50_000, 150_000).Draw(t, "heat"), HasTemperature: rapid.Bool().Draw(t, "has heat"),
			UnderVoltage: rapid.Bool().Draw(t, "weak"), HasDisk: rapid.Bool().Draw(t, "has disk"), ReadOnly: rapid.Bool().Draw(t, "read-only"),
			Free: rapid.Int64Min(0).Draw(t, "free"),
			Journal: vitals.Figures{Bytes: rapid.Int64().Draw(t, "bytes"), Records: rapid.Int64().Draw(t, "records"),
				SessionRecords: rapid.Int64().Draw(t, "of the session"), SessionLasted: time.Duration(rapid.Int64().Draw(t, "lasted"))},
		}
		holds := func(held []health.Code) (out []health.Code) {
			for _, v := range vitals.Judge(r, func(code health.Code) bool { return slices.Contains(held, code) }) {
				if v.Holds {
					out = append(out, v.Code)
				}
			}
			return out
		}
		once := holds(nil)
		if twice := holds(once); fmt.Sprint(once) != fmt.Sprint(twice) {
			t.Fatalf("%v, then %v", once, twice)
		}
		if slices.Contains(once, health.BoardHot) && slices.Contains(once, health.BoardWarm) {
			t.Fatalf("%v", once)
		}
	})
}
