package uplink

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"scentpost/station/uplink/address"
	"scentpost/station/uplink/wire"
)

// Broker says where the broker is and how the station names itself there.
type Broker struct {
	Address address.Address
	// ClientID is the MQTT client id, the same for the life of the station: a broker drops an older connection that
	// bears it.
	ClientID string
	// Username, and the file that holds the password, read anew at each connect. Both may be empty.
	Username, PasswordFile string
	// TLS are the settings where the address asks for TLS; nil means the system's roots.
	TLS *tls.Config
	// KeepAlive is the longest silence before the broker is asked for a sign of life. Default DefaultKeepAlive.
	KeepAlive time.Duration
	// ConnectWithin bounds one attempt to connect. Default DefaultConnectWithin.
	ConnectWithin time.Duration
	// WriteWithin bounds the hand-over of one message. Default DefaultWriteWithin.
	WriteWithin time.Duration
}

// The defaults of Broker.
const (
	DefaultKeepAlive     = 30 * time.Second
	DefaultConnectWithin = 10 * time.Second
	DefaultWriteWithin   = 5 * time.Second
)

// maxPassword bounds the password file, in bytes: MQTT's own limit.
const maxPassword = 65535

// withDefaults checks what can be checked without a network.
func (b Broker) withDefaults() (Broker, error) {
	if !b.Address.Given() {
		return b, errors.New("uplink: broker: no address: where to report to is not known")
	}
	if b.TLS == nil {
		b.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	if b.ClientID == "" {
		return b, errors.New("uplink: broker: no client id: a broker would invent one for each connection")
	}
	for _, t := range []struct {
		value *time.Duration
		usual time.Duration
	}{
		{&b.KeepAlive, DefaultKeepAlive}, {&b.ConnectWithin, DefaultConnectWithin}, {&b.WriteWithin, DefaultWriteWithin},
	} {
		if *t.value <= 0 {
			*t.value = t.usual
		}
	}
	return b, nil
}

// password reads the password file; the line's end does not belong to it.
func (b Broker) password() (string, error) {
	if b.PasswordFile == "" {
		return "", nil
	}
	stat, err := os.Stat(b.PasswordFile)
	if err != nil {
		return "", fmt.Errorf("uplink: password file: %w", err)
	}
	if !stat.Mode().IsRegular() || stat.Size() > maxPassword {
		return "", fmt.Errorf("uplink: password file %s: want a file of at most %d bytes", b.PasswordFile, maxPassword)
	}
	text, err := os.ReadFile(b.PasswordFile)
	if err != nil {
		return "", fmt.Errorf("uplink: password file: %w", err)
	}
	return strings.TrimRight(string(text), "\r\n"), nil
}

// happening is what a connection reports to the Link that owns it.
type happening struct {
	acked    uint64         // a message was acknowledged
	readBack *wire.Departed // the retained state was read back
	problem  error          // worth telling, but nothing is lost by it
	lost     error          // the connection is of no more use
}

// connection is one paho client with one network connection: it is never reconnected, a new one is made instead, so
// that nothing of an earlier connection can be taken for something of this one.
type connection struct {
	session   int64
	client    mqtt.Client
	happened  chan happening
	outbox    chan Publish
	arrived   chan mqtt.Message // what paho's handlers enqueue
	lost      chan error        // the first loss; paho's handlers never wait
	ctx       context.Context
	cancel    context.CancelFunc
	goroutine sync.WaitGroup
	network   atomic.Pointer[net.Conn]
}

// arrivedQueue bounds what is read back at a connect: one retained state and one fence, with room for strays.
const arrivedQueue = 8

// dial connects once. It returns when the broker accepted, refused or did not answer in time, or when ctx ended. The
// connection outlives ctx, so that the station can say goodbye: close ends it.
func dial(ctx context.Context, b Broker, topics wire.Topics, session int64, will Publish, window int) (*connection, error) {
	password, err := b.password()
	if err != nil {
		return nil, err
	}
	c := &connection{
		session:  session,
		happened: make(chan happening), outbox: make(chan Publish, window+1), // and the goodbye
		arrived: make(chan mqtt.Message, arrivedQueue), lost: make(chan error, 1),
	}
	c.ctx, c.cancel = context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, c.cancel)
	c.client = mqtt.NewClient(c.options(b, will, password))
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
	c.goroutine.Go(func() { c.readBack(topics) })
	c.goroutine.Go(c.watch)
	return c, nil
}

// paho is the address that paho is given: it makes no connection without one, and reads addresses by rules of its own.
const paho = "tcp://broker"

func (c *connection) options(b Broker, will Publish, password string) *mqtt.ClientOptions {
	o := mqtt.NewClientOptions()
	o.AddBroker(paho) // which open takes no notice of
	o.SetClientID(b.ClientID).SetUsername(b.Username).SetPassword(password)
	o.SetProtocolVersion(4).SetCleanSession(true).SetStore(mqtt.NewMemoryStore())
	o.SetAutoReconnect(false).SetConnectRetry(false).SetResumeSubs(false).SetOrderMatters(true)
	o.SetKeepAlive(b.KeepAlive).SetPingTimeout(b.ConnectWithin)
	o.SetConnectTimeout(b.ConnectWithin).SetWriteTimeout(b.WriteWithin)
	o.SetBinaryWill(will.Topic, will.Payload, will.QoS, will.Retain)
	o.SetConnectionLostHandler(func(_ mqtt.Client, err error) { c.fail(fmt.Errorf("uplink: connection lost: %w", err)) })
	o.SetDefaultPublishHandler(c.enqueue)
	o.SetCustomOpenConnectionFn(func(*url.URL, mqtt.ClientOptions) (net.Conn, error) { return c.open(b) })
	return o
}

// open makes the network connection. Only close ends what waits on it: paho itself would wait on.
func (c *connection) open(b Broker) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(c.ctx, b.ConnectWithin)
	defer cancel()
	var conn net.Conn
	var err error
	if b.Address.TLS {
		conn, err = (&tls.Dialer{Config: b.TLS}).DialContext(ctx, "tcp", b.Address.Dial())
	} else {
		conn, err = new(net.Dialer).DialContext(ctx, "tcp", b.Address.Dial())
	}
	if err != nil {
		return nil, err
	}
	c.network.Store(&conn)
	context.AfterFunc(c.ctx, func() { conn.Close() })
	return conn, nil
}

// enqueue is paho's handler: it may never wait.
func (c *connection) enqueue(_ mqtt.Client, m mqtt.Message) {
	select {
	case c.arrived <- m:
	default:
		c.fail(errors.New("uplink: the broker sent more than was subscribed to"))
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

// readBack asks for the retained state. MQTT does not say that there is none, so the station sends itself a message
// after the subscription: when that returns, a retained one would have come.
func (c *connection) readBack(topics wire.Topics) {
	token := c.client.SubscribeMultiple(map[string]byte{topics.State: 1, topics.Fence: 1}, nil)
	if !c.done(token, "subscribe to "+topics.State+" and "+topics.Fence) {
		return
	}
	for topic, granted := range token.(*mqtt.SubscribeToken).Result() {
		if granted > 1 {
			c.fail(fmt.Errorf("uplink: the broker refused the subscription to %s: let the station read it", topic))
			return
		}
	}
	fence := strconv.FormatInt(c.session, 10)
	if !c.done(c.client.Publish(topics.Fence, 1, false, fence), "publish on "+topics.Fence) {
		return
	}
	var found wire.Departed
	for {
		select {
		case <-c.ctx.Done():
			return
		case m := <-c.arrived:
			switch {
			case m.Topic() == topics.State && m.Retained():
				state, err := wire.ParseState(m.Payload())
				if err != nil {
					c.tell(happening{problem: fmt.Errorf("uplink: %w", err)})
					continue
				}
				found = state.Departed
			case m.Topic() == topics.Fence && string(m.Payload()) == fence:
				// From here on only echoes of our own would come.
				if c.done(c.client.Unsubscribe(topics.State, topics.Fence), "unsubscribe") {
					c.tell(happening{readBack: &found})
				}
				return
			}
		}
	}
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
