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
)

// What Report.As says of a pin.
const (
	In   = "in"   // input without pull
	Pull = "pull" // input with pull-up
	Low  = "low"  // output
	High = "high"
)

// The causes of a reset, for Chip.Reset and in Report.As.
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

// Chip is one chip under way. It is for one goroutine.
type Chip struct {
	runner *exec.Cmd
	in     *bufio.Writer
	close  io.Closer
	out    *bufio.Reader
	stderr strings.Builder
	now    uint64
}

// Start starts a runner with the firmware of an ELF file. baud is the rate at which bytes come to the chip; it sends
// at its own.
func Start(runner, elf string, baud int) (*Chip, error) {
	c := &Chip{runner: exec.Command(runner, "lockstep", elf, strconv.Itoa(baud))}
	c.runner.Stderr = &c.stderr
	in, err := c.runner.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("starting the runner of simavr: %w", err)
	}
	out, err := c.runner.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("starting the runner of simavr: %w", err)
	}
	if err := c.runner.Start(); err != nil {
		return nil, fmt.Errorf("starting the runner of simavr (`make test-firmware` builds it): %w", err)
	}
	c.in, c.close, c.out = bufio.NewWriter(in), in, bufio.NewReader(out)
	return c, nil
}

// Close ends the runner.
func (c *Chip) Close() error {
	c.close.Close()
	io.Copy(io.Discard, c.out)
	if err := c.runner.Wait(); err != nil {
		return fmt.Errorf("the runner of simavr: %w: %s", err, strings.TrimSpace(c.stderr.String()))
	}
	return nil
}

// Now is the cycle that the chip has reached.
func (c *Chip) Now() uint64 { return c.now }

// Run runs the chip up to a cycle, and returns what happened since the last call.
func (c *Chip) Run(until uint64) ([]Report, error) {
	fmt.Fprintf(c.in, "run %d\n", until)
	var reports []Report
	for {
		word, err := c.line()
		if err != nil {
			return reports, err
		}
		if len(word) == 2 && word[0] == "at" {
			c.now, err = strconv.ParseUint(word[1], 10, 64)
			return reports, err
		}
		r, err := parse(word)
		if err != nil {
			return reports, err
		}
		reports = append(reports, r)
	}
}

// line sends what waits and reads the words of one line.
func (c *Chip) line() ([]string, error) {
	if err := c.in.Flush(); err != nil {
		return nil, fmt.Errorf("the runner of simavr is gone: %w: %s", err, strings.TrimSpace(c.stderr.String()))
	}
	line, err := c.out.ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("the runner of simavr is gone: %w: %s", err, strings.TrimSpace(c.stderr.String()))
	}
	word := strings.Fields(line)
	if len(word) > 0 && word[0] == "error" {
		return nil, errors.New("the runner of simavr says: " + strings.Join(word[1:], " "))
	}
	return word, nil
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
	case (r.Kind == Clocked || r.Kind == Overrun) && len(word) == 2:
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
	level := 0
	if high {
		level = 1
	}
	fmt.Fprintf(c.in, "pin %d %s %d\n", at, pin, level)
}

// Reset resets the chip at a cycle.
func (c *Chip) Reset(at uint64, cause string) { fmt.Fprintf(c.in, "reset %d %s\n", at, cause) }

// Hang stops the firmware's main loop at a cycle, until the next reset; with interrupts false nothing else runs
// either.
func (c *Chip) Hang(at uint64, interrupts bool) {
	what := "all"
	if interrupts {
		what = "main"
	}
	fmt.Fprintf(c.in, "hang %d %s\n", at, what)
}

// Poke writes to the chip's memory.
func (c *Chip) Poke(address int, bytes []byte) { fmt.Fprintf(c.in, "poke %d %x\n", address, bytes) }

// Peek reads the chip's memory: registers from 0, RAM from 0x100.
func (c *Chip) Peek(address, count int) ([]byte, error) {
	fmt.Fprintf(c.in, "peek %d %d\n", address, count)
	word, err := c.line()
	if err != nil {
		return nil, err
	}
	if len(word) != 3 || word[0] != "memory" {
		return nil, fmt.Errorf("the runner of simavr says %q, expected memory", strings.Join(word, " "))
	}
	return hex.DecodeString(word[2])
}
