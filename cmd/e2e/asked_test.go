package e2e

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"scentpost/station/control"
	"scentpost/station/control/socket"
)

// BenchmarkAsked measures what people wait for at the socket of a daemon: the list and the export of one session, in a journal
// that holds it alone and in one with 999 others, by the client and by the program with its start.
func BenchmarkAsked(b *testing.B) {
	for _, c := range []struct {
		name     string
		sessions int
	}{{"alone", 1}, {"among-1000", 1000}} {
		r := newRig(b, options{example: "virtual-six", name: "asked", scale: 1, seed: 1})
		r.fill("demo", slices.Repeat([]int{12}, c.sessions)...)
		r.serve()
		session := sessionID(c.sessions / 2)
		b.Run("list/"+c.name, func(b *testing.B) {
			client := r.dial(b)
			defer r.processors(b)()
			for b.Loop() {
				if got, err := client.Send(&control.Request{Command: "list"}); err != nil || len(got.List) != c.sessions {
					b.Fatal(len(got.List), got.Refused, err)
				}
			}
		})
		b.Run("export/"+c.name, func(b *testing.B) {
			client := r.dial(b)
			defer r.processors(b)()
			for b.Loop() {
				got, err := client.Export(&control.Request{Command: "export", Session: session})
				if err != nil || !got.OK {
					b.Fatal(got.Refused, err)
				}
				if err := got.Export.Bundle(io.Discard); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("program-list/"+c.name, func(b *testing.B) {
			for b.Loop() {
				r.must("session", "list")
			}
		})
		b.Run("program-export/"+c.name, func(b *testing.B) {
			for n := 0; b.Loop(); n++ {
				r.must("record", "export", session, "-o", r.path(fmt.Sprintf("bundle-%d.zip", n)))
			}
		})
		r.daemon.stop(b)
		r.station.stop(b)
	}
}

// dial connects to the daemon until the benchmark ends.
func (r *rig) dial(b *testing.B) *socket.Client {
	b.Helper()
	client, err := socket.Dial(b.Context(), r.socket())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = client.Close() })
	return client
}

// processors reports how much processor time client and daemon take together for one turn, which other work on the machine
// changes least.
func (r *rig) processors(b *testing.B) (report func()) {
	b.Helper()
	used := func() time.Duration {
		var own syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &own); err != nil {
			b.Fatal(err)
		}
		var daemons int64 // ns on a processor, of all its threads
		threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", r.daemon.Process.Pid))
		for _, thread := range threads {
			text, _ := os.ReadFile(thread) // one that has ended has no more
			var ran int64
			_, _ = fmt.Sscan(string(text), &ran)
			daemons += ran
		}
		if err != nil || daemons == 0 {
			b.Fatal("the kernel does not tell the daemon's processor time", err)
		}
		return time.Duration(own.Utime.Nano() + own.Stime.Nano() + daemons)
	}
	began := used()
	return func() { b.ReportMetric(float64((used()-began).Microseconds())/float64(b.N)/1000, "cpu-ms/op") }
}
