package verify

import (
	"encoding/hex"
	"strings"
	"testing"

	"scentpost/station/event"
	"scentpost/station/record"
)

// The checkpoint that ended the epoch before must be what it is said to be.
func TestTheProofOfAnEpoch(t *testing.T) {
	root := [32]byte{7}
	note := func(s *station, log record.Log, size int64) string {
		signer, err := record.NewSigner(log, s.private)
		if err != nil {
			t.Fatal(err)
		}
		text, err := signer.Checkpoint(size, root)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	of := func(s *station, epoch string, size int64) string {
		return note(s, record.Log{Site: s.log.Site, Station: s.log.Station, Epoch: epoch}, size)
	}
	cases := map[string]struct {
		change func(s *station, e *event.Epoch)
		want   string // in the problem, "" for none
	}{
		"more records":       {func(s *station, e *event.Epoch) { e.Proof = of(s, "e0b3", 12) }, ""},
		"other records":      {func(s *station, e *event.Epoch) { e.Proof = of(s, "e0b3", 8) }, ""},
		"as many, others":    {func(s *station, e *event.Epoch) { e.Proof = of(s, "e0b3", 9) }, ""},
		"an unknown epoch":   {func(s *station, e *event.Epoch) { e.Proof = of(s, "e0ff", 1) }, ""},
		"the records it had": {func(s *station, e *event.Epoch) { e.Proof, e.PrevRoot = of(s, "e0b3", 9), hex.EncodeToString(root[:]) }, "the very 9 records"},
		"its own epoch":      {func(s *station, e *event.Epoch) { e.Proof = of(s, s.log.Epoch, 12) }, "which it began"},
		"no record":          {func(s *station, e *event.Epoch) { e.Proof = of(s, "e0b3", 0) }, "does not hold"},
		"no epoch before":    {func(s *station, e *event.Epoch) { e.Proof, e.Prev = of(s, "e0b3", 12), "" }, "no epoch stands before"},
		"another station": {func(s *station, e *event.Epoch) {
			e.Proof = note(s, record.Log{Site: "site", Station: "line-10", Epoch: "e0b3"}, 12)
		}, "does not hold"},
		"another key":        {func(s *station, e *event.Epoch) { e.Proof = of(newStation(t, 2), "e0b3", 12) }, "sign"},
		"changed afterwards": {func(s *station, e *event.Epoch) { e.Proof = strings.Replace(of(s, "e0b3", 12), "\n12\n", "\n13\n", 1) }, "sign"},
		"no checkpoint":      {func(_ *station, e *event.Epoch) { e.Proof = "because" }, "does not hold"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s := newStationAfter(t, 1, func(s *station, e *event.Epoch) {
				e.Why, e.Prev, e.PrevSize, e.PrevRoot = "acknowledged beyond", "e0b3", 9, strings.Repeat("0", 64)
				c.change(s, e)
			})
			_, b := unrevealedOf(t, s)
			r := Verify(zipOf(t, b), Options{})
			if c.want == "" {
				if !r.Consistent {
					t.Errorf("it is honest: %v", r.Problems)
				}
				return
			}
			wantNo(t, r, record.MemberEpoch)
			wantNo(t, r, c.want)
		})
	}
}
