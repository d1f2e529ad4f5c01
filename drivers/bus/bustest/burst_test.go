package bustest

import (
	"strings"
	"testing"
	"time"

	"scentpost/drivers/bus"
	"scentpost/drivers/bus/burst"
)

// sound is a kind of part in which nothing is wrong.
func sound() Burst {
	b := Burst{What: "horn", Shortest: time.Second, Longest: time.Minute, MaxLongest: time.Hour}
	b.New = func(out bus.Output, longest time.Duration) (bus.Burst, error) {
		return burst.New(out, burst.Bounds{What: "horn", Shortest: time.Second, Longest: longest, Ceiling: time.Hour})
	}
	return b
}

// spoilt is a part that does something otherwise.
type spoilt struct {
	bus.Burst
	on       func(at int64, lasting time.Duration, done func(int64, error)) error
	off      func(done func(int64, error))
	shortest time.Duration
}

func (s spoilt) On(at int64, lasting time.Duration, done func(int64, error)) error {
	if s.on == nil {
		return s.Burst.On(at, lasting, done)
	}
	return s.on(at, lasting, done)
}

func (s spoilt) Off(done func(int64, error)) {
	if s.off == nil {
		s.Burst.Off(done)
		return
	}
	s.off(done)
}

func (s spoilt) Shortest() time.Duration { return max(s.shortest, s.Burst.Shortest()) }

// TestWhatIsWrongWithABurstIsFound plants one fault at a time.
func TestWhatIsWrongWithABurstIsFound(t *testing.T) {
	if err := sound().Check(); err != nil {
		t.Fatal(err)
	}
	type wrap = func(out bus.Output, part bus.Burst) bus.Burst
	with := func(f wrap) func(*Burst) {
		return func(b *Burst) {
			was := b.New
			b.New = func(out bus.Output, longest time.Duration) (bus.Burst, error) {
				part, err := was(out, longest)
				if err != nil {
					return nil, err
				}
				return f(out, part), nil
			}
		}
	}
	for says, spoil := range map[string]func(*Burst){
		"usual longest time 2h0m0s is refused": func(b *Burst) { b.Longest = 2 * time.Hour },
		"moves before it is told": with(func(out bus.Output, part bus.Burst) bus.Burst {
			out.Set(true, 0, time.Second, nil)
			return part
		}),
		"it says that it works for": with(func(_ bus.Output, part bus.Burst) bus.Burst { return spoilt{Burst: part, shortest: time.Minute} }),
		`told ["on at 9 for 0s"], want []`: with(func(out bus.Output, part bus.Burst) bus.Burst {
			return spoilt{Burst: part, on: func(at int64, lasting time.Duration, done func(int64, error)) error {
				out.Set(true, at, lasting, done)
				return nil
			}}
		}),
		"for 1m0s\"]; 0 answers": with(func(_ bus.Output, part bus.Burst) bus.Burst {
			return spoilt{Burst: part, on: func(at int64, lasting time.Duration, _ func(int64, error)) error {
				return part.On(at, lasting, nil)
			}}
		}),
		"does not say of which part": func(b *Burst) { b.What = "bell" },
		"its output was told [] and 1 of 1": with(func(_ bus.Output, part bus.Burst) bus.Burst {
			return spoilt{Burst: part, off: func(done func(int64, error)) {
				if done != nil {
					done(0, nil)
				}
			}}
		}),
		"made with the longest time 1h0m0.000000001s": func(b *Burst) {
			b.New = func(out bus.Output, longest time.Duration) (bus.Burst, error) {
				return burst.New(out, burst.Bounds{What: "horn", Shortest: time.Second, Longest: longest, Ceiling: 24 * time.Hour})
			}
		},
		"made without an output": func(b *Burst) {
			was := b.New
			b.New = func(out bus.Output, longest time.Duration) (bus.Burst, error) {
				if out == nil {
					out = &switched{}
				}
				return was(out, longest)
			}
		},
	} {
		b := sound()
		spoil(&b)
		if err := b.Check(); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("got %v, want %q", err, says)
		}
	}
}
