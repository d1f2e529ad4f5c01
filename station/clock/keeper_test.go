package clock

import (
	"errors"
	"testing"
	"time"

	"scentpost/station/event"

	"pgregory.net/rapid"
)

// kernel is a Kernel whose clocks and state a test sets. Reading a clock takes cost, once for each entry of slow more.
type kernel struct {
	mono, offset int64
	cost         int64
	slow         []int64
	synced       bool
	maxError     time.Duration
	err          error
	asked        int
}

func (k *kernel) Boot() string { return "boot" }

func (k *kernel) Mono() int64 { return k.mono }

func (k *kernel) UTC() int64 {
	utc := k.mono + k.offset
	k.mono += k.cost
	if len(k.slow) > 0 {
		k.mono += k.slow[0]
		k.slow = k.slow[1:]
	}
	return utc
}

func (k *kernel) Sync() (bool, time.Duration, error) {
	k.asked++
	return k.synced, k.maxError, k.err
}

const (
	second = int64(time.Second)
	hour   = int64(time.Hour)
)

// today is the offset of a clock that is set.
var today = plausible + 5000*hour

// newKernel returns a kernel that a time server has just set.
func newKernel() *kernel {
	return &kernel{mono: 10 * second, offset: today, synced: true, maxError: time.Millisecond}
}

// after lets time pass, looks, and returns the UTC that is given out then.
func (k *kernel) after(keeper *Keeper, d int64) UTC {
	k.mono += d
	keeper.Look()
	return keeper.UTC(k.mono)
}

func TestFirstQuality(t *testing.T) {
	for name, c := range map[string]struct {
		offset   int64
		synced   bool
		maxError time.Duration
		err      error
		quality  event.Quality
		bound    time.Duration
	}{
		"1970":                                 {0, false, neverSynced, nil, event.Unset, 0},
		"1970, and called synchronised":        {0, true, time.Millisecond, nil, event.Unset, 0},
		"1970, not allowed to ask":             {0, false, 0, errors.New("EPERM"), event.Unset, 0},
		"synchronised":                         {today, true, time.Millisecond, nil, event.Synced, 100 * time.Millisecond},
		"synchronised, badly":                  {today, true, time.Second, nil, event.Synced, time.Second},
		"synchronised, claiming no error":      {today, true, 0, nil, event.Synced, 100 * time.Millisecond},
		"synchronised, claiming nonsense":      {today, true, -time.Second, nil, event.Synced, 100 * time.Millisecond},
		"hours ago":                            {today, false, 12 * time.Second, nil, event.Holdover, 12 * time.Second},
		"a plausible date that nobody set":     {today, false, neverSynced, nil, event.Unset, 0},
		"a plausible date, not allowed to ask": {today, false, 0, errors.New("EPERM"), event.Unset, 0},
	} {
		k := newKernel()
		k.offset, k.synced, k.maxError, k.err = c.offset, c.synced, c.maxError, c.err
		keeper := NewKeeper(k, 0)
		got := keeper.UTC(k.mono)
		if want := (UTC{Nanos: k.mono + c.offset, Bound: int64(c.bound), Quality: c.quality}); got != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
		if s := keeper.State(); s.Quality != c.quality || s.Bound != c.bound || s.Err != c.err || (s.SinceSync >= 0) != (c.err == nil && c.synced) {
			t.Errorf("%s: state %+v", name, s)
		}
	}
}

// TestTheFloorIsConfigured: the kernel's own figure counts only where it is worse.
func TestTheFloorIsConfigured(t *testing.T) {
	for floor, want := range map[time.Duration]time.Duration{0: DefaultFloor, 20 * time.Millisecond: 20 * time.Millisecond, time.Second: time.Second} {
		k := newKernel()
		if got := NewKeeper(k, floor).UTC(k.mono); got.Bound != int64(want) {
			t.Errorf("floor %s: bound %s", floor, time.Duration(got.Bound))
		}
	}
}

// TestTheMapStaysWhileItHolds: what the kernel does within the floor is not seen in the UTC that is given out.
func TestTheMapStaysWhileItHolds(t *testing.T) {
	k := newKernel()
	keeper := NewKeeper(k, 0)
	first := keeper.UTC(k.mono)
	offset := first.Nanos - k.mono
	k.offset += int64(90 * time.Millisecond)
	got := k.after(keeper, second)
	if got.Nanos-k.mono != offset || got.Bound != int64(100*time.Millisecond) {
		t.Errorf("after a step of 90 ms: %+v", got)
	}
	k.maxError = 30 * time.Millisecond
	if got = k.after(keeper, second); got.Bound != int64(120*time.Millisecond) {
		t.Errorf("the bound hides how far the map is from the kernel: %s", time.Duration(got.Bound))
	}
	k.offset += int64(20 * time.Millisecond)
	if got = k.after(keeper, second/2); got.Nanos-k.mono != offset {
		t.Error("the kernel is looked at more often than once a second")
	}
	if got = k.after(keeper, second/2); got.Nanos-k.mono != k.offset || got.Bound != int64(100*time.Millisecond) {
		t.Errorf("after 110 ms the map is the old one: %+v", got)
	}
}

func TestSteps(t *testing.T) {
	for name, step := range map[string]int64{"an hour on": hour, "an hour back": -hour, "a leap second": -second, "a jump of ten years": 87660 * hour} {
		k := newKernel()
		keeper := NewKeeper(k, 0)
		keeper.UTC(k.mono)
		k.offset += step
		if got := k.after(keeper, second); got.Nanos != k.mono+k.offset || got.Quality != event.Synced {
			t.Errorf("%s: %+v", name, got)
		}
		// By hand: the kernel forgets that it was ever synchronised, and so must we.
		k.offset += step
		k.synced, k.maxError = false, neverSynced
		if got := k.after(keeper, second); got.Nanos != k.mono+k.offset || got.Quality != event.Unset || got.Bound != 0 {
			t.Errorf("%s, by hand: %+v", name, got)
		}
		k.synced, k.maxError = true, 0
		if got := k.after(keeper, second); got.Quality != event.Synced {
			t.Errorf("%s, then synchronised: %+v", name, got)
		}
	}
}

// TestHoldoverGrows: 100 ppm are 8.64 s a day, counted from the last synchronisation.
func TestHoldoverGrows(t *testing.T) {
	k := newKernel()
	k.maxError = 200 * time.Millisecond
	keeper := NewKeeper(k, 0)
	keeper.UTC(k.mono)
	k.synced, k.maxError = false, neverSynced
	for _, c := range []struct {
		after int64
		bound time.Duration
	}{{hour, 560 * time.Millisecond}, {23 * hour, 8840 * time.Millisecond}, {24 * hour, 17480 * time.Millisecond}} {
		if got := k.after(keeper, c.after); got.Quality != event.Holdover || got.Bound != int64(c.bound) {
			t.Errorf("%+v, want a bound of %s", got, c.bound)
		}
	}
	if s := keeper.State(); s.SinceSync != 48*time.Hour {
		t.Errorf("synchronised %s ago", s.SinceSync)
	}
	k.err = errors.New("EPERM") // the clock runs on as well as before
	if got := k.after(keeper, 24*hour); got.Quality != event.Holdover || got.Bound != int64(26120*time.Millisecond) {
		t.Errorf("without an answer: %+v", got)
	}
}

func TestTheKernelIsLookedAtOnceASecondAtMost(t *testing.T) {
	k := newKernel()
	keeper := NewKeeper(k, 0)
	for range 30 {
		k.after(keeper, second/10)
		keeper.Look()
	}
	if k.asked != 1+3 {
		t.Errorf("looked %d times at first and in 3 s, want 4", k.asked)
	}
}

// TestWhoAsksForTheTimeLooksNot: devices ask when a canister moves, and a look at that moment would tell it.
func TestWhoAsksForTheTimeLooksNot(t *testing.T) {
	k := newKernel()
	keeper := NewKeeper(k, 0)
	first := keeper.UTC(k.mono)
	k.offset += hour
	k.mono += hour
	if got := keeper.UTC(k.mono); k.asked != 1 || got.Nanos != first.Nanos+hour {
		t.Errorf("looked %d times; an hour later it is %s later", k.asked-1, time.Duration(got.Nanos-first.Nanos))
	}
	if keeper.State(); k.asked != 1 {
		t.Error("asking for the state looks")
	}
}

// TestAnInterruptedReadingIsNoStep: a process that is held up between the two clocks has not seen the UTC jump.
func TestAnInterruptedReadingIsNoStep(t *testing.T) {
	k := newKernel()
	keeper := NewKeeper(k, 0)
	offset := keeper.UTC(k.mono).Nanos - k.mono
	k.slow = []int64{second, second} // two of five
	if got := k.after(keeper, second); got.Nanos-k.mono != offset {
		t.Errorf("after two interruptions the map is another: %d, want %d", got.Nanos-k.mono, offset)
	}
	k.slow = []int64{second, second, second, second, second}
	k.offset += hour
	asked := k.asked
	k.after(keeper, second)
	if k.asked != asked || keeper.offset != offset {
		t.Error("five interrupted readings were believed")
	}
	if got := k.after(keeper, second); got.Nanos-k.mono != k.offset {
		t.Errorf("a second later the step is not seen: %+v", got)
	}
}

// TestResume: a daemon that comes back within a boot goes on with the map of the one before, where it holds.
func TestResume(t *testing.T) {
	last := event.Stamp{Boot: "boot", Mono: 9 * second, UTC: 9*second + today + 5000, UTCBound: 3 * second, Quality: event.Synced}
	unset, other, stepped := last, last, last
	unset.Quality, other.Boot = event.Unset, "another"
	stepped.UTC += hour
	for name, c := range map[string]struct {
		last    event.Stamp
		offset  int64
		quality event.Quality
		bound   int64
	}{
		"the map holds":             {last, today + 5000, event.Holdover, 3*second + 100*1000},
		"nobody vouched for it":     {unset, today + 5000, event.Unset, 0},
		"another boot":              {other, today, event.Unset, 0},
		"it was stepped in between": {stepped, today, event.Unset, 0},
	} {
		k := newKernel()
		k.synced, k.maxError = false, neverSynced
		keeper := NewKeeper(k, 0)
		keeper.Resume(c.last)
		got := keeper.UTC(k.mono)
		if want := (UTC{Nanos: k.mono + c.offset, Bound: c.bound, Quality: c.quality}); got != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
	k := newKernel() // found and lost again while no daemon ran: a holdover does not become better known by itself
	k.synced = false
	keeper := NewKeeper(k, 0)
	last.Quality = event.Holdover
	keeper.Resume(last)
	if got, want := keeper.UTC(k.mono), (UTC{Nanos: k.mono + today + 5000, Bound: 3*second + 100*1000, Quality: event.Holdover}); got != want {
		t.Errorf("found and lost again: %+v, want %+v", got, want)
	}
	k = newKernel() // synchronised: what the kernel says now is newer
	k.maxError = time.Second
	keeper = NewKeeper(k, 0)
	keeper.Resume(last)
	if got, want := keeper.UTC(k.mono), (UTC{Nanos: k.mono + today + 5000, Bound: second + 5000, Quality: event.Synced}); got != want {
		t.Errorf("synchronised: %+v, want %+v", got, want)
	}
}

// TestKeeperProperties: whatever the kernel does, the true UTC lies within the bound that is given out, as long as a
// time server tells the truth and nobody steps the clock by hand; and UTC steps only together with a look.
func TestKeeperProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := newKernel()
		truth := today // the offset of the true UTC
		keeper := NewKeeper(k, time.Duration(rapid.Int64Range(1, 500).Draw(t, "floor ms"))*time.Millisecond)
		offset, looks := int64(0), 0
		for range rapid.IntRange(1, 40).Draw(t, "events") {
			passed := rapid.Int64Range(0, 5000).Draw(t, "ms") * 1e6
			k.mono += passed
			drift := rapid.Int64Range(-DriftPPM, DriftPPM).Draw(t, "ppm") * passed / 1e6
			truth += drift
			if k.synced {
				k.offset = truth + rapid.Int64Range(-300e6, 300e6).Draw(t, "error")
				k.maxError = time.Duration(distance(k.offset, truth))
			}
			if rapid.Bool().Draw(t, "look") {
				keeper.Look()
			}
			got := keeper.UTC(k.mono)
			if wrong := distance(got.Nanos-k.mono, truth); wrong > got.Bound+1000 && got.Quality != event.Unset {
				t.Fatalf("%s wrong, bound %s (%s)", time.Duration(wrong), time.Duration(got.Bound), got.Quality)
			}
			if stepped := got.Nanos-k.mono != offset; stepped && k.asked == looks {
				t.Fatal("UTC stepped without a look")
			}
			offset, looks = got.Nanos-k.mono, k.asked
			if rapid.Bool().Draw(t, "the server goes or comes") {
				k.synced = !k.synced
				k.maxError = neverSynced
			}
		}
	})
}

// BenchmarkUTC is what the UTC of a stamp costs.
func BenchmarkUTC(b *testing.B) {
	k := newKernel()
	keeper := NewKeeper(k, 0)
	for b.Loop() {
		k.mono += 1000
		keeper.UTC(k.mono)
	}
}
