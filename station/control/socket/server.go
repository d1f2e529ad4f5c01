// Package socket is the Unix socket of the station: one JSON object a line each way, spoken for by the account at the other
// end.
package socket

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"scentpost/station/control"
	"scentpost/station/refusal"
)

// The socket's limits.
const (
	requestWait   = 30 * time.Second // how long a client may take to say what it wants
	responseWait  = 10 * time.Second // how long a client may take to read
	socketMode    = 0o666            // the peer's uid decides, not the file's mode
	socketDirMode = 0o755
)

// Server answers requests on a Unix socket: one JSON object a line each way. A `watch` is answered with one line a
// change until the client hangs up.
type Server struct {
	service  *control.Service
	accounts control.Accounts
	listener *net.UnixListener
	places   *places
	wg       sync.WaitGroup
}

// Listen opens the socket at path. A socket that nobody listens on any more is replaced; one that answers is not.
func Listen(path string, service *control.Service, accounts control.Accounts) (*Server, error) {
	if err := os.MkdirAll(filepath.Dir(path), socketDirMode); err != nil {
		return nil, fmt.Errorf("make the folder of the socket: %w", err)
	}
	if conn, err := net.Dial("unix", path); err == nil {
		_ = conn.Close()
		return nil, fmt.Errorf("socket %s: another daemon answers there: stop it, or give this one another socket", path)
	}
	if found, err := os.Lstat(path); err == nil {
		if found.Mode()&fs.ModeSocket == 0 {
			return nil, fmt.Errorf("socket %s: something else has that name: take it away, or name another socket", path)
		}
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("remove the old socket: %w", err)
		}
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("listen on socket %s: %w", path, err)
	}
	if err := os.Chmod(path, socketMode); err != nil {
		_ = l.Close()
		return nil, fmt.Errorf("open the socket to its readers: %w", err)
	}
	return &Server{service: service, accounts: accounts, listener: l, places: newPlaces(accounts.UIDs())}, nil
}

// Serve answers clients until ctx ends, and returns when the last of them is gone.
func (s *Server) Serve(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { _ = s.listener.Close() })
	defer stop()
	defer s.wg.Wait()
	for {
		conn, err := s.listener.AcceptUnix()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("accept on the control socket: %w", err)
		}
		uid, err := peerUID(conn)
		if err != nil {
			_ = conn.Close()
			continue
		}
		place := s.places.enter(uid, func() { _ = conn.SetReadDeadline(time.Unix(1, 0)) })
		if place == nil {
			_ = write(conn, control.Response{Refused: refusal.New(TooManyClients)})
			_ = conn.Close()
			continue
		}
		s.wg.Go(func() {
			defer place.leave()
			s.client(ctx, conn, place)
		})
	}
}

func (s *Server) client(ctx context.Context, conn *net.UnixConn, place *place) {
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	lines := bufio.NewScanner(conn)
	lines.Buffer(make([]byte, 0, 4096), control.MaxRequest)
	for {
		_ = conn.SetReadDeadline(time.Now().Add(requestWait))
		if heard := place.wait() && lines.Scan(); !place.answer() {
			_ = write(conn, control.Response{Refused: refusal.New(TooManyClients)})
			return
		} else if !heard {
			return
		}
		request, why := control.ParseRequest(lines.Bytes())
		var who control.Person
		if why == nil {
			who, why = s.accounts.Who(place.uid, request.As, request.Command)
		}
		if why != nil {
			if write(conn, control.Response{Refused: why}) != nil {
				return
			}
			continue
		}
		if request.Command == "watch" {
			if !place.watch() {
				_ = write(conn, control.Response{Refused: refusal.New(TooManyWatches, "watches", maxWatching)})
				return
			}
			s.watch(ctx, conn, who)
			return
		}
		answer := make(chan control.Response, 1)
		s.service.Do(who, request, func(r control.Response) { answer <- r })
		select {
		case r := <-answer:
			if answered(conn, r) != nil {
				return
			}
		case <-ctx.Done():
			return
		}
	}
}

// watch writes every change of the state until the client hangs up. A client that does not keep up skips states.
func (s *Server) watch(ctx context.Context, conn *net.UnixConn, who control.Person) {
	watch := s.service.Watch(who)
	defer watch.Stop()
	ctx, cancel := context.WithCancel(ctx)
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		defer cancel()
		_ = conn.SetReadDeadline(time.Time{})
		_, _ = conn.Read(make([]byte, 1))
	}()
	defer func() { _ = conn.Close(); <-gone }()
	for {
		status, ok := watch.Next(ctx)
		if !ok || write(conn, control.Response{OK: true, Status: &status}) != nil {
			return
		}
	}
}

// answered writes a response with what it is of.
func answered(conn *net.UnixConn, r control.Response) error {
	defer r.Done()
	if err := write(conn, r); err != nil || r.Export == nil {
		return err
	}
	return export(conn, r.Export)
}

func write(conn *net.UnixConn, r control.Response) error {
	line, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("write a response: %w", err)
	}
	_ = conn.SetWriteDeadline(time.Now().Add(responseWait))
	_, err = conn.Write(append(line, '\n'))
	return err
}
