package burst

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"scentpost/drivers/bus"
)

var _ bus.Burst = (*Burst)(nil)

// set is one command that an output took.
type set struct {
	level   bool
	at      int64
	longest time.Duration
}

// output is a bus.Output that notes what it is told and answers at once.
type output struct {
	sets  []set
	fails error
}

func (o *output) Set(level bool, at int64, longest time.Duration, done func(int64, error)) {
	o.sets = append(o.sets, set{level, at, longest})
	if done != nil {
		done(at, o.fails)
	}
}

func bounds() Bounds {
	return Bounds{What: "valve", Shortest: 50 * time.Millisecond, Longest: time.Minute, Rundown: time.Second, MaxRundown: time.Minute, Ceiling: time.Hour}
}

func TestBurst(t *testing.T) {
	out := &output{}
	b, err := New(out, bounds())
	if err != nil {
		t.Fatal(err)
	}
	var stamps []int64
	done := func(mono int64, err error) {
		if err != nil {
			t.Error(err)
		}
		stamps = append(stamps, mono)
	}
	if err := b.On(700, time.Second, done); err != nil {
		t.Fatal(err)
	}
	b.Off(done)
	b.Off(nil)
	if want := []set{{true, 700, time.Second}, {}, {}}; !slices.Equal(out.sets, want) {
		t.Errorf("sets %v, want %v", out.sets, want)
	}
	if !slices.Equal(stamps, []int64{700, 0}) || b.Rundown() != time.Second || b.Longest() != time.Minute {
		t.Errorf("stamps %v, rundown %s, longest %s", stamps, b.Rundown(), b.Longest())
	}
}

func TestTheAnswerIsTheOutputs(t *testing.T) {
	b, err := New(&output{fails: bus.ErrGone}, bounds())
	if err != nil {
		t.Fatal(err)
	}
	var got error
	if err := b.On(0, time.Second, func(_ int64, err error) { got = err }); err != nil || !errors.Is(got, bus.ErrGone) {
		t.Errorf("%v, answered %v", err, got)
	}
}

// TestNothingStaysOn: whatever is asked for, an output that goes on has an end within the bounds.
func TestNothingStaysOn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		out := &output{}
		bounds := bounds()
		b, err := New(out, bounds)
		if err != nil {
			t.Fatal(err)
		}
		lasting := time.Duration(rapid.Int64Range(-int64(time.Hour), int64(2*time.Hour)).Draw(t, "lasting"))
		answered := false
		err = b.On(5, lasting, func(int64, error) { answered = true })
		if allowed := lasting >= bounds.Shortest && lasting <= bounds.Longest; allowed != (err == nil) || allowed != answered {
			t.Fatalf("on for %s: %v, answered %v", lasting, err, answered)
		}
		for _, s := range out.sets {
			if s.level && (s.longest <= 0 || s.longest > bounds.Longest) {
				t.Fatalf("an output went on with the end %s", s.longest)
			}
		}
	})
}

func TestEvenWithoutAShortestABurstHasAnEnd(t *testing.T) {
	out := &output{}
	b, err := New(out, Bounds{What: "buzzer", Longest: time.Second, Ceiling: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	// 0 is the bus's word for "as long as it likes": it must never get there.
	if err := b.On(0, 0, nil); err == nil || len(out.sets) > 0 {
		t.Errorf("on for ever: %v, %v", err, out.sets)
	}
}

func TestNewRefuses(t *testing.T) {
	for says, change := range map[string]func(*Bounds){
		"longest 0s":   func(b *Bounds) { b.Longest = 0 },
		"longest 2h":   func(b *Bounds) { b.Longest = 2 * time.Hour },
		"shortest -1s": func(b *Bounds) { b.Shortest = -time.Second },
		"shortest 2m":  func(b *Bounds) { b.Shortest = 2 * time.Minute },
		"rundown -1s":  func(b *Bounds) { b.Rundown = -time.Second },
		"rundown 2m":   func(b *Bounds) { b.Rundown = 2 * time.Minute },
	} {
		b := bounds()
		change(&b)
		if _, err := New(&output{}, b); err == nil || !strings.Contains(err.Error(), says) || !strings.HasPrefix(err.Error(), "valve: ") {
			t.Errorf("%v, want %q", err, says)
		}
	}
	if _, err := New(nil, bounds()); err == nil {
		t.Error("no output was taken")
	}
}
