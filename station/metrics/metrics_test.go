package metrics_test

import (
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"scentpost/station/control"
	"scentpost/station/health"
	"scentpost/station/metrics"
	"scentpost/station/refusal"
)

var update = flag.Bool("update", false, "write the expected text anew")

// scrape is what a scrape of a station gets that looks as seen.
func scrape(t *testing.T, seen control.Public) string {
	t.Helper()
	h := metrics.New(metrics.Options{Site: "site", Station: "yard-1", Version: "v1", Public: func() control.Public { return seen },
		Acknowledged: func() (int64, bool) { return 4700, seen.Status.Size > 0 }})
	answer := httptest.NewRecorder()
	h.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if answer.Code != http.StatusOK || !strings.HasPrefix(answer.Header().Get("Content-Type"), "text/plain; version=0.0.4") {
		t.Fatalf("%d: %v: %s", answer.Code, answer.Header(), answer.Body)
	}
	return answer.Body.String()
}

// everything is a station of which all is told.
func everything() control.Public {
	return control.Public{
		Status: control.Status{Simulated: true, Size: 4711, Phase: "ended", Left: 3, Reserve: 2, Used: 1, Failed: refusal.New("x"), Obstacle: refusal.New("y"),
			Runs: []control.RunStatus{{State: "completed"}, {State: "completed"}, {State: "void"}},
			Conditions: []health.Condition{
				{Code: health.JournalFull, Severity: health.Stop},
				{Code: health.BoardClock, On: "nano-1", Severity: health.Warning},
				{Code: health.DeviceFault, On: `canister "1a"`, Severity: health.Fault, Until: 7},
			}},
		Boards: []control.BoardLine{
			{Board: control.Board{Name: "nano-1", Type: "nano", Port: "/dev/one", ID: "one"}, Figures: &control.BoardFigures{
				Up: true, State: "up", Kind: "m328p", ID: "one", Firmware: "1.2.3", Build: "ab", Boot: 9, Cause: "brown-out",
				RoundTrip: 30 * time.Microsecond, Bound: 250 * time.Microsecond, DriftPPM: -1200, Opens: 1, Sessions: 2, Frames: 3, Errors: 4, Resends: 5,
				Lost: 6, Glitches: 7, LeastRoundTrip: 20 * time.Microsecond, Pings: 8, FastPings: 10, Contradicting: 11}},
			{Board: control.Board{Name: "nano-2", Type: "nano", ID: "two"}, Figures: &control.BoardFigures{State: "shut", Opens: 12}},
		},
	}
}

// TestAllThatIsTold compares a scrape with testdata/all.txt.
func TestAllThatIsTold(t *testing.T) {
	const golden = "testdata/all.txt"
	got := strings.ReplaceAll(scrape(t, everything()), runtime.Version(), "GOVERSION")
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if want, err := os.ReadFile(golden); err != nil || got != string(want) {
		t.Errorf("%v; got\n%s\nwant\n%s", err, got, want)
	}
}

// TestNamesAreAsPrometheusWantsThem: base units, _total, help.
func TestNamesAreAsPrometheusWantsThem(t *testing.T) {
	problems, err := promlint.New(strings.NewReader(scrape(t, everything()))).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

// TestWhatIsKeptBackIsAbsent: of boards whose figures are kept back there is what the configuration says and nothing else.
func TestWhatIsKeptBackIsAbsent(t *testing.T) {
	seen := everything()
	seen.FiguresKept, seen.Blank, seen.Status.Size = true, true, 0
	for i := range seen.Boards {
		seen.Boards[i].Figures = nil
	}
	got := scrape(t, seen)
	for line := range strings.Lines(got) {
		if strings.HasPrefix(line, "scentpost_board_") && !strings.HasPrefix(line, "scentpost_board_info{") && line != "scentpost_board_figures_withheld 1\n" {
			t.Errorf("it tells %s", line)
		}
	}
	if strings.Contains(got, "scentpost_uplink") {
		t.Errorf("without a broker something is acknowledged:\n%s", got)
	}
	for _, want := range []string{"scentpost_board_figures_withheld 1\n", "scentpost_conditions_withheld 1\n", `scentpost_board_info{board="nano-2",id="two",type="nano"} 1`} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

// TestNothingOfTheProgram: what the program takes of the machine goes by what moves, and so does how long it took.
func TestNothingOfTheProgram(t *testing.T) {
	for line := range strings.Lines(scrape(t, control.Public{})) {
		if name := strings.TrimPrefix(strings.TrimPrefix(line, "# HELP "), "# TYPE "); !strings.HasPrefix(name, "scentpost_") {
			t.Errorf("it tells %s", line)
		}
	}
}
