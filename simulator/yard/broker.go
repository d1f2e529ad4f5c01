package yard

import (
	"bytes"
	"time"

	"scentpost/station/health"
	"scentpost/station/record"
	"scentpost/station/uplink"
	"scentpost/station/uplink/wire"
)

// Nothing at a broker takes no time: a fault that shows only then must show here.
const (
	// oneWay is how long a message takes to the simulated broker or from it.
	oneWay = 10 * time.Millisecond
	// handshake is how long it takes until a new connection has its subscriptions.
	handshake = 4 * oneWay
	// wakes is how much later than asked for the sender is called.
	wakes = 100 * time.Microsecond
	// dialEvery is the pause between two attempts to reach a broker that is away.
	dialEvery = time.Second
)

// Broker is the simulated broker. It keeps what is retained, whatever becomes of the station's program.
type Broker struct {
	yard     *Yard
	up       bool
	deaf     bool // it acknowledges batches and throws them away
	sessions int64
	retained map[string][]byte
	sender   *sender // of the program that runs; nil while it reports to nobody
}

// Away takes the broker away, or brings it back.
func (b *Broker) Away(away bool) {
	b.up = !away
	if s := b.sender; away && s != nil && s.online {
		s.disconnect()
		s.dial()
	}
}

// Deafen lets the broker throw batches away that it acknowledges, or deliver them again.
func (b *Broker) Deafen(deaf bool) { b.deaf = deaf }

// Retain makes the broker keep a message of somebody else, and deliver it to a station that reads the topic.
func (b *Broker) Retain(topic string, payload []byte) {
	b.retained[topic] = bytes.Clone(payload)
	if s := b.sender; s != nil && s.online {
		s.deliver(topic, payload, false)
	}
}

// Claim makes the broker say what a copy of this station says, with its key: that so many records of an epoch have left.
func (b *Broker) Claim(epoch string, size int64) error {
	log := record.Log{Site: b.yard.opt.Config.Site, Station: b.yard.opt.Config.Station, Epoch: epoch}
	signer, err := record.NewSigner(log, b.yard.key)
	if err != nil {
		return err
	}
	note, err := signer.Checkpoint(size, [32]byte{1})
	if err != nil {
		return err
	}
	topics, err := wire.NewTopics(log.Site, log.Station)
	if err != nil {
		return err
	}
	b.Retain(topics.State, wire.State{Departed: wire.Departed{Epoch: epoch, Size: size, Checkpoint: string(note)}}.Append(nil))
	return nil
}

// sender runs the sender of a station's program, as uplink.Link does over a real connection. It implements
// assembly.Reporter.
type sender struct {
	yard       *Yard
	sender     *uplink.Sender
	online     bool
	connection int // counts connections: what is on its way over an earlier one is lost
	ended      bool
	is         uplink.Condition
	stop       func() // the next tick
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

// dial connects to the broker, and reads back what it keeps.
func (s *sender) dial() {
	b := s.yard.Broker
	switch {
	case s.ended || s.online || s.sender.Copy() != nil:
	case !b.up:
		s.tell(uplink.Condition{Session: b.sessions, Troubles: []uplink.Trouble{{Code: health.BrokerAway, Evidence: "connection refused"}}})
		s.yard.World.After(dialEvery, s.dial)
	default:
		b.sessions++
		s.online = true
		s.connection++
		s.sender.Connected(b.sessions)
		s.over(handshake, func() {
			must, may := s.sender.Reads()
			for _, topic := range append(must, may...) {
				if kept, found := b.retained[topic]; found {
					s.deliver(topic, kept, true)
				}
			}
			fence := s.sender.Fence()
			s.over(oneWay, func() { s.deliver(fence.Topic, fence.Payload, false) })
		})
		s.tick()
	}
}

func (s *sender) disconnect() {
	s.online = false
	s.sender.Disconnected()
}

// tell reports the condition of the link where it has changed.
func (s *sender) tell(c uplink.Condition) {
	s.is = c
	s.yard.Station.LinkIs(c)
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
		w.After(0, func() { y.startAgain(behind) })
	}
	for _, p := range out.Publish {
		s.publish(p)
	}
	if out.Save != nil {
		saved := *out.Save
		s.after(y.Disk.latency, func() {
			var err error
			if saved.Checkpoint, err = y.Station.Departs(saved); err != nil {
				s.sender.SaveFailed(w.Mono())
				return
			}
			s.sender.Saved(saved)
		})
	}
	if out.Compare != nil {
		doubt := *out.Compare
		s.after(y.Disk.latency, func() {
			same, err := y.Station.Compare(doubt)
			if err != nil {
				s.sender.CompareFailed(w.Mono())
				return
			}
			s.sender.Compared(doubt, same)
		})
	}
	if out.Cursor != 0 {
		s.after(y.Disk.latency, func() { _ = y.Station.SaveCursor(out.Cursor) }) // losing it means sending again
	}
	if out.Drop != "" || s.online && s.sender.Copy() != nil {
		s.disconnect()
		w.After(dialEvery, s.dial)
	}
	s.look()
	if at, wanted := s.sender.Next(); wanted {
		s.stop = w.At(max(at, w.Mono())+int64(wakes), s.tick)
	}
}

// look reports what the sender finds in the way.
func (s *sender) look() {
	if !s.online && s.sender.Copy() == nil {
		return
	}
	next := uplink.Condition{Ready: s.online, Session: s.yard.Broker.sessions, Troubles: s.sender.Troubles(), Copy: s.sender.Copy()}
	if next.Changed(s.is) {
		s.tell(next)
	}
}

// publish hands a message to the broker, which acknowledges it, keeps it and delivers it to the station itself.
func (s *sender) publish(p uplink.Publish) {
	b, w := s.yard.Broker, s.yard.World
	s.yard.opt.Publish(w.Mono(), p)
	s.over(oneWay, func() {
		if p.Retain {
			b.retained[p.Topic] = p.Payload
		}
		s.over(oneWay, func() { s.sender.Acked(p.ID, w.Mono()) })
		if p.Retain || !b.deaf {
			s.deliver(p.Topic, p.Payload, false)
		}
	})
}

// deliver takes a message from the broker to the station.
func (s *sender) deliver(topic string, payload []byte, kept bool) {
	s.over(oneWay, func() { s.sender.Arrived(topic, payload, kept, s.yard.World.Mono()) })
}

// over does f after a while, unless this connection has ended by then.
func (s *sender) over(while time.Duration, f func()) {
	connection := s.connection
	s.after(while, func() {
		if s.online && s.connection == connection {
			f()
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
