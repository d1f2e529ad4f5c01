package socket

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"

	"scentpost/station/control"
	"scentpost/station/refusal"
)

// maxResponse is the longest response in bytes: a list of 50,000 sessions.
const maxResponse = 32 << 20

// hungUp tells the end of a connection from other errors of it; nil is an orderly end.
func hungUp(doing string, err error) error {
	if err == nil || errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET) {
		return failure(refusal.New(HungUp), ErrHungUp)
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// Client speaks to a daemon over its Unix socket.
type Client struct {
	conn  net.Conn
	lines *bufio.Scanner
	runs  []control.RunStatus // of the state that came last
}

// Dial connects to the daemon whose socket is at path. The error is an *Error; it wraps ErrNoDaemon when none is there.
func Dial(ctx context.Context, path string) (*Client, error) {
	d := net.Dialer{Timeout: 5 * time.Second}
	conn, err := d.DialContext(ctx, "unix", path)
	if err != nil {
		return nil, away(path, err)
	}
	return newClient(conn), nil
}

func newClient(conn net.Conn) *Client {
	lines := bufio.NewScanner(conn)
	lines.Buffer(make([]byte, 0, 64<<10), maxResponse)
	return &Client{conn: conn, lines: lines}
}

// Close hangs up.
func (c *Client) Close() error { return c.conn.Close() }

// Within bounds how long all that follows may take, in real time.
func (c *Client) Within(d time.Duration) error { return c.conn.SetDeadline(time.Now().Add(d)) }

// Send sends one request and waits for its response, or the next one of a watch when request is nil.
func (c *Client) Send(request *control.Request) (control.Response, error) {
	if request != nil {
		var line bytes.Buffer
		e := json.NewEncoder(&line) // it ends the line
		e.SetEscapeHTML(false)      // nothing of a plan takes more than twice its bytes: the daemon says which plan is too long
		if err := e.Encode(request); err != nil {
			return control.Response{}, fmt.Errorf("write the request: %w", err)
		}
		if _, err := c.conn.Write(line.Bytes()); err != nil {
			return control.Response{}, hungUp("send to the daemon", err)
		}
	}
	var r control.Response
	if err := c.next(&r); err != nil {
		return control.Response{}, err
	}
	return r, c.complete(r.Status)
}

// next reads the next line into what it should be.
func (c *Client) next(into any) error {
	if !c.lines.Scan() {
		return hungUp("wait for the daemon", c.lines.Err())
	}
	if err := json.Unmarshal(c.lines.Bytes(), into); err != nil {
		return failure(refusal.New(Gibberish, refusal.Detail, err), err)
	}
	return nil
}

// complete puts into a state the runs that it has in common with the one before.
func (c *Client) complete(s *control.Status) error {
	if s == nil {
		return nil
	}
	if s.RunsKept < 0 || s.RunsKept > len(c.runs) {
		err := fmt.Errorf("the state keeps %d of %d runs", s.RunsKept, len(c.runs))
		return failure(refusal.New(Gibberish, refusal.Detail, err), err)
	}
	s.Runs, s.RunsKept = append(c.runs[:s.RunsKept:s.RunsKept], s.Runs...), 0
	c.runs = s.Runs
	return nil
}
