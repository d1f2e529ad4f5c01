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
)

// The errors of a serial port, to be tested with errors.Is.
var (
	// ErrInUse: another program has the port.
	ErrInUse = errors.New("another program uses the port")
	// ErrSpeed: the port does not take the speed.
	ErrSpeed = errors.New("the port does not take this speed")
)

// serialPort is a port of tarm's with its traps closed.
type serialPort struct {
	port  *serial.Port
	owner *os.File // holds the lock
	path  string
	ends  int // ends of file that came too soon, in a row; of the reader
	now   func() time.Time
}

// OpenSerial opens a serial port at a speed, eight bits, no parity, one stop bit. It takes a lock (flock(2)) that shows
// others that it is in use, and respects theirs. Opening a port may reset the board behind it.
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
	return &serialPort{port: port, owner: owner, path: path, now: time.Now}, nil
}

// lockPort takes the lock of a port.
func lockPort(path string) (*os.File, error) {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, absentPort(path)
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("open %s: %w (is the user in the group dialout?)", path, err)
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

// Write hands bytes to the port; see bus.Port.
func (s *serialPort) Write(p []byte) (int, error) {
	n, err := s.port.Write(p)
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

// Close gives the port and its lock back; see bus.Port.
func (s *serialPort) Close() error { return errors.Join(s.port.Close(), s.owner.Close()) }

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
