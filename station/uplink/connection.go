package uplink

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// happening is what a connection reports to the Link that owns it, besides messages.
type happening struct {
	acked uint64 // a message was acknowledged
	lost  error  // the connection is of no more use
}

// connection is one paho client with one network connection: it is never reconnected, a new one is made instead, so
// that nothing of an earlier connection can be taken for something of this one.
type connection struct {
	session   int64
	client    mqtt.Client
	happened  chan happening
	outbox    chan Publish
	arrived   chan mqtt.Message
	lost      chan error // the first loss
	ctx       context.Context
	cancel    context.CancelFunc
	goroutine sync.WaitGroup
	network   atomic.Pointer[net.Conn]
}

// arrivedQueue bounds the messages that wait for the Link, each of maxPacket bytes at most. When it is full nothing more
// is read from the broker until the Link has taken one.
const arrivedQueue = 16

// dial connects once. It returns when the broker accepted, refused or did not answer in time, or when ctx ended. The
// connection outlives ctx, so that the station can say goodbye: close ends it.
func dial(ctx context.Context, b Broker, session int64, will Publish, window int) (*connection, error) {
	login, err := b.read()
	if err != nil {
		return nil, err
	}
	c := &connection{
		session:  session,
		happened: make(chan happening, window), outbox: make(chan Publish, 2*window), // more than a sender has under way
		arrived: make(chan mqtt.Message, arrivedQueue), lost: make(chan error, 1),
	}
	c.ctx, c.cancel = context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, c.cancel)
	c.client = mqtt.NewClient(c.options(b, will, login))
	token := c.client.Connect()
	select {
	case <-token.Done():
		err = token.Error()
	case <-time.After(2 * b.ConnectWithin): // paho keeps the time itself; never trust a token to come
		err = errors.New("no answer")
	}
	if !stop() && err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		c.close()
		return nil, fmt.Errorf("uplink: connect to the broker: %w", err)
	}
	c.goroutine.Go(c.publishAll)
	c.goroutine.Go(c.watch)
	return c, nil
}

// paho is the address that paho is given: it makes no connection without one, and reads addresses by rules of its own.
const paho = "tcp://broker"

func (c *connection) options(b Broker, will Publish, l login) *mqtt.ClientOptions {
	o := mqtt.NewClientOptions()
	o.AddBroker(paho) // which open takes no notice of
	o.SetClientID(b.ClientID).SetUsername(b.Username).SetPassword(l.password)
	o.SetProtocolVersion(4).SetCleanSession(true).SetStore(mqtt.NewMemoryStore())
	o.SetAutoReconnect(false).SetConnectRetry(false).SetResumeSubs(false).SetOrderMatters(true)
	o.SetKeepAlive(b.KeepAlive).SetPingTimeout(b.ConnectWithin)
	o.SetConnectTimeout(b.ConnectWithin).SetWriteTimeout(b.WriteWithin)
	o.SetBinaryWill(will.Topic, will.Payload, will.QoS, will.Retain)
	o.SetConnectionLostHandler(func(_ mqtt.Client, err error) { c.fail(fmt.Errorf("uplink: connection lost: %w", err)) })
	o.SetDefaultPublishHandler(c.enqueue)
	o.SetCustomOpenConnectionFn(func(*url.URL, mqtt.ClientOptions) (net.Conn, error) { return c.open(b, l.tls) })
	return o
}

// open makes the network connection. Only close ends what waits on it: paho itself would wait on.
func (c *connection) open(b Broker, settings *tls.Config) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(c.ctx, b.ConnectWithin)
	defer cancel()
	var conn net.Conn
	var err error
	if settings != nil {
		conn, err = (&tls.Dialer{Config: settings}).DialContext(ctx, "tcp", b.Address.Dial())
	} else {
		conn, err = new(net.Dialer).DialContext(ctx, "tcp", b.Address.Dial())
	}
	if err != nil {
		return nil, err
	}
	c.network.Store(&conn)
	context.AfterFunc(c.ctx, func() { conn.Close() })
	return &guarded{Conn: conn}, nil
}

// enqueue is paho's handler. It waits for the Link, which waits for no broker.
func (c *connection) enqueue(_ mqtt.Client, m mqtt.Message) {
	select {
	case c.arrived <- m:
	case <-c.ctx.Done():
	}
}

func (c *connection) fail(err error) {
	select {
	case c.lost <- err:
	default: // the first loss says why
	}
}

// tell reports to the Link, unless the connection was closed.
func (c *connection) tell(h happening) {
	select {
	case c.happened <- h:
	case <-c.ctx.Done():
	}
}

// send hands a message over. The outbox has room for more than a sender has under way.
func (c *connection) send(p Publish) {
	select {
	case c.outbox <- p:
	case <-c.ctx.Done():
	}
}

func (c *connection) watch() {
	select {
	case err := <-c.lost:
		c.tell(happening{lost: err})
	case <-c.ctx.Done():
	}
}

// publishAll hands messages to paho in their order. Each answer is waited for in a goroutine of its own: there are
// never more than the sender's window.
func (c *connection) publishAll() {
	for {
		select {
		case <-c.ctx.Done():
			return
		case p := <-c.outbox:
			if !c.client.IsConnectionOpen() { // paho would queue it, and complete its token without delivery
				c.fail(errors.New("uplink: connection lost"))
				continue
			}
			token := c.client.Publish(p.Topic, p.QoS, p.Retain, p.Payload)
			c.goroutine.Go(func() { c.await(token, p) })
		}
	}
}

func (c *connection) await(token mqtt.Token, p Publish) {
	select {
	case <-c.ctx.Done():
	case <-token.Done():
		if err := token.Error(); err != nil {
			c.fail(fmt.Errorf("uplink: publish on %s: %w", p.Topic, err))
			return
		}
		c.tell(happening{acked: p.ID})
	}
}

// deniedError is a topic that the broker does not let the station read.
type deniedError struct{ topic string }

// Error implements error.
func (e *deniedError) Error() string {
	return "uplink: the broker refused the subscription to " + e.topic
}

// subscribe asks for what the sender must and may read, and then has the fence published: MQTT does not say that nothing
// is retained on a topic, but what is retained comes before the fence.
func (c *connection) subscribe(must, may []string, fence Publish) {
	c.goroutine.Go(func() {
		filters := map[string]byte{}
		for _, topic := range append(must, may...) {
			filters[topic] = 1
		}
		token := c.client.SubscribeMultiple(filters, nil)
		if !c.done(token, "subscribe to the station's own topics") {
			return
		}
		granted := token.(*mqtt.SubscribeToken).Result()
		for _, topic := range must {
			if quality, said := granted[topic]; !said || quality > 1 {
				c.fail(&deniedError{"the broker refused the subscription to " + topic})
				return
			}
		}
		c.done(c.client.Publish(fence.Topic, fence.QoS, fence.Retain, fence.Payload), "publish on "+fence.Topic)
	})
}

// done waits for a token and tells whether all is well; if not, the connection is lost. When the connection was closed
// meanwhile, its token says nothing any more.
func (c *connection) done(token mqtt.Token, what string) bool {
	select {
	case <-c.ctx.Done():
		return false
	case <-token.Done():
		if c.ctx.Err() != nil {
			return false
		}
		if err := token.Error(); err != nil {
			c.fail(fmt.Errorf("uplink: %s: %w", what, err))
			return false
		}
		return true
	}
}

// disconnectWithin is how long paho may take to send its DISCONNECT.
const disconnectWithin = 250 * time.Millisecond

// leave tells the broker that the connection ends as it should: it forgets the will.
func (c *connection) leave() { c.client.Disconnect(uint(disconnectWithin / time.Millisecond)) }

// close ends the network connection without a goodbye, so that the broker publishes the will, and returns when every
// goroutine of the connection has ended.
func (c *connection) close() {
	c.cancel()
	if network := c.network.Load(); network != nil {
		(*network).Close()
	}
	c.client.Disconnect(0)
	c.goroutine.Wait()
}
