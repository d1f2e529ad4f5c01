package brokertest_test

import (
	"fmt"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"scentpost/station/uplink/brokertest"
)

// A message that the broker acknowledged before it was stopped reaches a persistent session after the restart, and
// the retained one is still there.
func TestRestartKeepsMessages(t *testing.T) {
	broker := brokertest.Start(t)
	subscriber := broker.Subscribe(t, "a/#")
	for i := range 3 {
		publish(t, broker.URL, fmt.Sprint("a/", i), fmt.Sprintf("line %d\nline %d\n", i, i+1))
		if i == 1 {
			broker.Restart()
		}
	}
	got := subscriber.Wait("three messages", func(m []brokertest.Message) bool { return len(brokertest.Lines(m, "a/2")) == 2 })
	for i := range 3 {
		if n := len(brokertest.Lines(got, fmt.Sprint("a/", i))); n != 2 {
			t.Errorf("topic a/%d: %d lines, want 2", i, n)
		}
	}
	broker.Stop()
	broker.Restart()
	late := broker.Subscribe(t, "a/0")
	for _, m := range late.Wait("the retained message", func(m []brokertest.Message) bool { return len(m) > 0 }) {
		if !m.Retained {
			t.Errorf("message on %s is not marked retained", m.Topic)
		}
	}
	broker.Kill()
	broker.Restart()
}

func TestLinesDropsRepeats(t *testing.T) {
	messages := []brokertest.Message{
		{Topic: "t", Payload: []byte("1\n2\n")}, {Topic: "u", Payload: []byte("9\n")},
		{Topic: "t", Payload: []byte("2\n3\n"), Repeat: true},
	}
	if got := fmt.Sprintf("%s", brokertest.Lines(messages, "t")); got != "[1 2 3]" {
		t.Errorf("lines %s, want [1 2 3]", got)
	}
}

func publish(t *testing.T, url, topic, payload string) {
	t.Helper()
	client := mqtt.NewClient(mqtt.NewClientOptions().AddBroker(url).SetAutoReconnect(false))
	for _, step := range []func() mqtt.Token{client.Connect, func() mqtt.Token { return client.Publish(topic, 1, true, payload) }} {
		token := step()
		if !token.WaitTimeout(10*time.Second) || token.Error() != nil {
			t.Fatalf("publish on %s: %v", topic, token.Error())
		}
	}
	client.Disconnect(100)
}
