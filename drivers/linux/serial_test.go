//go:build linux

package linux

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"scentpost/drivers/bus"
)

// cable is a port and the pty behind it.
func cable(t *testing.T) (bus.Port, *PTY) {
	t.Helper()
	pty, err := OpenPTY(filepath.Join(t.TempDir(), "board"))
	if err != nil {
		t.Fatal(err)
	}
	port, err := OpenSerial(pty.link, 500_000)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { port.Close(); pty.Close() })
	return port, pty
}

// TestAPortIsTakenAlone: the kernel refuses others what is no pseudo-terminal. Root may open it all the same.
func TestAPortIsTakenAlone(t *testing.T) {
	for device, want := range map[uint64]bool{
		unix.Mkdev(4, 64): false, unix.Mkdev(188, 0): false, unix.Mkdev(166, 3): false, unix.Mkdev(204, 64): false, // ttyS, ttyUSB, ttyACM, ttyAMA
		unix.Mkdev(136, 0): true, unix.Mkdev(143, 9): true,
	} {
		if pseudo(device) != want {
			t.Errorf("%d:%d is taken for a pseudo-terminal: %v", unix.Major(device), unix.Minor(device), !want)
		}
	}
	_, pty := cable(t)
	fd, err := unix.Open(pty.link, unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	alone := func() int {
		n, err := unix.IoctlGetInt(fd, unix.TIOCGEXCL)
		if err != nil {
			t.Skipf("this kernel does not tell who has a terminal alone: %v", err)
		}
		return n
	}
	if alone() != 0 {
		t.Error("a pseudo-terminal is taken alone")
	}
	if err := exclude(fd); err != nil || alone() != 1 {
		t.Errorf("the kernel lets others in: %v", err)
	}
}

// TestBytesPassUnchanged: all 256, and XOFF, line ends and the end of a file among them.
func TestBytesPassUnchanged(t *testing.T) {
	port, pty := cable(t)
	var all []byte
	for i := range 256 {
		all = append(all, byte(i))
	}
	if _, err := port.Write(all); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(all))
	pty.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.ReadFull(pty, got); err != nil || !bytes.Equal(got, all) {
		t.Errorf("to the board: %x, %v", got, err)
	}
	if _, err := pty.Write(all); err != nil {
		t.Fatal(err)
	}
	for n := 0; n < len(all); {
		more, err := port.Read(got[n:])
		if err != nil {
			t.Fatal(err)
		}
		n += more
	}
	if !bytes.Equal(got, all) {
		t.Errorf("from the board: %x", got)
	}
}

// TestSilenceIsNoEnd: a time-out is nothing, however often it comes.
func TestSilenceIsNoEnd(t *testing.T) {
	port, _ := cable(t)
	for range 5 {
		if n, err := port.Read(make([]byte, 8)); n != 0 || err != nil {
			t.Fatalf("%d bytes, %v, want nothing", n, err)
		}
	}
}

// TestAHangUpIsGone: whether a read waits or not, in a bounded number of reads.
func TestAHangUpIsGone(t *testing.T) {
	port, pty := cable(t)
	if err := pty.Close(); err != nil {
		t.Fatal(err)
	}
	var err error
	reads := 0
	for ; err == nil && reads <= mostEnds; reads++ {
		_, err = port.Read(make([]byte, 8))
	}
	if !errors.Is(err, bus.ErrGone) {
		t.Errorf("after %d reads: %v, want that it is gone", reads, err)
	}
	if _, err := port.Write([]byte{1}); !errors.Is(err, bus.ErrGone) {
		t.Errorf("write: %v", err)
	}
	if err := port.Flush(); !errors.Is(err, bus.ErrGone) {
		t.Errorf("flush: %v", err)
	}
}

// TestCloseBehindARead: a reader that waits holds up no Close for longer than a time-out, and ends by it.
func TestCloseBehindARead(t *testing.T) {
	port, _ := cable(t)
	began, ended, closed := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		defer close(ended)
		close(began)
		for buffer := make([]byte, 10); ; {
			if _, err := port.Read(buffer); err != nil {
				return
			}
		}
	}()
	<-began
	go func() { closed <- port.Close() }()
	limit := time.After(10 * time.Second)
	for _, end := range []func() bool{
		func() bool {
			select {
			case err := <-closed:
				return err == nil
			case <-limit:
				return false
			}
		},
		func() bool {
			select {
			case <-ended:
				return true
			case <-limit:
				return false
			}
		},
	} {
		if !end() {
			t.Fatal("Close or the reader did not end")
		}
	}
}

// overfull is more than a pty whose other end is not read holds.
var overfull = make([]byte, 1<<20)

// stuck is a cable whose other end is not read, with a write that waits for it. It tells the end of the write.
func stuck(t *testing.T) (port bus.Port, pty *PTY, written chan error) {
	t.Helper()
	port, pty = cable(t)
	written = make(chan error, 1)
	go func() {
		_, err := port.Write(overfull)
		written <- err
	}()
	raw, err := pty.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	looks := 0
	if err := raw.Read(func(uintptr) bool { looks++; return looks > 1 }); err != nil { // something has come
		t.Fatal(err)
	}
	return port, pty, written
}

// TestAWriteThatNobodyTakes: it comes to an end by itself, and nothing of it is left for who opens the port next.
func TestAWriteThatNobodyTakes(t *testing.T) {
	t.Parallel()
	port, pty, written := stuck(t)
	if err := <-written; !errors.Is(err, bus.ErrGone) || !errors.Is(err, ErrStuck) {
		t.Errorf("nobody reads: %v, want that it is stuck", err)
	}
	if err := port.Close(); err != nil {
		t.Error(err)
	}
	port, err := OpenSerial(pty.link, 500_000)
	if err != nil {
		t.Fatal(err)
	}
	defer port.Close()
	if _, err := port.Write([]byte("fresh")); err != nil {
		t.Fatal(err)
	}
	pty.SetReadDeadline(time.Now().Add(10 * time.Second))
	const there = 4096 // had got through to the other end, and waits in it
	var came []byte
	for buffer := make([]byte, there); !bytes.HasSuffix(came, []byte("fresh")); {
		n, err := pty.Read(buffer)
		if err != nil {
			t.Fatalf("behind %d bytes: %v", len(came), err)
		}
		came = append(came, buffer[:n]...) // a read may end in the midst of the word
	}
	if len(came) > there+len("fresh") {
		t.Errorf("%d bytes came", len(came))
	}
}

// TestCloseBehindAWrite: a write that waits keeps neither Close nor the lock, and ends by it.
func TestCloseBehindAWrite(t *testing.T) {
	t.Parallel()
	port, pty, written := stuck(t)
	if err := port.Close(); err != nil {
		t.Error(err)
	}
	if err := <-written; err == nil {
		t.Error("a megabyte was written to a port that nobody reads")
	}
	again, err := OpenSerial(pty.link, 500_000)
	if err != nil {
		t.Fatalf("opened again: %v", err)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}

// TestALongWrite passes whole to an end that is read, in more pieces than the kernel holds.
func TestALongWrite(t *testing.T) {
	port, pty := cable(t)
	written := make(chan error, 1)
	go func() {
		_, err := port.Write(overfull)
		written <- err
	}()
	pty.SetReadDeadline(time.Now().Add(10 * time.Second))
	if n, err := io.CopyN(io.Discard, pty, int64(len(overfull))); err != nil {
		t.Errorf("%d bytes came, %v", n, err)
	}
	if err := <-written; err != nil {
		t.Error(err)
	}
}

// TestFramesOfBeforeAreGone: what a board said while nobody had its port is thrown away by the flush after the opening, and what
// comes after that is whole.
func TestFramesOfBeforeAreGone(t *testing.T) {
	port, pty := cable(t)
	if err := port.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := pty.Write([]byte("stale")); err != nil {
		t.Fatal(err)
	}
	port, err := OpenSerial(pty.link, 500_000)
	if err != nil {
		t.Fatal(err)
	}
	defer port.Close()
	if err := port.Flush(); err != nil {
		t.Fatal(err)
	}
	if _, err := pty.Write([]byte("fresh")); err != nil {
		t.Fatal(err)
	}
	var got []byte
	for buffer := make([]byte, 10); len(got) < 5; {
		n, err := port.Read(buffer)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, buffer[:n]...)
	}
	if string(got) != "fresh" {
		t.Errorf("%q came", got)
	}
}

func TestFlushThrowsAway(t *testing.T) {
	port, pty := cable(t)
	if _, err := pty.Write([]byte("stale")); err != nil {
		t.Fatal(err)
	}
	// A pty hands over in the kernel's own time: wait until the bytes are there.
	if n, err := port.Read(make([]byte, 1)); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	if err := port.Flush(); err != nil {
		t.Fatal(err)
	}
	if n, err := port.Read(make([]byte, 8)); n != 0 || err != nil {
		t.Errorf("%d stale bytes, %v", n, err)
	}
}

func TestAPortHasOneOwner(t *testing.T) {
	port, pty := cable(t)
	if _, err := OpenSerial(pty.Port, 500_000); !errors.Is(err, ErrInUse) {
		t.Errorf("opened twice: %v", err)
	}
	if used, err := PortInUse(pty.Port); err != nil || !used {
		t.Errorf("in use: %t, %v", used, err)
	}
	if err := port.Close(); err != nil {
		t.Fatal(err)
	}
	if used, err := PortInUse(pty.Port); err != nil || used {
		t.Errorf("in use after Close: %t, %v", used, err)
	}
}

func TestPortsThatDoNotOpen(t *testing.T) {
	dir := t.TempDir()
	if _, err := OpenSerial(filepath.Join(dir, "none"), 500_000); !errors.Is(err, bus.ErrGone) || !strings.Contains(err.Error(), "plugged in") {
		t.Errorf("no such port: %v", err)
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenSerial(file, 500_000); err == nil {
		t.Error("a file was opened as a port")
	}
	pty, err := OpenPTY("")
	if err != nil {
		t.Fatal(err)
	}
	defer pty.Close()
	if _, err := OpenSerial(pty.Port, 250_000); !errors.Is(err, ErrSpeed) {
		t.Errorf("250,000 baud: %v", err)
	}
}

func TestStableNames(t *testing.T) {
	for path, want := range map[string]bool{
		"/dev/serial/by-id/usb-1a86_USB_Serial-if00-port0": true, "/dev/serial/by-path/x": true, "/dev/ttyAMA0": true,
		"build/rig/nano-1": true, "/dev/ttyUSB0": false, "/dev/ttyACM3": false,
	} {
		got, advice := Stable(path)
		if got != want || got != (advice == "") {
			t.Errorf("%s: stable %t, advice %q", path, got, advice)
		}
	}
}

func TestALinkFollowsItsPort(t *testing.T) {
	link := filepath.Join(t.TempDir(), "board")
	first, err := OpenPTY(link)
	if err != nil {
		t.Fatal(err)
	}
	again, err := OpenPTY(link)
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if to, err := os.Readlink(link); err != nil || to != again.Port {
		t.Errorf("the link points at %s, %v, want %s", to, err, again.Port)
	}
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(link); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the link outlives its port: %v", err)
	}
}

// TestLocksAsTheKernelListsThem: one that is held, none that is waited for, none of another kind or file.
func TestLocksAsTheKernelListsThem(t *testing.T) {
	const held = "1: FLOCK  ADVISORY  WRITE 41 00:17:5 0 EOF\n"
	for locks, want := range map[string]bool{
		"": false, held: true, "7: POSIX  ADVISORY  WRITE 40 00:18:9 0 EOF\n" + held: true,
		"1: FLOCK  ADVISORY  WRITE 41 00:17:55 0 EOF\n":   false,
		"1: -> FLOCK  ADVISORY  WRITE 41 00:17:5 0 EOF\n": false,
		"1: POSIX  ADVISORY  WRITE 41 00:17:5 0 EOF\nrag": false,
	} {
		if got := locked(locks, "00:17:5"); got != want {
			t.Errorf("%q: %t", locks, got)
		}
	}
}
