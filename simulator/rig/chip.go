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
)

// chip is the real firmware in simavr: the runner's process, with its port behind the link of the board.
type chip struct {
	board *plugged
	cmd   *exec.Cmd
	in    io.WriteCloser
	ended chan struct{}
}

func newChip(p *plugged) (core, error) {
	c := &chip{board: p}
	return c, c.plug()
}

// plug starts the runner: power comes with the cable.
func (c *chip) plug() (err error) {
	if c.cmd != nil {
		return errors.New("it is plugged in already")
	}
	cmd := exec.Command(c.board.Runner, "pty", c.board.Firmware, strconv.Itoa(c.board.Baud), c.board.Link)
	cmd.Stderr = os.Stderr
	if c.in, err = cmd.StdinPipe(); err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the runner: %w (make firmware builds it; apt-get install libsimavr-dev gcc-avr avr-libc)", err)
	}
	c.cmd, c.ended = cmd, make(chan struct{})
	go c.listen(cmd, out, c.ended)
	return nil
}

// listen takes what the runner tells: "pin CYCLE PIN in|pull|low|high".
func (c *chip) listen(cmd *exec.Cmd, out io.Reader, ended chan struct{}) {
	defer close(ended)
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		part := strings.Fields(lines.Text())
		if len(part) != 4 || part[0] != "pin" {
			continue
		}
		pin, as := part[2], part[3]
		c.board.rig.server.Do(func() {
			if c.cmd == cmd {
				c.board.drove(pin, as == "low" || as == "high", as == "high")
			}
		})
	}
	_ = cmd.Wait()
}

// say writes one line to the runner; one that has ended hears nothing.
func (c *chip) say(format string, args ...any) {
	if c.cmd != nil {
		_, _ = fmt.Fprintf(c.in, format+"\n", args...)
	}
}

func (c *chip) input(pin string, high bool) {
	level := 0
	if high {
		level = 1
	}
	c.say("pin now %s %d", pin, level)
}

func (c *chip) reset() { c.say("reset now pin") }

// unplug ends the runner: its port and its power are gone, and the pulls hold the outputs.
func (c *chip) unplug() error {
	if c.cmd == nil {
		return errors.New("it is unplugged already")
	}
	cmd := c.cmd
	c.cmd = nil
	_ = c.in.Close() // its end
	for pin := range c.board.outputs {
		c.board.drove(pin, false, false)
	}
	return cmd.Process.Kill()
}

func (c *chip) close() error {
	if c.cmd == nil {
		return nil
	}
	return c.unplug()
}
