//go:build linux

package kerneltest

import (
	"io"
	"log/slog"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"
)

// listener is a broker on the guest's loopback network, and somebody there who listens to all that stations say.
type listener struct {
	*testing.T
	url string

	mu       sync.Mutex // guards what follows
	messages []paho.Message
	news     chan struct{} // closed at the next message
}

// everybody lets all clients of a broker in.
type everybody struct{ mqtt.HookBase }

func (*everybody) ID() string { return "everybody" }
func (*everybody) Provides(b byte) bool {
	return b == mqtt.OnConnectAuthenticate || b == mqtt.OnACLCheck
}
func (*everybody) OnConnectAuthenticate(*mqtt.Client, packets.Packet) bool { return true }
func (*everybody) OnACLCheck(*mqtt.Client, string, bool) bool              { return true }

// listen starts a broker with a subscriber.
func listen(t *testing.T) *listener {
	t.Helper()
	l := &listener{T: t, news: make(chan struct{})}
	// What a broker says of itself once a second is nobody's business here, and would keep the guest from idling.
	server := mqtt.New(&mqtt.Options{SysTopicResendInterval: math.MaxInt32, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	at := listeners.NewTCP(listeners.Config{ID: "loopback", Address: "127.0.0.1:0"})
	for _, err := range []error{server.AddHook(new(everybody), nil), server.AddListener(at), server.Serve()} {
		if err != nil {
			t.Fatalf("start a broker: %v", err)
		}
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Errorf("stop the broker: %v", err)
		}
	})
	l.url = "tcp://" + at.Address()
	client := paho.NewClient(paho.NewClientOptions().AddBroker(l.url).SetClientID("listener").SetKeepAlive(0))
	for _, token := range []func() paho.Token{
		client.Connect,
		func() paho.Token { return client.Subscribe("scentpost/v1/#", 1, l.take) },
	} {
		if token := token(); !token.WaitTimeout(patience) || token.Error() != nil {
			t.Fatalf("subscribe at %s: %v", l.url, token.Error())
		}
	}
	t.Cleanup(func() { client.Disconnect(0) })
	return l
}

func (l *listener) take(_ paho.Client, m paho.Message) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.messages = append(l.messages, m)
	close(l.news)
	l.news = make(chan struct{})
}

// of returns the payloads of a topic so far, and what is closed when there are more messages.
func (l *listener) of(topic string) (payloads []string, more <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, m := range l.messages {
		if m.Topic() == topic {
			payloads = append(payloads, string(m.Payload()))
		}
	}
	return payloads, l.news
}

// journal waits until the station has reported so many records, and returns all that it did, without repeats.
func (s *site) journal(l *listener, size int64) []line {
	s.Helper()
	limit := time.After(2 * time.Minute)
	for {
		payloads, more := l.of("scentpost/v1/guest/real/journal")
		var all []line
		for _, text := range payloads {
			for record := range strings.Lines(text) {
				r := s.line(strings.TrimSuffix(record, "\n"))
				switch at := int64(len(all)); {
				case r.ID == at:
					all = append(all, r)
				case r.ID > at || all[r.ID].text != r.text:
					s.Fatalf("reported as record %d: %s", at, r.text)
				}
			}
		}
		if int64(len(all)) >= size {
			return all
		}
		select {
		case <-more:
		case <-limit:
			s.Fatalf("%d of %d records were reported", len(all), size)
		}
	}
}

// checkReport checks that the subscriber has every record of the epoch once, in order, and those of the session byte for
// byte as the bundle has them.
func (s *site) checkReport(l *listener, lines []line, size int64) {
	s.Helper()
	reported := s.journal(l, size)
	if int64(len(reported)) != size {
		s.Errorf("%d records were reported, the station has %d", len(reported), size)
	}
	for _, want := range lines {
		if got := reported[want.ID]; got.text != want.text {
			s.Errorf("reported: %s\nin the bundle: %s", got.text, want.text)
		}
	}
	if states, _ := l.of("scentpost/v1/guest/real/state"); len(states) == 0 {
		s.Error("no state was reported")
	}
	s.Logf("%d records reached the subscriber", len(reported))
}
