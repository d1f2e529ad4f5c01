//go:build linux

package kerneltest

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestStationDoctor: before the daemon runs the doctor finds every line, and the kernel saw no request of it and no
// movement. A line that somebody has, and one that is not there, are told with their device. While the daemon runs it is
// asked.
func TestStationDoctor(t *testing.T) {
	inGuest(t)
	s := newSite(t, options{})
	before := s.doctor(0)
	if !strings.Contains(before, "no daemon runs here") || !strings.Contains(before, "all 12 devices are found") || !strings.Contains(before, "station:c1a.drive") {
		t.Errorf("before the daemon runs:\n%s", before)
	}
	if touched := s.trace(); len(touched) > 0 {
		t.Errorf("the kernel saw %+v", touched)
	}
	whole, err := os.ReadFile(s.path("station.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	s.configure(strings.Replace(string(whole), "line: beam2}", "line: baem2}", 1))
	if missing := s.doctor(1); !strings.Contains(missing, `MISSING  beam-2`) || !strings.Contains(missing, `did you mean "beam2"?`) {
		t.Errorf("a line that is not there:\n%s", missing)
	}
	s.configure(string(whole))
	s.serve()
	if during := s.doctor(0); !strings.Contains(during, "the daemon at") || !strings.Contains(during, "all 12 devices are found") {
		t.Errorf("while the daemon runs:\n%s", during)
	}
	s.configure(strings.Replace(string(whole), "socket: scentpost.sock", "socket: other.sock", 1))
	if held := s.doctor(1); !strings.Contains(held, `"c1a.drive" is held by "scentpost"`) || strings.Count(held, "MISSING") != 12 {
		t.Errorf("beside a daemon with another socket:\n%s", held)
	}
}

func (s *site) configure(text string) {
	s.Helper()
	if err := os.WriteFile(s.path("station.yaml"), []byte(text), 0o600); err != nil {
		s.Fatal(err)
	}
}

// doctor runs the doctor, which must exit with a code, and returns what it says.
func (s *site) doctor(code int) string {
	s.Helper()
	out, err := exec.Command("/scentpostd", "doctor", s.path("station.yaml")).CombinedOutput()
	got := 0
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		got = exit.ExitCode()
	} else if err != nil {
		s.Fatal(err)
	}
	if got != code {
		s.Errorf("the doctor exits %d, want %d:\n%s", got, code, out)
	}
	return string(out)
}
