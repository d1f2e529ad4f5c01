//go:build linux

package linux

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/tarm/serial"
	"golang.org/x/sys/unix"

	"scentpost/drivers/bus"
)

const (
	// readTimeout is how long a read waits for bytes. Without one, tarm's Close waits behind a read for ever.
	readTimeout = 100 * time.Millisecond
	// tooSoon is how soon an end of file comes that is no time-out: the other end may be gone.
	tooSoon = readTimeout / 2
	// mostEnds is how many of them in a row are believed without an error: else the reader would spin.
	mostEnds = 3
	// writeTimeout is how long a write may take: at 115,200 baud 16 KB are through by then.
	writeTimeout = 1500 * time.Millisecond
	// closeTimeout is how long Close waits for tarm's: a read that hangs in the kernel does not keep the lock.
	closeTimeout = 10 * readTimeout
)

// The errors of a serial port, to be tested with errors.Is.
var (
	// ErrInUse: another program has the port.
	ErrInUse = errors.New("another program uses the port")
	// ErrSpeed: the port does not take the speed.
	ErrSpeed = errors.New("the port does not take this speed")
	// ErrStuck: what is written waits, and nothing of it leaves.
	ErrStuck = errors.New("it takes nothing that is written to it any more (unplug the board and plug it in again)")
)

// serialPort is a port of tarm's with its traps closed. What is written goes past tarm, whose Write may wait for ever and
// whose Close waits for that.
type serialPort struct {
	port  *serial.Port
	owner *os.File // holds the lock; open without blocking, so that a write by it has a time-out
	path  string
	ends  int // ends of file that came too soon, in a row; of the reader
	now   func() time.Time

	writing sync.Mutex // held while something is written
}

// OpenSerial opens a serial port at a speed, eight bits, no parity, one stop bit. It takes a lock (flock(2)) that shows
// others that it is in use, and respects theirs; the kernel refuses the port to all others. Opening a port may reset the board behind it.
func OpenSerial(path string, baud int) (bus.Port, error) {
	owner, err := lockPort(path)
	if err != nil {
		return nil, err
	}
	port, err := serial.OpenPort(&serial.Config{Name: path, Baud: baud, ReadTimeout: readTimeout})
	if err != nil {
		if strings.Contains(err.Error(), "unrecognized baud rate") || strings.Contains(err.Error(), "Unrecognized baud rate") {
			err = fmt.Errorf("%w: %d baud (take 500000 or 115200)", ErrSpeed, baud)
		}
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), owner.Close())
	}
	if err := claim(owner); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), port.Close(), owner.Close())
	}
	return &serialPort{port: port, owner: owner, path: path, now: time.Now}, nil
}

// The major numbers of pseudo-terminals.
const firstPTY, lastPTY = 136, 143

// claim bars everybody but root from opening a port (TIOCEXCL of ioctl_tty(2)): a lock alone keeps nobody out who does not ask
// for it. The kernel forgets it when the port is closed. That of a pseudo-terminal outlives a program that is killed, and
// there is no hardware: it is left open to all.
func claim(port *os.File) error {
	raw, err := port.SyscallConn() // File.Fd would make its writes wait for ever
	if err != nil {
		return fmt.Errorf("take the port alone: %w", err)
	}
	var failed error
	err = raw.Control(func(fd uintptr) {
		var at unix.Stat_t
		if failed = unix.Fstat(int(fd), &at); failed == nil && !pseudo(at.Rdev) {
			failed = exclude(int(fd))
		}
	})
	if err = errors.Join(err, failed); err != nil {
		return fmt.Errorf("take the port alone: %w", err)
	}
	return nil
}

// pseudo tells whether a device is a pseudo-terminal.
func pseudo(device uint64) bool {
	major := unix.Major(device)
	return major >= firstPTY && major <= lastPTY
}

// exclude has the kernel refuse others a terminal.
func exclude(fd int) error { return unix.IoctlSetInt(fd, unix.TIOCEXCL, 0) }

// lockPort takes the lock of a port.
func lockPort(path string) (*os.File, error) {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, absentPort(path)
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("open %s: %w (is the user in the group dialout?)", path, err)
	case errors.Is(err, unix.EBUSY):
		return nil, fmt.Errorf("open %s: %w: end it, or ask the daemon: scentpost board ls", path, ErrInUse)
	case err != nil:
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	owner := os.NewFile(uintptr(fd), path)
	switch err = unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB); {
	case errors.Is(err, unix.EWOULDBLOCK):
		err = fmt.Errorf("open %s: %w: end it, or ask the daemon: scentpost board ls", path, ErrInUse)
	case err != nil:
		err = fmt.Errorf("lock %s: %w", path, err)
	default:
		return owner, nil
	}
	return nil, errors.Join(err, owner.Close())
}

// locksFile lists who holds which lock.
const locksFile = "/proc/locks"

// PortInUse tells whether a program holds the lock of a port. It opens nothing: that could reset the board behind it.
func PortInUse(path string) (bool, error) {
	var at unix.Stat_t
	switch err := unix.Stat(path, &at); {
	case errors.Is(err, fs.ErrNotExist):
		return false, absentPort(path)
	case err != nil:
		return false, fmt.Errorf("look at %s: %w", path, err)
	}
	locks, err := os.ReadFile(locksFile)
	if err != nil {
		return false, fmt.Errorf("look for who uses %s: %w", path, err)
	}
	return locked(string(locks), fmt.Sprintf("%02x:%02x:%d", unix.Major(at.Dev), unix.Minor(at.Dev), at.Ino)), nil
}

// locked finds a held lock of a file, named as the kernel lists it: device and inode. Who only waits for one has an arrow.
func locked(locks, file string) bool {
	for line := range strings.Lines(locks) {
		if part := strings.Fields(line); len(part) > 5 && part[1] == "FLOCK" && part[5] == file {
			return true
		}
	}
	return false
}

func absentPort(path string) error {
	return fmt.Errorf("open %s: %w: is the board plugged in? (ls /dev/serial/by-id lists what is)", path, bus.ErrGone)
}

// Read reads what has come; see bus.Port. tarm gives an end of file for a time-out and for a hang-up alike: one that comes
// too soon is looked into.
func (s *serialPort) Read(p []byte) (int, error) {
	began := s.now()
	n, err := s.port.Read(p)
	switch {
	case n > 0:
		s.ends = 0
		return n, nil
	case err != nil && !errors.Is(err, io.EOF):
		return 0, fmt.Errorf("read %s: %w: %w", s.path, bus.ErrGone, err)
	case s.now().Sub(began) >= tooSoon:
		s.ends = 0
		return 0, nil
	}
	if err := s.port.Flush(); err != nil {
		return 0, fmt.Errorf("read %s: %w: it hung up: %w", s.path, bus.ErrGone, err)
	}
	if s.ends++; s.ends >= mostEnds {
		return 0, fmt.Errorf("read %s: %w: it hung up", s.path, bus.ErrGone)
	}
	return 0, nil
}

// Write hands bytes to the port; see bus.Port. It waits for writeTimeout at most. What waits then is thrown away: the
// kernel's close would go on waiting for it, and it is for nobody who opens the port next.
func (s *serialPort) Write(p []byte) (int, error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	err := s.owner.SetWriteDeadline(time.Now().Add(writeTimeout))
	n := 0
	if err == nil {
		n, err = s.owner.Write(p)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = errors.Join(ErrStuck, s.port.Flush())
	}
	if err != nil {
		return n, fmt.Errorf("write %s: %w: %w", s.path, bus.ErrGone, err)
	}
	return n, nil
}

// Flush throws away what waits in either direction; see bus.Port.
func (s *serialPort) Flush() error {
	if err := s.port.Flush(); err != nil {
		return fmt.Errorf("flush %s: %w: %w", s.path, bus.ErrGone, err)
	}
	return nil
}

// Close gives the port and its lock back; see bus.Port. A write that is under way ends by it. The lock comes last, when
// nobody reads any more what is for the next one who opens the port; but it waits for no read that hangs in the kernel.
func (s *serialPort) Close() error {
	late := s.owner.SetWriteDeadline(time.Unix(1, 0))
	s.writing.Lock()
	defer s.writing.Unlock()
	closed := make(chan error, 1)
	go func() { closed <- s.port.Close() }()
	select {
	case err := <-closed:
		return errors.Join(late, err, s.owner.Close())
	case <-time.After(closeTimeout):
		return errors.Join(fmt.Errorf("close %s: a read of it hangs", s.path), s.owner.Close())
	}
}

// Stable tells whether the name of a port stays the same when boards are plugged in another order. The advice says
// which name does.
func Stable(path string) (stable bool, advice string) {
	if strings.HasPrefix(path, "/dev/serial/by-id/") || strings.HasPrefix(path, "/dev/serial/by-path/") || !strings.HasPrefix(path, "/dev/tty") {
		return true, ""
	}
	base := filepath.Base(path)
	if !strings.HasPrefix(base, "ttyUSB") && !strings.HasPrefix(base, "ttyACM") {
		return true, "" // a port of the machine's own
	}
	for _, dir := range []string{"/dev/serial/by-id", "/dev/serial/by-path"} {
		links, err := filepath.Glob(dir + "/*")
		if err != nil {
			continue
		}
		for _, l := range links {
			if to, err := filepath.EvalSymlinks(l); err == nil && to == path {
				return false, "name it " + l
			}
		}
	}
	return false, "name it by its link in /dev/serial/by-id, or in /dev/serial/by-path for a board without a serial number"
}
