package uplink_test

import (
	"testing"

	"scentpost/station/uplink/brokertest"
	"scentpost/station/uplink/wire"
)

// Debian's mosquitto is stopped by SIGTERM and started again in the middle of traffic, and so is the station: what a
// persistent session gets, repeats dropped, is the whole journal in order.
func TestMosquittoRestart(t *testing.T) {
	broker := brokertest.Start(t)
	s := newStation(t, 3000)
	subscriber := broker.Subscribe(t, "scentpost/v1/#")
	s.run(broker.URL, nil)
	reached := func(n int) {
		t.Helper()
		subscriber.Wait("traffic", func(m []brokertest.Message) bool { return len(brokertest.Lines(m, s.topics.Journal)) >= n })
	}
	reached(500)
	broker.Stop()
	s.link.Durable(s.append(500)) // recorded while the broker is away
	broker.Restart()
	reached(1500)
	broker.Restart()
	reached(2000)
	s.end()
	s.append(500) // recorded while the link is away
	s.run(broker.URL, nil)
	reached(3000)
	s.link.Durable(s.append(500))
	s.whole(subscriber)
	s.end()
	if len(s.behind) > 0 {
		t.Errorf("behind %v, though nothing was lost", s.behind)
	}
	if s.session < 4 || s.file != s.signed("e1", 4500) {
		t.Errorf("%d connections, departed %v; want at least 4 and all 4500 records", s.session, s.file)
	}
}

// A journal restored from an older copy is found at the connect by what mosquitto retained, even after its restart.
func TestMosquittoRemembersSize(t *testing.T) {
	broker := brokertest.Start(t)
	s := newStation(t, 50)
	subscriber := broker.Subscribe(t, "scentpost/v1/#")
	s.run(broker.URL, nil)
	s.whole(subscriber)
	s.end()
	broker.Restart()
	before := len(brokertest.Lines(subscriber.Messages(), s.topics.Journal))
	s.log, s.file, s.cursor = s.log[:40], wire.Departed{}, 0
	s.run(broker.URL, nil)
	s.wait("the report", func() bool { return len(s.behind) == 1 })
	s.link.Durable(s.append(5))
	s.end()
	if s.behind[0] != s.signed("e1", 50) {
		t.Errorf("behind %v, want the 50 records of e1", s.behind[0])
	}
	retain(t, broker.URL, "scentpost/v1/end", "end")
	messages := subscriber.Wait("the end", func(m []brokertest.Message) bool { return len(on(m, "scentpost/v1/end")) == 1 })
	if status := last(on(messages, s.topics.Status)); status != `{"online":false,"session":"1"}` {
		t.Errorf("a station that was behind said %s", status)
	}
	if n := len(brokertest.Lines(messages, s.topics.Journal)); n != before {
		t.Errorf("%d lines left of a journal that was behind", n-before)
	}
}
