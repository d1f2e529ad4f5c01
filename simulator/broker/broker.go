// Package broker is an MQTT broker inside a simulation, on a free loopback port that others may subscribe to.
package broker

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"

	"scentpost/station/uplink/wire"
)

// Broker is a running broker. Its Publish may be called from one goroutine at a time.
type Broker struct {
	server *mqtt.Server
	listen *listeners.TCP
	lines  [][]byte // of the journal topic, as its subscriber got them
}

// Start starts a broker on a free loopback port, with a subscriber to every journal topic.
func Start() (*Broker, error) {
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	b := &Broker{server: mqtt.New(&mqtt.Options{InlineClient: true, Logger: quiet})}
	if err := b.server.AddHook(new(open), nil); err != nil {
		return nil, fmt.Errorf("let clients in: %w", err)
	}
	b.listen = listeners.NewTCP(listeners.Config{ID: "loopback", Address: "127.0.0.1:0"})
	if err := b.server.AddListener(b.listen); err != nil {
		return nil, fmt.Errorf("listen on a loopback port: %w", err)
	}
	if err := b.server.Serve(); err != nil {
		return nil, fmt.Errorf("serve: %w", err)
	}
	if err := b.server.Subscribe(wire.AnyJournal, 1, b.take); err != nil {
		return nil, fmt.Errorf("subscribe: %w", err)
	}
	return b, nil
}

// take keeps the lines of a batch. What is none is left out, and missed then.
func (b *Broker) take(_ *mqtt.Client, _ packets.Subscription, p packets.Packet) {
	if lines, err := wire.ParseBatch(bytes.Clone(p.Payload)); err == nil {
		b.lines = append(b.lines, lines...)
	}
}

// Address returns where the broker listens.
func (b *Broker) Address() string { return b.listen.Address() }

// Publish hands a message to the broker, which delivers it before Publish returns.
func (b *Broker) Publish(topic string, payload []byte, qos byte, retain bool) error {
	return b.server.Publish(topic, payload, retain, qos)
}

// Lines returns the lines that the subscriber got, in order.
func (b *Broker) Lines() [][]byte { return b.lines }

// Close stops the broker.
func (b *Broker) Close() error { return b.server.Close() }

// open lets everybody in: the port is a loopback one, and what is published is public and simulated.
type open struct{ mqtt.HookBase }

// ID implements mqtt.Hook.
func (*open) ID() string { return "open" }

// Provides implements mqtt.Hook.
func (*open) Provides(b byte) bool { return b == mqtt.OnConnectAuthenticate || b == mqtt.OnACLCheck }

// OnConnectAuthenticate implements mqtt.Hook.
func (*open) OnConnectAuthenticate(*mqtt.Client, packets.Packet) bool { return true }

// OnACLCheck implements mqtt.Hook.
func (*open) OnACLCheck(*mqtt.Client, string, bool) bool { return true }
