package bus

import (
	"errors"
	"time"
)

// Burst is a part that works for a bounded time and then stops by itself: a purge valve, a fan, a buzzer.
type Burst interface {
	// On starts it at the monotonic instant at (at or before now: at once) and has the bus stop it after lasting.
	// It never waits; done, unless nil, is called once, as that of Output.Set is, when On returns nil. A lasting
	// that the part does not allow is refused with an error before anything moves, and done is never called.
	On(at int64, lasting time.Duration, done func(mono int64, err error)) error
	// Off stops it now.
	Off(done func(mono int64, err error))
	// Shortest is the shortest that On allows, and Longest the longest.
	Shortest() time.Duration
	Longest() time.Duration
	// Rundown is how long it goes on having an effect after it was stopped.
	Rundown() time.Duration
}

// Air is one sample of the air at the station, temperature and humidity always, pressure where there is a sensor for it.
type Air struct {
	TemperatureMilliC int32 // thousandths of a degree Celsius
	HumidityMilliPct  int32 // thousandths of a percent of relative humidity
	PressureMilliPa   int64 // thousandths of a pascal; 0: not measured
}

// ErrNotReady: the measurement is still under way. Fetch may be called again after a while.
var ErrNotReady = errors.New("not measured yet")

// Environment is a part that measures the air. It keeps no goroutine and never sleeps: whoever owns the wires asks for
// a measurement, waits, and fetches it. Each call may block for as long as the wires do, so the one goroutine that owns
// them makes it. A sample that is missing harms nothing; a wrong one would stand in a record, so what is doubtful is an
// error.
type Environment interface {
	// Begin finds the chip and makes it ready. It comes first, and again after any error but ErrNotReady.
	Begin() error
	// Measure starts one measurement, which can be fetched after wait.
	Measure() (wait time.Duration, err error)
	// Fetch returns the measurement that Measure started.
	Fetch() (Air, error)
}
