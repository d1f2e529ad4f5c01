package e2e

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience bounds what a busy machine may take; nothing is measured by it.
const patience = 60 * time.Second

// programs is the folder of the programs, built once.
var programs string

func TestMain(m *testing.M) { os.Exit(buildAndRun(m)) }

func buildAndRun(m *testing.M) int {
	var err error
	if programs, err = os.MkdirTemp("", "scentpost-e2e-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(programs)
	build := exec.Command("go", "build", "-trimpath", "-o", programs+"/", "../scentpost", "../scentpostd", "../scentsim")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build the programs: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// program is one running process of ours.
type program struct {
	*exec.Cmd
	in    io.Writer   // standard input, of one that was started by startFed
	lines chan string // of standard output; closed at its end
	ended chan error

	mu  sync.Mutex // guards log
	log strings.Builder
}

// start starts a program. When the test ends it is killed, and shown if the test failed.
func start(t testing.TB, name string, args ...string) *program {
	t.Helper()
	return startIn(t, nil, name, args...)
}

// startIn starts a program with more in its environment.
func startIn(t testing.TB, env []string, name string, args ...string) *program {
	t.Helper()
	p := newProgram(name, args)
	p.Env = append(os.Environ(), env...)
	return p.run(t, name)
}

// startFed starts a program that takes lines from the test.
func startFed(t testing.TB, name string, args ...string) *program {
	t.Helper()
	p := newProgram(name, args)
	var err error
	if p.in, err = p.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	return p.run(t, name)
}

func newProgram(name string, args []string) *program {
	cmd := exec.Command(filepath.Join(programs, name), args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // a test that is killed leaves nothing behind
	return &program{Cmd: cmd, lines: make(chan string, 100), ended: make(chan error, 1)}
}

// run starts it.
func (p *program) run(t testing.TB, name string) *program {
	t.Helper()
	stdout, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.Stderr = p
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		scanner := bufio.NewScanner(stdout)
		scanner.Buffer(nil, 1<<20)
		for scanner.Scan() {
			p.lines <- scanner.Text()
		}
		close(p.lines)
		p.ended <- p.Wait()
	}()
	t.Cleanup(func() {
		_ = p.Process.Kill()
		if t.Failed() {
			t.Logf("%s said:\n%s", name, p.said())
		}
	})
	return p
}

// Write keeps what comes from standard error.
func (p *program) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.Write(text)
}

func (p *program) said() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

// line waits for a line of standard output that holds text.
func (p *program) line(t testing.TB, text string) string {
	t.Helper()
	for limit := time.After(patience); ; {
		select {
		case line, open := <-p.lines:
			if !open {
				t.Fatalf("the program ended with %d before it said %q; its log:\n%s", p.exit(t), text, p.said())
			}
			if strings.Contains(line, text) {
				return line
			}
		case <-limit:
			t.Fatalf("no %q in %s", text, patience)
		}
	}
}

// exit waits for the end and returns the exit code, -1 after a signal that was not caught.
func (p *program) exit(t testing.TB) int {
	t.Helper()
	limit := time.After(patience)
	for {
		select {
		case _, open := <-p.lines: // a full pipe would hold it up
			if !open {
				p.lines = nil
			}
		case err := <-p.ended:
			p.ended <- err
			var exit *exec.ExitError
			if err != nil && !errors.As(err, &exit) {
				t.Fatal(err)
			}
			return p.ProcessState.ExitCode()
		case <-limit:
			t.Fatalf("the program did not end in %s; its log:\n%s", patience, p.said())
		}
	}
}

// stop ends a program in the orderly way.
func (p *program) stop(t testing.TB) {
	t.Helper()
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := p.exit(t); code != 0 {
		t.Fatalf("exit %d after SIGTERM; its log:\n%s", code, p.said())
	}
}

// kill ends a program with SIGKILL and waits until it is gone.
func (p *program) kill(t testing.TB) {
	t.Helper()
	_ = p.Process.Kill()
	p.exit(t)
}

// call runs a program to its end.
func call(name string, env []string, args ...string) (stdout, stderr string, code int) {
	var out, wrong strings.Builder
	cmd := exec.Command(filepath.Join(programs, name), args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = io.Writer(&out), io.Writer(&wrong)
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		return "", err.Error(), -1
	}
	return out.String(), wrong.String(), cmd.ProcessState.ExitCode()
}
