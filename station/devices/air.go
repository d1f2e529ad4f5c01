package devices

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"scentpost/drivers/bus"
	"scentpost/station/catalog"
	"scentpost/station/config"
	"scentpost/station/event"
	"scentpost/station/health"
	"scentpost/station/templates"
)

// wired is a bus.Bus that has I2C buses beside its lines, by the names that a configuration uses ("i2c-1").
type wired interface {
	Wires(name string) (bus.Wires, error)
}

const (
	// airRetry is how soon a measurement that failed is tried again: a single sample may be missing without a fault.
	airRetry = 5 * time.Second
	// airStale is how many intervals old a sample may be and still stand for the air.
	airStale = 2
	// maxWhy bounds the reason for a missing sample in the record, in bytes.
	maxWhy = 200
)

// The reasons for a missing sample that the station itself gives; the sensor has more.
const (
	airNone    = "it has not measured yet"
	airHanging = "the wires do not answer"
	airVeiled  = "it gave no sample (its condition says more)"
)

// air is one sensor of the air: it measures in its own time, on the goroutine that owns the wires, and keeps the latest
// sample for whoever asks.
type air struct {
	name     string
	member   *member
	interval time.Duration
	on       string // its bus
	veiled   bool   // a carrier of canisters is on it: why a sample is missing may tell what one of them did
	wires    bus.Wires
	part     bus.Environment // used by jobs of the wires alone

	busy   bool    // a measurement is under way
	err    error   // of the latest one, nil when it gave a sample
	sample bus.Air // the latest one
	at     int64   // when it was measured, 0: never
	next   alarm
	told   string // the evidence of its fault that the sink has, "" while there is none
}

// wires returns the I2C bus of a name.
func (s *Station) wires(name string) (bus.Wires, error) {
	has, ok := s.bus.(wired)
	if !ok {
		return nil, fmt.Errorf("%s: the lines of this station come without I2C buses", name)
	}
	wires, err := has.Wires(name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return wires, nil
}

// addAir makes one sensor of the air. One that is absent is found when it measures.
func (s *Station) addAir(d config.Device, m *member, make catalog.Environment) error {
	wires, err := s.wires(d.Bus)
	if err != nil {
		return err
	}
	part, err := make(wires, d.Values)
	if err != nil {
		return err
	}
	s.airs = append(s.airs, &air{name: d.Name, member: m, interval: d.Values.Durations[templates.SettingInterval], on: d.Bus, wires: wires, part: part,
		err: errors.New(airNone)})
	return nil
}

// measure begins a measurement, and plans the next one. One that is still under way is not waited for: wires that hang
// cost one job.
func (s *Station) measure(a *air) {
	s.again(a, a.interval)
	if a.busy {
		a.err = errors.New(airHanging)
		s.judgeAir(a, health.DeviceAbsent)
		return
	}
	a.busy = true
	begin := a.err != nil
	s.drives.add(order{job: func() { s.ask(a, func() { s.beginMeasure(a, begin) }) }})
}

// again plans the next measurement.
func (s *Station) again(a *air, in time.Duration) {
	var when earliest
	when.consider(s.clock.Now().Mono + int64(in))
	a.next.clear()
	a.next.set(s, when, func() {
		if !s.down {
			s.measure(a)
		}
	})
}

// ask gives a job to the wires.
func (s *Station) ask(a *air, job func()) {
	if err := a.wires.Do(job); err != nil {
		s.measured(a, 0, bus.Air{}, err, health.DeviceAbsent)
	}
}

// beginMeasure is a job of the wires: it has the sensor measure, and finds it first where it is not known to be there.
func (s *Station) beginMeasure(a *air, begin bool) {
	if begin {
		if err := a.part.Begin(); err != nil {
			s.measured(a, 0, bus.Air{}, err, health.DeviceAbsent)
			return
		}
	}
	wait, err := a.part.Measure()
	if err != nil {
		s.measured(a, 0, bus.Air{}, err, health.DeviceFault)
		return
	}
	s.fetchAfter(a, a.wires.Now(), wait)
}

// fetchAfter fetches the measurement that was begun at an instant, when its wait is over. The part gives up by itself on
// one that does not end.
func (s *Station) fetchAfter(a *air, at int64, wait time.Duration) {
	a.wires.At(a.wires.Now()+int64(wait), func() {
		s.ask(a, func() {
			sample, err := a.part.Fetch()
			if errors.Is(err, bus.ErrNotReady) {
				s.fetchAfter(a, at, wait)
				return
			}
			s.measured(a, at, sample, err, health.DeviceFault)
		})
	})
}

// measured ends a measurement; an error is one of a device that is absent, or of one that is there and fails.
func (s *Station) measured(a *air, at int64, sample bus.Air, err error, code health.Code) {
	s.change(func() {
		a.busy, a.err = false, err
		s.judgeAir(a, code)
		switch {
		case s.down:
		case err != nil:
			s.again(a, min(airRetry, a.interval))
		default:
			a.sample, a.at = sample, at
		}
	})
}

// judgeAir says how a sensor of the air is: there or not, and whether it does what it should.
func (s *Station) judgeAir(a *air, code health.Code) {
	a.member.gone = nil
	fault := ""
	switch {
	case a.err == nil:
	case code == health.DeviceAbsent:
		a.member.gone = errors.New(short(a.err.Error(), maxWhy))
	default:
		fault = short(a.err.Error(), maxWhy)
	}
	s.tellPresence()
	switch {
	case fault == a.told:
	case fault == "":
		s.over(health.DeviceFault, a.name)
	default:
		s.condition(health.DeviceFault, a.name, fault)
	}
	a.told = fault
}

// Air returns what each sensor of the air says of an instant, in the order of the configuration: its latest sample, or
// why there is none that stands for the air. It never waits, and what it says depends on no canister.
func (s *Station) Air(mono int64) []event.Air {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []event.Air
	for _, a := range s.airs {
		all = append(all, a.says(mono))
	}
	return all
}

func (a *air) says(mono int64) event.Air {
	says := event.Air{Device: a.name, Readings: []event.Reading{}}
	age := time.Duration(mono - a.at)
	switch {
	case a.err != nil:
		says.Why = short(a.err.Error(), maxWhy)
	case age > airStale*a.interval:
		says.Why = fmt.Sprintf("its latest sample is %s old, and one comes every %s", age.Round(time.Second), a.interval)
	}
	if says.Why != "" {
		if a.veiled {
			says.Why = airVeiled
		}
		return says
	}
	says.MeasuredAt, says.AgeMS = a.at, int(max(age, 0)/time.Millisecond)
	says.Readings = append(says.Readings,
		event.Reading{Quantity: event.Temperature, Milli: int64(a.sample.TemperatureMilliC)},
		event.Reading{Quantity: event.Humidity, Milli: int64(a.sample.HumidityMilliPct)})
	if a.sample.PressureMilliPa != 0 {
		says.Readings = append(says.Readings, event.Reading{Quantity: event.Pressure, Milli: a.sample.PressureMilliPa})
	}
	return says
}

// short is a text that fits into a record.
func short(text string, most int) string {
	if len(text) > most {
		text = text[:most]
	}
	return strings.ToValidUTF8(text, "")
}
