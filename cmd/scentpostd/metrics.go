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
		Handler: metrics.New(metrics.Options{Site: s.cfg.Site, Station: s.cfg.Station, Version: version, Public: s.Control().Public, Acknowledged: s.Acknowledged}),
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
