package main

import (
	"context"
	"math/rand/v2"

	"scentpost/station/uplink"
	"scentpost/station/uplink/wire"
)

// runLink reports to the broker until ctx ends. Without a broker the station keeps its records to itself.
func (s *station) runLink(ctx context.Context) error {
	if !s.cfg.Broker.Address.Given() {
		<-ctx.Done()
		return nil
	}
	behind := make(chan wire.Departed, 1)
	link, err := s.newLink(func(d wire.Departed) {
		select {
		case behind <- d:
		default:
		}
	})
	if err != nil {
		return err
	}
	stopReport, err := s.Report(link)
	if err != nil {
		return err
	}
	defer stopReport()
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
		return s.Behind(d)
	}
}

func (s *station) newLink(behind func(wire.Departed)) (*uplink.Link, error) {
	sender, err := s.SenderOptions()
	if err != nil {
		return nil, err
	}
	return uplink.NewLink(uplink.LinkOptions{
		Broker: uplink.Broker{Address: s.cfg.Broker.Address, ClientID: s.cfg.Broker.ClientID, Username: s.cfg.Broker.User,
			PasswordFile: s.cfg.Broker.PasswordFile, CAFile: s.cfg.Broker.CAFile, CertFile: s.cfg.Broker.CertFile, KeyFile: s.cfg.Broker.KeyFile},
		Sender:       sender,
		Session:      s.own.NextConnection,
		SaveDeparted: s.Departs, Compare: s.Compare, SaveCursor: s.SaveCursor, Behind: behind, Report: s.LinkIs, Draw: rand.Int64N,
	})
}
