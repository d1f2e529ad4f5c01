package uplink

import (
	"testing"
	"time"
)

// The pause is drawn from the whole range, which doubles up to its bound and never overflows.
func TestBackoff(t *testing.T) {
	var ranges []time.Duration
	b := Backoff{Least: time.Second, Most: 10 * time.Second, Draw: func(n int64) int64 {
		ranges = append(ranges, time.Duration(n-1))
		return n - 1
	}}
	for range 200 {
		if pause := b.Failed(); pause != ranges[len(ranges)-1] {
			t.Fatalf("pause %v, drawn %v", pause, ranges[len(ranges)-1])
		}
	}
	for i, want := range []time.Duration{1, 2, 4, 8, 10, 10} {
		if ranges[i] != want*time.Second {
			t.Errorf("range %d is %v, want %v", i, ranges[i], want*time.Second)
		}
	}
	if ranges[199] != 10*time.Second {
		t.Errorf("after 200 failures the range is %v", ranges[199])
	}
	b.Worked(9 * time.Second)
	if b.Failed(); ranges[200] != 10*time.Second {
		t.Errorf("after a delivery on a connection that broke as fast as it came: %v, want 10s", ranges[200])
	}
	b.Worked(10 * time.Second)
	if b.Failed(); ranges[201] != time.Second {
		t.Errorf("after success the range is %v, want 1s", ranges[201])
	}
}
