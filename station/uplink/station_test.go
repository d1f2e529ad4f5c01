package uplink_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"

	"scentpost/station/health"
	"scentpost/station/record"
	"scentpost/station/uplink"
	"scentpost/station/uplink/address"
	"scentpost/station/uplink/brokertest"
	"scentpost/station/uplink/wire"
)

// station is a journal, a departed file and a link that runs, with all that the link told.
type station struct {
	t      testing.TB
	topics wire.Topics
	signer *record.Signer
	link   *uplink.Link
	stop   context.CancelFunc
	ended  chan error

	mu         sync.Mutex // guards what follows
	changed    chan struct{}
	log        [][]byte
	file       wire.Departed
	cursor     int64
	session    int64
	conditions []uplink.Condition
	behind     []wire.Departed
}

// newStation makes a station of size records whose link has not started yet.
func newStation(t testing.TB, size int) *station {
	t.Helper()
	topics, err := wire.NewTopics("site", "station")
	if err != nil {
		t.Fatal(err)
	}
	s := &station{t: t, topics: topics, signer: signer(t, "e1"), changed: make(chan struct{}), ended: make(chan error, 1)}
	s.append(size)
	return s
}

// signer signs checkpoints of an epoch with this station's key.
func signer(t testing.TB, epoch string) *record.Signer {
	t.Helper()
	private, _, err := record.NewKey(bytes.NewReader(make([]byte, 32)), "station")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := record.NewSigner(record.Log{Site: "site", Station: "station", Epoch: epoch}, private)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

// signed is what has departed, with its checkpoint.
func (s *station) signed(epoch string, size int64) wire.Departed {
	note, err := signer(s.t, epoch).Checkpoint(size, [32]byte{})
	if err != nil {
		s.t.Error(err)
	}
	return wire.Departed{Epoch: epoch, Size: size, Checkpoint: string(note)}
}

func (s *station) append(n int) int64 {
	var size int64
	s.change(func() {
		for range n {
			s.log = append(s.log, fmt.Appendf(nil, `{"epoch":"e1","seq":"%d"}`, len(s.log)))
		}
		size = int64(len(s.log))
	})
	return size
}

func (s *station) change(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
	close(s.changed)
	s.changed = make(chan struct{})
}

// wait waits until enough, which may look at everything guarded.
func (s *station) wait(what string, enough func() bool) {
	s.t.Helper()
	deadline := time.After(brokertest.Patience)
	for {
		s.mu.Lock()
		ok, changed := enough(), s.changed
		s.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-changed:
		case <-deadline:
			s.t.Fatalf("waited %v for %s; the link last said %v", brokertest.Patience, what, s.condition())
		}
	}
}

func (s *station) lines(from int64, most, mostBytes int) ([][]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	end := from
	for end < int64(len(s.log)) && end < from+int64(most) && mostBytes > 0 {
		mostBytes -= len(s.log[end])
		end++
	}
	return s.log[from:end:end], nil
}

// run starts the link; change may alter its options before.
func (s *station) run(url string, change func(*uplink.LinkOptions)) {
	s.t.Helper()
	at, err := address.Parse(url)
	if err != nil {
		s.t.Fatal(err)
	}
	o := uplink.LinkOptions{
		Broker: uplink.Broker{Address: at, ClientID: "station", ConnectWithin: 5 * time.Second},
		Sender: uplink.Options{
			Site: "site", Station: "station", Key: s.signer.Verifier(), Lines: s.lines, Epoch: "e1", Size: int64(len(s.log)), Acknowledged: s.cursor, Departed: s.file,
			Limits: uplink.Limits{Grid: 5 * time.Millisecond, Burst: 4, BatchLines: 16},
		},
		Session: func() (session int64, err error) {
			s.change(func() { s.session++; session = s.session })
			return session, nil
		},
		SaveDeparted: func(d wire.Departed) (string, error) {
			d = s.signed(d.Epoch, d.Size)
			s.change(func() { s.file = d })
			return d.Checkpoint, nil
		},
		Compare:    func(d wire.Departed) (bool, error) { return d == s.signed(d.Epoch, d.Size), nil },
		SaveCursor: func(size int64) error { s.change(func() { s.cursor = size }); return nil },
		Behind:     func(d wire.Departed) { s.change(func() { s.behind = append(s.behind, d) }) },
		Report:     func(c uplink.Condition) { s.change(func() { s.conditions = append(s.conditions, c) }) },
		Draw:       rand.Int64N,
		PauseLeast: 5 * time.Millisecond, PauseMost: 50 * time.Millisecond,
	}
	if change != nil {
		change(&o)
	}
	link, err := uplink.NewLink(o)
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	s.link, s.stop = link, stop
	go func() { s.ended <- link.Run(ctx) }()
	s.t.Cleanup(stop)
}

// end stops the link and waits until Run has returned.
func (s *station) end() {
	s.t.Helper()
	s.stop()
	select {
	case err := <-s.ended:
		if err != nil {
			s.t.Errorf("Run: %v", err)
		}
	case <-time.After(brokertest.Patience):
		s.t.Fatalf("Run did not return in %v", brokertest.Patience)
	}
}

// whole waits until the subscriber has as many lines as the journal, and fails unless they are the journal.
func (s *station) whole(subscriber *brokertest.Subscriber) {
	s.t.Helper()
	s.mu.Lock()
	want := slices.Clone(s.log)
	s.mu.Unlock()
	messages := subscriber.Wait(fmt.Sprintf("%d lines", len(want)), func(m []brokertest.Message) bool {
		return len(brokertest.Lines(m, s.topics.Journal)) >= len(want)
	})
	if got := brokertest.Lines(messages, s.topics.Journal); !slices.EqualFunc(got, want, bytes.Equal) {
		s.t.Errorf("the subscriber's lines are not the journal: %d and %d", len(got), len(want))
	}
}

// ready tells whether the link last said that it is up; for wait, like says.
func (s *station) ready() bool {
	return len(s.conditions) > 0 && s.conditions[len(s.conditions)-1].Ready
}

// reported returns the i-th Behind.
func (s *station) reported(i int) wire.Departed {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.behind[i]
}

// condition returns what the link last said.
func (s *station) condition() uplink.Condition {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.conditions) == 0 {
		return uplink.Condition{}
	}
	return s.conditions[len(s.conditions)-1]
}

// says tells whether the link last told of a trouble whose evidence holds text.
func (s *station) says(code health.Code, text string) bool {
	if len(s.conditions) == 0 {
		return false
	}
	return slices.ContainsFunc(s.conditions[len(s.conditions)-1].Troubles, func(t uplink.Trouble) bool {
		return t.Code == code && strings.Contains(t.Evidence, text)
	})
}

// well tells whether the link last said that it is up, and that nothing is wrong.
func (s *station) well() bool {
	return s.ready() && len(s.conditions[len(s.conditions)-1].Troubles) == 0
}

// embedded starts a broker in this process, with hooks that say who may do what, and returns it with its URL.
func embedded(t testing.TB, address string, hook mochi.Hook) (*mochi.Server, string) {
	t.Helper()
	server := mochi.New(&mochi.Options{Logger: slog.New(slog.DiscardHandler)})
	if err := server.AddHook(hook, nil); err != nil {
		t.Fatal(err)
	}
	listener := listeners.NewTCP(listeners.Config{ID: "tcp", Address: address})
	if err := server.AddListener(listener); err != nil {
		t.Fatal(err)
	}
	if err := server.Serve(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	return server, "tcp://" + listener.Address()
}
