package world

import (
	"encoding/hex"
	"io"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestStreamVectors holds the generator to what its comment specifies: a change here changes every simulation.
func TestStreamVectors(t *testing.T) {
	w := New(7)
	if got, want := w.Rand("dog").Uint64(), uint64(wantDog); got != want {
		t.Errorf("first number of stream dog is %#x, want %#x", got, want)
	}
	var b [16]byte
	if _, err := io.ReadFull(w.Bytes("ids"), b[:]); err != nil {
		t.Fatal(err)
	}
	if got := hex.EncodeToString(b[:]); got != wantIDs {
		t.Errorf("first bytes of ids are %s, want %s", got, wantIDs)
	}
}

const (
	wantDog = 0x9afcfe8e4b7fe5c3
	wantIDs = "e0039fc9d51a835ae229a6a543b05304"
)

func TestStreamsAreIndependent(t *testing.T) {
	a, b := New(7), New(7)
	b.Rand("another").Uint64()
	_, _ = io.ReadFull(b.Bytes("dog"), make([]byte, 100))
	for range 100 {
		if a.Rand("dog").Uint64() != b.Rand("dog").Uint64() {
			t.Fatal("taking from one stream changed another")
		}
	}
	if New(7).Rand("dog").Uint64() == New(8).Rand("dog").Uint64() {
		t.Error("two seeds give the same stream")
	}
	if New(7).Rand("a").Uint64() == New(7).Rand("b").Uint64() {
		t.Error("two names give the same stream")
	}
}

func TestNumbersStayInRange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := New(rapid.Uint64().Draw(t, "seed")).Rand("x")
		n := rapid.IntRange(1, 1<<62).Draw(t, "n")
		if got := s.Below(n); got < 0 || got >= n {
			t.Fatalf("Below(%d) = %d", n, got)
		}
		low := time.Duration(rapid.Int64Range(-1e12, 1e12).Draw(t, "low"))
		high := low + time.Duration(rapid.Int64Range(-5, 1e12).Draw(t, "span"))
		if got := s.Between(low, high); got < low || got > max(low, high) {
			t.Fatalf("Between(%d, %d) = %d", low, high, got)
		}
		spread := time.Duration(rapid.Int64Range(0, 1e12).Draw(t, "spread"))
		if got := s.Around(low, spread); got < low-spread || got > low+spread {
			t.Fatalf("Around(%d, %d) = %d", low, spread, got)
		}
		if s.Happens(0) || !s.Happens(1) || s.Happens(-3) || !s.Happens(7) {
			t.Fatal("what cannot happen happened, or what must did not")
		}
	})
}

// TestFrequencies uses a fixed seed, so that it passes or fails for ever; the bounds are five standard deviations.
func TestFrequencies(t *testing.T) {
	s := New(3).Rand("frequencies")
	const n = 60_000
	var faces [6]int
	yes := 0
	for range n {
		faces[s.Below(6)]++
		if s.Happens(0.25) {
			yes++
		}
	}
	for face, count := range faces {
		if count < 10_000-457 || count > 10_000+457 {
			t.Errorf("face %d came %d times of %d", face, count, n)
		}
	}
	if yes < 15_000-531 || yes > 15_000+531 {
		t.Errorf("a quarter came %d times of %d", yes, n)
	}
}

func TestBelowNothing(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("Below(0) returned")
		}
	}()
	New(1).Rand("x").Below(0)
}
