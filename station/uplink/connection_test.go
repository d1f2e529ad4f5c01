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

// The first loss is the one that is told, and a handler of a closed connection waits for nobody.
func TestTheFirstLossIsTold(t *testing.T) {
	c := &connection{arrived: make(chan mqtt.Message), lost: make(chan error, 1)}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	c.fail(errors.New("first"))
	c.fail(errors.New("later"))
	if err := <-c.lost; err.Error() != "first" {
		t.Errorf("lost: %v", err)
	}
	c.cancel()
	c.enqueue(nil, nil)
	c.send(Publish{})
}
