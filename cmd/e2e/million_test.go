package e2e

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"scentpost/station/control"
	"scentpost/station/uplink/brokertest"
	"scentpost/station/verify"
)

const (
	// residentMost is what the daemon may ever hold of the machine's memory, in MB; the comment of its unit says so. No
	// GOMEMLIMIT is needed for it, and the unit sets none.
	residentMost = 64
	// longRuns is a session of 136,000 records.
	longRuns = 2000
	// million is how many sessions of 12 runs make a million records together with that one.
	million = 1053
)

// TestTheDaemonLivesWithin64MB with a journal of 1,000,000 records, all of which a broker has yet to get: while it starts, lists
// the sessions, exports a short one and one of 136,000 records, is watched, and sends.
func TestTheDaemonLivesWithin64MB(t *testing.T) {
	if testing.Short() {
		t.Skip("it writes 1,000,000 records first")
	}
	broker := brokertest.Start(t)
	r := newRig(t, options{example: "virtual-six", name: "million", broker: broker.URL, scale: 1, seed: 1})
	metrics := r.serveMetrics()
	runs := make([]int, million)
	for n := range runs {
		runs[n] = 12
	}
	runs[million/2] = longRuns
	began := time.Now()
	records := r.fill("demo", runs...)
	if records < 1_000_000 {
		t.Fatalf("the journal has %d records", records)
	}
	t.Logf("written in %.0f s", time.Since(began).Seconds())
	r.serve()
	step := func(what string) {
		t.Logf("%s: resident %.1f MB, at most %.1f MB so far", what, residentMB(t, r.daemon.Process.Pid), memoryOf(t, r.daemon.Process.Pid, "VmHWM"))
	}
	step("started")
	w := r.watch()
	w.until(t, "a view", func(control.Status) bool { return true })
	for range 3 {
		if all := r.list(); len(all) != million {
			t.Fatalf("%d sessions are listed, want %d", len(all), million)
		}
	}
	step("listed")
	for _, session := range []string{sessionID(1), sessionID(million / 2)} {
		bundle := r.export(session)
		if report := verify.Verify(bundle, verify.Options{}); !strings.Contains(fmt.Sprint(report.Session), session) {
			t.Errorf("session %s: %+v", session, report)
		}
		step(fmt.Sprintf("exported, a bundle of %d kB", len(bundle)>>10))
	}
	acknowledged := fmt.Sprintf("\nscentpost_uplink_acknowledged_records %v\n", float64(records))
	for limit := time.Now().Add(5 * patience); !strings.Contains(scrape(t, metrics), acknowledged); {
		if time.Now().After(limit) {
			t.Fatalf("the broker does not have all %d records:\n%s", records, scrape(t, metrics))
		}
	}
	step("sent")
	if most := memoryOf(t, r.daemon.Process.Pid, "VmHWM"); most > residentMost {
		t.Errorf("the daemon held %.1f MB at most, want %d", most, residentMost)
	}
	r.daemon.stop(t)
}

// serveMetrics has the daemon of a rig serve metrics from its next start on, and returns where.
func (r *rig) serveMetrics() (url string) {
	r.t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		r.t.Fatal(err)
	}
	at := free.Addr().String()
	text, err := os.ReadFile(r.config)
	if err := errors.Join(err, free.Close(), os.WriteFile(r.config, append(text, "\nmetrics: {listen: \""+at+"\"}\n"...), 0o600)); err != nil {
		r.t.Fatal(err)
	}
	return "http://" + at + "/metrics"
}

// scrape reads metrics.
func scrape(t testing.TB, url string) string {
	t.Helper()
	answer, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
