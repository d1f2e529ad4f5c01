package yard

import (
	"errors"
	"time"

	"scentpost/station/uplink"
	"scentpost/station/uplink/wire"
)

const (
	// acknowledgement is how long the simulated broker takes for a PUBACK.
	acknowledgement = 20 * time.Millisecond
	// dialEvery is the pause between two attempts to reach a broker that is away.
	dialEvery = time.Second
)

// Broker is the simulated broker. It keeps the retained state, whatever becomes of the station's program.
type Broker struct {
	yard     *Yard
	up       bool
	sessions int64
	retained wire.Departed // what the retained state says
	sender   *sender       // of the program that runs; nil while it reports to nobody
}

// Away takes the broker away, or brings it back.
func (b *Broker) Away(away bool) {
	b.up = !away
	if s := b.sender; away && s != nil && s.connected {
		s.connected = false
		s.sender.Disconnected()
		s.dial()
	}
}

// Retain makes the broker say that so much has left the station, as one does that has seen another history of it.
func (b *Broker) Retain(d wire.Departed) { b.retained = d }

// sender runs the sender of a station's program, as uplink.Link does over a real connection. It implements
// assembly.Reporter.
type sender struct {
	yard      *Yard
	sender    *uplink.Sender
	connected bool
	ended     bool
	stop      func() // the next tick
}

// report has the station report to the broker.
func (y *Yard) report() error {
	if y.opt.Publish == nil {
		return nil
	}
	options, err := y.Station.SenderOptions()
	if err != nil {
		return err
	}
	s := &sender{yard: y, stop: func() {}}
	if s.sender, err = uplink.NewSender(options); err != nil {
		return err
	}
	stop, err := y.Station.Report(s)
	if err != nil {
		return err
	}
	y.Broker.sender = s
	y.ends = append(y.ends, func() {
		stop()
		s.stop()
		s.ended, y.Broker.sender = true, nil
	})
	s.dial()
	return nil
}

// dial connects to the broker and reads the retained state back.
func (s *sender) dial() {
	b := s.yard.Broker
	switch {
	case s.ended || s.connected:
	case !b.up:
		s.yard.Station.LinkIs(uplink.Condition{Session: b.sessions, Problem: errors.New("connection refused")})
		s.yard.World.After(dialEvery, s.dial)
	default:
		b.sessions++
		s.connected = true
		s.sender.Connected(b.sessions)
		s.sender.RetainedState(b.retained)
		s.yard.Station.LinkIs(uplink.Condition{Ready: true, Session: b.sessions})
		s.tick()
	}
}

// Info implements assembly.Reporter.
func (s *sender) Info(payload []byte) { _ = s.sender.Info(payload) } // it is a JSON object

// State implements assembly.Reporter.
func (s *sender) State(payload []byte) { _ = s.sender.State(payload) } // it is a JSON object

// Durable implements assembly.Reporter. It is what is told last of a state.
func (s *sender) Durable(size int64) {
	s.sender.Durable(size)
	s.tick()
}

// Acknowledged implements assembly.Reporter.
func (s *sender) Acknowledged() int64 { return s.sender.Cursor() }

func (s *sender) tick() {
	if s.ended {
		return
	}
	s.stop()
	y, w := s.yard, s.yard.World
	out := s.sender.Tick(w.Mono())
	if out.Behind != nil {
		behind := y.Station.Behind(*out.Behind)
		w.After(0, func() {
			if err := y.again(behind); err != nil {
				y.opt.Log.Error("the station does not start again", "err", err)
			}
		})
	}
	for _, p := range out.Publish {
		s.publish(p)
	}
	if out.Save != nil {
		saved := *out.Save
		s.after(y.Disk.latency, func() {
			if err := y.Station.Departs(saved); err != nil {
				s.sender.SaveFailed(w.Mono())
				return
			}
			s.sender.Saved(saved)
		})
	}
	if out.Cursor != 0 {
		_ = y.Station.SaveCursor(out.Cursor) // losing it means sending again
	}
	if at, wanted := s.sender.Next(); wanted {
		s.stop = w.At(at, s.tick)
	}
}

// publish hands a message to the broker.
func (s *sender) publish(p uplink.Publish) {
	s.yard.opt.Publish(s.yard.World.Mono(), p)
	if said, err := wire.ParseState(p.Payload); err == nil && p.Retain {
		s.yard.Broker.retained = said.Departed
	}
	s.after(acknowledgement, func() {
		if s.connected {
			s.sender.Acked(p.ID)
		}
	})
}

// after does f after a while, and what follows from it, unless the program has ended by then.
func (s *sender) after(while time.Duration, f func()) {
	s.yard.World.After(while, func() {
		if !s.ended {
			f()
			s.tick()
		}
	})
}
