package assembly

import (
	"encoding/json"
	"fmt"

	"scentpost/station/control"
	"scentpost/station/health"
	"scentpost/station/journal"
	"scentpost/station/trial"
	"scentpost/station/uplink"
	"scentpost/station/uplink/wire"
)

// uplinkCursor names the uplink's place in the journal.
const uplinkCursor = "uplink"

// Reporter takes what the station reports, and must not wait. *uplink.Link implements it, and in a simulation what runs an
// uplink.Sender.
type Reporter interface {
	// Info takes what the station is, State its blind-safe state; both are JSON objects.
	Info(payload []byte)
	State(payload []byte)
	// Durable takes how many records are durable.
	Durable(size int64)
	// Acknowledged returns how many records the other side has stored.
	Acknowledged() int64
}

// Report reports to r from now on, until stop is called. The gate must be open.
func (s *Station) Report(r Reporter) (stop func(), err error) {
	r.Info(s.info().Write())
	stop = s.gate.Watch(func(snapshot trial.Snapshot) {
		status := s.control.Status(snapshot, control.Person{})
		status.NextIn = nil // the message is kept: it would be wrong a moment later
		if payload, err := json.Marshal(status); err == nil {
			r.State(payload)
		}
		r.Durable(snapshot.Size)
	})
	s.gate.tell()
	s.link.Store(&r)
	return stop, nil
}

// Acknowledged is how many records the other side has stored, if the station reports to one.
func (s *Station) Acknowledged() (records int64, known bool) {
	r := s.link.Load()
	if r == nil {
		return 0, false
	}
	return (*r).Acknowledged(), true
}

// SenderOptions say how the sender of this station's records begins.
func (s *Station) SenderOptions() (uplink.Options, error) {
	topics, err := wire.NewTopics(s.opt.Config.Site, s.opt.Config.Station)
	if err != nil {
		return uplink.Options{}, err
	}
	store := s.store.Journal
	// In this order: the host is writing already. What has left was durable before it left, so a size that is read after
	// it can only be larger; the other way round a journal that is well would seem to be behind.
	left := s.store.Departed.Load()
	size := store.Size()
	acknowledged, err := store.Cursor(uplinkCursor)
	if err != nil {
		return uplink.Options{}, err
	}
	return uplink.Options{Topics: topics, Lines: s.lines, Epoch: store.Epoch().ID, Size: size, Past: s.pastEpochs(),
		Acknowledged: acknowledged, Departed: wire.Departed{Epoch: left.Epoch, Size: left.Size}}, nil
}

// Departs makes durable that records leave, before they do. It implements uplink.LinkOptions.SaveDeparted.
func (s *Station) Departs(d wire.Departed) error { return s.leave(d.Epoch, d.Size) }

// SaveCursor remembers how many records the other side has stored. It implements uplink.LinkOptions.SaveCursor.
func (s *Station) SaveCursor(size int64) error { return s.store.Journal.SetCursor(uplinkCursor, size) }

// LinkIs hears how the link to the broker is. It implements uplink.LinkOptions.Report.
func (s *Station) LinkIs(c uplink.Condition) {
	switch {
	case c.Problem != nil:
		s.conditions.Raise(health.BrokerAway, "broker", c.Problem.Error())
	case c.Ready:
		s.conditions.Clear(health.BrokerAway, "broker")
		s.opt.Log.Info("the broker is there", "connection", c.Session)
	}
}

// Behind is why the station must start again when the broker has seen more than the journal holds.
func (s *Station) Behind(d wire.Departed) Again {
	s.opt.Log.Error("the broker has seen more than the journal holds", "epoch", d.Epoch, "size", d.Size)
	return Again{What: "the broker has seen more than the journal holds", NewEpoch: journal.WhyBeyond, Past: d.Epoch}
}

// lines reads public lines for the uplink.
func (s *Station) lines(from int64, most, mostBytes int) ([][]byte, error) {
	lines, err := s.store.Journal.Lines(from, most, mostBytes)
	if err != nil {
		return nil, fmt.Errorf("read the journal: %w", err)
	}
	out := make([][]byte, len(lines))
	for i, l := range lines {
		out[i] = l.Bytes
	}
	return out, nil
}

// pastEpochs are the epochs that have ended for ever.
func (s *Station) pastEpochs() []string {
	var ended []string
	if s.since.Past != "" {
		ended = append(ended, s.since.Past)
	}
	current := s.store.Journal.Epoch().ID
	for _, e := range s.store.Journal.Epochs() {
		if e.ID != current {
			ended = append(ended, e.ID)
		}
		if e.Prev != "" {
			ended = append(ended, e.Prev)
		}
	}
	return ended
}

// info is what the station says that it is.
func (s *Station) info() wire.Info {
	i := wire.Info{Version: s.opt.Version, Schema: wire.Schema, Key: s.Key(), Epoch: s.store.Journal.Epoch().ID, Simulated: s.opt.Simulated}
	for _, d := range s.opt.Config.Devices {
		i.Devices = append(i.Devices, d.Name)
	}
	return i
}
