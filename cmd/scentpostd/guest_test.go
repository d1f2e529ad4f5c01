package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"syscall"
	"testing"

	"golang.org/x/sync/errgroup"

	"scentpost/drivers/bus"
	"scentpost/drivers/linux"
	"scentpost/station/assembly"
	"scentpost/station/clock"
)

// guestVariable makes of this test binary a program for the guest of drivers/linux/kerneltest: the daemon, and what it
// does not tell by itself.
const guestVariable = "SCENTPOST_GUEST"

func TestMain(m *testing.M) {
	switch role := os.Getenv(guestVariable); role {
	case "":
		os.Exit(m.Run())
	case "vitals": // the daemon, which tells what it holds when it is asked to
		go tellVitals()
		main()
	case "busy": // the daemon, while as much is computed as for two clients that want much
		for range 2 {
			go compute()
		}
		main()
	case "held": // guestVariable=held BINARY CONFIG EDGES
		if err := tellHeld(os.Args[1], os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	default:
		fmt.Fprintf(os.Stderr, "%s=%s is no role\n", guestVariable, role)
		os.Exit(1)
	}
}

// compute computes without end.
func compute() {
	b := make([]byte, 1<<16)
	for {
		sum := sha256.Sum256(b)
		copy(b, sum[:])
	}
}

// tellVitals collects the garbage at each SIGUSR1, and says how many goroutines there are and how many bytes are left.
func tellVitals() {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGUSR1)
	for range asked {
		runtime.GC()
		runtime.GC() // the first one may leave what finalizers held
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		fmt.Fprintf(os.Stderr, "vitals %d %d\n", runtime.NumGoroutine(), m.HeapAlloc)
	}
}

// held is a raw edge: its kernel stamp, and when the host's goroutine was done with what came before.
type held struct{ stamp, at int64 }

// probe is a bus that asks the host's goroutine a question behind each raw edge.
type probe struct {
	bus.Bus
	s    *station
	mono func() int64
	got  chan held
}

// Watch implements bus.Bus.
func (p probe) Watch(lines []string, sink bus.Sink) error {
	return p.Bus.Watch(lines, probed{sink.(wholeSink), p})
}

// wholeSink is all that the devices want to hear of their lines.
type wholeSink interface {
	bus.Sink
	bus.GapSink
	bus.PresenceSink
}

type probed struct {
	wholeSink
	probe
}

// Edge implements bus.Sink.
func (p probed) Edge(e bus.Edge) {
	p.wholeSink.Edge(e)
	if h := p.s.Host(); h != nil {
		h.Ping(func() { p.got <- held{e.Mono, p.mono()} })
	}
}

// tellHeld runs the devices and the host of a station on this machine's lines, and prints of so many edges when the
// kernel stamped them and when the host's goroutine was done with them.
func tellHeld(config, edges string) error {
	n, err := strconv.Atoi(edges)
	if err != nil {
		return err
	}
	cfg, err := readConfig(config)
	if err != nil {
		return err
	}
	tune()
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	s, err := newStation(cfg, log, supervise(log), newChart(cfg, log))
	if err != nil {
		return err
	}
	kernel, err := linux.NewClock()
	if err != nil {
		return err
	}
	p := probe{s: s, mono: kernel.Mono, got: make(chan held, n)}
	if err := errors.Join(s.openJournal(assembly.Again{}), s.tryProbed(kernel, p)); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	group, running := errgroup.WithContext(ctx)
	if err := s.begin(running, assembly.Again{}); err != nil {
		stop()
		return err
	}
	group.Go(func() error { return s.Host().Run(running, s.woken) })
	s.Open()
	fmt.Println("ready")
	all := make([]held, n)
	for i := range all {
		all[i] = <-p.got
	}
	for _, h := range all {
		fmt.Println(h.stamp, h.at)
	}
	stop()
	return errors.Join(group.Wait(), s.close())
}

// tryProbed connects the devices to the GPIO lines of this machine with a probe between them.
func (s *station) tryProbed(kernel *linux.Clock, p probe) (err error) {
	wiring := map[string]linux.Wiring{}
	for line, w := range s.cfg.Driver.Wiring {
		wiring[line] = linux.Wiring{ActiveLow: w.ActiveLow, Bias: linux.Bias(w.Bias)}
	}
	if p.Bus, err = linux.OpenGPIO(linux.Options{Wiring: wiring}); err != nil {
		return err
	}
	return s.connect(p, clock.NewKeeper(kernel, 0).Base(), nil)
}
