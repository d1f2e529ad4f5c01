package yard

import (
	"encoding/json"
	"time"

	"scentpost/station/event"
	"scentpost/station/trial"
	"scentpost/station/uplink"
)

// acknowledgement is how long the simulated broker takes for a PUBACK.
const acknowledgement = 20 * time.Millisecond

// sender runs the real sender over a broker that always answers.
type sender struct {
	yard   *Yard
	sender *uplink.Sender
	stop   func()
}

func (y *Yard) startSender(epoch string, size int64) error {
	if y.opt.Publish == nil {
		return nil
	}
	topics, err := uplink.NewTopics(y.opt.Config.Site, y.opt.Config.Station)
	if err != nil {
		return err
	}
	s, err := uplink.NewSender(uplink.Options{Topics: topics, Lines: y.publicLines, Epoch: epoch, Size: size})
	if err != nil {
		return err
	}
	y.sender = &sender{yard: y, sender: s}
	s.Connected(1)
	s.RetainedState(uplink.Departed{})
	y.Host.Watch(y.sender.tell)
	y.Conditions.Watch(func() { y.sender.tell(y.Host.Snapshot()) })
	y.sender.tell(y.Host.Snapshot())
	return nil
}

// tell takes what may be shown to the sender.
func (s *sender) tell(snapshot trial.Snapshot) {
	status := s.yard.Control.Status(snapshot, []event.Role{event.Public})
	if payload, err := json.Marshal(status); err == nil {
		_ = s.sender.State(payload) // it is a JSON object
	}
	s.sender.Durable(snapshot.Size)
	s.tick()
}

func (s *sender) tick() {
	if s.stop != nil {
		s.stop()
		s.stop = nil
	}
	w := s.yard.World
	out := s.sender.Tick(w.Mono())
	for _, p := range out.Publish {
		s.yard.opt.Publish(w.Mono(), p)
		w.After(acknowledgement, func() {
			s.sender.Acked(p.ID)
			s.tick()
		})
	}
	if out.Save != nil {
		saved := *out.Save
		w.After(s.yard.Disk.latency, func() {
			s.sender.Saved(saved)
			s.tick()
		})
	}
	if at, wanted := s.sender.Next(); wanted {
		s.stop = w.At(at, s.tick)
	}
}

// acknowledged is how many records the simulated broker has acknowledged, if there is one.
func (y *Yard) acknowledged() (records int64, known bool) {
	if y.sender == nil {
		return 0, false
	}
	return y.sender.sender.Cursor(), true
}

func (y *Yard) publicLines(from int64, most, mostBytes int) ([][]byte, error) {
	lines, err := y.Store.Lines(from, most, mostBytes)
	if err != nil {
		return nil, err
	}
	out := make([][]byte, len(lines))
	for i, l := range lines {
		out[i] = l.Bytes
	}
	return out, nil
}
