package main

import (
	"bufio"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"scentpost": main})
}

// TestScripts runs the program as a person does. "exits CODE PROGRAM ARG..." runs a program and wants its exit code.
// "answering SOCKET FILE" has a daemon answer every request with the file's line, "answering SOCKET" has it answer
// nothing, "answering SOCKET FILE once" has it hang up then, and "left SOCKET" leaves a socket that nobody listens on. "twin LINK" plugs a board in, and "owned PORT" has its
// port used.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error { // the backup that must be read for ever
			golden, err := os.ReadFile("../../station/backup/testdata/v1.backup")
			if err != nil {
				return err
			}
			return os.WriteFile(env.WorkDir+"/v1.backup", golden, 0o600)
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"exits": exits, "answering": answering, "left": left, "twin": plugTwin, "owned": own,
		},
	})
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM ARG...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var ended *exec.ExitError
		if !errors.As(err, &ended) {
			ts.Fatalf("%v", err)
		}
		got = ended.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// listen opens a socket in the script's folder.
func listen(ts *testscript.TestScript, args []string) *net.UnixListener {
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: ts.MkAbs(args[0]), Net: "unix"})
	ts.Check(err)
	return l
}

func answering(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 3 || len(args) == 3 && args[2] != "once" {
		ts.Fatalf("usage: answering SOCKET [FILE [once]]")
	}
	answer := ""
	if len(args) > 1 {
		answer = ts.ReadFile(args[1])
	}
	l := listen(ts, args)
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer conn.Close()
				for lines := bufio.NewScanner(conn); lines.Scan(); {
					if len(args) == 1 {
						continue
					}
					if _, err := io.WriteString(conn, answer); err != nil || answer == "" || len(args) == 3 {
						return
					}
				}
			})
		}
	})
	ts.Defer(func() { _ = l.Close(); all.Wait() })
}

func left(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: left SOCKET")
	}
	l := listen(ts, args)
	l.SetUnlinkOnClose(false)
	ts.Check(l.Close())
}
