package firmware

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"scentpost/drivers/linux"
	"scentpost/firmware-bridge/firmware/simavr"
	"scentpost/firmware-bridge/firmware/simavr/simavrtest"
	"scentpost/firmware-bridge/message"
	"scentpost/firmware-bridge/visit"
)

// makeFlash runs `make flash` as a person does, and returns what it printed. path goes before PATH, for other programs.
func makeFlash(t *testing.T, path string, words ...string) (string, error) {
	t.Helper()
	make := exec.Command("make", append([]string{"--no-print-directory", "flash"}, words...)...)
	make.Dir = simavrtest.Root(t)
	make.Env = append(os.Environ(), "MAKEFLAGS=", "MAKELEVEL=", "PATH="+path+":"+os.Getenv("PATH"))
	said, err := make.CombinedOutput()
	return string(said), err
}

// arduino is a board with a boot loader and an older firmware, one for 115,200 baud, in real time. Opening its port resets it.
type arduino struct {
	*bench
	edges  chan uint64 // of D3, which nobody uses: the cycles
	lock   sync.Mutex
	starts []string
	start  uint64   // the cycle of the last one
	bad    []string // levels that an output may not have had
}

// flashed is an Arduino to which make has written the firmware. Where an answer comes later than 0.25 s, as on a machine that is busy,
// avrdude takes it for that to its next question and gives up: then another one is tried, as a person would.
func flashed(t *testing.T, bootLoader string, words ...string) *arduino {
	t.Helper()
	if os.Getenv("SCENTPOST_FIRMWARE") == "" {
		t.Skip("make test-firmware runs it: it needs a core of its own")
	}
	if _, err := exec.LookPath("avrdude"); err != nil {
		t.Skip("NOT RUN: there is no avrdude (apt-get install avrdude)")
	}
	simavrtest.Build(t, benchBaud)
	for try := 1; ; try++ {
		a := newArduino(t, bootLoader)
		said, err := a.flash(t, words...)
		if err == nil && strings.Contains(said, "bytes of flash verified") {
			t.Cleanup(func() {
				if err := a.chip.Close(); err != nil {
					t.Error(err)
				}
			})
			return a
		}
		end := a.chip.Close()
		if try == 4 {
			t.Fatalf("make flash: %v (the chip: %v)\n%s", err, end, said)
		}
		t.Logf("make flash: %v: again", err)
	}
}

func newArduino(t *testing.T, bootLoader string) *arduino {
	t.Helper()
	old := simavrtest.Build(t, 115_200)
	a := &arduino{bench: &bench{TB: t, link: filepath.Join(t.TempDir(), "board"), drove: make(chan string, 1024)}, edges: make(chan uint64, 1)}
	var err error
	a.chip, err = simavr.StartLive(old.Runner, simavr.Flash{Firmware: old.ELF, BootLoader: bootLoader}, benchBaud, a.link, a.take)
	if err == nil {
		err = a.chip.OpeningResets(true)
	}
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func (a *arduino) take(r simavr.Report) {
	a.lock.Lock()
	defer a.lock.Unlock()
	switch {
	case r.Kind == simavr.Started:
		a.starts, a.start = append(a.starts, r.As), r.At
	case r.Kind == simavr.Edge && r.Pin == "D3":
		a.edges <- r.At
	case r.Kind == simavr.Drove && r.Pin == "D4":
		select {
		case a.drove <- r.As:
		default: // half a firmware may move it without end
		}
	case r.Kind == simavr.Drove && r.Pin != "D0" && r.Pin != "D1" && r.Pin != "D13" && (r.As == simavr.Low || r.As == simavr.High):
		a.bad = append(a.bad, fmt.Sprintf("%s %s at cycle %d", r.Pin, r.As, r.At))
	}
}

// started returns by what the chip has started since the last call.
func (a *arduino) started() []string {
	a.lock.Lock()
	defer a.lock.Unlock()
	all := a.starts
	a.starts = nil
	return all
}

// until waits for D4 to become something, and returns what it was on the way.
func (a *arduino) until(t *testing.T, as string) (seen []string) {
	t.Helper()
	for !slices.Contains(seen, as) {
		seen = append(seen, await(t, a.drove))
	}
	return seen
}

// second waits until the chip's last start is a second of its own time ago.
func (a *arduino) second(t *testing.T) {
	t.Helper()
	a.lock.Lock()
	at := a.start + simavr.Frequency
	a.lock.Unlock()
	if err := a.chip.PinAt(at, "D3", true); err != nil {
		t.Fatal(err)
	}
	if came := await(t, a.edges); came < at {
		t.Errorf("D3 rose at cycle %d, before %d", came, at)
	}
}

// quiet checks that nothing moved but what was waited for.
func (a *arduino) quiet(t *testing.T) {
	t.Helper()
	a.lock.Lock()
	defer a.lock.Unlock()
	if len(a.drove) > 0 || len(a.bad) > 0 {
		t.Errorf("outputs moved: D4 %d times, others %q", len(a.drove), a.bad)
	}
}

// flash has make write the firmware, to a port named from where make runs.
func (a *arduino) flash(t *testing.T, words ...string) (string, error) {
	t.Helper()
	port, err := filepath.Rel(simavrtest.Root(t), a.link)
	if err != nil {
		t.Fatal(err)
	}
	return makeFlash(t, "", append(words, "PORT="+port, "FLASHTIME=60")...)
}

// greet opens the port at the firmware's rate and has the board say what it is: the firmware of these sources.
func (a *arduino) greet(t *testing.T) message.Board {
	t.Helper()
	port, err := linux.OpenSerial(a.link, benchBaud)
	if err != nil {
		t.Fatal(err)
	}
	b, err := visit.New(port, 1).Greet()
	if err != nil {
		t.Fatalf("after make flash: %v (the chip started by %q)", err, a.started())
	}
	if err := port.Close(); err != nil {
		t.Error(err)
	}
	want, err := Of(benchBaud)
	if err != nil || b.Build != want.Build || b.Firmware != want.Version {
		t.Errorf("the board has firmware %v build %x, want %+v, %v", b.Firmware, b.Build, want, err)
	}
	return b
}

// TestFlash: make flash writes the firmware to an Uno by Optiboot, a session comes up over the same port, and a hang ends in a session
// again.
func TestFlash(t *testing.T) {
	a := flashed(t, simavrtest.Optiboot(t))
	if b := a.greet(t); b.Cause != message.CauseUnknown {
		t.Errorf("the board started by %v, want unknown: Optiboot clears the flags", b.Cause)
	}
	in, out := a.station()
	out.Set(true, 0, time.Minute, nil)
	a.until(t, simavr.High)
	a.started()
	if err := a.chip.Hang(true); err != nil {
		t.Fatal(err)
	}
	// Let go of by the reset, then driven to its safe level when the link is up again.
	moves := a.until(t, simavr.In)
	moves = append(moves, a.until(t, simavr.Low)...)
	if slices.Contains(moves, simavr.High) {
		t.Errorf("after a hang D4 became %q", moves)
	}
	await(t, in.here)
	a.second(t)
	if got := a.started(); !slices.Equal(got, []string{simavr.ByWatchdog}) {
		t.Errorf("after a hang the chip started by %q, want the watchdog, once", got)
	}
	a.quiet(t)
}

// TestFlashOldNano: the same by the boot loader of old Nanos, at its rate.
func TestFlashOldNano(t *testing.T) {
	a := flashed(t, simavrtest.OldNano(t), "FLASHBAUD=57600")
	a.until(t, simavr.In) // as it began
	a.greet(t)
	a.quiet(t)
}

// TestFlashSaysWhatToDo where the port or the board is not as it must be.
func TestFlashSaysWhatToDo(t *testing.T) {
	simavrtest.Build(t, benchBaud)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ port, want string }{
		{"", "say which board"},
		{filepath.Join(t.TempDir(), "ttyUSB0"), "Is the board plugged in?"},
		{file, "is not a serial port"},
	} {
		if said, err := makeFlash(t, "", "PORT="+c.port); err == nil || !strings.Contains(said, c.want) || strings.Contains(said, "text") {
			t.Errorf("make flash PORT=%s: %v, want %q and nothing built:\n%s", c.port, err, c.want, said)
		}
	}
	// A board that does not answer, told by an avrdude that gives up at once: the real one takes a minute. Meanwhile the daemon
	// keeps off.
	silent, err := linux.OpenPTY("")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	avrdude := filepath.Join(t.TempDir(), "avrdude")
	if err := os.WriteFile(avrdude, []byte("#!/bin/sh\necho \"avrdude $*\"\nflock -n "+silent.Port+" echo free\nexit 1\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	for baud, other := range map[string]string{"115200": "57600", "57600": "115200"} {
		said, err := makeFlash(t, filepath.Dir(avrdude), "PORT="+silent.Port, "FLASHBAUD="+baud)
		if err == nil || !strings.Contains(said, "-b "+baud) || !strings.Contains(said, "FLASHBAUD="+other) || !strings.Contains(said, "Keep the supply") || strings.Contains(said, "free") {
			t.Errorf("make flash to a silent board: %v\n%s", err, said)
		}
	}
	// One that never comes to an end, as an upload to a board that starts anew in its midst.
	if err := os.WriteFile(avrdude, []byte("#!/bin/sh\nexec sleep 1000\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	if said, err := makeFlash(t, filepath.Dir(avrdude), "PORT="+silent.Port, "FLASHTIME=1"); err == nil || !strings.Contains(said, "ended after 1 s") {
		t.Errorf("an upload without end: %v\n%s", err, said)
	}
	// The daemon's lock.
	user, err := linux.OpenSerial(silent.Port, benchBaud)
	if err != nil {
		t.Fatal(err)
	}
	defer user.Close()
	if said, err := makeFlash(t, filepath.Dir(avrdude), "PORT="+silent.Port); err == nil || !strings.Contains(said, "systemctl stop scentpostd") || strings.Contains(said, "-b ") {
		t.Errorf("make flash to a port in use: %v, want that it keeps off:\n%s", err, said)
	}
}
