package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"

	"scentpost/station/event"
	"scentpost/station/health"
	"scentpost/station/journal"
	"scentpost/station/trial"
	"scentpost/station/uplink"
)

// schema is the version of what the station reports.
const schema = 1

// uplinkCursor names the uplink's place in the journal.
const uplinkCursor = "uplink"

// info is what the station says it is.
type info struct {
	Version   string   `json:"version"`
	Schema    int      `json:"schema"`
	Key       string   `json:"key"`
	Epoch     string   `json:"epoch"`
	Simulated bool     `json:"simulated,omitempty"`
	Devices   []string `json:"devices"`
}

// runLink reports to the broker until ctx ends. Without a broker the station keeps its records to itself.
func (s *station) runLink(ctx context.Context) error {
	if s.cfg.Broker.URL == "" {
		<-ctx.Done()
		return nil
	}
	behind := make(chan uplink.Departed, 1)
	link, err := s.newLink(func(d uplink.Departed) {
		select {
		case behind <- d:
		default:
		}
	})
	if err != nil {
		return err
	}
	payload, err := json.Marshal(s.info())
	if err != nil {
		return err
	}
	link.Info(payload)
	report := func(snapshot trial.Snapshot) {
		status := s.control.Status(snapshot, []event.Role{event.Public})
		if payload, err := json.Marshal(status); err == nil {
			link.State(payload)
		}
		link.Durable(snapshot.Size)
	}
	defer s.gate.Watch(report)()
	s.gate.tell()
	s.link.Store(link)
	linkCtx, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- link.Run(linkCtx) }()
	select {
	case err := <-ended:
		return err
	case d := <-behind:
		stop()
		<-ended
		s.log.Error("the broker has seen more than the journal holds", "epoch", d.Epoch, "size", d.Size)
		return errAgain{what: "the broker has seen more than the journal holds", newEpoch: journal.WhyBeyond, past: d.Epoch}
	}
}

func (s *station) newLink(behind func(uplink.Departed)) (*uplink.Link, error) {
	topics, err := uplink.NewTopics(s.cfg.Site, s.cfg.Station)
	if err != nil {
		return nil, err
	}
	// In this order: the host is writing already. What has left was durable before it left, so a size that is read after
	// it can only be larger; the other way round a journal that is well would seem to be behind.
	left := s.journal.Departed().Load()
	size, err := s.journal.Size()
	if err != nil {
		return nil, err
	}
	acknowledged, err := s.journal.Cursor(uplinkCursor)
	if err != nil {
		return nil, err
	}
	return uplink.NewLink(uplink.LinkOptions{
		Broker: uplink.Broker{URL: s.cfg.Broker.URL, ClientID: s.cfg.Broker.ClientID, Username: s.cfg.Broker.User,
			PasswordFile: s.cfg.Broker.PasswordFile},
		Sender: uplink.Options{
			Topics: topics, Lines: s.lines, Epoch: s.journal.Epoch().ID, Size: size, Past: s.pastEpochs(),
			Acknowledged: acknowledged, Departed: uplink.Departed{Epoch: left.Epoch, Size: left.Size},
		},
		Session:      func() (int64, error) { return nextConnection(s.cfg) },
		SaveDeparted: func(d uplink.Departed) error { return leave(s.journal, d.Epoch, d.Size) },
		SaveCursor:   func(size int64) error { return s.journal.SetCursor(uplinkCursor, size) },
		Behind:       behind,
		Report: func(c uplink.Condition) {
			switch {
			case c.Problem != nil:
				s.conditions.Raise(health.BrokerAway, "broker", c.Problem.Error())
			case c.Ready:
				s.conditions.Clear(health.BrokerAway, "broker")
				s.log.Info("the broker is there", "connection", c.Session)
			}
		},
		Draw: rand.Int64N,
	})
}

// lines reads public lines for the uplink.
func (s *station) lines(from int64, most, mostBytes int) ([][]byte, error) {
	lines, err := s.journal.Lines(from, most, mostBytes)
	if err != nil {
		return nil, fmt.Errorf("read the journal: %w", err)
	}
	out := make([][]byte, len(lines))
	for i, l := range lines {
		out[i] = l.Bytes
	}
	return out, nil
}

func (s *station) pastEpochs() []string {
	var past []string
	if s.past != "" {
		past = append(past, s.past)
	}
	current := s.journal.Epoch().ID
	for _, e := range s.journal.Epochs() {
		if e.ID != current {
			past = append(past, e.ID)
		}
		if e.Prev != "" {
			past = append(past, e.Prev)
		}
	}
	return past
}

func (s *station) info() info {
	i := info{Version: version, Schema: schema, Key: s.signer.Verifier(), Epoch: s.journal.Epoch().ID, Simulated: s.cfg.Simulated()}
	for _, d := range s.cfg.Devices {
		i.Devices = append(i.Devices, d.Name)
	}
	return i
}
