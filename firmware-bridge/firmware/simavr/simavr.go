// Package simavr runs the firmware of a board in simavr, by way of the runner in ../runner.
//
// The chip and whoever talks to it share one clock: its cycles. Nothing happens in the chip except in Chip.Run, so that
// the same calls give the same reports, however busy the machine is. The runner's protocol is in ../runner/README.md.
package simavr

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strconv"
	"strings"
)

// Frequency is that of the chip, in cycles a second; PerMicrosecond the same in cycles a microsecond.
const (
	Frequency      = 16_000_000
	PerMicrosecond = Frequency / 1_000_000
)

// Kind is what a report tells of.
type Kind string

// The kinds of reports.
const (
	Said    Kind = "said"    // the chip sent a byte; At is the end of its stop bit
	Drove   Kind = "pin"     // direction or level of a pin are others: As
	Edge    Kind = "edge"    // a level that was asked for came to a pin
	Started Kind = "start"   // after a reset; As is its cause
	Clocked Kind = "clock"   // the board's clock began: its zero
	Overrun Kind = "overrun" // the chip's receiver lost a byte
	Plugged Kind = "plugged" // of Live: the port is there
	Behind  Kind = "behind"  // of Live: the machine was too slow, the chip's time goes on from here
)

// What Report.As says of a pin.
const (
	In   = "in"   // input without pull
	Pull = "pull" // input with pull-up
	Low  = "low"  // output
	High = "high"
)

// The causes of a reset, for Chip.Reset and in Report.As. A boot loader may keep them from the firmware.
const (
	ByPower    = "power"
	ByPin      = "pin"
	ByBrownOut = "brown-out"
	ByWatchdog = "watchdog"
	ByUnknown  = "unknown" // a boot loader cleared the flags
)

// Report is one thing that happened in the chip, or on its pins.
type Report struct {
	At    uint64 // cycle
	Kind  Kind
	Byte  byte   // of Said
	Pin   string // of Drove and Edge, such as D4
	As    string // of Drove and Started
	Level bool   // of Edge
}

// process is a runner under way.
type process struct {
	command *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
	stderr  strings.Builder
}

// run starts a runner in one of its modes.
func run(runner string, words ...string) (*process, error) {
	p := &process{command: exec.Command(runner, words...)}
	p.command.Stderr = &p.stderr
	in, err := p.command.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("starting the runner of simavr: %w", err)
	}
	out, err := p.command.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("starting the runner of simavr: %w", err)
	}
	if err := p.command.Start(); err != nil {
		return nil, fmt.Errorf("starting the runner of simavr: %w (apt-get install gcc libsimavr-dev; make -C firmware-bridge/firmware runner)", err)
	}
	p.in, p.out = in, bufio.NewReader(out)
	return p, nil
}

// errSaid is a complaint of the runner, which goes on.
var errSaid = errors.New("the runner of simavr says")

// line reads the words of one line.
func (p *process) line() ([]string, error) {
	line, err := p.out.ReadString('\n')
	if err != nil {
		return nil, p.gone(err)
	}
	word := strings.Fields(line)
	if len(word) > 0 && word[0] == "error" {
		return nil, fmt.Errorf("%w: %s", errSaid, strings.Join(word[1:], " "))
	}
	return word, nil
}

func (p *process) gone(err error) error {
	return fmt.Errorf("the runner of simavr is gone: %w", err)
}

// end ends the runner, whose output somebody has read or nobody will.
func (p *process) end() error {
	p.in.Close()
	io.Copy(io.Discard, p.out)
	if err := p.command.Wait(); err != nil {
		return fmt.Errorf("the runner of simavr: %w: %s", err, strings.TrimSpace(p.stderr.String()))
	}
	return nil
}

// Chip is one chip under way, in lockstep with its caller. It is for one goroutine.
type Chip struct {
	*process
	in  *bufio.Writer
	now uint64
}

// Flash is what a chip's flash holds, as paths of files.
type Flash struct {
	Firmware   string // ELF
	BootLoader string // Intel HEX, "" for none: with one, a reset starts it
}

// words are the last ones of a runner's command line.
func (f Flash) words() []string {
	if f.BootLoader == "" {
		return nil
	}
	return []string{f.BootLoader}
}

// Start starts a runner. baud is the rate at which bytes come to the chip; it sends at its own.
func Start(runner string, flash Flash, baud int) (*Chip, error) {
	p, err := run(runner, append([]string{"lockstep", flash.Firmware, strconv.Itoa(baud)}, flash.words()...)...)
	if err != nil {
		return nil, err
	}
	return &Chip{process: p, in: bufio.NewWriter(p.in)}, nil
}

// Close ends the runner.
func (c *Chip) Close() error { return c.end() }

// Now is the cycle that the chip has reached.
func (c *Chip) Now() uint64 { return c.now }

// Run runs the chip up to a cycle, and returns what happened since the last call.
func (c *Chip) Run(until uint64) ([]Report, error) { return c.pass("run", until) }

// Listen is Run that ends behind the first byte that the chip says.
func (c *Chip) Listen(until uint64) ([]Report, error) { return c.pass("listen", until) }

func (c *Chip) pass(how string, until uint64) ([]Report, error) {
	fmt.Fprintf(c.in, "%s %d\n", how, until)
	var reports []Report
	var wrong error
	for {
		word, err := c.answer()
		switch {
		case errors.Is(err, errSaid):
			wrong = errors.Join(wrong, err) // the end is yet to come
			continue
		case err != nil:
			return reports, err
		case len(word) == 2 && word[0] == "at":
			c.now, err = strconv.ParseUint(word[1], 10, 64)
			return reports, errors.Join(wrong, err)
		}
		r, err := parse(word)
		if err != nil {
			return reports, err
		}
		reports = append(reports, r)
	}
}

// answer sends what waits and reads the words of one line.
func (c *Chip) answer() ([]string, error) {
	if err := c.in.Flush(); err != nil {
		return nil, c.gone(err)
	}
	return c.line()
}

func parse(word []string) (Report, error) {
	bad := fmt.Errorf("the runner of simavr says %q, which is no report", strings.Join(word, " "))
	if len(word) < 2 {
		return Report{}, bad
	}
	at, err := strconv.ParseUint(word[1], 10, 64)
	if err != nil {
		return Report{}, bad
	}
	r := Report{At: at, Kind: Kind(word[0])}
	switch {
	case r.Kind == Said && len(word) == 3:
		b, err := strconv.ParseUint(word[2], 16, 8)
		if err != nil {
			return Report{}, bad
		}
		r.Byte = byte(b)
	case r.Kind == Drove && len(word) == 4:
		r.Pin, r.As = word[2], word[3]
	case r.Kind == Edge && len(word) == 4:
		r.Pin, r.Level = word[2], word[3] == "1"
	case r.Kind == Started && len(word) == 3:
		r.As = word[2]
	case slices.Contains([]Kind{Clocked, Overrun, Plugged, Behind}, r.Kind) && len(word) == 2:
	default:
		return Report{}, bad
	}
	return r, nil
}

// Hear puts bytes on the line to the chip, one behind the other at the line's rate: the first start bit comes at a
// cycle, or when the line is free. The chip cannot hold them off.
func (c *Chip) Hear(at uint64, bytes []byte) {
	if len(bytes) > 0 {
		fmt.Fprintf(c.in, "hear %d %x\n", at, bytes)
	}
}

// Spoil puts bytes without a stop bit on the line.
func (c *Chip) Spoil(at uint64, bytes []byte) {
	if len(bytes) > 0 {
		fmt.Fprintf(c.in, "spoil %d %x\n", at, bytes)
	}
}

// Pin gives a pin a level from outside, at a cycle.
func (c *Chip) Pin(at uint64, pin string, high bool) {
	fmt.Fprintf(c.in, "pin %d %s %s\n", at, pin, digit(high))
}

func digit(high bool) string {
	if high {
		return "1"
	}
	return "0"
}

// Reset resets the chip at a cycle.
func (c *Chip) Reset(at uint64, cause string) { fmt.Fprintf(c.in, "reset %d %s\n", at, cause) }

// Hang stops the firmware's main loop at a cycle, until the next reset; with interrupts false nothing else runs
// either.
func (c *Chip) Hang(at uint64, interrupts bool) {
	fmt.Fprintf(c.in, "hang %d %s\n", at, what(interrupts))
}

func what(interrupts bool) string {
	if interrupts {
		return "main"
	}
	return "all"
}

// Poke writes to the chip's memory.
func (c *Chip) Poke(address int, bytes []byte) { fmt.Fprintf(c.in, "poke %d %x\n", address, bytes) }

// Peek reads the chip's memory: registers from 0, RAM from 0x100.
func (c *Chip) Peek(address, count int) ([]byte, error) {
	fmt.Fprintf(c.in, "peek %d %d\n", address, count)
	word, err := c.answer()
	if err != nil {
		return nil, err
	}
	if len(word) != 3 || word[0] != "memory" {
		return nil, fmt.Errorf("the runner of simavr says %q, expected memory", strings.Join(word, " "))
	}
	return hex.DecodeString(word[2])
}
