package yard_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"scentpost/simulator/yard"
	"scentpost/station/control"
	"scentpost/station/event"
	"scentpost/station/health"
)

// scraped looks for lines in what a scrape gets, or with a minus before them that they are not in it.
func scraped(t *testing.T, y *yard.Yard, when string, lines ...string) {
	t.Helper()
	answer := httptest.NewRecorder()
	y.Metrics.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for _, line := range lines {
		line, absent := strings.CutPrefix(line, "-")
		if strings.Contains(answer.Body.String(), "\n"+line) == absent {
			t.Errorf("%s: %q absent: %v, in\n%s", when, line, !absent, answer.Body)
		}
	}
}

// TestMetricsOfBoards: their figures are told until the seal and from the reveal on, and never in between, whatever becomes of
// boards and daemon.
func TestMetricsOfBoards(t *testing.T) {
	y := newYard(t, "virtual-boards", nil)
	figures := []string{`scentpost_board_up{board="nano-1"} 1`, `scentpost_board_clock_bound_seconds{board="nano-1"}`, `scentpost_board_frames_total{board="nano-2"}`,
		`scentpost_board_last_start_info{board="nano-1",cause="`}
	kept := []string{"scentpost_board_figures_withheld 1", `scentpost_board_info{board="nano-1",id="nano-1",type="nano"} 1`}
	for _, line := range figures {
		kept = append(kept, "-"+strings.SplitAfter(line, "{")[0])
	}
	scraped(t, y, "idle", append(figures, "scentpost_board_figures_withheld 0", "scentpost_conditions_withheld 0")...)
	file, src := plan(t, "short")
	if err := y.Prepare(file, src, nil); err != nil {
		t.Fatal(err)
	}
	scraped(t, y, "sealed", kept...)
	if _, err := y.Do(event.Assessor, control.Request{Command: "arm"}); err != nil {
		t.Fatal(err)
	}
	y.Boards[canisterBoard].Unplug()
	y.World.RunFor(5 * time.Second)
	scraped(t, y, "a board is away", append(kept, "-scentpost_condition{")...)
	y.Boards[canisterBoard].Plug()
	if err := y.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := y.Start(); err != nil {
		t.Fatal(err)
	}
	y.World.RunFor(5 * time.Second)
	scraped(t, y, "after a restart", append(kept, "-scentpost_condition{", "scentpost_conditions_withheld 1")...)
	conclude(t, y)
	scraped(t, y, "revealed", append(figures, "scentpost_board_figures_withheld 0", "scentpost_conditions_withheld 0")...)
}

// TestABoardWhoseClockIsWrong is measured and said to be, for as long as that can be told, and a session goes on.
func TestABoardWhoseClockIsWrong(t *testing.T) {
	for ppm, says := range map[int]string{15_000: "its clock is 14778 ppm fast", -15_000: "its clock is 15228 ppm slow", 40_000: "contradicted each other", 9_000: ""} {
		y := newYard(t, "virtual-boards", func(o *yard.Options) { o.Clocks = map[string]int{canisterBoard: ppm} })
		wrong := func() (evidence string) {
			for _, c := range y.Conditions.All() {
				if c.Code == health.BoardClock && c.On == canisterBoard {
					evidence = c.Evidence
				}
			}
			return evidence
		}
		y.World.RunFor(21 * time.Second) // an idle station looks every ten seconds
		if got := wrong(); (got == "") != (says == "") || !strings.Contains(got, says) {
			t.Errorf("%d ppm: it says %q, want %q", ppm, got, says)
		}
		if says != "" && ppm < 40_000 {
			scraped(t, y, "idle", `scentpost_condition{code="board-clock",on="nano-1",severity="warning"} 1`, `scentpost_board_clock_drift_ratio{board="nano-1"} `+
				map[bool]string{true: "-0.0147", false: "0.0152"}[ppm > 0], `scentpost_board_clock_contradictions_total{board="nano-1"} 0`)
		}
		file, src := plan(t, "short")
		conduct(t, y, file, src, rule(t))
	}
}
