package light

import (
	"testing"
	"time"

	"scentpost/drivers/bus"
)

var _ bus.Lamp = (*Light)(nil)

// output is a bus.Output of a function.
type output func(level bool, at int64, longest time.Duration, done func(int64, error))

func (o output) Set(level bool, at int64, longest time.Duration, done func(int64, error)) {
	o(level, at, longest, done)
}

func TestLight(t *testing.T) {
	type set struct {
		level   bool
		at      int64
		longest time.Duration
	}
	var got []set
	l := New(output(func(level bool, at int64, longest time.Duration, done func(int64, error)) {
		got = append(got, set{level, at, longest})
		if done != nil {
			t.Error("a lamp waits for an answer")
		}
	}))
	l.Set(true, time.Second)
	l.Set(false, 0)
	if len(got) != 2 || got[0] != (set{true, 0, time.Second}) || got[1] != (set{false, 0, 0}) {
		t.Errorf("sets %v", got)
	}
}
