package main

import (
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"scentpost/station/control"
	"scentpost/station/event"
	"scentpost/station/health"
	"scentpost/station/trial"
	"scentpost/station/uplink/address"
)

// withMetrics is a station whose metrics are served on a port of its own, which somebody holds until release.
func withMetrics(t *testing.T) (d daemon, release func()) {
	t.Helper()
	held, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = held.Close() })
	d.cfg = testConfig(t)
	d.cfg.Metrics.Listen = held.Addr().String()
	d.cfg.Broker.Address, d.cfg.Broker.ClientID = address.Address{Host: "127.0.0.1", Port: 1}, "nobody-is-there"
	return d, func() { _ = held.Close() }
}

// scrape is what a scrape of the daemon gets.
func (d daemon) scrape(t *testing.T) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+d.cfg.Metrics.Listen+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	for limit := time.Now().Add(patience); errors.Is(err, syscall.ECONNREFUSED) && time.Now().Before(limit); { // it is starting
		answer, err = http.DefaultClient.Do(request)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v", answer.Status, body, err)
	}
	return string(body)
}

// eventually is the first scrape that has a condition and a word: what other goroutines tell comes soon.
func (d daemon) eventually(t *testing.T, word string) string {
	t.Helper()
	for limit := time.Now().Add(patience); ; {
		got := d.scrape(t)
		if strings.Contains(got, "\n"+word) && strings.Contains(got, "\nscentpost_condition{") {
			return got
		}
		if time.Now().After(limit) {
			t.Fatalf("no %s and no condition in\n%s", word, got)
		}
	}
}

// shows looks for lines in a scrape, or with a minus before them that they are not in it.
func shows(t *testing.T, when, scraped string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		line, absent := strings.CutPrefix(line, "-")
		if strings.Contains(scraped, "\n"+line) == absent {
			t.Errorf("%s: %q absent: %v, in\n%s", when, line, !absent, scraped)
		}
	}
}

// TestMetricsOfADaemon: a scrape shows the session, and a canister's fault after the reveal alone; after a restart it says
// that it does not know. At the end nothing is left of the server.
func TestMetricsOfADaemon(t *testing.T) {
	d, release := withMetrics(t)
	release()
	station := startStation(t, d.cfg, jam)
	d = startDaemon(t, d.cfg)
	d.out.wait(t, "sessions can be run: ", 1)
	shows(t, "idle", d.scrape(t), `scentpost_session_phase{phase="idle"} 1`, `scentpost_build_info{goversion="`, "scentpost_sessions_blocked 0",
		`scentpost_station_info{simulated="true",site="demo",station="virtual-two"} 1`, "scentpost_conditions_withheld 0", "scentpost_log_records 1\n")
	shows(t, "with a broker that is away", d.eventually(t, "scentpost_uplink_"), "scentpost_uplink_acknowledged_records 0", `scentpost_condition{code="broker-away",on="broker",severity="warning"} 1`)
	w := d.watch(t)
	d.seal(t)
	d.must(t, control.Request{Command: "arm", As: "Assessor"})
	sealed := func(control.Status) {
		shows(t, "sealed", d.scrape(t), `-scentpost_condition{code="device-fault"`)
	}
	w.until(t, sealed, func(s control.Status) bool { return s.Run != nil && s.Run.Cause == event.CauseMechanical })
	shows(t, "void", d.scrape(t), `scentpost_session_phase{phase="sealed"} 1`, `scentpost_session_runs{state="`, `-scentpost_condition{code="device-fault"`,
		"scentpost_board_figures_withheld 1")
	if err := d.end(); err != nil {
		t.Fatal(err)
	}
	d = startDaemon(t, d.cfg)
	d.out.wait(t, "sessions can be run: ", 1)
	shows(t, "after a restart", d.scrape(t), `scentpost_session_phase{phase="sealed"} 1`, `-scentpost_condition{code="device-fault"`, "scentpost_conditions_withheld 1")
	w = d.watch(t)
	d.must(t, control.Request{Command: "abort", As: "Assessor", Reason: "enough"})
	w.until(t, func(control.Status) {}, func(s control.Status) bool { return s.Phase == trial.Ended })
	shows(t, "revealed", d.scrape(t), `scentpost_session_phase{phase="ended"} 1`, "scentpost_conditions_withheld 0", "scentpost_board_figures_withheld 0")
	if err := d.end(); err != nil {
		t.Error(err)
	}
	if err := station(); err != nil {
		t.Error(err)
	}
	noneLeft(t)
}

// TestMetricsOnAPortThatIsTaken stop no station: it is a condition that names the key.
func TestMetricsOnAPortThatIsTaken(t *testing.T) {
	d, _ := withMetrics(t)
	station := startStation(t, d.cfg)
	d = startDaemon(t, d.cfg)
	d.out.wait(t, "sessions can be run: ", 1)
	var conditions []health.Condition
	for i := 0; i < 1000 && len(conditions) == 0; i++ { // it is told on another goroutine, and soon
		conditions = slices.DeleteFunc(d.send(t, control.Request{Command: "status"}).Status.Conditions, func(c health.Condition) bool { return c.Code == health.BrokerAway })
	}
	if len(conditions) != 1 || conditions[0].Code != health.MetricsAway || !strings.HasPrefix(conditions[0].Evidence, "metrics.listen: listen tcp "+d.cfg.Metrics.Listen) {
		t.Errorf("%+v", conditions)
	}
	d.seal(t)
	if err := d.end(); err != nil {
		t.Error(err)
	}
	if err := station(); err != nil {
		t.Error(err)
	}
	noneLeft(t)
}
