package socket

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"scentpost/station/control"
	"scentpost/station/history"
	"scentpost/station/refusal"
	"scentpost/station/trial"
)

// exporting serves a journal that exports this, and returns the socket.
func exporting(t *testing.T, e history.Export) string {
	t.Helper()
	s, err := control.New(control.Options{Simulated: true, People: accounts.People(), Inbox: newInbox(trial.View{}), Archive: archive{e}})
	if err != nil {
		t.Fatal(err)
	}
	socket, _ := serve(t, s)
	return socket
}

// content writes bytes in pieces of any length, and then returns the error.
func content(of []byte, err error) func(io.Writer) error {
	return func(w io.Writer) error {
		chance := rand.New(rand.NewPCG(1, 2))
		for rest := of; len(rest) > 0; {
			n := min(len(rest), 1+chance.IntN(3*chunkBytes))
			if _, err := w.Write(rest[:n]); err != nil {
				return err
			}
			rest = rest[n:]
		}
		return err
	}
}

func noise(bytes int) []byte {
	of := make([]byte, bytes)
	rand.NewChaCha8([32]byte{3}).Read(of)
	return of
}

// TestAnExportComesWhole, with the bundle and with what is after the damage, and the connection can be asked again.
func TestAnExportComesWhole(t *testing.T) {
	bundle, rest := noise(3<<20+17), noise(1<<20+1)
	for name, e := range map[string]history.Export{
		"whole":            {Name: "b.zip", Bundle: content(bundle, nil)},
		"damaged":          {Name: "b.zip", Damage: history.Damage{Session: "s1", Missing: []int64{7}}, Bundle: content(bundle, nil), Rest: content(rest, nil)},
		"without a bundle": {Damage: history.Damage{Session: "s1", Missing: []int64{7}}, Rest: content(rest, nil)},
		"an empty rest":    {Name: "b.zip", Damage: history.Damage{Session: "s1", Missing: []int64{7}}, Bundle: content(bundle, nil), Rest: content(nil, nil)},
	} {
		t.Run(name, func(t *testing.T) {
			c := dial(t, exporting(t, e))
			for range 2 {
				r, err := c.Export(&control.Request{Command: "export"})
				if err != nil || !r.OK || r.Name != e.Name || (r.Damage != nil) != (len(e.Missing) > 0) || (r.Export.Bundle != nil) != (e.Bundle != nil) {
					t.Fatalf("%+v, %v", r, err)
				}
				var want, got bytes.Buffer
				for _, both := range []struct{ to, from func(io.Writer) error }{{e.Bundle, r.Export.Bundle}, {e.Rest, r.Export.Rest}} {
					if both.to == nil {
						continue
					}
					if err := errors.Join(both.to(&want), both.from(&got)); err != nil {
						t.Fatal(err)
					}
				}
				if !bytes.Equal(got.Bytes(), want.Bytes()) {
					t.Errorf("%d bytes came, want %d, or others", got.Len(), want.Len())
				}
			}
		})
	}
}

// TestAnExportThatBreaksOffIsSaid: what came before is no bundle, and the reason is the daemon's.
func TestAnExportThatBreaksOffIsSaid(t *testing.T) {
	c := dial(t, exporting(t, history.Export{Name: "b.zip", Bundle: content(noise(1<<20), errors.New("the disk does not answer"))}))
	r, err := c.Export(&control.Request{Command: "export"})
	if err != nil || !r.OK {
		t.Fatalf("%+v, %v", r, err)
	}
	var failed *Error
	if err := r.Export.Bundle(io.Discard); !errors.As(err, &failed) || !failed.Why.Says(control.RecordsUnread) || !strings.Contains(err.Error(), "does not answer") {
		t.Errorf("%v", err)
	}
	if got := send(t, c, &control.Request{Command: "status"}); !got.OK {
		t.Errorf("the next command: %+v", got)
	}
}

// TestAClientThatGoesAwayFreesItsExport: another has its place then.
func TestAClientThatGoesAwayFreesItsExport(t *testing.T) {
	endless := func(w io.Writer) error {
		for {
			if _, err := w.Write(make([]byte, chunkBytes)); err != nil {
				return err
			}
		}
	}
	socket := exporting(t, history.Export{Name: "b.zip", Bundle: endless})
	for n := range 6 {
		c := dial(t, socket)
		r := control.Response{}
		for limit := time.Now().Add(patience); !r.OK; {
			var err error
			if r, err = c.Export(&control.Request{Command: "export"}); err != nil || time.Now().After(limit) {
				t.Fatalf("export %d: %+v, %v", n, r, err)
			}
		}
		_ = c.Close()
	}
}

// TestAClientThatReadsSlowlyIsLeft: it would keep an export from others, however steadily it reads.
func TestAClientThatReadsSlowlyIsLeft(t *testing.T) {
	for _, c := range []struct {
		name  string
		pause time.Duration // before each read of 64 kB
		disk  time.Duration // before each piece that the daemon reads
		whole bool
	}{{"quick", 0, 0, true}, {"twice the least pace", time.Second / 32, 0, true}, {"a read every 3 s", 3 * time.Second, 0, false},
		{"quick, of a disk that is slow itself", 0, time.Second, true}} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				station, client := net.Pipe()
				read := make(chan struct{})
				go func() {
					defer close(read)
					for buffer := make([]byte, 64<<10); ; time.Sleep(c.pause) {
						if _, err := io.ReadFull(client, buffer); err != nil {
							return
						}
					}
				}()
				slow := func(w io.Writer) error {
					return content(noise(40<<20), nil)(writer(func(p []byte) (int, error) { time.Sleep(c.disk); return w.Write(p) }))
				}
				err := export(station, &history.Export{Name: "b.zip", Bundle: slow})
				_ = station.Close()
				<-read
				if whole := err == nil; whole != c.whole || !whole && !errors.Is(err, os.ErrDeadlineExceeded) {
					t.Errorf("it ended with %v", err)
				}
			})
		})
	}
}

// writer is a function as an io.Writer.
type writer func(p []byte) (int, error)

func (w writer) Write(p []byte) (int, error) { return w(p) }

// TestADaemonThatStallsInAnExport holds no client up for ever, however late in the export; one that is slow stalls not. What came
// before is no bundle, and the client says so.
func TestADaemonThatStallsInAnExport(t *testing.T) {
	for _, c := range []struct {
		name  string
		pause time.Duration // before each piece that the daemon reads
		goes  bool          // it hangs up at the third piece
		want  refusal.Code
		after time.Duration
	}{
		{"it stalls", time.Hour, false, ExportStalled, chunkWait},
		{"it is slow", chunkWait - time.Second, false, "", 10 * (chunkWait - time.Second)},
		{"it goes", time.Second, true, ExportCutOff, 3 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				station, conn := net.Pipe()
				ended := make(chan struct{})
				go func() {
					defer close(ended)
					_ = export(station, &history.Export{Name: "b.zip", Bundle: func(w io.Writer) error {
						for n := range 10 {
							time.Sleep(c.pause)
							if c.goes && n == 2 {
								return station.Close()
							}
							if _, err := w.Write(noise(chunkBytes + 1)); err != nil {
								return err
							}
						}
						return nil
					}})
					_ = station.Close()
				}()
				client, began := newClient(conn), time.Now()
				err := client.part(io.Discard)
				var failed *Error
				if c.want == "" && err != nil || c.want != "" && (!errors.As(err, &failed) || !failed.Why.Says(c.want)) {
					t.Errorf("it ends with %v, want %q", err, c.want)
				}
				if took := time.Since(began); took != c.after {
					t.Errorf("after %s, want %s", took, c.after)
				}
				_ = client.Close()
				<-ended
			})
		})
	}
}
