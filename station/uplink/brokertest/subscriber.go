package brokertest

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// Message is one message as it was delivered, repeats included.
type Message struct {
	Topic    string
	Payload  []byte
	Retained bool
	// Repeat is set when the broker says that it may have delivered it before.
	Repeat bool
}

// Subscriber collects what a broker delivers, with a persistent session: what is published while the broker or the
// connection is down comes later.
type Subscriber struct {
	t      testing.TB
	client mqtt.Client

	mu       sync.Mutex // guards messages and changed
	messages []Message
	changed  chan struct{} // closed at the next message
}

// Subscribe subscribes to a topic filter of the broker at url, quality 1, and returns when the broker has granted it.
// It comes back by itself when the broker does, and ends with the test.
func Subscribe(t testing.TB, url, filter string) *Subscriber {
	t.Helper()
	s := &Subscriber{t: t, changed: make(chan struct{})}
	o := mqtt.NewClientOptions().AddBroker(url)
	o.SetClientID(fmt.Sprintf("collector-%08x", rand.Uint32())).SetCleanSession(false).SetProtocolVersion(4)
	o.SetAutoReconnect(true).SetMaxReconnectInterval(time.Second).SetConnectTimeout(Patience)
	o.SetDefaultPublishHandler(s.collect)
	s.client = mqtt.NewClient(o)
	t.Cleanup(func() { s.client.Disconnect(0) })
	s.done(s.client.Connect(), "connect")
	s.done(s.client.Subscribe(filter, 1, nil), "subscribe")
	return s
}

// Subscribe subscribes to a topic filter of this broker, see the function of that name.
func (m *Mosquitto) Subscribe(t testing.TB, filter string) *Subscriber {
	t.Helper()
	return Subscribe(t, m.URL, filter)
}

func (s *Subscriber) done(token mqtt.Token, what string) {
	s.t.Helper()
	if !token.WaitTimeout(Patience) {
		s.t.Fatalf("subscriber: %s: no answer in %v", what, Patience)
	}
	if err := token.Error(); err != nil {
		s.t.Fatalf("subscriber: %s: %v", what, err)
	}
}

func (s *Subscriber) collect(_ mqtt.Client, m mqtt.Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.messages = append(s.messages, Message{
		Topic: m.Topic(), Payload: slices.Clone(m.Payload()), Retained: m.Retained(), Repeat: m.Duplicate(),
	})
	close(s.changed)
	s.changed = make(chan struct{})
}

// Messages returns what was delivered so far, in order.
func (s *Subscriber) Messages() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.messages)
}

// Wait waits until enough is content with what was delivered, and returns that. It fails the test after Patience,
// saying what was waited for.
func (s *Subscriber) Wait(what string, enough func([]Message) bool) []Message {
	s.t.Helper()
	deadline := time.After(Patience)
	for {
		s.mu.Lock()
		messages, changed := slices.Clone(s.messages), s.changed
		s.mu.Unlock()
		if enough(messages) {
			return messages
		}
		select {
		case <-changed:
		case <-deadline:
			s.t.Fatalf("waited %v for %s; %d messages came", Patience, what, len(messages))
		}
	}
}

// Lines returns the lines of all messages on topic, in the order of delivery, each the first time it came: what a
// reader has who drops repeats.
func Lines(messages []Message, topic string) [][]byte {
	var lines [][]byte
	seen := map[string]bool{}
	for _, m := range messages {
		if m.Topic != topic {
			continue
		}
		for line := range bytes.Lines(m.Payload) {
			line = bytes.TrimSuffix(line, []byte("\n"))
			if !seen[string(line)] {
				seen[string(line)] = true
				lines = append(lines, line)
			}
		}
	}
	return lines
}
