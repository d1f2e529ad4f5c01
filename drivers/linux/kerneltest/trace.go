//go:build linux

package kerneltest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// traceRoot is where the kernel tells what it traces.
const traceRoot = "/sys/kernel/tracing"

// Movement is one thing that the kernel did to a line.
type Movement struct {
	// Line is the kernel's global number of the line.
	Line int
	// Mono is when, on CLOCK_MONOTONIC, in nanoseconds; the kernel prints microseconds.
	Mono int64
	// Kind is "set", "get", "in" or "out".
	Kind string
	// Value is the voltage of a set or get; of the others, whether it failed.
	Value bool
}

// Trace begins to trace all that happens to GPIO lines, on the clock that stamps edges.
func Trace() error {
	return errors.Join(
		put(filepath.Join(traceRoot, "trace_clock"), "mono"),
		put(filepath.Join(traceRoot, "buffer_size_kb"), "16384"),
		put(filepath.Join(traceRoot, "trace"), ""),
		put(filepath.Join(traceRoot, "events/gpio/enable"), "1"),
	)
}

// Traced ends the trace and returns it. It fails when the kernel dropped some of it.
func Traced() ([]Movement, error) {
	if err := put(filepath.Join(traceRoot, "events/gpio/enable"), "0"); err != nil {
		return nil, err
	}
	stats, err := get(filepath.Join(traceRoot, "per_cpu/cpu0/stats"))
	if err != nil {
		return nil, err
	}
	for _, what := range []string{"overrun: ", "dropped events: "} {
		if _, rest, ok := strings.Cut(stats, what); !ok || strings.TrimSpace(strings.SplitN(rest, "\n", 2)[0]) != "0" {
			return nil, fmt.Errorf("the trace is not whole: %s", stats)
		}
	}
	b, err := os.ReadFile(filepath.Join(traceRoot, "trace"))
	if err != nil {
		return nil, err
	}
	return ParseTrace(string(b))
}

// The two events of the kernel: "gpio_value: 512 set 1" and "gpio_direction: 512 out (0)".
var traceLine = regexp.MustCompile(`\s(\d+)\.(\d{6}): gpio_(value|direction): (\d+) +(set|get|in|out) \(?(-?\d+)\)?`)

// ParseTrace reads the text of a trace.
func ParseTrace(text string) ([]Movement, error) {
	var all []Movement
	for _, line := range strings.Split(text, "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		m := traceLine.FindStringSubmatch(line)
		if m == nil {
			return nil, fmt.Errorf("a line of the trace is not understood: %q", line)
		}
		var numbers [4]int64
		for i, text := range []string{m[1], m[2], m[4], m[6]} {
			n, err := strconv.ParseInt(text, 10, 64)
			if err != nil {
				return nil, fmt.Errorf("a line of the trace is not understood: %q: %w", line, err)
			}
			numbers[i] = n
		}
		all = append(all, Movement{Line: int(numbers[2]), Mono: numbers[0]*1e9 + numbers[1]*1e3, Kind: m[5], Value: numbers[3] != 0})
	}
	return all, nil
}
