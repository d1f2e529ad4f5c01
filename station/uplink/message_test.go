package uplink

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestTopics(t *testing.T) {
	topics, err := NewTopics("Prishtinë", "line 1")
	if err != nil || topics.Journal != "scentpost/v1/Prishtinë/line 1/journal" {
		t.Errorf("topics %v, %v", topics, err)
	}
	for _, bad := range []string{"", "a/b", "a+", "#", "a\x00", "a\n", "\xff", strings.Repeat("x", 129)} {
		if _, err := NewTopics("site", bad); err == nil || !strings.Contains(err.Error(), "station") {
			t.Errorf("station %q: error %v", bad, err)
		}
		if _, err := NewTopics(bad, "station"); err == nil || !strings.Contains(err.Error(), "site") {
			t.Errorf("site %q: error %v", bad, err)
		}
	}
}

// What is written is read back, whatever the epoch's name and the state.
func TestStateRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := Departed{
			Epoch: rapid.StringMatching(`.+`).Draw(t, "epoch"),
			Size:  rapid.Int64Min(0).Draw(t, "size"),
		}
		state := rapid.SampledFrom([]string{``, `null`, `{"a":[1,"b"]}`, `7`}).Draw(t, "state")
		got, err := ParseState(appendState(nil, want, []byte(state)))
		if err != nil || got != want {
			t.Fatalf("got %v, %v; want %v", got, err, want)
		}
	})
}

// refused are retained messages that are none of ours.
var refused = []string{
	``, `{}`, `null`, `[]`, `"x"`, `{"epoch":"e","size":"1"}`, `{"epoch":"","size":"1","state":1}`,
	`{"epoch":"e","size":1,"state":1}`, `{"epoch":"e","size":"-1","state":1}`, `{"epoch":"e","size":"1.5","state":1}`,
	`{"epoch":"e","size":"99999999999999999999","state":1}`, `{"epoch":"e","size":"1","state":1,"more":2}`,
	`{"epoch":"e","size":"1","state":1}{}`, `{"epoch":"e","size":"1","state":1} x`, `{"epoch":"e","size":"1","state":`,
	"\x00\x01\x02",
}

func TestParseStateRefuses(t *testing.T) {
	for _, bad := range append(refused, strings.Repeat(" ", maxState+1)) {
		if got, err := ParseState([]byte(bad)); err == nil || !strings.Contains(err.Error(), "retained state") {
			t.Errorf("%.60q: %v, %v", bad, got, err)
		}
	}
}

func FuzzParseState(f *testing.F) {
	for _, seed := range append(refused, `{"epoch":"e","size":"12","state":{"phase":"idle"}}`) {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		departed, err := ParseState(payload)
		if err != nil {
			return
		}
		again, err := ParseState(appendState(nil, departed, nil))
		if err != nil || again != departed {
			t.Errorf("%v read back as %v, %v", departed, again, err)
		}
	})
}

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
	b.Worked()
	if b.Failed(); ranges[200] != time.Second {
		t.Errorf("after success the range is %v, want 1s", ranges[200])
	}
}
