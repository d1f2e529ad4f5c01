//go:build linux

package linux

import (
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/warthog618/go-gpiocdev/uapi"
	"golang.org/x/sys/unix"
)

// chipPattern is where the GPIO character devices lie.
const chipPattern = "/dev/gpiochip*"

// eventBytes is the size of struct gpio_v2_line_event, the same on every architecture.
const eventBytes = 48

// batch is how many events one read takes at most.
const batch = 64

// cdev is the real kernel.
type cdev struct {
	event int // an eventfd that ends wait
	polls []unix.PollFd
}

func newCdev() (*cdev, error) {
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("make an eventfd: %w", err)
	}
	return &cdev{event: fd}, nil
}

func (k *cdev) chips() ([]string, error) { return devices(chipPattern) }

// devices lists the devices of a pattern, each once: a system may give a chip a second name, as a link, for the sake of
// old programs.
func devices(pattern string) ([]string, error) {
	names, err := filepath.Glob(pattern)
	if err != nil {
		return nil, err
	}
	var paths []string
	for _, name := range names {
		path, err := filepath.EvalSymlinks(name)
		if err != nil {
			path = name // it went meanwhile, and who opens it will say so
		}
		if !slices.Contains(paths, path) {
			paths = append(paths, path)
		}
	}
	return paths, nil
}

func (k *cdev) mono() int64 { return read(unix.CLOCK_MONOTONIC) }

func (k *cdev) wake() {
	// The counter of an eventfd is full after 2^64-2 wakes only.
	unix.Write(k.event, binary.NativeEndian.AppendUint64(nil, 1))
}

func (k *cdev) close() error { return unix.Close(k.event) }

func (k *cdev) wait(requests []request, timeout time.Duration) (hung bool, err error) {
	k.polls = append(k.polls[:0], unix.PollFd{Fd: int32(k.event), Events: unix.POLLIN})
	for _, r := range requests {
		k.polls = append(k.polls, unix.PollFd{Fd: int32(r.(*lines).fd), Events: unix.POLLIN})
	}
	limit := unix.NsecToTimespec(int64(max(timeout, 0)))
	if _, err := unix.Ppoll(k.polls, &limit, nil); err != nil {
		if errors.Is(err, unix.EINTR) {
			return false, nil
		}
		return false, fmt.Errorf("wait for edges: %w", err)
	}
	if k.polls[0].Revents != 0 {
		var count [8]byte
		unix.Read(k.event, count[:])
	}
	for _, p := range k.polls[1:] {
		hung = hung || p.Revents&(unix.POLLHUP|unix.POLLERR|unix.POLLNVAL) != 0
	}
	return hung, nil
}

func (k *cdev) open(path string) (chip, error) {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	return &device{fd: fd, path: path}, nil
}

// device is an open character device.
type device struct {
	fd   int
	path string
}

func (d *device) close() error { return unix.Close(d.fd) }

func (d *device) about() (Chip, error) {
	c, err := uapi.GetChipInfo(uintptr(d.fd))
	if err != nil {
		return Chip{}, fmt.Errorf("ask %s what it is: %w", d.path, err)
	}
	about := Chip{Label: uapi.BytesToString(c.Label[:])}
	for offset := range int(c.Lines) {
		l, err := uapi.GetLineInfoV2(uintptr(d.fd), offset)
		if err != nil {
			return Chip{}, fmt.Errorf("ask %s for line %d: %w", d.path, offset, err)
		}
		info := Line{Name: uapi.BytesToString(l.Name[:])}
		if l.Flags.IsUsed() {
			info.Consumer = uapi.BytesToString(l.Consumer[:])
			if info.Consumer == "" {
				info.Consumer = "the kernel"
			}
		}
		about.Lines = append(about.Lines, info)
	}
	return about, nil
}

func (d *device) request(r uapi.LineRequest) (request, error) {
	if err := uapi.GetLine(uintptr(d.fd), &r); err != nil {
		return nil, err
	}
	if err := unix.SetNonblock(int(r.Fd), true); err != nil {
		return nil, errors.Join(fmt.Errorf("make the request not block: %w", err), unix.Close(int(r.Fd)))
	}
	return &lines{fd: int(r.Fd), mask: uapi.NewLineBitMask(int(r.Lines))}, nil
}

// lines is one request.
type lines struct {
	fd     int
	mask   uapi.LineBitmap
	buffer [batch * eventBytes]byte
}

func (l *lines) close() error { return unix.Close(l.fd) }

func (l *lines) read(dst []uapi.LineEvent) (int, error) {
	n, err := unix.Read(l.fd, l.buffer[:min(len(dst), batch)*eventBytes])
	if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read edges: %w", err)
	}
	for i := range n / eventBytes {
		b := l.buffer[i*eventBytes:]
		dst[i] = uapi.LineEvent{
			Timestamp: binary.NativeEndian.Uint64(b), ID: uapi.LineEventID(binary.NativeEndian.Uint32(b[8:])),
			Offset: binary.NativeEndian.Uint32(b[12:]), Seqno: binary.NativeEndian.Uint32(b[16:]), LineSeqno: binary.NativeEndian.Uint32(b[20:]),
		}
	}
	return n / eventBytes, nil
}

func (l *lines) values(mask uapi.LineBitmap) (uapi.LineBitmap, error) {
	v := uapi.LineValues{Mask: mask & l.mask}
	if err := uapi.GetLineValuesV2(uintptr(l.fd), &v); err != nil {
		return 0, fmt.Errorf("read levels: %w", err)
	}
	return v.Bits, nil
}

func (l *lines) set(levels, mask uapi.LineBitmap) error {
	if err := uapi.SetLineValuesV2(uintptr(l.fd), uapi.LineValues{Bits: levels, Mask: mask & l.mask}); err != nil {
		return fmt.Errorf("set levels: %w", err)
	}
	return nil
}
