package listeners_test

import (
	"slices"
	"strconv"
	"sync"
	"testing"

	"scentpost/station/listeners"
)

func TestEachHearsInTheOrderInWhichTheyCame(t *testing.T) {
	var l listeners.List[int]
	var heard []string
	hear := func(name string) func(int) {
		return func(n int) { heard = append(heard, name+strconv.Itoa(n)) }
	}
	l.Tell(0)
	stopA, stopB := l.Add(hear("a")), l.Add(hear("b"))
	stopC := l.Add(hear("c"))
	l.Tell(1)
	stopB()
	l.Tell(2)
	stopB()
	stopA()
	l.Add(hear("d"))
	l.Tell(3)
	stopC()
	l.Tell(4)
	if want := []string{"a1", "b1", "c1", "a2", "c2", "c3", "d3", "d4"}; !slices.Equal(heard, want) {
		t.Errorf("heard %v, want %v", heard, want)
	}
}

// TestOneThatHearsMayStopAndAdd: the change under way is told to those who were there when it came.
func TestOneThatHearsMayStopAndAdd(t *testing.T) {
	var l listeners.List[string]
	var heard []string
	var stop func()
	stop = l.Add(func(what string) {
		heard = append(heard, "first "+what)
		stop()
		l.Add(func(what string) { heard = append(heard, "third "+what) })
	})
	l.Add(func(what string) { heard = append(heard, "second "+what) })
	l.Tell("a")
	l.Tell("b")
	if want := []string{"first a", "second a", "second b", "third b"}; !slices.Equal(heard, want) {
		t.Errorf("heard %v, want %v", heard, want)
	}
}

// TestManyGoroutines is for the race detector.
func TestManyGoroutines(t *testing.T) {
	var l listeners.List[int]
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for n := range 200 {
				stop := l.Add(func(int) {})
				l.Tell(n)
				stop()
			}
		})
	}
	wg.Wait()
	l.Add(func(n int) {
		if n != 7 {
			t.Errorf("heard %d", n)
		}
	})
	l.Tell(7)
}
