package rig

import (
	"slices"
	"time"

	"scentpost/drivers/linux"
	"scentpost/firmware-bridge/message"
	"scentpost/firmware-bridge/twin"
	"scentpost/simulator/world"
)

// twinned is a board in this process.
type twinned struct {
	board *plugged
	world *world.World
	twin  *twin.Board
	pty   *linux.PTY // nil while it is unplugged
	stop  func()     // the next tick
	began int64
	free  [2]int64 // when the line to the board, and the one from it, have carried what is on them
	ended bool
}

// overflow is how long a full port is waited for.
const overflow = 5 * time.Millisecond

// Abilities of every pin of a twin.
const able = message.AbleInput | message.AbleOutput | message.AblePullUp | message.AbleTimed

func newTwin(p *plugged) (core, error) {
	id := message.NoID
	if p.ID != "" {
		id = message.ID{}
		copy(id[:], p.ID)
	}
	t := &twinned{board: p, world: p.rig.server.World(), stop: func() {}}
	t.began = t.world.Mono()
	var pins []message.Pin
	for i, name := range slices.Sorted(pinNames) {
		pins = append(pins, message.Pin{Index: byte(i), Abilities: able, Name: name})
	}
	t.twin = twin.New(twin.Options{Pins: pins, ID: id, Kind: "twin", Micros: func(mono int64) uint64 { return uint64(max(mono-t.began, 0) / 1000) }})
	return t, t.plug()
}

// pinNames yields the pins that may be used of a Nano, so that a configuration for one serves the other.
func pinNames(yield func(string) bool) {
	for _, name := range []string{"D2", "D3", "D4", "D5", "D6", "D7", "D8", "D9", "D10", "D11", "D12", "A0", "A1", "A2", "A3", "A4", "A5"} {
		if !yield(name) {
			return
		}
	}
}

func (t *twinned) input(pin string, high bool) {
	t.twin.Input(t.world.Mono(), pin, high)
	t.exchange()
}

func (t *twinned) reset() {
	t.twin.Reset(t.world.Mono(), message.CauseReset)
	t.exchange()
}

// cut takes the port away; the twin goes on.
func (t *twinned) cut() error {
	if t.pty == nil {
		return errCut
	}
	pty := t.pty
	t.pty = nil
	return pty.Close()
}

// join makes a port, and has what comes there given to the twin. As with most boards, opening it does not reset it.
func (t *twinned) join() (err error) {
	if t.pty != nil {
		return errJoined
	}
	if t.pty, err = linux.OpenPTY(t.board.Link); err != nil {
		return err
	}
	pty := t.pty
	go func() {
		buffer := make([]byte, 4096)
		for {
			n, err := pty.Read(buffer)
			if n > 0 {
				heard := slices.Clone(buffer[:n])
				t.board.rig.server.Do(func() { t.hear(pty, heard) })
			}
			if err != nil {
				return // taken away
			}
		}
	}()
	return nil
}

// unplug takes port and power away, so that its outputs are let go of at once.
func (t *twinned) unplug() error {
	if err := t.cut(); err != nil {
		return err
	}
	t.twin.Reset(t.world.Mono(), message.CausePower)
	t.exchange()
	return nil
}

// plug gives it a port; it starts anew.
func (t *twinned) plug() error {
	if err := t.join(); err != nil {
		return err
	}
	t.twin.Reset(t.world.Mono(), message.CausePower)
	t.exchange()
	return nil
}

func (t *twinned) hear(from *linux.PTY, heard []byte) {
	t.carry(0, from, heard, func() {
		t.twin.Receive(t.world.Mono(), heard)
		t.exchange()
	})
}

// carry lets bytes travel for as long as a line of the board's speed takes, and calls arrived then, unless the cable was
// pulled meanwhile. A round trip that is faster than the wire would be no measurement.
func (t *twinned) carry(direction int, on *linux.PTY, bytes []byte, arrived func()) {
	at := &t.free[direction]
	*at = max(*at, t.world.Mono()) + int64(len(bytes))*10*int64(time.Second)/int64(t.board.Baud)
	t.world.At(*at, func() {
		if on == t.pty && on != nil {
			arrived()
		}
	})
}

// exchange passes on what the twin says and does, and plans when it wants to be asked again.
func (t *twinned) exchange() {
	out, changes := t.twin.Take()
	for _, c := range changes {
		t.board.drove(c.Pin, c.Driven, c.Level)
	}
	if len(out) > 0 && t.pty != nil {
		on := t.pty
		t.carry(1, on, out, func() {
			_ = on.SetWriteDeadline(time.Now().Add(overflow))
			_, _ = on.Write(out) // a port that nobody reads overflows, as a real one does
		})
	}
	t.stop()
	if t.ended {
		return
	}
	next := max(t.world.Mono()+1, t.began+int64(t.twin.Due()+1)*1000)
	t.stop = t.world.At(next, func() {
		t.twin.Tick(t.world.Mono())
		t.exchange()
	})
}

func (t *twinned) close() error {
	t.ended = true
	t.stop()
	if t.pty == nil {
		return nil
	}
	return t.cut()
}
