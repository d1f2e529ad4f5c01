package uplink_test

import (
	"bytes"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"

	"scentpost/station/health"
	"scentpost/station/uplink"
	"scentpost/station/uplink/address"
	"scentpost/station/uplink/brokertest"
	"scentpost/station/uplink/wire"
)

const anyPort = "127.0.0.1:0"

// on returns the payloads that came on a topic.
func on(messages []brokertest.Message, topic string) []string {
	var payloads []string
	for _, m := range messages {
		if m.Topic == topic {
			payloads = append(payloads, string(m.Payload))
		}
	}
	return payloads
}

func last(payloads []string) string {
	if len(payloads) == 0 {
		return ""
	}
	return payloads[len(payloads)-1]
}

func TestLinkDelivers(t *testing.T) {
	_, url := embedded(t, anyPort, new(access))
	s := newStation(t, 100)
	subscriber := brokertest.Subscribe(t, url, "scentpost/#")
	s.run(url, nil)
	s.link.Info([]byte(`{"version":"1"}`))
	for range 20 {
		s.link.Durable(s.append(15))
		s.link.State(fmt.Appendf(nil, `{"records":%d}`, s.append(0)))
	}
	s.whole(subscriber)
	messages := subscriber.Wait("the newest state", func(m []brokertest.Message) bool {
		return last(on(m, s.topics.State)) == string(wire.State{Departed: s.signed("e1", 400), State: []byte(`{"records":400}`)}.Append(nil))
	})
	if got := on(messages, s.topics.Info); len(got) != 1 || got[0] != `{"version":"1"}` {
		t.Errorf("info %q", got)
	}
	s.end()
	subscriber.Wait("the goodbye", func(m []brokertest.Message) bool {
		return strings.Join(on(m, s.topics.Status), " ") == `{"online":true,"session":"1"} {"online":false,"session":"1"}`
	})
	if n := s.link.Acknowledged(); n != 400 {
		t.Errorf("%d records are acknowledged", n)
	}
	if s.cursor != 400 || s.file != s.signed("e1", 400) {
		t.Errorf("cursor %d, departed %v, want 400 of e1", s.cursor, s.file)
	}
}

// A broken connection makes the broker publish the will; the link comes back as a new session and goes on where the
// acknowledgements ended.
func TestLinkComesBack(t *testing.T) {
	server, url := embedded(t, anyPort, new(access))
	s := newStation(t, 2000)
	subscriber := brokertest.Subscribe(t, url, "scentpost/#")
	s.run(url, nil)
	for cut := 1; cut <= 3; cut++ {
		subscriber.Wait("traffic", func(m []brokertest.Message) bool {
			return len(brokertest.Lines(m, s.topics.Journal)) >= cut*300
		})
		s.wait("a connection", s.ready)
		client, ok := server.Clients.Get("station")
		if !ok {
			t.Fatal("the broker does not know the station")
		}
		client.Stop(packets.ErrServerShuttingDown)
		s.wait("a new session", func() bool { return s.session > int64(cut) && s.ready() })
	}
	s.whole(subscriber)
	subscriber.Wait("will and birth", func(m []brokertest.Message) bool {
		status := strings.Join(on(m, s.topics.Status), " ")
		return strings.Contains(status, `{"online":false,`) && strings.Contains(status, `{"online":true,"session":"4"}`) // the embedded broker may lose a will
	})
	s.end()
}

// A broker that comes late is a condition: nothing is lost meanwhile, and nothing is fatal.
func TestLinkWaitsForBroker(t *testing.T) {
	listener, err := net.Listen("tcp", anyPort)
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	s := newStation(t, 10)
	s.run("tcp://"+address, func(o *uplink.LinkOptions) { o.Sender.CursorEvery = time.Millisecond })
	s.wait("three attempts", func() bool { return s.session >= 3 })
	s.link.Durable(s.append(10))
	s.wait("the reason", func() bool { return s.says(health.BrokerAway, "connection refused") && !s.ready() })
	_, url := embedded(t, address, new(access))
	s.wait("all acknowledged", func() bool { return s.cursor == 20 && s.well() })
	subscriber := brokertest.Subscribe(t, url, s.topics.State)
	subscriber.Wait("the retained state", func(m []brokertest.Message) bool {
		return last(on(m, s.topics.State)) == string(wire.State{Departed: s.signed("e1", 20)}.Append(nil))
	})
	s.end()
}

// A journal behind the retained state sends nothing more.
func TestLinkBehind(t *testing.T) {
	_, url := embedded(t, anyPort, new(access))
	s := newStation(t, 5)
	retain(t, url, s.topics.State, string(wire.State{Departed: s.signed("e1", 6)}.Append(nil)))
	subscriber := brokertest.Subscribe(t, url, "scentpost/#")
	s.run(url, nil)
	s.wait("the report", func() bool { return len(s.behind) == 1 })
	if got := s.reported(0); got != s.signed("e1", 6) {
		t.Errorf("behind %v", got)
	}
	s.end()
	retain(t, url, "scentpost/v1/end", "end")
	messages := subscriber.Wait("the end", func(m []brokertest.Message) bool { return len(on(m, "scentpost/v1/end")) == 1 })
	if lines := brokertest.Lines(messages, s.topics.Journal); len(lines) > 0 {
		t.Errorf("%d lines left", len(lines))
	}
}

// A copy of the station stops its reports, without a will that would speak for it.
func TestLinkStopsForACopy(t *testing.T) {
	_, url := embedded(t, anyPort, new(access))
	s := newStation(t, 5)
	retain(t, url, s.topics.State, string(wire.State{Departed: s.signed("e9", 6)}.Append(nil)))
	subscriber := brokertest.Subscribe(t, url, "scentpost/v1/site/station/+")
	s.run(url, func(o *uplink.LinkOptions) { o.Sender.Met = true })
	s.wait("the copy", func() bool { return s.says(health.Rival, "epoch e9") && !s.ready() })
	if c := s.condition(); c.Copy == nil || c.Copy.Epoch != "e9" {
		t.Errorf("it is told as %+v", c)
	}
	s.end()
	retain(t, url, "scentpost/v1/site/station/end", "end")
	messages := subscriber.Wait("the end", func(m []brokertest.Message) bool { return len(on(m, "scentpost/v1/site/station/end")) == 1 })
	if len(on(messages, s.topics.Journal))+len(on(messages, s.topics.Status)) > 0 || len(s.behind) > 0 {
		t.Errorf("it was said %v; behind %v", messages, s.behind)
	}
}

// A retained state that is none of ours is told, and does not stop the station.
func TestLinkUnreadableState(t *testing.T) {
	_, url := embedded(t, anyPort, new(access))
	s := newStation(t, 5)
	retain(t, url, s.topics.State, "junk")
	subscriber := brokertest.Subscribe(t, url, "scentpost/#")
	s.run(url, nil)
	s.whole(subscriber)
	s.wait("the condition", func() bool { return s.ready() && s.says(health.Rival, "what no station of this version writes") })
	s.end()
}

func retain(t *testing.T, url, topic, payload string) {
	t.Helper()
	client := mqtt.NewClient(mqtt.NewClientOptions().AddBroker(url).SetClientID("earlier").SetAutoReconnect(false))
	for _, step := range []func() mqtt.Token{client.Connect, func() mqtt.Token { return client.Publish(topic, 1, true, payload) }} {
		if token := step(); !token.WaitTimeout(brokertest.Patience) || token.Error() != nil {
			t.Fatalf("publish on %s: %v", topic, token.Error())
		}
	}
	client.Disconnect(100)
}

// access is a broker's say over who may connect and what they may do.
type access struct {
	mochi.HookBase
	password string
	denied   string // topic
}

func (a *access) ID() string { return "access" }

func (a *access) Provides(b byte) bool {
	return b == mochi.OnConnectAuthenticate || b == mochi.OnACLCheck
}

func (a *access) OnConnectAuthenticate(_ *mochi.Client, p packets.Packet) bool {
	return a.password == "" || bytes.Equal(p.Connect.Password, []byte(a.password))
}

func (a *access) OnACLCheck(_ *mochi.Client, topic string, _ bool) bool { return topic != a.denied }

// The password comes from its file, is read anew at each attempt, and appears in no condition.
func TestLinkPassword(t *testing.T) {
	const wrong, right = "wrong-secret", "right-secret"
	_, url := embedded(t, anyPort, &access{password: right})
	file := filepath.Join(t.TempDir(), "password")
	s := newStation(t, 5)
	s.run(url, func(o *uplink.LinkOptions) { o.Broker.Username, o.Broker.PasswordFile = "station", file })
	s.wait("the missing file", func() bool { return s.says(health.BrokerSecret, "password file") })
	write(t, file, wrong+"\n")
	s.wait("the refusal", func() bool { return s.says(health.BrokerLogin, "") })
	write(t, file, "\uFEFF"+right+"\r\n")
	s.wait("the link", s.ready)
	s.end()
	if said := fmt.Sprintf("%v %+v", s.conditions, s.conditions); strings.Contains(said, wrong) || strings.Contains(said, right) {
		t.Errorf("a condition holds the password: %s", said)
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	next := file + ".next"
	if err := os.WriteFile(next, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(next, file); err != nil {
		t.Fatal(err)
	}
}

// Over TLS the broker's certificate is checked.
func TestLinkTLS(t *testing.T) {
	certified := httptest.NewTLSServer(nil) // lends its certificate
	defer certified.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	write(t, ca, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certified.Certificate().Raw})))
	server := mochi.New(&mochi.Options{Logger: slog.New(slog.DiscardHandler)})
	listener := listeners.NewTCP(listeners.Config{ID: "tls", Address: anyPort, TLSConfig: certified.TLS})
	if err := errors.Join(server.AddHook(new(access), nil), server.AddListener(listener), server.Serve()); err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	url := "tls://" + listener.Address()
	stranger := newStation(t, 0)
	stranger.run(url, nil)
	stranger.wait("the refusal", func() bool { return stranger.says(health.BrokerUntrusted, "certificate") })
	stranger.end()
	s := newStation(t, 5)
	s.run(url, func(o *uplink.LinkOptions) {
		o.Broker.CAFile = ca
		o.Sender.CursorEvery = time.Millisecond
	})
	s.wait("all acknowledged", func() bool { return s.cursor == 5 })
	s.end()
}

// While the departed file, the cursor or the journal fails, the condition says so; when it works again, all comes.
func TestLinkDiskTrouble(t *testing.T) {
	_, url := embedded(t, anyPort, new(access))
	s := newStation(t, 20)
	subscriber := brokertest.Subscribe(t, url, s.topics.Journal)
	var saves, cursors, reads, counts int
	s.run(url, func(o *uplink.LinkOptions) {
		session, save, cursor, lines := o.Session, o.SaveDeparted, o.SaveCursor, o.Sender.Lines
		o.Sender.Retry, o.Sender.CursorEvery = time.Millisecond, time.Millisecond
		o.Session = func() (int64, error) {
			if counts++; counts < 3 {
				return 0, errors.New("no counter")
			}
			return session()
		}
		o.SaveDeparted = func(d wire.Departed) (string, error) {
			if saves++; saves < 3 {
				return "", errors.New("no file")
			}
			return save(d)
		}
		o.SaveCursor = func(size int64) error {
			if cursors++; cursors < 2 {
				return errors.New("no cursor")
			}
			return cursor(size)
		}
		o.Sender.Lines = func(from int64, most, mostBytes int) ([][]byte, error) {
			if reads++; reads < 3 {
				return nil, errors.New("no journal")
			}
			return lines(from, most, mostBytes)
		}
	})
	s.whole(subscriber)
	s.link.State([]byte("{"))
	s.wait("the bad state", func() bool { return s.says(health.ReportHeld, "not JSON") })
	s.link.State([]byte("{}"))
	s.link.Durable(s.append(5))
	s.whole(subscriber)
	s.wait("that all is well", func() bool { return s.well() && s.cursor == 25 })
	s.end()
	for _, trouble := range []string{"no counter", "no file", "no cursor", "no journal"} {
		if !strings.Contains(fmt.Sprint(s.conditions), trouble) {
			t.Errorf("nobody said %q: %v", trouble, s.conditions)
		}
	}
}

// A broker that does not let the station read back its state gets nothing, and the condition says what to allow.
func TestLinkNeedsReadBack(t *testing.T) {
	for _, topic := range []string{"state", "fence", "journal"} {
		t.Run(topic, func(t *testing.T) {
			topic = "scentpost/v1/site/station/" + topic
			_, url := embedded(t, anyPort, &access{denied: topic})
			s := newStation(t, 5)
			subscriber := brokertest.Subscribe(t, url, "scentpost/v1/+/+/journal")
			s.run(url, func(o *uplink.LinkOptions) { o.Sender.AckWithin = 100 * time.Millisecond })
			s.wait("the condition", func() bool { return s.says(health.BrokerDenied, topic) })
			s.end()
			if m := subscriber.Messages(); len(m) > 0 || s.cursor != 0 {
				t.Errorf("%d batches left, cursor %d", len(m), s.cursor)
			}
		})
	}
}

// A broker that accepts the connection and says nothing holds up neither the station nor its end.
func TestLinkMuteBroker(t *testing.T) {
	listener, err := net.Listen("tcp", anyPort)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	accepted := make(chan net.Conn, 1)
	go func() {
		if conn, err := listener.Accept(); err == nil {
			accepted <- conn
		}
	}()
	before := runtime.NumGoroutine()
	s := newStation(t, 5)
	s.run("tcp://"+listener.Addr().String(), func(o *uplink.LinkOptions) { o.Broker.ConnectWithin = time.Hour })
	conn := <-accepted
	defer conn.Close()
	s.link.Durable(s.append(1))
	s.end()
	settled(t, before)
}

// When Run has returned, no goroutine of it is left, with any number of connections behind it.
func TestLinkLeavesNothing(t *testing.T) {
	server, url := embedded(t, anyPort, new(access))
	before := runtime.NumGoroutine()
	s := newStation(t, 500)
	s.run(url, nil)
	for i := range 3 {
		s.wait("a session", func() bool { return s.session > int64(i) && s.ready() })
		if client, ok := server.Clients.Get("station"); ok {
			client.Stop(packets.ErrServerShuttingDown)
		}
	}
	s.end()
	settled(t, before)
}

// settled waits until no more goroutines run than before: those of paho and of the broker end on their own, a moment
// later.
func settled(t *testing.T, before int) {
	t.Helper()
	deadline := time.After(brokertest.Patience)
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for runtime.NumGoroutine() > before {
		select {
		case <-look.C:
		case <-deadline:
			stacks := make([]byte, 1<<16)
			t.Fatalf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
		}
	}
}

func TestNewLinkRefuses(t *testing.T) {
	if _, err := uplink.NewLink(uplink.LinkOptions{Broker: uplink.Broker{ClientID: "x"}}); err == nil || !strings.Contains(err.Error(), "no address") {
		t.Errorf("no address: %v", err)
	}
	at := address.Address{Host: "h", Port: 1, TLS: true}
	if _, err := uplink.NewLink(uplink.LinkOptions{Broker: uplink.Broker{Address: at}}); err == nil || !strings.Contains(err.Error(), "client id") {
		t.Errorf("no client id: %v", err)
	}
	if _, err := uplink.NewLink(uplink.LinkOptions{Broker: uplink.Broker{Address: at, ClientID: "x"}}); err == nil || !strings.Contains(err.Error(), "all needed") {
		t.Errorf("no functions: %v", err)
	}
}
