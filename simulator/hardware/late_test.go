package hardware

import (
	"context"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"scentpost/drivers/virtual"
	"scentpost/simulator/world"
	"scentpost/station/clock"
	"scentpost/station/devices"
	"scentpost/station/event"
	"scentpost/station/health"
)

// busy is a machine that gets to what a daemon says only now and then: what it sends stands still until an instant.
type busy struct {
	mu    sync.Mutex
	until time.Time
}

func (b *busy) stall(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.until = time.Now().Add(d)
}

// dial connects a daemon to a station over such a machine.
func (b *busy) dial(lines pipes) (net.Conn, error) {
	daemon, here := net.Pipe()
	there := lines.dial()
	pass := func(to, from net.Conn, wait func()) {
		defer to.Close()
		text := make([]byte, 1<<10)
		for {
			n, err := from.Read(text)
			if err != nil {
				return
			}
			wait()
			if _, err := to.Write(text[:n]); err != nil {
				return
			}
		}
	}
	go pass(here, there, func() {})
	go pass(there, here, func() {
		b.mu.Lock()
		left := time.Until(b.until)
		b.mu.Unlock()
		<-time.After(left)
	})
	return daemon, nil
}

// ear hears what the devices of a station tell.
type ear struct {
	mu         sync.Mutex
	voids      []string
	faults     []string
	confirmed  int
	conditions []string
}

func (h *ear) Watermark(string, int64) {}

func (h *ear) Event(e event.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch body := e.Body.(type) {
	case *event.Void:
		h.voids = append(h.voids, body.Why.String())
	case *event.Handling:
		if m := e.Secret.(*event.Moves); m.Fault != "" {
			h.faults = append(h.faults, m.Fault)
		} else if m.Confirmed != 0 {
			h.confirmed++
		}
	}
}

func (h *ear) Condition(code health.Code, on, evidence string, holds bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if holds {
		h.conditions = append(h.conditions, string(code)+" "+on+": "+evidence)
	}
}

// take returns what was heard since the last call.
func (h *ear) take() (voids, faults, conditions []string, confirmed int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	voids, faults, conditions, confirmed = h.voids, h.faults, h.conditions, h.confirmed
	h.voids, h.faults, h.conditions, h.confirmed = nil, nil, nil, 0
	return voids, faults, conditions, confirmed
}

// attended runs a test against the devices of a daemon at a virtual station whose time runs four times as fast as real time.
func attended(t *testing.T, test func(b *busy, s *devices.Station, c *clock.Real, h *ear)) {
	synctest.Test(t, func(t *testing.T) {
		cfg := readStation(t, "virtual-two")
		layout, err := FromConfig(cfg, nil)
		if err != nil {
			t.Fatal(err)
		}
		st, err := New(world.New(1), layout)
		if err != nil {
			t.Fatal(err)
		}
		server, err := NewServer(st, "late", 4, nil)
		if err != nil {
			t.Fatal(err)
		}
		lines, b, h := make(pipes), &busy{}, &ear{}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- server.Serve(ctx, lines, nil) }()
		client, err := virtual.Dial(virtual.Options{Socket: "late", Dial: func() (net.Conn, error) { return b.dial(lines) }})
		if err != nil {
			t.Fatal(err)
		}
		running, err := clock.New(clock.Simulated(client.Boot(), client.Scale(), client.Mono, client.UTC))
		if err != nil {
			t.Fatal(err)
		}
		s, err := devices.Open(cfg, client, running, h)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second) // what is closed at the start arrives
		if voids, faults, conditions, _ := h.take(); len(voids)+len(faults)+len(conditions) != 0 {
			t.Errorf("at the start: void %q, faults %q, conditions %q", voids, faults, conditions)
		}
		test(b, s, running, h)
		for _, end := range []func() error{s.Close, client.Close, running.Close, func() error { cancel(); return <-ended }} {
			if err := end(); err != nil {
				t.Error(err)
			}
		}
	})
}

// opens has every position open one canister in two seconds of the station's time.
func opens(s *devices.Station, c *clock.Real) {
	s.Move(c.Now().Mono+int64(2*time.Second), time.Minute, []event.Move{
		{Position: 1, Canister: "1A", Open: true}, {Position: 2, Canister: "2B", Open: true}})
}

// TestALateSimulationSaysSo: at four times real time commands come a second of the station's time late, as on a busy machine.
// The canisters do as they are told, and none of them is at fault.
func TestALateSimulationSaysSo(t *testing.T) {
	attended(t, func(b *busy, s *devices.Station, c *clock.Real, h *ear) {
		opens(s, c)
		b.stall(750 * time.Millisecond)
		time.Sleep(2 * time.Second)
		voids, faults, conditions, _ := h.take()
		if !slices.Equal(voids, []string{string(event.CauseSimulation)}) {
			t.Errorf("opened late: void by %q, want %s once", voids, event.CauseSimulation)
		}
		late(t, "opened late", faults, conditions, 2)

		s.CloseAll()
		time.Sleep(2 * time.Second)
		h.take()
		opens(s, c)
		time.Sleep(2 * time.Second)
		b.stall(250 * time.Millisecond)
		s.CloseAll()
		time.Sleep(2 * time.Second)
		voids, faults, conditions, confirmed := h.take()
		if len(voids) != 0 || confirmed != 4 {
			t.Errorf("closed late: void by %q, %d moves confirmed, want none and 4", voids, confirmed)
		}
		late(t, "closed late", faults, conditions, 2)
	})
}

// late checks that faults and conditions name the simulation alone.
func late(t *testing.T, when string, faults, conditions []string, moves int) {
	t.Helper()
	for _, fault := range faults {
		if !strings.HasPrefix(fault, devices.FaultLag) {
			t.Errorf("%s: a canister has the fault %q", when, fault)
		}
	}
	if len(faults) != moves {
		t.Errorf("%s: %d faults, want %d: %q", when, len(faults), moves, faults)
	}
	for _, c := range conditions {
		if !strings.HasPrefix(c, string(health.SimulationLate)+" virtual-station: ") {
			t.Errorf("%s: condition %s", when, c)
		}
	}
}

// TestASimulationThatIsInTimeSaysNothing: a stall that the commands have room for is no lateness.
func TestASimulationThatIsInTimeSaysNothing(t *testing.T) {
	attended(t, func(b *busy, s *devices.Station, c *clock.Real, h *ear) {
		opens(s, c)
		b.stall(450 * time.Millisecond)
		time.Sleep(2 * time.Second)
		b.stall(20 * time.Millisecond)
		s.CloseAll()
		time.Sleep(2 * time.Second)
		if voids, faults, conditions, confirmed := h.take(); len(voids)+len(faults)+len(conditions) != 0 || confirmed != 4 {
			t.Errorf("void %q, faults %q, conditions %q, %d moves confirmed", voids, faults, conditions, confirmed)
		}
	})
}
