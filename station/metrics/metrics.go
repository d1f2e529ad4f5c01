// Package metrics offers what everybody may see of a station as metrics for Prometheus.
//
// It keeps nothing and runs nothing: a scrape asks control for the public view, and shows that. What that view keeps back
// from seal to reveal, as the figures of boards, is absent here for as long; what it freezes, as conditions, is as it was at
// the seal. Memory, processor time and goroutines of the program are left out: they go by what moves. So are counts of
// scrapes, which are nobody's business.
package metrics

import (
	"net/http"
	"runtime"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"scentpost/station/control"
	"scentpost/station/health"
)

// Options are what the metrics of a station are made of. All but Acknowledged must be set.
type Options struct {
	Site, Station, Version string
	// Public returns what everybody may see now, without waiting for long. It may be called from several goroutines.
	Public func() control.Public
	// Acknowledged returns how many records of the log the broker has acknowledged, if there is one; nil for never. It may be
	// called as Public may.
	Acknowledged func() (records int64, known bool)
}

// atOnce is how many scrapes are answered at once; Prometheus makes one.
const atOnce = 4

// New returns what answers a scrape.
func New(o Options) http.Handler {
	registry := prometheus.NewRegistry() // one of its own: nothing that a library registers by itself gets in
	registry.MustRegister(collector{o})
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{MaxRequestsInFlight: atOnce, DisableCompression: true})
}

// collector makes metrics of the public view. It implements prometheus.Collector.
type collector struct{ Options }

// family is one metric without its value.
type family struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
}

// all are the families, for Describe.
var all []*prometheus.Desc

func newFamily(kind prometheus.ValueType, name, help string, labels ...string) family {
	f := family{prometheus.NewDesc("scentpost_"+name, help, labels, nil), kind}
	all = append(all, f.desc)
	return f
}

func gauge(name, help string, labels ...string) family {
	return newFamily(prometheus.GaugeValue, name, help, labels...)
}

// is gives a value of the family, and of its labels in their order.
func (f family) is(to chan<- prometheus.Metric, value float64, labels ...string) {
	to <- prometheus.MustNewConstMetric(f.desc, f.kind, value, labels...)
}

// holds gives 1 for yes and 0 for no.
func (f family) holds(to chan<- prometheus.Metric, yes bool, labels ...string) {
	value := 0.0
	if yes {
		value = 1
	}
	f.is(to, value, labels...)
}

// The families of a station.
var (
	build        = gauge("build_info", "The version of the daemon, and of Go that built it. Always 1.", "version", "goversion")
	station      = gauge("station_info", "The station, and whether all that it does is a simulation. Always 1.", "site", "station", "simulated")
	phase        = gauge("session_phase", "How far the session is. 1 for the present phase, the others are absent.", "phase")
	runs         = gauge("session_runs", "Runs of the session, by the state that everybody sees.", "state")
	left         = gauge("session_runs_left", "Runs of the session that are still to be armed.")
	reserve      = gauge("session_reserve_runs_left", "Reserve runs of the session that were not needed yet.")
	blocked      = gauge("sessions_blocked", "1 while no session can be held, or between runs the next one cannot start, else 0.")
	records      = gauge("log_records", "Durable records in the present epoch of the log.")
	acknowledged = gauge("uplink_acknowledged_records", "Records in the present epoch of the log that the broker has acknowledged. What is in the log beyond it waits. Absent without a broker.")
	failed       = gauge("journal_failed", "1 when the journal has failed and the station has stopped, else 0.")
	condition    = gauge("condition", "1 for each condition that holds, as far as it may be seen now: from seal to reveal those of canisters and of what carries them are as at the seal.", "code", "on", "severity")
	blank        = gauge("conditions_withheld", "1 when the daemon does not know what was so at the seal, so that no condition of a canister or of what carries one is shown before the reveal, else 0.")
	figuresKept  = gauge("board_figures_withheld", "1 from seal to reveal, when the figures of all boards are absent, else 0.")
	severities   = []health.Severity{health.Notice, health.Warning, health.Fault, health.Stop}
	bySeverity   = gauge("conditions", "Conditions that hold, by how much they stop, as far as they may be seen now.", "severity")
)

// Describe implements prometheus.Collector.
func (collector) Describe(to chan<- *prometheus.Desc) {
	for _, desc := range all {
		to <- desc
	}
}

// Collect implements prometheus.Collector.
func (c collector) Collect(to chan<- prometheus.Metric) {
	seen := c.Public()
	build.is(to, 1, c.Version, runtime.Version())
	station.is(to, 1, c.Site, c.Station, strconv.FormatBool(seen.Status.Simulated))
	session(to, seen.Status)
	if c.Acknowledged != nil {
		if n, known := c.Acknowledged(); known {
			acknowledged.is(to, float64(n))
		}
	}
	conditions(to, seen)
	figuresKept.holds(to, seen.FiguresKept)
	for _, b := range seen.Boards {
		board(to, b)
	}
}

// session gives how far the session and the log are.
func session(to chan<- prometheus.Metric, s control.Status) {
	phase.is(to, 1, string(s.Phase))
	in := map[string]float64{}
	for _, r := range s.Runs {
		in[string(r.State)]++
	}
	for state, n := range in {
		runs.is(to, n, state)
	}
	left.is(to, float64(s.Left))
	reserve.is(to, float64(s.Reserve-s.Used))
	blocked.holds(to, s.Obstacle != nil || s.Failed != nil)
	records.is(to, float64(s.Size))
	failed.holds(to, s.Failed != nil)
}

// conditions gives what is wrong, as far as it may be seen.
func conditions(to chan<- prometheus.Metric, seen control.Public) {
	count := map[health.Severity]float64{}
	for _, c := range seen.Status.Conditions {
		if c.Until != 0 { // over before it could be told
			continue
		}
		count[c.Severity]++
		condition.is(to, 1, string(c.Code), c.On, c.Severity.String())
	}
	for _, s := range severities {
		bySeverity.is(to, count[s], s.String())
	}
	blank.holds(to, seen.Blank)
}
