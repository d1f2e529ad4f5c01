//go:build linux

package kerneltest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/warthog618/go-gpiocdev"

	"scentpost/drivers/linux"
)

// roleVariable makes of this program a second process in the guest, which plays a role.
const roleVariable = "KERNELTEST_ROLE"

// The roles.
const (
	// rolePlayer toggles the line of the sysfs file KERNELTEST_FILE, KERNELTEST_COUNT times every KERNELTEST_EVERY,
	// and prints when it did, as 64-bit nanoseconds.
	rolePlayer = "player"
	// roleBare is a program with go-gpiocdev alone: it watches the first two lines of the chip KERNELTEST_CHIP, hands
	// KERNELTEST_COUNT edges from its handler through a channel to a second goroutine, and prints when that had each.
	roleBare = "bare"
	// roleHolder drives line 17 of the first chip high, and prints a letter when it does.
	roleHolder = "holder"
)

// play plays a role and returns the code to exit with.
func play(role string) int {
	var err error
	switch role {
	case rolePlayer:
		err = toggle(os.Getenv("KERNELTEST_FILE"), os.Getenv("KERNELTEST_COUNT"), os.Getenv("KERNELTEST_EVERY"))
	case roleBare:
		err = bare(os.Getenv("KERNELTEST_CHIP"), os.Getenv("KERNELTEST_COUNT"))
	case roleHolder:
		err = hold()
	default:
		err = fmt.Errorf("no such role: %q", role)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func toggle(file, count, every string) error {
	n, err := strconv.Atoi(count)
	if err != nil {
		return err
	}
	pause, err := time.ParseDuration(every)
	if err != nil {
		return err
	}
	clock, err := linux.NewClock()
	if err != nil {
		return err
	}
	f, err := os.OpenFile(file, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	var when bytes.Buffer
	ticks := time.NewTicker(pause)
	defer ticks.Stop()
	for i := range n {
		<-ticks.C
		at := clock.Mono()
		if _, err := f.WriteAt(pulls[i%2 == 0], 0); err != nil {
			return err
		}
		if err := binary.Write(&when, binary.NativeEndian, at); err != nil {
			return err
		}
	}
	_, err = io.Copy(os.Stdout, &when)
	return err
}

func bare(label, count string) error {
	n, err := strconv.Atoi(count)
	if err != nil {
		return err
	}
	clock, err := linux.NewClock()
	if err != nil {
		return err
	}
	path, err := chipLabelled(label)
	if err != nil {
		return err
	}
	events, got := make(chan gpiocdev.LineEvent, n), make(chan held, n)
	lines, err := gpiocdev.RequestLines(path, []int{0, 1}, gpiocdev.WithBothEdges,
		gpiocdev.WithEventHandler(func(e gpiocdev.LineEvent) { events <- e }))
	if err != nil {
		return err
	}
	go func() {
		for e := range events {
			got <- held{int64(e.Timestamp), clock.Mono()}
		}
	}()
	fmt.Println("ready")
	all := make([]held, n)
	for i := range all {
		all[i] = <-got
	}
	for _, h := range all {
		fmt.Println(h.stamp, h.at)
	}
	return lines.Close()
}

func hold() error {
	if _, err := gpiocdev.RequestLine("gpiochip0", 17, gpiocdev.AsOutput(1)); err != nil {
		return err
	}
	fmt.Print("o")
	select {} // until somebody ends it
}

func chipLabelled(label string) (path string, err error) {
	for _, name := range gpiocdev.Chips() {
		c, err := gpiocdev.NewChip(name)
		if err != nil {
			return "", err
		}
		if c.Label == label {
			path = name
		}
		if err := c.Close(); err != nil {
			return "", err
		}
	}
	return path, nil
}

// actor is this program in a role.
func actor(t *testing.T, role string, variables ...string) *exec.Cmd {
	t.Helper()
	c := exec.Command("/proc/self/exe")
	c.Env = append(variables, roleVariable+"="+role)
	c.Stderr = os.Stderr
	return c
}

// edges plays edges on a line from another process, and returns when each was written.
func (c *Chip) edges(t *testing.T, line, n int, every time.Duration) []int64 {
	t.Helper()
	out, err := actor(t, rolePlayer, "KERNELTEST_FILE="+c.drivers[line].Name(), fmt.Sprint("KERNELTEST_COUNT=", n),
		fmt.Sprint("KERNELTEST_EVERY=", every)).Output()
	if err != nil {
		t.Fatal(err)
	}
	when := make([]int64, len(out)/8)
	if err := binary.Read(bytes.NewReader(out), binary.NativeEndian, when); err != nil || len(when) != n {
		t.Fatalf("%d edges played, want %d: %v", len(when), n, err)
	}
	return when
}
