//go:build linux

package kerneltest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// vitals are what a daemon holds after a collection.
type vitals struct {
	goroutines, heap int
}

// vitals asks a daemon that was built to tell.
func (s *site) vitals() (v vitals) {
	s.Helper()
	n := strings.Count(tail(s.path("log"), 1000), "vitals ")
	s.manager.signal(syscall.SIGUSR1)
	for range 1000 {
		<-time.After(10 * time.Millisecond)
		all := strings.Split(tail(s.path("log"), 1000), "vitals ")
		if len(all) < n+2 {
			continue
		}
		if _, err := fmt.Sscan(all[n+1], &v.goroutines, &v.heap); err != nil {
			s.Fatal(err)
		}
		return v
	}
	s.Fatal("the daemon did not tell its vitals")
	return v
}

// TestStationIdlesForAnHour: a station in the field, with a broker and under its manager, keeps nothing in an hour
// without work, and lets the processor sleep.
func TestStationIdlesForAnHour(t *testing.T) {
	inGuest(t)
	const looked = 10 * time.Minute // at its wake-ups, at the end of the hour
	subscriber := listen(t)
	s := newSite(t, options{broker: subscriber.url, watchdog: 30 * time.Second, vitals: true})
	s.serve()
	<-time.After(10 * time.Minute)
	early := s.vitals()
	<-time.After(50*time.Minute - looked)
	s.watchWakes()
	<-time.After(looked)
	wakes, threads := s.wakes()
	late := s.vitals()
	rate := float64(wakes) / looked.Seconds()
	publish(t, struct {
		Name       string  `json:"name"`
		Goroutines [2]int  `json:"goroutines"` // at minutes 10 and 60, as the heap is
		Heap       [2]int  `json:"heap_bytes"`
		WakeUps    float64 `json:"wakeups_per_s"`
		Threads    float64 `json:"threads_woken_per_s"`
	}{"idle hour", [2]int{early.goroutines, late.goroutines}, [2]int{early.heap, late.heap}, rate, float64(threads) / looked.Seconds()})
	if late.goroutines != early.goroutines {
		t.Errorf("%d goroutines at minute 10, %d at minute 60", early.goroutines, late.goroutines)
	}
	if late.heap > early.heap*105/100 || late.heap < early.heap*95/100 {
		t.Errorf("heap of %d bytes at minute 10, %d at minute 60: want them within 5 %%", early.heap, late.heap)
	}
	if wakes == 0 || rate > 1 {
		t.Errorf("%.3f wake-ups a second, want some and at most one", rate)
	}
}

// wakeTrace is a trace of its own, beside that of the lines.
const wakeTrace = "instances/wakes/"

// watchWakes begins to trace when the daemon's threads are woken.
func (s *site) watchWakes() {
	s.Helper()
	err := errors.Join(os.Mkdir(filepath.Join(traceRoot, wakeTrace), 0o755), traceFile(wakeTrace+"trace_clock", "mono"),
		traceFile(wakeTrace+"events/sched/sched_wakeup/filter", `comm ~ "scentpostd*"`), traceFile(wakeTrace+"events/sched/sched_wakeup/enable", "1"))
	if err != nil {
		s.Fatal(err)
	}
}

// together is how close wake-ups of threads are that are one of the daemon: one of its threads wakes the next.
const together = 5 * time.Millisecond

// wakes ends that trace and returns how often the daemon woke up out of its sleep, and how often its threads did.
func (s *site) wakes() (wakes, threads int) {
	s.Helper()
	err := traceFile(wakeTrace+"events/sched/sched_wakeup/enable", "0")
	text, wrong := get(filepath.Join(traceRoot, wakeTrace, "trace"))
	if err := errors.Join(err, wrong, os.Remove(filepath.Join(traceRoot, wakeTrace))); err != nil {
		s.Fatal(err)
	}
	last := 0.0
	for line := range strings.Lines(text) {
		before, _, ok := strings.Cut(line, ": sched_wakeup: ")
		if !ok {
			continue
		}
		fields := strings.Fields(before)
		at, err := strconv.ParseFloat(fields[len(fields)-1], 64)
		if err != nil {
			s.Fatalf("a line of the trace is not understood: %q: %v", line, err)
		}
		if threads++; at-last > together.Seconds() {
			wakes++
		}
		last = at
	}
	return wakes, threads
}
