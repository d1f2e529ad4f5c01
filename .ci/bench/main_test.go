package main

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestRead(t *testing.T) {
	in := "goos: linux\ngoarch: amd64\npkg: scentpost/station/trial\ncpu: Some CPU: 2 cores\n" +
		"BenchmarkStep-2   \t 1000000\t      1050 ns/op\t    952381 events/s\t      16 B/op\t       1 allocs/op\n" +
		"BenchmarkOdd talks in between\nPASS\nok  \tscentpost/station/trial\t2.1s\n" +
		"pkg: scentpost/station/record\nBenchmarkTree\t 5\t 1.5e+06 ns/op\n"
	report, err := read(strings.NewReader(in))
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(report)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"machine":{"cpu":"Some CPU: 2 cores","goarch":"amd64","goos":"linux"},"results":[` +
		`{"package":"scentpost/station/trial","name":"Step-2","n":1000000,"metrics":{"B/op":16,"allocs/op":1,"events/s":952381,"ns/op":1050}},` +
		`{"package":"scentpost/station/record","name":"Tree","n":5,"metrics":{"ns/op":1500000}}],"failed":false}`
	if string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestReadSaysWhenAPackageFailed(t *testing.T) {
	report, err := read(strings.NewReader("--- FAIL: BenchmarkX\nFAIL\tscentpost/x\t0.1s\n"))
	if err != nil || !report.Failed || len(report.Results) != 0 {
		t.Errorf("got %+v, %v", report, err)
	}
}
