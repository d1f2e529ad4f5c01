//go:build linux

package linux

import (
	"time"

	"github.com/warthog618/go-gpiocdev/uapi"
)

// kernel is what the bus asks of Linux. The one that is real is in uapi.go; tests put a failing one in its place.
type kernel interface {
	// chips lists the paths of the GPIO character devices.
	chips() ([]string, error)
	open(path string) (chip, error)
	// mono is CLOCK_MONOTONIC in nanoseconds.
	mono() int64
	// wait returns when a request has events, when timeout has passed, or after wake. hung says that one of the
	// requests lost its chip.
	wait(requests []request, timeout time.Duration) (hung bool, err error)
	// wake ends the wait under way, or the next one. It may be called from any goroutine.
	wake()
	close() error
}

// chip is one open GPIO character device.
type chip interface {
	about() (Chip, error)
	// request asks for the first r.Lines lines of r.Offsets.
	request(r uapi.LineRequest) (request, error)
	close() error
}

// request is one set of lines that the kernel gave us. After the chip is removed all its calls fail.
type request interface {
	// read gives the events that wait, as many as dst takes; 0 when none does.
	read(dst []uapi.LineEvent) (int, error)
	// values are the logical levels of the lines in mask, a bit for each place in the request.
	values(mask uapi.LineBitmap) (uapi.LineBitmap, error)
	set(levels, mask uapi.LineBitmap) error
	close() error
}
