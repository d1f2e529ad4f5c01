package metrics_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"scentpost/station/metrics"
)

// free is an address of this machine that nobody listens on.
func free(t *testing.T) string {
	t.Helper()
	l := listen(t, "127.0.0.1:0")
	defer l.Close()
	return l.Addr().String()
}

func listen(t *testing.T, address string) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// serve runs a server until end is called, and waits until it serves.
func serve(t *testing.T, h http.HandlerFunc) (address string, end func()) {
	t.Helper()
	address = free(t)
	ctx, cancel := context.WithCancel(t.Context())
	reports, ended := make(chan error, 8), make(chan struct{})
	go func() {
		defer close(ended)
		metrics.Server{Listen: address, Handler: h, Log: slog.New(slog.DiscardHandler), Report: func(err error) { reports <- err }}.Run(ctx)
	}()
	if err := <-reports; err != nil {
		t.Fatal(err)
	}
	return address, func() { cancel(); <-ended }
}

// TestNothingButMetrics: other methods and paths are refused, and so are headers that are too long.
func TestNothingButMetrics(t *testing.T) {
	address, end := serve(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "all") })
	defer end()
	for _, c := range []struct {
		method, path, header string
		code                 int
	}{
		{http.MethodGet, "/metrics", "", http.StatusOK},
		{http.MethodHead, "/metrics", "", http.StatusOK},
		{http.MethodPost, "/metrics", "", http.StatusMethodNotAllowed},
		{http.MethodDelete, "/metrics", "", http.StatusMethodNotAllowed},
		{http.MethodGet, "/", "", http.StatusNotFound},
		{http.MethodGet, "/metrics/", "", http.StatusNotFound},
		{http.MethodGet, "/debug/pprof/", "", http.StatusNotFound},
		{http.MethodGet, "/metrics", strings.Repeat("x", 1<<16), http.StatusRequestHeaderFieldsTooLarge},
	} {
		request, err := http.NewRequestWithContext(t.Context(), c.method, "http://"+address+c.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("X-Long", c.header)
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatalf("%s %s: %v", c.method, c.path, err)
		}
		body, _ := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if answer.StatusCode != c.code || c.code == http.StatusOK && (!answer.Close || c.method == http.MethodGet && string(body) != "all") {
			t.Errorf("%s %s: %d, %q", c.method, c.path, answer.StatusCode, body)
		}
	}
}

// TestAScrapeThatHangsHoldsUpNoEnd: it is cut off, and the port is free after it.
func TestAScrapeThatHangsHoldsUpNoEnd(t *testing.T) {
	hangs, over := make(chan struct{}), make(chan struct{})
	address, end := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		close(hangs)
		<-r.Context().Done() // it is cut off
		close(over)
	})
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		if answer, err := http.DefaultClient.Do(request); err == nil {
			_ = answer.Body.Close()
		}
	}()
	<-hangs
	end()
	<-over
	if l, err := net.Listen("tcp", address); err != nil {
		t.Errorf("the port is held after the end: %v", err)
	} else {
		_ = l.Close()
	}
}

// TestAnAddressThatIsTaken is reported with its key, is tried again, and is served when it is free.
func TestAnAddressThatIsTaken(t *testing.T) {
	taken := listen(t, "127.0.0.1:0")
	address := taken.Addr().String()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		reports, ended := make(chan error), make(chan struct{})
		go func() {
			defer close(ended)
			metrics.Server{Listen: address, Handler: http.NotFoundHandler(), Log: slog.New(slog.DiscardHandler), Report: func(err error) { reports <- err }}.Run(ctx)
		}()
		for range 3 {
			if err := <-reports; err == nil || !strings.HasPrefix(err.Error(), "metrics.listen: listen tcp "+address) || !strings.Contains(err.Error(), "in use") {
				t.Errorf("reported: %v", err)
			}
		}
		_ = taken.Close()
		if err := <-reports; err != nil {
			t.Errorf("when it is free: %v", err)
		}
		cancel()
		<-ended
	})
}

// TestTheEndComesBetweenTwoAttempts as soon as it is asked for.
func TestTheEndComesBetweenTwoAttempts(t *testing.T) {
	taken := listen(t, "127.0.0.1:0")
	defer taken.Close()
	ctx, cancel := context.WithCancel(t.Context())
	metrics.Server{Listen: taken.Addr().String(), Handler: http.NotFoundHandler(), Log: slog.New(slog.DiscardHandler), Report: func(error) { cancel() }}.Run(ctx)
}
