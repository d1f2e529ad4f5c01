// Command bench turns the output of go test -bench into JSON: it shows what comes in on standard input as it comes, and
// writes the benchmarks in it to the file that it is given.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

// Result is one benchmark.
type Result struct {
	Package string `json:"package"`
	Name    string `json:"name"` // without "Benchmark", with the number of processors after a hyphen when not 1
	N       int64  `json:"n"`    // iterations
	// Metrics are the figures by their unit, such as "ns/op" or "events/s".
	Metrics map[string]float64 `json:"metrics"`
}

// Report is what the file holds.
type Report struct {
	Machine map[string]string `json:"machine"` // goos, goarch, cpu
	Results []Result          `json:"results"`
	Failed  bool              `json:"failed"` // a package failed; its benchmarks are not all here
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "use: go test -bench . ./... | bench FILE.json")
		os.Exit(2)
	}
	report, err := read(io.TeeReader(os.Stdin, os.Stdout))
	if err == nil {
		err = write(os.Args[1], report)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// read collects the benchmarks of go test's output.
func read(in io.Reader) (Report, error) {
	report := Report{Machine: map[string]string{}, Results: []Result{}}
	var pkg string
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		line := lines.Text()
		key, value, _ := strings.Cut(line, ": ")
		switch {
		case key == "pkg":
			pkg = value
		case key == "goos" || key == "goarch" || key == "cpu":
			report.Machine[key] = value
		case strings.HasPrefix(line, "FAIL"):
			report.Failed = true
		case strings.HasPrefix(line, "Benchmark"):
			if r, ok := parse(line); ok {
				r.Package = pkg
				report.Results = append(report.Results, r)
			}
		}
	}
	return report, lines.Err()
}

// parse reads a line such as "BenchmarkStep-2  100  12.5 ns/op  3 events/s".
func parse(line string) (Result, bool) {
	fields := strings.Fields(line)
	if len(fields) < 4 || len(fields)%2 != 0 {
		return Result{}, false
	}
	n, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil {
		return Result{}, false
	}
	r := Result{Name: strings.TrimPrefix(fields[0], "Benchmark"), N: n, Metrics: map[string]float64{}}
	for i := 2; i < len(fields); i += 2 {
		value, err := strconv.ParseFloat(fields[i], 64)
		if err != nil {
			return Result{}, false
		}
		r.Metrics[fields[i+1]] = value
	}
	return r, true
}

func write(file string, report Report) error {
	out, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(out, '\n'), 0o644)
}
