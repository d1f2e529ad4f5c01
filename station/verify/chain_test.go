package verify

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"scentpost/station/blind"
	"scentpost/station/event"
	"scentpost/station/record"
	"scentpost/station/trial"
)

// interleaved is a session between whose records others of another session stand: up to many of them.
func interleaved(t testing.TB, many int) (*station, record.Bundle) {
	s := newStation(t, 1)
	var other record.Chain
	own := s.chain
	var lines [][]byte
	write := func(kind event.Type, body, secret any) {
		s.session, s.chain = "s-1", own
		seq := s.event(kind, 0, body, secret)
		lines, own = append(lines, s.lines[seq]), s.chain
	}
	aside := func(n int) {
		s.session, s.chain = "s-2", other
		for range n {
			s.event(event.Noted, 0, &event.Why{Reason: "of another team"}, nil)
		}
		other = s.chain
	}
	for i := range many {
		aside(i)
		if i == 0 {
			write(event.SessionOpened, &event.Opening{Name: "Short", PlanHash: hexOf(sha256.Sum256(nil)), Mode: event.ModeDouble, Draft: event.Draft, Laws: trial.Laws(), Simulated: true}, nil)
			binding := blind.Binding{Station: s.log.Station, Epoch: s.log.Epoch, SetUp: setUp, PlanHash: sha256.Sum256(nil)}
			_, load, filling := blind.Load(binding, s.openings(), nil, [32]byte{1}, [32]byte{2})
			write(event.SessionLoaded, load, filling)
			write(event.SessionSealed, &event.Seed{Source: event.Alone}, &event.NonceSeed{Seed: "00"})
			continue
		}
		write(event.Noted, &event.Why{Reason: "of this team"}, nil)
		if i%5 == 0 {
			write(event.RunLocked, &event.Lock{Reason: event.LockTimeOut, At: 5}, nil)
			s.checkpoint("lock")
		}
	}
	s.session = "s-1"
	b, err := record.Assemble(record.Bundle{Log: s.log, Session: "s-1", Epoch: s.lines[0], Key: s.key, Lines: lines, Checkpoints: s.notes},
		tlog.HashReaderFunc(s.readHashes))
	if err != nil {
		t.Fatal(err)
	}
	return s, b
}

// TestRecordsOfOthersStandBetweenAsHashes, and none of the session's own can be hidden among them.
func TestRecordsOfOthersStandBetweenAsHashes(t *testing.T) {
	s, b := interleaved(t, 21)
	if len(b.Gaps) != 21 {
		t.Fatalf("%d gaps", len(b.Gaps))
	}
	if r := Verify(zipOf(t, b), Options{Checkpoints: []string{b.Checkpoints[1].Note}}); !r.Consistent || r.Witness != WitnessPaper {
		t.Fatal(r.Problems)
	}
	between, err := s.signer.Checkpoint(b.Gaps[9].From+1, [32]byte{1})
	if err != nil {
		t.Fatal(err)
	}
	wantNo(t, Members(membersOf(t, b), Options{Checkpoints: []string{string(between)}}), "cannot be held against this bundle")
	for i := range b.Lines[1 : len(b.Lines)-1] { // without its first or last record it begins or ends elsewhere
		i++
		less := b
		less.Lines = slices.Delete(slices.Clone(b.Lines), i, i+1)
		less, err := record.Assemble(less, tlog.HashReaderFunc(s.readHashes))
		if err != nil {
			t.Fatal(err)
		}
		wantNo(t, Members(membersOf(t, less), Options{}), fmt.Sprintf("says that it is record %d of the session, and is record %d", i+2, i+1))
	}
}

// TestEveryByteOfGapsCounts, as of every member.
func TestEveryByteOfGapsCounts(t *testing.T) {
	_, b := interleaved(t, 8)
	everyByte(t, b, 3)
}

// TestGapsThatCannotBe are named.
func TestGapsThatCannotBe(t *testing.T) {
	_, b := interleaved(t, 8)
	for name, change := range map[string]func(gaps []record.Gap) []record.Gap{
		"none":        func([]record.Gap) []record.Gap { return nil },
		"no first":    func(g []record.Gap) []record.Gap { return g[1:] },
		"in disorder": func(g []record.Gap) []record.Gap { g[1], g[2] = g[2], g[1]; return g },
		"empty":       func(g []record.Gap) []record.Gap { g[2].To = g[2].From; return g },
		"backwards":   func(g []record.Gap) []record.Gap { g[2].To = g[2].From - 1; return g },
		"joined":      func(g []record.Gap) []record.Gap { g[2].From = g[1].To; return g },
		"at the end": func(g []record.Gap) []record.Gap {
			return append(g, record.Gap{From: b.To(), To: b.To() + 1, Nodes: g[0].Nodes})
		},
		"huge":    func(g []record.Gap) []record.Gap { g[2].To = 1<<63 - 1; return g },
		"too few": func(g []record.Gap) []record.Gap { g[3].Nodes = g[3].Nodes[1:]; return g },
		"too many": func(g []record.Gap) []record.Gap {
			g[3].Nodes = append(slices.Clone(g[3].Nodes), tlog.Hash{})
			return g
		},
	} {
		changed := b
		changed.Gaps = change(slices.Clone(b.Gaps))
		t.Run(name, func(t *testing.T) { wantNo(t, Members(membersOf(t, changed), Options{}), record.MemberLog) })
	}
}

// TestAZipOfTwoMindsIsNotJudged: whoever packed it again may have done so in good faith.
func TestAZipOfTwoMindsIsNotJudged(t *testing.T) {
	_, b := unrevealed(t, 1)
	r := Verify(append(zipOf(t, b), "after its end"...), Options{})
	if repacked := (*record.Repacked)(nil); !errors.As(r.Unjudged, &repacked) || r.Consistent {
		t.Errorf("%v, consistent %t, %v", r.Unjudged, r.Consistent, r.Problems)
	}
}
