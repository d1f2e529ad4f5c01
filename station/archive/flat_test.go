package archive

import (
	"bytes"
	"runtime"
	"testing"

	"scentpost/station/record"
)

// heapAtMost is how much more heap an export may hold at once, in bytes: some pages of lines, whatever the session's length.
const heapAtMost = 6 << 20

// highest is a writer that keeps the highest heap that was in use while it was written to.
type highest struct {
	written int64
	next    int64
	heap    uint64
}

func (h *highest) Write(p []byte) (int, error) {
	if h.written += int64(len(p)); h.written >= h.next {
		h.next = h.written + 1<<20
		h.heap = max(h.heap, inUse())
	}
	return len(p), nil
}

// inUse returns how many bytes of the heap are reachable now.
func inUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestAnExportTakesFlatMemory: a session of ten times the records takes no more memory while it is written, and the bundle is
// the one that a bundle in memory gives.
func TestAnExportTakesFlatMemory(t *testing.T) {
	runs := []int{150, 1500}
	if testing.Short() {
		runs = []int{15, 150}
	}
	j := onDisk(t, t.TempDir())
	s := begin(t, j, "e1")
	s.hasty = true
	a := archiveOf(j)
	for n, runs := range runs {
		s.whole(id(n), runs, benchPassages)
		before := inUse()
		e, err := a.Export(id(n), true)
		if err != nil {
			t.Fatal(err)
		}
		seen := &highest{}
		if err := e.Bundle(seen); err != nil {
			t.Fatal(err)
		}
		took := max(seen.heap, before) - before
		t.Logf("%d runs: a bundle of %d kB, %d kB of heap", runs, seen.written>>10, took>>10)
		if took > heapAtMost {
			t.Errorf("%d runs: %d kB of heap are held for a bundle of %d kB, want at most %d", runs, took>>10, seen.written>>10, heapAtMost>>10)
		}
	}
	_, stream, err := a.Bundle(id(0), true)
	if err != nil {
		t.Fatal(err)
	}
	b, faults := record.Read(stream, record.DefaultLimits())
	var whole bytes.Buffer
	if err := record.Write(&whole, b); err != nil || len(faults) > 0 || !bytes.Equal(whole.Bytes(), stream) {
		t.Errorf("the bundle of a stream is another than that of its lines: %v, %v", err, faults)
	}
}
