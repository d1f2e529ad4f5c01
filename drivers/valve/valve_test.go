package valve

import (
	"slices"
	"strings"
	"testing"
	"time"

	"scentpost/drivers/bus"
)

var _ bus.Burst = (*Valve)(nil)

// output is a bus.Output that notes what it is told.
type output struct{ levels []bool }

func (o *output) Set(level bool, at int64, longest time.Duration, done func(int64, error)) {
	if level && longest <= 0 {
		panic("on without an end")
	}
	o.levels = append(o.levels, level)
	if done != nil {
		done(at, nil)
	}
}

func TestValve(t *testing.T) {
	out := &output{}
	part, err := New(out, Longest)
	if err != nil {
		t.Fatal(err)
	}
	if len(out.levels) > 0 {
		t.Error("it moves before anybody asks")
	}
	for lasting, fits := range map[time.Duration]bool{
		Shortest - 1: false, Shortest: true, Longest: true, Longest + 1: false, 0: false, -time.Second: false,
	} {
		err := part.On(9, lasting, nil)
		if (err == nil) != fits {
			t.Errorf("on for %s: %v", lasting, err)
		}
		if err != nil && !strings.HasPrefix(err.Error(), "valve: ") {
			t.Errorf("on for %s: the error does not say of what: %v", lasting, err)
		}
	}
	stopped := false
	part.Off(func(int64, error) { stopped = true })
	if !slices.Equal(out.levels, []bool{true, true, false}) || !stopped {
		t.Errorf("levels %v, stopped %v", out.levels, stopped)
	}
}

func TestNewRefuses(t *testing.T) {
	out := &output{}
	for _, longest := range []time.Duration{0, Shortest - 1, MaxLongest + 1} {
		if _, err := New(out, longest); err == nil {
			t.Errorf("longest %s was taken", longest)
		}
	}
	if _, err := New(out, MaxLongest); err != nil {
		t.Error(err)
	}
}
