package socket

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"time"

	"scentpost/station/control"
	"scentpost/station/history"
	"scentpost/station/refusal"
)

// An export follows its response in parts: the bundle, where the response names one, then the rest of a damaged session. A part
// is a number of chunks, one a line, and ends with a chunk that says so or says why it is not whole. So neither side holds
// more of it than a chunk.

const (
	chunkBytes = 48 << 10 // of data in a chunk, which takes a third more in base64
	leastPace  = 1 << 20  // bytes/s that a client has to read: a slow one would keep others from an export
	// chunkWait is how long a client waits for the next chunk. A disk that holds the daemon up does so for some seconds, and
	// one that hangs for longer has its unit end it (WatchdogSec=30s).
	chunkWait = 30 * time.Second
)

// chunk is one line of a part.
type chunk struct {
	Data    []byte          `json:"data,omitempty"`
	End     bool            `json:"end,omitempty"`
	Refused *refusal.Reason `json:"refused,omitempty"`
}

// chunks writes what it is given in chunks. Each has the time that a client has for a response, all of them together the time
// that the least pace leaves. The time in which the daemon makes a chunk is not the client's.
type chunks struct {
	conn   net.Conn
	waited time.Duration // for the client
	sent   int
}

// Write implements io.Writer.
func (c *chunks) Write(p []byte) (n int, err error) {
	for data := range slices.Chunk(p, chunkBytes) {
		if err := c.send(chunk{Data: data}); err != nil {
			return n, err
		}
		n += len(data)
		c.sent += len(data)
	}
	return n, nil
}

func (c *chunks) send(of chunk) error {
	line, err := json.Marshal(of)
	if err != nil {
		return fmt.Errorf("write a chunk: %w", err)
	}
	began, left := time.Now(), responseWait+time.Duration(c.sent)*time.Second/leastPace-c.waited
	_ = c.conn.SetWriteDeadline(began.Add(min(responseWait, left)))
	_, err = c.conn.Write(append(line, '\n'))
	c.waited += time.Since(began)
	if err != nil {
		return &sendError{err}
	}
	return nil
}

// sendError is an error of the connection, after which nothing more can be said on it.
type sendError struct{ error }

// Unwrap returns the connection's own error.
func (e *sendError) Unwrap() error { return e.error }

// export writes the parts of an export after its response.
func export(conn net.Conn, e *history.Export) error {
	c := &chunks{conn: conn}
	parts := []func(io.Writer) error{}
	if e.Bundle != nil {
		parts = append(parts, e.Bundle)
	}
	if e.Damage.Any() {
		parts = append(parts, e.Rest)
	}
	for _, part := range parts {
		out := bufio.NewWriterSize(c, chunkBytes)
		err := part(out)
		if err == nil {
			err = out.Flush()
		}
		last := chunk{End: err == nil}
		if errors.As(err, new(*sendError)) {
			return err
		} else if err != nil {
			last.Refused = refusal.New(control.RecordsUnread, refusal.Detail, err)
		}
		if err := c.send(last); err != nil {
			return err
		}
	}
	return nil
}

// Export asks for an export. What it returns is written once, the bundle before the rest, as it comes from the daemon; a part
// of it that the daemon cannot read to its end is a refusal in an *Error.
func (c *Client) Export(request *control.Request) (control.Response, error) {
	r, err := c.Send(request)
	if err != nil || !r.OK {
		return r, err
	}
	r.Export = &history.Export{Name: r.Name, Rest: c.part}
	if r.Damage != nil {
		r.Export.Damage = *r.Damage
	}
	if r.Name != "" {
		r.Export.Bundle = c.part
	}
	return r, nil
}

// part writes the next part of an export. A daemon that sends nothing more for chunkWait has stalled: the connection is of no
// use then, and is closed.
func (c *Client) part(w io.Writer) error {
	defer func() { _ = c.conn.SetReadDeadline(time.Time{}) }()
	for {
		_ = c.conn.SetReadDeadline(time.Now().Add(chunkWait))
		var next chunk
		switch err := c.next(&next); {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return failure(refusal.New(ExportStalled, "seconds", int(chunkWait/time.Second)), err, c.Close())
		case errors.Is(err, ErrHungUp):
			return failure(refusal.New(ExportCutOff), err)
		case err != nil:
			return err
		}
		switch {
		case next.Refused != nil:
			return failure(next.Refused)
		case next.End:
			return nil
		}
		if _, err := w.Write(next.Data); err != nil {
			return err
		}
	}
}
