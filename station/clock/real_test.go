package clock

import (
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

// TestNowNeverGoesBack: whatever a base does, an instant that was given out is never followed by an earlier one.
func TestNowNeverGoesBack(t *testing.T) {
	readings := []int64{5, 9, 3, 9, 8, 12}
	r := &Real{base: Simulated("b", 1, func() int64 {
		mono := readings[0]
		readings = readings[1:]
		return mono
	}, func(mono int64) int64 { return mono })}
	for _, want := range []int64{5, 9, 9, 9, 9, 12} {
		if got := r.Now(); got.Mono != want || got.UTC != want {
			t.Errorf("now %d, UTC %d, want %d", got.Mono, got.UTC, want)
		}
	}
}

// TestAClockThatIsResumedIsNotBeforeItsRecord: of the same boot no instant is given out before the latest of an earlier process,
// and one of another boot says nothing.
func TestAClockThatIsResumedIsNotBeforeItsRecord(t *testing.T) {
	reading := int64(5)
	r := &Real{base: Simulated("b", 1, func() int64 { return reading }, func(mono int64) int64 { return mono })}
	for _, c := range []struct {
		boot          string
		last, reading int64
		want          int64
	}{{"another", 1000, 6, 6}, {"b", 50, 7, 50}, {"b", 20, 49, 50}, {"b", 60, 61, 61}, {"b", 55, 62, 62}} {
		reading = c.reading
		r.Resume(event.Stamp{Boot: c.boot, Mono: c.last})
		if got := r.Now().Mono; got != c.want {
			t.Errorf("resumed from %d of boot %s at %d: %d, want %d", c.last, c.boot, c.reading, got, c.want)
		}
	}
}
