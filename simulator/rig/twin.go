package rig

import (
	"slices"
	"time"

	"scentpost/drivers/linux"
	"scentpost/firmware-bridge/message"
	"scentpost/simulator/circuit"
)

// twinned is a board in this process.
type twinned struct {
	link  string
	rig   *Rig
	board *circuit.Board
	pty   *linux.PTY // nil while it is unplugged
}

// overflow is how long a full port is waited for.
const overflow = 5 * time.Millisecond

func newTwin(p *plugged) (core, error) {
	t := &twinned{link: p.Link, rig: p.rig}
	t.board = circuit.New(circuit.Options{World: p.rig.server.World(), ID: p.ID, Baud: p.Baud, Drive: p.drove})
	return t, t.plug()
}

func (t *twinned) input(pin string, high bool) { t.board.Input(pin, high) }

func (t *twinned) reset() { t.board.Reset(message.CauseReset) }

// cut takes the port away; the twin goes on.
func (t *twinned) cut() error {
	if t.pty == nil {
		return errCut
	}
	pty := t.pty
	t.pty = nil
	t.board.Cut()
	return pty.Close()
}

// join makes a port, and has what comes there given to the twin.
func (t *twinned) join() (err error) {
	if t.pty != nil {
		return errJoined
	}
	if t.pty, err = linux.OpenPTY(t.link); err != nil {
		return err
	}
	pty := t.pty
	cable := t.board.Join(func(said []byte) {
		_ = pty.SetWriteDeadline(time.Now().Add(overflow))
		_, _ = pty.Write(said) // a port that nobody reads overflows, as a real one does
	})
	go func() {
		buffer := make([]byte, 4096)
		for {
			n, err := pty.Read(buffer)
			if n > 0 {
				heard := slices.Clone(buffer[:n])
				t.rig.server.Do(func() { cable.Say(heard) })
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
	t.board.Reset(message.CausePower)
	return nil
}

// plug gives it a port; it starts anew.
func (t *twinned) plug() error {
	if err := t.join(); err != nil {
		return err
	}
	t.board.Reset(message.CausePower)
	return nil
}

func (t *twinned) close() error {
	t.board.End()
	if t.pty == nil {
		return nil
	}
	return t.cut()
}
