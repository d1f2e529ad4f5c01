package simavr

import (
	"fmt"
	"strconv"
)

// Live is a chip that runs in real time behind a pseudo terminal, with a link that stays. Its methods may be called by
// any goroutine.
type Live struct {
	*process
	done chan struct{}
}

// StartLive starts a runner, and returns when the port is there. link is the path that leads to it. baud is the port's rate
// until somebody sets another. tell is called with each report, by one goroutine that ends with the runner.
func StartLive(runner string, flash Flash, baud int, link string, tell func(Report)) (*Live, error) {
	p, err := run(runner, append([]string{"pty", flash.Firmware, strconv.Itoa(baud), link}, flash.words()...)...)
	if err != nil {
		return nil, err
	}
	l := &Live{process: p, done: make(chan struct{})}
	plugged := make(chan error, 1)
	go l.read(plugged, tell)
	if err := <-plugged; err != nil {
		if end := l.Close(); end != nil {
			err = end // it says why
		}
		return nil, err
	}
	return l, nil
}

// read tells what the runner writes, and the first time that the port is there, or why it never will be.
func (l *Live) read(plugged chan<- error, tell func(Report)) {
	defer close(l.done)
	for {
		word, err := l.line()
		var r Report
		if err == nil {
			r, err = parse(word)
		}
		if err != nil {
			select {
			case plugged <- err:
			default:
			}
			return
		}
		tell(r)
		if r.Kind == Plugged {
			select {
			case plugged <- nil:
			default:
			}
		}
	}
}

// Close ends the runner and takes the link away.
func (l *Live) Close() error {
	l.in.Close()
	<-l.done
	return l.end()
}

// Ended is closed when the runner says nothing more.
func (l *Live) Ended() <-chan struct{} { return l.done }

func (l *Live) do(line string, words ...any) error {
	if _, err := fmt.Fprintf(l.in, line+"\n", words...); err != nil {
		return l.gone(err)
	}
	return nil
}

// Pin gives a pin a level from outside.
func (l *Live) Pin(pin string, high bool) error { return l.do("pin now %s %s", pin, digit(high)) }

// PinAt gives a pin a level when the chip has come to a cycle.
func (l *Live) PinAt(cycle uint64, pin string, high bool) error {
	return l.do("pin %d %s %s", cycle, pin, digit(high))
}

// Reset resets the chip.
func (l *Live) Reset(cause string) error { return l.do("reset now %s", cause) }

// Hang stops the firmware's main loop until the next reset, and with interrupts false everything else too.
func (l *Live) Hang(interrupts bool) error { return l.do("hang now %s", what(interrupts)) }

// Unplug takes the port and its link away. The chip keeps its power.
func (l *Live) Unplug() error { return l.do("unplug") }

// Plug puts a new port under the link.
func (l *Live) Plug() error { return l.do("plug") }

// OpeningResets says whether opening the port resets the chip, as it does an Uno and a Nano. At first it does not.
func (l *Live) OpeningResets(resets bool) error {
	if resets {
		return l.do("opening resets")
	}
	return l.do("opening keeps")
}
