package rig

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"

	"scentpost/drivers/linux"
	"scentpost/firmware-bridge/message"
	"scentpost/firmware-bridge/visit"
)

// startWithin bounds how long a runner may take to offer its port.
const startWithin = 10 * time.Second

// chip is the real firmware in simavr: the runner's process, with its port behind the link of the board. The runner goes
// on while the board is unplugged, so that its EEPROM is kept.
type chip struct {
	board   *plugged
	cmd     *exec.Cmd
	in      io.WriteCloser
	there   chan struct{} // closed when its port is there for the first time
	ended   chan struct{}
	joined  bool // its line is whole; of the world's goroutine, as is powered
	powered bool

	mu sync.Mutex // guards what follows
	// ready is set once it has its id: before that nothing is driven, and nobody may run the world yet.
	ready bool
}

// newChip starts the runner, and gives the chip its id as `scentpost board name` does.
func newChip(p *plugged) (core, error) {
	c := &chip{board: p, joined: true, powered: true, there: make(chan struct{}), ended: make(chan struct{})}
	if err := c.start(); err != nil {
		return nil, err
	}
	if err := c.name(); err != nil {
		return nil, errors.Join(err, c.close())
	}
	c.mu.Lock()
	c.ready = true
	c.mu.Unlock()
	return c, nil
}

func (c *chip) start() (err error) {
	c.cmd = exec.Command(c.board.Runner, "pty", c.board.Firmware, strconv.Itoa(c.board.Baud), c.board.Link)
	c.cmd.Stderr = os.Stderr
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		return err
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := c.cmd.Start(); err != nil {
		return fmt.Errorf("start the runner: %w (make runner builds it)", err)
	}
	go c.listen(out)
	limit := time.NewTimer(startWithin)
	defer limit.Stop()
	select {
	case <-c.there:
		return nil
	case <-c.ended:
		return errors.New("the runner has ended at once")
	case <-limit.C:
		return errors.Join(errors.New("the runner offers no port"), c.close())
	}
}

// listen takes what the runner tells.
func (c *chip) listen(out io.Reader) {
	defer close(c.ended)
	was := false
	for lines := bufio.NewScanner(out); lines.Scan(); {
		part := strings.Fields(lines.Text())
		switch {
		case len(part) == 2 && part[0] == "plugged" && !was:
			was = true
			close(c.there)
		case len(part) == 4 && part[0] == "pin" && c.isReady():
			pin, as := part[2], part[3]
			c.board.rig.server.Do(func() {
				if c.powered {
					c.board.drove(pin, as == "low" || as == "high", as == "high")
				}
			})
		case len(part) > 0 && part[0] == "error":
			fmt.Fprintf(os.Stderr, "board %s: the runner says: %s\n", c.board.Name, lines.Text())
		}
	}
	_ = c.cmd.Wait()
}

func (c *chip) isReady() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ready
}

// name gives the chip its id: its EEPROM is as new.
func (c *chip) name() error {
	if c.board.ID == "" {
		return nil
	}
	port, err := linux.OpenSerial(c.board.Link, c.board.Baud)
	if err != nil {
		return err
	}
	v := visit.New(port, 1)
	_, err = v.Greet()
	if err == nil {
		var id message.ID
		copy(id[:], c.board.ID)
		err = v.Name(id)
	}
	if err = errors.Join(err, port.Close()); err != nil {
		return fmt.Errorf("give it its id: %w", err)
	}
	return nil
}

// say writes one line to the runner; one that has ended hears nothing.
func (c *chip) say(format string, args ...any) { _, _ = fmt.Fprintf(c.in, format+"\n", args...) }

func (c *chip) input(pin string, high bool) {
	level := 0
	if high {
		level = 1
	}
	c.say("pin now %s %d", pin, level)
}

func (c *chip) reset() { c.say("reset now pin") }

// cut takes the port away; the chip goes on.
func (c *chip) cut() error {
	if !c.joined {
		return errCut
	}
	c.joined = false
	c.say("unplug")
	return nil
}

// join puts a new port at the link.
func (c *chip) join() error {
	if c.joined {
		return errJoined
	}
	c.joined = true
	c.say("plug")
	return nil
}

// unplug takes port and power away: the pulls hold the outputs.
func (c *chip) unplug() error {
	if err := c.cut(); err != nil {
		return err
	}
	c.powered = false
	for pin := range c.board.outputs {
		c.board.drove(pin, false, false)
	}
	return nil
}

// plug gives both back: one that had no power starts anew.
func (c *chip) plug() error {
	if !c.powered {
		c.say("reset now power")
		c.powered = true
	}
	return c.join()
}

// close ends the runner, by the end of its input.
func (c *chip) close() error { return c.in.Close() }
