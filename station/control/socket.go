package control

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

	"scentpost/station/trial"
)

// The socket's limits.
const (
	maxClients    = 64               // connections at once
	maxEach       = 32               // of one account: nobody alone keeps the others out
	watchBacklog  = 16               // states that a slow watcher may be behind; older ones are skipped
	requestWait   = 30 * time.Second // how long a client may take to say what it wants
	responseWait  = 10 * time.Second // how long a client may take to read
	socketMode    = 0o666            // the peer's uid decides, not the file's mode
	socketDirMode = 0o755
)

// Server answers requests on a Unix socket: one JSON object a line each way. A `watch` is answered with one line a
// change until the client hangs up.
type Server struct {
	service  *Service
	listener *net.UnixListener
	wg       sync.WaitGroup

	mu      sync.Mutex // guards what follows
	clients int
	each    map[int]int // by account
}

// enter takes a client of an account in, if there is room for it.
func (s *Server) enter(uid int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.clients >= maxClients || s.each[uid] >= maxEach {
		return false
	}
	s.clients++
	s.each[uid]++
	return true
}

func (s *Server) leave(uid int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clients--
	if s.each[uid]--; s.each[uid] == 0 {
		delete(s.each, uid)
	}
}

// Listen opens the socket at path. A socket that nobody listens on any more is replaced; one that answers is not.
func Listen(path string, service *Service) (*Server, error) {
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
	return &Server{service: service, listener: l, each: map[int]int{}}, nil
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
		if !s.enter(uid) {
			_, _ = conn.Write([]byte(`{"ok":false,"error":"too many clients: try again"}` + "\n"))
			_ = conn.Close()
			continue
		}
		s.wg.Go(func() {
			defer s.leave(uid)
			s.client(ctx, conn, uid)
		})
	}
}

func (s *Server) client(ctx context.Context, conn *net.UnixConn, uid int) {
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	lines := bufio.NewScanner(conn)
	lines.Buffer(make([]byte, 0, 4096), maxRequest)
	for {
		_ = conn.SetReadDeadline(time.Now().Add(requestWait))
		if !lines.Scan() {
			return
		}
		request, err := ParseRequest(lines.Bytes())
		if err != nil {
			if write(conn, Response{Error: err.Error()}) != nil {
				return
			}
			continue
		}
		if request.Command == "watch" {
			s.watch(ctx, conn, uid, request)
			return
		}
		answer := make(chan Response, 1)
		s.service.Do(uid, request, func(r Response) { answer <- r })
		select {
		case r := <-answer:
			if write(conn, r) != nil {
				return
			}
		case <-ctx.Done():
			return
		}
	}
}

// watch writes every change of the state until the client hangs up. A client that does not keep up skips states.
func (s *Server) watch(ctx context.Context, conn *net.UnixConn, uid int, request Request) {
	who, err := s.service.Who(uid, request.As)
	if err != nil {
		_ = write(conn, Response{Error: err.Error()})
		return
	}
	states := make(chan trial.Snapshot, watchBacklog)
	stop := s.service.inbox.Watch(func(state trial.Snapshot) { keepNewest(states, state) })
	defer stop()
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		_ = conn.SetReadDeadline(time.Time{})
		_, _ = conn.Read(make([]byte, 1))
	}()
	defer func() { _ = conn.Close(); <-gone }()
	state := s.service.inbox.Snapshot()
	for {
		status := s.service.statusFor(state, who)
		if write(conn, Response{OK: true, Status: &status}) != nil {
			return
		}
		for shown := state; ; { // what was waiting already may be older than what is shown
			select {
			case state = <-states:
			case <-gone:
				return
			case <-ctx.Done():
				return
			}
			if state.Epoch != shown.Epoch || state.Size >= shown.Size {
				break
			}
		}
	}
}

// keepNewest puts a state into a full channel in the place of the oldest one, so that whoever does not keep up
// still comes to see how it ended. Only one goroutine may put states in.
func keepNewest(states chan trial.Snapshot, state trial.Snapshot) {
	for {
		select {
		case states <- state:
			return
		default:
		}
		select {
		case <-states:
		default:
		}
	}
}

func write(conn *net.UnixConn, r Response) error {
	line, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("write a response: %w", err)
	}
	_ = conn.SetWriteDeadline(time.Now().Add(responseWait))
	_, err = conn.Write(append(line, '\n'))
	return err
}
