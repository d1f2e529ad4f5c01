package blind

import (
	"crypto/sha256"
	"encoding/binary"
	"flag"
	"os"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "write the vectors in testdata anew")

// base is a good plan that the tests change.
const base = `plan: Base
form: lineup
presentation: actuated
mode: double
positions: 3
runs: 3
reserve: 1
loading: {each_position: [tnt, rdx, glove, blank]}
targets: {odours: [tnt, rdx], per_run: 0..1, per_session: 1..2}
distractors: {odours: [glove], per_run: 0..1}
balance: {positions: true, odours: true, same_position_in_a_row: 2}
calls: first-ends
limits: {run: 90s, dwell: 3s}
`

func parsed(t testing.TB, text string) Plan {
	t.Helper()
	p, err := ParsePlan("plan.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func example(t testing.TB, name string) Plan {
	t.Helper()
	src, err := os.ReadFile(filepath.Join("..", "..", "configs", "plans", name+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return parsed(t, string(src))
}

// numbered returns one of many seeds.
func numbered(n int) [32]byte {
	return sha256.Sum256(binary.BigEndian.AppendUint64([]byte("test"), uint64(n)))
}

func drawn(t testing.TB, p Plan, seed [32]byte) Deal {
	t.Helper()
	deal, err := Draw(p, p.Loading(), seed)
	if err != nil {
		t.Fatal(err)
	}
	return deal
}
