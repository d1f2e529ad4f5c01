package journal

import (
	"bytes"
	"strings"
	"testing"
)

// TestScrubFindsDamageByItself: bounded looks find each bad record of all epochs, round and round, and nothing else; what is
// put right is told no more after a whole round.
func TestScrubFindsDamageByItself(t *testing.T) {
	p := spoilt(t, 3000, func(content []byte) []byte {
		for _, text := range []string{`{"seq":"70"`, `{"seq":"2900"`} {
			content[bytes.Index(content, []byte(text))+60] ^= 1
		}
		return content
	})
	j := p.open(t)
	if err := j.BeginEpoch("e2", WhyBeyond); err != nil {
		t.Fatal(err)
	}
	mustCommit(t, j, Batch{Rows: rows(0, 10, "s2")})
	look := func() Scrubbed {
		t.Helper()
		found, err := j.Scrub()
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	var told []string
	for range 4 {
		told = append(told, look().Text)
	}
	first, both := "record 70 of epoch e1", "record 70 of epoch e1, record 2900 of epoch e1"
	if want := strings.Join([]string{first, first, both, both}, "; "); strings.Join(told, "; ") != want {
		t.Errorf("four looks tell %q, want %q", told, want)
	}
	db, err := openDB(epochPath(p.dir, "e1"), 1, writePragmas)
	if err != nil {
		t.Fatal(err)
	}
	for _, seq := range []int64{70, 2900} {
		if _, err := db.Exec("UPDATE records SET line = ? WHERE seq = ?", rows(seq, seq+1, "s1")[0].Line, seq); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	for looks := 0; look().Damaged > 0; looks++ {
		if looks > 10 {
			t.Fatal("what was put right is told for ever")
		}
	}
}
