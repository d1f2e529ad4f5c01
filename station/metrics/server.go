package metrics

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/net/netutil"
)

// The bounds of what serves metrics: whoever may reach the port may try anything.
const (
	connections   = 8       // at once; Prometheus has one, for as long as a scrape takes
	headerBytes   = 4 << 10 // of a request; net/http allows 4 KiB more
	headersWithin = 5 * time.Second
	answerWithin  = 10 * time.Second // from the headers to the last byte of the answer
	// endWithin bounds how long a scrape that is under way holds up the end.
	endWithin = time.Second
	// retryEvery is the pause before an address that could not be had is tried again.
	retryEvery = 15 * time.Second
)

// Server serves metrics over HTTP: GET /metrics, and nothing else.
type Server struct {
	Listen  string // host and port
	Handler http.Handler
	// Report hears that the metrics cannot be served and why, and with nil that they are. It must not wait.
	Report func(problem error)
	Log    *slog.Logger
}

// Run serves until ctx ends, and has nothing left running then. An address that cannot be had stops nobody: it is reported,
// and tried again.
func (s Server) Run(ctx context.Context) {
	for {
		err := s.serve(ctx)
		if ctx.Err() != nil {
			return
		}
		s.Report(fmt.Errorf("metrics.listen: %w", err))
		pause := time.NewTimer(retryEvery)
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return
		}
	}
}

// serve serves once, until ctx ends or it cannot any more.
func (s Server) serve(ctx context.Context) error {
	var listen net.ListenConfig
	listener, err := listen.Listen(ctx, "tcp", s.Listen)
	if err != nil {
		return err
	}
	s.Report(nil)
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", s.Handler)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: headersWithin, ReadTimeout: headersWithin, WriteTimeout: answerWithin,
		MaxHeaderBytes: headerBytes, ErrorLog: slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug)}
	server.SetKeepAlivesEnabled(false) // a scrape is a connection: none lies about
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		err = server.Serve(netutil.LimitListener(listener, connections))
	}()
	select {
	case <-ended:
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), endWithin)
	defer cancel()
	if server.Shutdown(last) != nil {
		_ = server.Close() // whoever is not done by now is cut off
	}
	<-ended
	return err
}
