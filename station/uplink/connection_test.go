package uplink

import (
	"context"
	"errors"
	"testing"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// Whatever is still to be told when a connection is closed waits for nobody.
func TestClosedConnectionTellsNobody(t *testing.T) {
	c := &connection{happened: make(chan happening), lost: make(chan error, 1)}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	c.cancel()
	c.tell(happening{acked: 1})
	c.watch()
	if c.done(&mqtt.DummyToken{}, "wait") {
		t.Error("a token of a closed connection counts")
	}
}

// Paho's handlers never wait: a flood is the end of the connection, and the first loss is the one that is told.
func TestHandlersNeverWait(t *testing.T) {
	c := &connection{arrived: make(chan mqtt.Message, 1), lost: make(chan error, 1)}
	for range 3 {
		c.enqueue(nil, nil)
	}
	c.fail(errors.New("later"))
	if err := <-c.lost; err.Error() != "uplink: the broker sent more than was subscribed to" {
		t.Errorf("lost: %v", err)
	}
}
