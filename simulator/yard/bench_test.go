package yard_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"scentpost/configs"
	"scentpost/simulator/yard"
	"scentpost/station/journal"
	"scentpost/station/trial"
)

// BenchmarkSession runs whole 12-run sessions through devices, host, engine, record and a journal in memory.
func BenchmarkSession(b *testing.B) {
	file, src := plan(b, "lineup-six")
	rule := rule(b)
	records := int64(0)
	for b.Loop() {
		y := newYard(b, "virtual-six", nil)
		conduct(b, y, file, src, rule)
		size := y.Store.Size()
		records += size
	}
	b.ReportMetric(12*float64(b.N)/b.Elapsed().Seconds(), "runs/s")
	b.ReportMetric(float64(records)/b.Elapsed().Seconds(), "records/s")
}

// BenchmarkSessionOnDisk tells what a 12-run session writes to the disk, as the kernel counts it: every record is a
// commit of its own on virtual time, which is the most that a session can cost.
func BenchmarkSessionOnDisk(b *testing.B) {
	file, src := plan(b, "lineup-six")
	rule := rule(b)
	before := written(b)
	for b.Loop() {
		dir := b.TempDir()
		store, err := journal.Open(filepath.Join(dir, "journal"), journal.Options{Departed: filepath.Join(dir, "departed.json"), Ballast: -1})
		if err != nil {
			b.Fatal(err)
		}
		y := newYard(b, "virtual-six", func(o *yard.Options) { o.Store = store })
		conduct(b, y, file, src, rule)
		if err := store.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(written(b)-before)/float64(b.N), "written-B/session")
}

func conduct(t testing.TB, y *yard.Yard, file string, plan, rule []byte) {
	t.Helper()
	if err := y.Prepare(file, plan, rule); err != nil {
		t.Fatal(err)
	}
	if err := y.Conduct(); err != nil {
		t.Fatal(err)
	}
}

// sound conducts a session from plan to verdict, in which nothing may be wrong.
func sound(t *testing.T, y *yard.Yard) {
	t.Helper()
	file, src := plan(t, "short")
	conduct(t, y, file, src, rule(t))
	v := y.Host.Snapshot().View
	if v.Verdict == nil || v.Used != 0 || !closed(y) {
		t.Errorf("verdict %v, %d reserve runs used, all closed %t", v.Verdict, v.Used, closed(y))
	}
	for _, r := range v.Runs() {
		if r.State != trial.Completed {
			t.Errorf("run %d is %s: %s", r.Index, r.State, r.Why)
		}
	}
	if told := y.Conditions.All(); len(told) != 0 {
		t.Errorf("conditions %+v", told)
	}
}

func rule(t testing.TB) []byte {
	t.Helper()
	_, src, err := configs.Files{}.Read(configs.Rules, "uk-short-odour")
	if err != nil {
		t.Fatal(err)
	}
	return src
}

// written returns the bytes that this process caused to be written to the disk.
func written(t testing.TB) int64 {
	t.Helper()
	text, err := os.ReadFile("/proc/self/io")
	if err != nil {
		t.Skip("the kernel does not count what is written: ", err)
	}
	for line := range strings.Lines(string(text)) {
		if n, ok := strings.CutPrefix(strings.TrimSpace(line), "write_bytes: "); ok {
			bytes, err := strconv.ParseInt(n, 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return bytes
		}
	}
	t.Skip("the kernel does not count what is written")
	return 0
}
