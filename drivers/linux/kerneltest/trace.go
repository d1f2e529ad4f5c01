//go:build linux

package kerneltest

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// traceRoot is where the kernel tells what it traces.
const traceRoot = "/sys/kernel/tracing"

// traceEnd is what the tracer itself puts into the trace, behind all that it is to read.
const traceEnd = "the trace ends here"

// Movement is one thing that was done to a line.
type Movement struct {
	// Line is the kernel's global number of the line.
	Line int
	// Mono is when, on CLOCK_MONOTONIC, in nanoseconds; the kernel prints microseconds.
	Mono int64
	// Kind is "set", "in" or "out".
	Kind string
	// Value is the voltage of a set; of the others, whether it failed.
	Value bool
}

// Tracer follows what the kernel does to GPIO lines: values that are set, and directions. One can be at work at a time.
type Tracer struct {
	pipe  *os.File
	each  func(Movement)
	ended chan error

	mu    sync.Mutex // guards moves
	moves []Movement
}

// StartTracer begins to trace, on the clock that stamps edges. each, unless nil, is called for every movement soon after
// it was made, from one goroutine.
func StartTracer(each func(Movement)) (*Tracer, error) {
	err := errors.Join(
		traceFile("trace_clock", "mono"),
		traceFile("buffer_size_kb", "4096"),
		traceFile("buffer_percent", "0"), // a reader is woken by the first event
		traceFile("trace", ""),
		traceFile("events/gpio/gpio_value/filter", "get == 0"),
		traceFile("events/gpio/enable", "1"),
	)
	if err != nil {
		return nil, fmt.Errorf("trace the GPIO lines: %w", err)
	}
	pipe, err := os.Open(filepath.Join(traceRoot, "trace_pipe"))
	if err != nil {
		return nil, fmt.Errorf("trace the GPIO lines: %w", err)
	}
	t := &Tracer{pipe: pipe, each: each, ended: make(chan error, 1)}
	go func() { t.ended <- t.run() }()
	return t, nil
}

func traceFile(name, text string) error { return put(filepath.Join(traceRoot, name), text) }

func (t *Tracer) run() error {
	lines := bufio.NewScanner(t.pipe)
	for lines.Scan() {
		line := lines.Text()
		if strings.HasSuffix(line, "tracing_mark_write: "+traceEnd) {
			return nil
		}
		if strings.TrimSpace(line) == "" {
			continue // behind a mark
		}
		m, err := ParseMovement(line)
		if err != nil {
			return err
		}
		t.mu.Lock()
		t.moves = append(t.moves, m)
		t.mu.Unlock()
		if t.each != nil {
			t.each(m)
		}
	}
	return fmt.Errorf("the trace ended early: %w", lines.Err())
}

// Moves returns what was done so far.
func (t *Tracer) Moves() []Movement {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.moves)
}

// Stop ends the trace and returns all of it. It fails when the kernel dropped some.
func (t *Tracer) Stop() ([]Movement, error) {
	err := errors.Join(traceFile("events/gpio/enable", "0"), traceFile("trace_marker", traceEnd))
	if err == nil {
		err = <-t.ended
	}
	err = errors.Join(err, t.pipe.Close())
	stats, wrong := get(filepath.Join(traceRoot, "per_cpu/cpu0/stats"))
	if err = errors.Join(err, wrong); err != nil {
		return nil, fmt.Errorf("trace the GPIO lines: %w", err)
	}
	for _, what := range []string{"overrun: ", "dropped events: "} {
		if _, rest, ok := strings.Cut(stats, what); !ok || strings.TrimSpace(strings.SplitN(rest, "\n", 2)[0]) != "0" {
			return nil, fmt.Errorf("the trace is not whole: %s", stats)
		}
	}
	return t.Moves(), nil
}

// The two events of the kernel: "gpio_value: 512 set 1" and "gpio_direction: 512 out (0)".
var traceLine = regexp.MustCompile(`\s(\d{1,9})\.(\d{6}): gpio_(?:value|direction): (\d{1,9}) +(set|in|out) \(?(-?\d{1,9})\)?$`)

// ParseMovement reads one line of a trace. What is no movement is an error, a line that tells of lost events too.
func ParseMovement(line string) (Movement, error) {
	m := traceLine.FindStringSubmatch(line)
	if m == nil {
		return Movement{}, fmt.Errorf("a line of the trace is not understood: %q", line)
	}
	var numbers [4]int64
	for i, text := range []string{m[1], m[2], m[3], m[5]} {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return Movement{}, fmt.Errorf("a line of the trace is not understood: %q: %w", line, err)
		}
		numbers[i] = n
	}
	return Movement{Line: int(numbers[2]), Mono: numbers[0]*1e9 + numbers[1]*1e3, Kind: m[4], Value: numbers[3] != 0}, nil
}
