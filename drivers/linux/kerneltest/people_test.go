//go:build linux

package kerneltest

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"syscall"
	"time"
)

// status is what the tests need of a session's state.
type status struct {
	Phase      string
	Session    string
	Size       int64 `json:"records,string"`
	Run        *run
	Runs       []run
	Aborted    *struct{ Cause, Reason string }
	Clock      worth
	Conditions []condition
	Obstacle   *struct{ Code string } // why the next run cannot start
}

type run struct {
	Run    int
	State  string
	Cause  string // of a void by the station
	Calls  []call
	Locked string
	Last   int `json:"last_beam"`
}

// worth is what the UTC of a session is worth.
type worth struct {
	Last  string // the quality at the last event
	Bound int64  `json:"bound_ns,string"`
	Steps int
	By    string `json:"said_by"`
	Said  string
}

type call struct {
	Kind     string
	Position int
}

// calls are those of a run as people say them.
func (r run) calls() (said []string) {
	for _, c := range r.Calls {
		switch c.Kind {
		case "alert":
			said = append(said, fmt.Sprint("alert at ", c.Position))
		case "clear":
			said = append(said, "all clear")
		default:
			said = append(said, c.Kind)
		}
	}
	return said
}

type condition struct{ Code, On, Evidence string }

// condition returns what is wrong with a device or chip in one way, if it is.
func (st status) condition(code, on string) (condition, bool) {
	for _, c := range st.Conditions {
		if c.Code == code && c.On == on {
			return c, true
		}
	}
	return condition{}, false
}

// cli runs scentpost and returns what it printed.
func (s *site) cli(args ...string) []byte {
	s.Helper()
	cmd := exec.Command("/scentpost", args...)
	cmd.Env = []string{"SCENTPOST_SOCKET=" + s.path("scentpost.sock"), "HOME=" + s.dir}
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			s.Fatalf("scentpost %q: %v\n%s%s", args, err, out, exit.Stderr)
		}
		s.Fatalf("scentpost %q: %v", args, err)
	}
	return out
}

// tell gives a command of a session as somebody, and returns the state after it.
func (s *site) tell(as string, args ...string) status {
	s.Helper()
	var answer struct{ Status status }
	out := s.cli(append(append([]string{"session"}, args...), "--json", "--as", as)...)
	if err := json.Unmarshal(out, &answer); err != nil {
		s.Fatalf("session %q: %v in %s", args, err, out)
	}
	return answer.Status
}

// watch follows the states of the session until the test ends, or the daemon.
func (s *site) watch() {
	s.Helper()
	cmd := exec.Command("/scentpost", "watch", "--json", "--socket", s.path("scentpost.sock"))
	out, err := cmd.StdoutPipe()
	if err != nil {
		s.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	s.states = bufio.NewScanner(out)
	s.states.Buffer(nil, 1<<20)
}

// until waits for a state that is wanted.
func (s *site) until(what string, wanted func(status) bool) status {
	s.Helper()
	limit := time.AfterFunc(2*time.Minute, func() {
		s.Errorf("%s did not come within two minutes", what)
		s.manager.signal(syscall.SIGKILL) // which ends the watch
	})
	defer limit.Stop()
	var last status
	for s.states.Scan() {
		last = status{}
		if err := json.Unmarshal(s.states.Bytes(), &last); err != nil {
			s.Fatalf("watch: %v in %s", err, s.states.Text())
		}
		if wanted(last) {
			return last
		}
	}
	s.Fatalf("the watch ended before %s; last it showed %+v", what, last)
	return last
}

// untilRun waits for the run under way to be in a state.
func (s *site) untilRun(state string) {
	s.Helper()
	s.until("a run that is "+state, func(st status) bool { return st.Run != nil && st.Run.State == state })
}

// untilEnd waits for the end of a run, and returns what became of it.
func (s *site) untilEnd(n int) (status, run) {
	s.Helper()
	st := s.until(fmt.Sprint("the end of run ", n), func(st status) bool { return between(st) && len(st.Runs) == n })
	return st, st.Runs[n-1]
}

// between tells whether the next run can be armed, or the session is over.
func between(st status) bool {
	return st.Phase == "ended" || st.Phase == "sealed" && st.Run == nil
}

// seal opens a session and seals it.
func (s *site) seal() {
	s.Helper()
	s.tell("Assessor", "open", "short", "--dog", "Rex", "--handler", "Handler", "--assessor", "Assessor", "--discipline", "explosives")
	s.tell("Loader", "load")
	s.tell("Assessor", "seal", "--station-alone")
	s.until("the seal", func(st status) bool { return between(st) && st.Session != "" })
}

// startable waits until the next run can start.
func (s *site) startable() {
	s.Helper()
	s.until("a run that can start", func(st status) bool { return between(st) && st.Obstacle == nil })
}

// present arms a run and waits until its line stands open.
func (s *site) present() {
	s.Helper()
	s.tell("Assessor", "arm")
	s.untilRun("presented")
}

// search presents a run and starts it by the button.
func (s *site) search() {
	s.Helper()
	s.present()
	s.press("button.start", 100*time.Millisecond)
	s.untilRun("searching")
}

// press presses a button for a while, or breaks a beam.
func (s *site) press(line string, held time.Duration) {
	for _, active := range []bool{true, false} {
		p := playedEdge{line: line, active: active, before: s.clock.Mono()}
		s.pull(line, active)
		p.after = s.clock.Mono()
		s.played = append(s.played, p)
		if active {
			<-time.After(held)
		}
	}
}
