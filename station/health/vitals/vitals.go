// Package vitals judges how a station's machine fares: its heat, its supply, its clock's battery, and the disk that the
// journal lies on.
package vitals

import (
	"fmt"
	"io/fs"
	"strings"
	"time"

	"scentpost/station/health"
)

// The temperatures in thousandths of a degree Celsius. A Raspberry Pi slows its processor down from 80 °C on, and more so
// up to 85 °C (Raspberry Pi documentation, "Frequency management and thermal control"): edges are then handled later.
const (
	hotFrom = 80_000
	// warmFrom leaves ten degrees to do something about it. It is our own choice.
	warmFrom = 70_000
	// coolBy is how much cooler it must get for a condition to be over, so that it does not come and go.
	coolBy = 3_000
)

const (
	// LeastHours is how many hours of running sessions the disk must have room for: a day's work.
	LeastHours = 8
	// DefaultPerHour is what a running session writes in an hour, in bytes, until one was long enough to be measured: a
	// run of a line-up in a minute, at most 0.4 MB each by BenchmarkSessionOnDisk, and a third more.
	DefaultPerHour = 32 << 20
	// leastMeasured is the shortest session that is measured: its beginning writes more than its runs.
	leastMeasured = 5 * time.Minute
)

// Reading is what was read of the machine.
type Reading struct {
	// MilliCelsius is its temperature, where HasTemperature is set.
	MilliCelsius   int
	HasTemperature bool
	// UnderVoltage is set while its supply is too low.
	UnderVoltage bool
	// HasDisk is set when the journal's disk could be asked: Free is what may still be written on it, in bytes.
	HasDisk, ReadOnly bool
	// KeyFile is the file of the station's private key, KeyMode its mode; 0 where it could not be asked for.
	KeyFile string
	KeyMode fs.FileMode
	Free    int64
	Journal Figures
	// WantsClock is set where the kernel's clocks alone could know the time after a power cut, and Clocks are those.
	WantsClock bool
	Clocks     []Clock
}

// Clock is a clock with a battery that the kernel knows.
type Clock struct {
	Name string
	Why  string // why it keeps no time that can be trusted, "" when it does
}

// Figures are the journal's own: how many bytes its records take on the disk, and what the last session wrote in which
// time.
type Figures struct {
	Bytes, Records int64
	SessionRecords int64
	SessionLasted  time.Duration
}

// PerHour is how many bytes a running session writes in an hour, measured or assumed. What is measured is assumed to
// go on: that the next session is like the last, and that its records are as large as all are on average.
func (f Figures) PerHour() (bytes int64, measured bool) {
	if f.SessionLasted < leastMeasured || f.Records <= 0 || f.SessionRecords <= 0 || f.Bytes <= 0 {
		return DefaultPerHour, false
	}
	each := float64(f.Bytes) / float64(f.Records)
	return max(1, int64(each*float64(f.SessionRecords)/f.SessionLasted.Hours())), true
}

// Verdict says of one condition whether it holds.
type Verdict struct {
	Code     health.Code
	Holds    bool
	Evidence string
}

// Judge says which conditions of the machine hold. held tells which held before: heat must go down by some degrees
// before it is over. What could not be read is no condition.
func Judge(r Reading, held func(health.Code) bool) []Verdict {
	hot := r.HasTemperature && above(r.MilliCelsius, hotFrom, held(health.BoardHot))
	warm := r.HasTemperature && !hot && above(r.MilliCelsius, warmFrom, held(health.BoardWarm) || held(health.BoardHot))
	heat := fmt.Sprintf("%.1f °C", float64(r.MilliCelsius)/1000)
	perHour, measured := r.Journal.PerHour()
	hours := r.Free / perHour
	kept, clocks := keptText(r.Clocks)
	return []Verdict{
		{health.ClockNotKept, r.WantsClock && !kept, clocks},
		{health.BoardHot, hot, heat},
		{health.BoardWarm, warm, heat},
		{health.UnderVoltage, r.UnderVoltage, "the kernel says so"},
		{health.JournalReadOnly, r.HasDisk && r.ReadOnly, "its file system is mounted read-only"},
		{health.KeyOpen, r.KeyMode.Perm()&0o077 != 0, fmt.Sprintf("%s has mode %04o: sudo chmod 600 %s", r.KeyFile, r.KeyMode.Perm(), r.KeyFile)},
		{health.SpaceLow, r.HasDisk && !r.ReadOnly && hours < LeastHours, roomText(r.Free, hours, perHour, measured)},
	}
}

// keptText tells whether one of the clocks would know the time after a power cut, and what is wrong with them.
func keptText(clocks []Clock) (kept bool, text string) {
	var wrong []string
	for _, c := range clocks {
		kept = kept || c.Why == ""
		wrong = append(wrong, c.Name+": "+c.Why)
	}
	if wrong == nil {
		return false, "the kernel knows no clock with a battery, and the configuration names none"
	}
	return kept, strings.Join(wrong, "; ")
}

func above(milli, from int, held bool) bool {
	if held {
		from -= coolBy
	}
	return milli >= from
}

// roomText says for how many hours of running sessions there is room, and by which figure.
func roomText(free, hours, perHour int64, measured bool) string {
	const mega = 1_000_000
	source := "assumed: no session was long enough to measure"
	if measured {
		source = "as the last session wrote"
	}
	return fmt.Sprintf("%d MB are free: room for %d hours of running sessions, at %d MB an hour (%s)", free/mega, hours, max(1, perHour/mega), source)
}
