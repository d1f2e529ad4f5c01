package uplink_test

import (
	"bytes"
	"slices"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"scentpost/station/uplink"
	"scentpost/station/uplink/brokertest"
	"scentpost/station/uplink/wire"
)

// BenchmarkBacklog compares, in one run, how fast a backlog of short lines (26 bytes) goes through mosquitto on loopback until
// the last line has come back: a station's link, and a program with paho alone that reads back the same way, in batches of
// the same length and with as many under way. The figure is the ratio, which a busy machine changes little.
func BenchmarkBacklog(b *testing.B) {
	const records = 250_000
	broker := brokertest.Start(b)
	var link, bare time.Duration
	for b.Loop() {
		s := newStation(b, records)
		began := time.Now()
		s.run(broker.URL, func(o *uplink.LinkOptions) {
			o.Sender.Departed = s.signed("e1", records)
			o.Sender.Limits = uplink.Limits{CursorEvery: time.Millisecond}
		})
		s.wait("all delivered", func() bool { return s.cursor == records })
		link += time.Since(began)
		s.end()
		began = time.Now()
		bareProgram(b, broker.URL, s.log)
		bare += time.Since(began)
	}
	b.ReportMetric(float64(records)*float64(b.N)/link.Seconds(), "records/s")
	b.ReportMetric(bare.Seconds()/link.Seconds(), "of-paho")
}

// bareProgram publishes lines and waits until they have come back.
func bareProgram(b *testing.B, url string, log [][]byte) {
	const topic = "scentpost/v1/site/bare/journal"
	const underWay = 54 // as a link has
	seen := make(chan struct{}, len(log))
	o := mqtt.NewClientOptions().AddBroker(url).SetClientID("bare").SetProtocolVersion(4).SetStore(mqtt.NewMemoryStore())
	client := mqtt.NewClient(o)
	done := func(token mqtt.Token) {
		if !token.WaitTimeout(brokertest.Patience) || token.Error() != nil {
			b.Fatalf("paho: %v", token.Error())
		}
	}
	done(client.Connect())
	done(client.Subscribe(topic, 1, func(_ mqtt.Client, m mqtt.Message) {
		for range bytes.Count(m.Payload(), []byte("\n")) {
			seen <- struct{}{}
		}
	}))
	slots := make(chan struct{}, underWay)
	for rest := log; len(rest) > 0; {
		n := min(uplink.DefaultBatchLines, len(rest))
		payload, err := wire.Batch(rest[:n])
		if err != nil {
			b.Fatal(err)
		}
		rest = rest[n:]
		slots <- struct{}{}
		token := client.Publish(topic, 1, false, payload)
		go func() {
			<-token.Done()
			<-slots
		}()
	}
	for range log {
		<-seen
	}
	client.Disconnect(0)
}

// BenchmarkDurableToReceived measures, through mosquitto on loopback, how long a record takes from durable to a subscriber
// while 100 a second are made. A save takes no time here; in virtual time it does (TestDurableToReceived).
func BenchmarkDurableToReceived(b *testing.B) {
	broker := brokertest.Start(b)
	s := newStation(b, 0)
	received := make(chan time.Time, 1024)
	client := mqtt.NewClient(mqtt.NewClientOptions().AddBroker(broker.URL).SetClientID("reader").SetProtocolVersion(4))
	for _, step := range []func() mqtt.Token{client.Connect, func() mqtt.Token {
		return client.Subscribe(s.topics.Journal, 1, func(_ mqtt.Client, m mqtt.Message) {
			now := time.Now()
			for range bytes.Count(m.Payload(), []byte("\n")) {
				received <- now
			}
		})
	}} {
		if token := step(); !token.WaitTimeout(brokertest.Patience) || token.Error() != nil {
			b.Fatal(token.Error())
		}
	}
	defer client.Disconnect(0)
	s.run(broker.URL, func(o *uplink.LinkOptions) { o.Sender.Limits = uplink.Limits{} })
	s.wait("the link", s.ready)
	var made, took []time.Duration
	began := time.Now()
	pace := time.NewTicker(10 * time.Millisecond)
	defer pace.Stop()
	for b.Loop() {
		<-pace.C
		made = append(made, time.Since(began))
		s.link.Durable(s.append(1))
	}
	for i := range made {
		took = append(took, (<-received).Sub(began)-made[i])
	}
	s.end()
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "ms/p50")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "ms/p99")
}
