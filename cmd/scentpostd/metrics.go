package main

import (
	"context"

	"scentpost/station/health"
	"scentpost/station/metrics"
)

// serveMetrics serves the metrics until ctx ends. An address that cannot be had is a condition, as an absent broker is: the
// station runs without.
func (s *station) serveMetrics(ctx context.Context) error {
	if s.cfg.Metrics.Listen == "" {
		return nil
	}
	metrics.Server{
		Listen: s.cfg.Metrics.Listen, Log: s.log,
		Handler: metrics.New(metrics.Options{Site: s.cfg.Site, Station: s.cfg.Station, Version: version, Public: s.control.Public, Acknowledged: s.acknowledged}),
		Report: func(problem error) {
			if problem == nil {
				s.conditions.Clear(health.MetricsAway, "metrics")
				return
			}
			s.conditions.Raise(health.MetricsAway, "metrics", problem.Error())
		},
	}.Run(ctx)
	return nil
}

// acknowledged is how many records the broker has acknowledged, if there is one.
func (s *station) acknowledged() (records int64, known bool) {
	link := s.link.Load()
	if link == nil {
		return 0, false
	}
	return link.Acknowledged(), true
}
