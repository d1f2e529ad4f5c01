package clock

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"scentpost/station/event"
)

// bubble is a base that runs scale times as fast as the test's time.
func bubble(scale float64) Base {
	start := time.Now()
	return Simulated("boot", scale, func() int64 { return int64(float64(time.Since(start)) * scale) }, func(mono int64) int64 { return 1000 + mono })
}

func TestCallsComeInOrderAndOnTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, err := New(bubble(50))
		if err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex
		var got []int
		note := func(n int) func() { return func() { mu.Lock(); got = append(got, n); mu.Unlock() } }
		check := func(want ...int) {
			mu.Lock()
			defer mu.Unlock()
			if !slices.Equal(got, want) {
				t.Errorf("calls %v, want %v", got, want)
			}
		}
		second := int64(time.Second)
		r.At(300*second, note(4))
		r.At(100*second, note(1))
		stop := r.At(150*second, note(99))
		r.At(200*second, note(2))
		r.At(200*second, note(3))
		stop()
		stop()
		r.At(-1, note(0))
		time.Sleep(3 * time.Second) // 150 virtual seconds
		synctest.Wait()
		check(0, 1)
		time.Sleep(4 * time.Second)
		synctest.Wait()
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		check(0, 1, 2, 3, 4)
		stop()
	})
}

func TestACallMaySetAndStopOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, err := New(bubble(1))
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		var again, never bool
		r.At(1, func() {
			stop := r.At(2, func() { never = true })
			r.At(3, func() { again = true })
			stop()
		})
		time.Sleep(time.Second)
		synctest.Wait()
		if !again || never {
			t.Errorf("set within a call: %v, want true; stopped within a call: %v, want false", again, never)
		}
	})
}

func TestABaseThatStandsStillCostsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reads := 0
		b := Simulated("boot", 100, func() int64 { reads++; return 0 }, func(int64) int64 { return 0 })
		r, err := New(b)
		if err != nil {
			t.Fatal(err)
		}
		r.At(1, func() { t.Error("called before its time") })
		time.Sleep(time.Second)
		r.Close()
		if most := int(time.Second/soonest) + 10; reads > most {
			t.Errorf("clock read %d times in a second, want at most %d", reads, most)
		}
	})
}

func TestCloseStopsTheRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, err := New(bubble(1))
		if err != nil {
			t.Fatal(err)
		}
		r.At(int64(time.Minute), func() { t.Error("called after Close") })
		r.Close()
		r.Close()
		time.Sleep(time.Hour)
	})
}

// kernel is a Kernel of functions.
type kernel struct {
	mono, utc int64
	sync      func() (bool, time.Duration, error)
}

func (k *kernel) Boot() string                       { return "boot" }
func (k *kernel) Mono() int64                        { return k.mono }
func (k *kernel) UTC() int64                         { return k.utc }
func (k *kernel) Sync() (bool, time.Duration, error) { return k.sync() }

func TestQuality(t *testing.T) {
	set := plausible + 1
	for name, c := range map[string]struct {
		utc      int64
		synced   bool
		maxError time.Duration
		err      error
		quality  event.Quality
		bound    time.Duration
	}{
		"1970":              {0, true, time.Millisecond, nil, event.Unset, 0},
		"synchronised":      {set, true, time.Millisecond, nil, event.Synced, 100 * time.Millisecond},
		"badly":             {set, true, time.Second, nil, event.Synced, time.Second},
		"not any more":      {set, false, 20 * time.Second, nil, event.Holdover, 20 * time.Second},
		"may not be asked":  {set, true, 0, errors.New("EPERM"), event.Holdover, 16 * time.Second},
		"1970, not allowed": {5, false, 0, errors.New("EPERM"), event.Unset, 0},
	} {
		k := &kernel{utc: c.utc, sync: func() (bool, time.Duration, error) { return c.synced, c.maxError, c.err }}
		got := System(k).UTC(0)
		if want := (UTC{Nanos: c.utc, Bound: int64(c.bound), Quality: c.quality}); got != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
}

func TestTheKernelIsAskedOnceASecond(t *testing.T) {
	asked := 0
	k := &kernel{utc: plausible, sync: func() (bool, time.Duration, error) { asked++; return true, 0, nil }}
	utc := System(k).UTC
	for mono := int64(0); mono < 3*int64(time.Second); mono += int64(100 * time.Millisecond) {
		utc(mono)
	}
	if asked != 3 {
		t.Errorf("asked %d times in 3 s, want 3", asked)
	}
}

func TestNewRefusesHalfABase(t *testing.T) {
	whole := Simulated("boot", 1, func() int64 { return 0 }, func(int64) int64 { return 0 })
	for name, spoil := range map[string]func(*Base){
		"boot":  func(b *Base) { b.Boot = "" },
		"mono":  func(b *Base) { b.Mono = nil },
		"utc":   func(b *Base) { b.UTC = nil },
		"scale": func(b *Base) { b.Scale = 0 },
	} {
		b := whole
		spoil(&b)
		if _, err := New(b); err == nil {
			t.Errorf("a base without %s was taken", name)
		}
	}
}

func TestNowCarriesItsErrors(t *testing.T) {
	r, err := New(Simulated("b-7", 1, func() int64 { return 5 }, func(mono int64) int64 { return 100 + mono }))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if got, want := r.Now(), (event.Stamp{Boot: "b-7", Mono: 5, UTC: 105, Quality: event.Simulated}); got != want {
		t.Errorf("now %+v, want %+v", got, want)
	}
}
