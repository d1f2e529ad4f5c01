package uplink_test

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"scentpost/station/health"
	"scentpost/station/uplink"
)

// front stands where the broker is: it is hostile until it is told to hand everybody on to a good broker.
type front struct {
	listener net.Listener
	good     string

	mu      sync.Mutex // guards what follows
	hostile func(net.Conn)
	open    []net.Conn
}

// newFront listens before the good broker at address.
func newFront(t *testing.T, good string, hostile func(net.Conn)) *front {
	t.Helper()
	listener, err := net.Listen("tcp", anyPort)
	if err != nil {
		t.Fatal(err)
	}
	f := &front{listener: listener, good: strings.TrimPrefix(good, "tcp://"), hostile: hostile}
	t.Cleanup(func() { listener.Close(); f.hangUp(nil) })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			f.mu.Lock()
			f.open = append(f.open, conn)
			handle := f.hostile
			f.mu.Unlock()
			if handle == nil {
				handle = f.handOn
			}
			go func() {
				defer conn.Close()
				handle(conn)
			}()
		}
	}()
	return f
}

// hangUp ends all connections, and takes later ones as handle says; nil hands them on.
func (f *front) hangUp(handle func(net.Conn)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.hostile = handle
	for _, c := range f.open {
		c.Close()
	}
	f.open = nil
}

func (f *front) handOn(conn net.Conn) {
	broker, err := net.Dial("tcp", f.good)
	if err != nil {
		return
	}
	go func() {
		_, _ = io.Copy(broker, conn)
		broker.Close()
	}()
	_, _ = io.Copy(conn, broker)
}

// fake is a broker that speaks MQTT byte by byte. Its functions say what it does instead of what a good one would.
type fake struct {
	conn    net.Conn
	in      *bufio.Reader
	publish func(f *fake, topic string, payload []byte) (acknowledge, deliver bool)
	granted byte
	mute    bool // no SUBACK
}

// say writes bytes; that they do not arrive is no matter.
func (f *fake) say(bytes ...byte) { _, _ = f.conn.Write(bytes) }

// next reads a packet.
func (f *fake) next() (kind byte, body []byte, err error) {
	if kind, err = f.in.ReadByte(); err != nil {
		return 0, nil, err
	}
	length, err := binary.ReadUvarint(f.in)
	if err != nil {
		return 0, nil, err
	}
	body = make([]byte, length)
	_, err = io.ReadFull(f.in, body)
	return kind, body, err
}

// deliver sends a message to the station.
func (f *fake) deliver(topic string, payload []byte) {
	length := binary.AppendUvarint(nil, uint64(2+len(topic)+len(payload)))
	head := binary.BigEndian.AppendUint16(append([]byte{0x30}, length...), uint16(len(topic)))
	f.say(append(append(head, topic...), payload...)...)
}

// run lets the station in and serves it until the connection ends.
func (f *fake) run() {
	if kind, _, err := f.next(); err != nil || kind != 0x10 {
		return
	}
	f.say(0x20, 2, 0, 0)
	f.serve()
}

func (f *fake) serve() {
	for {
		kind, body, err := f.next()
		if err != nil {
			return
		}
		switch kind & 0xf0 {
		case 0x80:
			if f.mute {
				continue
			}
			answer := []byte{0x90, 2, body[0], body[1]}
			for rest := body[2:]; len(rest) > 0; rest = rest[3+int(binary.BigEndian.Uint16(rest)):] {
				answer[1]++
				answer = append(answer, f.granted)
			}
			f.say(answer...)
		case 0x30:
			n := int(binary.BigEndian.Uint16(body))
			topic, id, payload := string(body[2:2+n]), body[2+n:4+n], body[4+n:]
			acknowledge, deliver := true, true
			if f.publish != nil {
				acknowledge, deliver = f.publish(f, topic, payload)
			}
			if acknowledge {
				f.say(0x40, 2, id[0], id[1])
			}
			if deliver {
				f.deliver(topic, payload)
			}
		case 0xc0:
			f.say(0xd0, 0)
		}
	}
}

// talks is a fake with one function.
func talks(publish func(f *fake, topic string, payload []byte) (acknowledge, deliver bool)) func(net.Conn) {
	return func(c net.Conn) { (&fake{conn: c, in: bufio.NewReader(c), publish: publish, granted: 1}).run() }
}

// answers reads the greeting and answers it with bytes.
func answers(bytes ...byte) func(net.Conn) {
	return func(c net.Conn) {
		f := &fake{conn: c, in: bufio.NewReader(c)}
		if _, _, err := f.next(); err == nil {
			if f.say(bytes...); len(bytes) == 0 {
				return
			}
			time.AfterFunc(time.Second, func() { c.Close() }) // who waits for more waits for nothing
			_, _ = io.Copy(io.Discard, c)
		}
	}
}

const (
	fakeState   = "scentpost/v1/site/station/state"
	fakeFence   = "scentpost/v1/site/station/fence"
	fakeJournal = "scentpost/v1/site/station/journal"
)

// hostiles are brokers that do not behave, with the condition that names the cause.
var hostiles = []struct {
	name   string
	handle func(net.Conn)
	code   health.Code
	says   string
}{
	{"hangs up at once", func(net.Conn) {}, health.BrokerForeign, ""},
	{"hangs up at the greeting", answers(), health.BrokerForeign, ""},
	{"says nothing", func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }, health.BrokerAway, ""},
	{"is a web server", answers([]byte("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n" + strings.Repeat(" ", 200))...), health.BrokerForeign, ""},
	{"is a shell", answers([]byte("SSH-2.0-OpenSSH_9.2p1 Debian\r\n" + strings.Repeat(" ", 200))...), health.BrokerForeign, ""},
	{"speaks TLS", answers(0x15, 3, 3, 0, 2, 2, 40), health.BrokerForeign, ""},
	{"sends nothing but zeros", answers(make([]byte, 1000)...), health.BrokerForeign, ""},
	{"refuses the protocol", answers(0x20, 2, 0, 1), health.BrokerForeign, ""},
	{"refuses the client id", answers(0x20, 2, 0, 2), health.BrokerLogin, "dentifier"},
	{"is not available", answers(0x20, 2, 0, 3), health.BrokerAway, ""},
	{"refuses the password", answers(0x20, 2, 0, 4), health.BrokerLogin, ""},
	{"refuses the user", answers(0x20, 2, 0, 5), health.BrokerLogin, ""},
	{"refuses in a way that MQTT does not have", answers(0x20, 2, 0, 200), health.BrokerForeign, ""},
	{"answers the greeting with 256 MB", answers(0x20, 0xff, 0xff, 0xff, 0x7f), health.BrokerForeign, "at most 1048576"},
	{"answers with a length of five bytes", answers(0x20, 0x80, 0x80, 0x80, 0x80, 1), health.BrokerForeign, "four bytes"},
	{"retains 200 MB", func(c net.Conn) {
		f := &fake{conn: c, in: bufio.NewReader(c), granted: 1, publish: func(f *fake, _ string, _ []byte) (bool, bool) {
			f.say(0x31, 0x80, 0x84, 0xaf, 0x5f)
			_, _ = io.Copy(f.conn, io.LimitReader(zeros{}, 200<<20))
			return true, true
		}}
		f.run()
	}, health.BrokerForeign, "at most 1048576"},
	{"grants no topic", func(c net.Conn) { (&fake{conn: c, in: bufio.NewReader(c), granted: 0x80}).run() }, health.BrokerDenied, "refused the subscription"},
	{"does not answer a subscription", func(c net.Conn) { (&fake{conn: c, in: bufio.NewReader(c), mute: true}).run() }, health.BrokerDenied, fakeFence},
	{"does not deliver the fence", talks(func(_ *fake, topic string, _ []byte) (bool, bool) { return true, topic != fakeFence }), health.BrokerDenied, fakeFence},
	{"acknowledges nothing", talks(func(_ *fake, topic string, _ []byte) (bool, bool) { return topic == fakeFence, true }), health.BrokerAway, "acknowledged nothing"},
	{"delivers no records", talks(func(_ *fake, topic string, _ []byte) (bool, bool) { return true, topic != fakeJournal }), health.BrokerUndelivered, fakeJournal},
	{"changes records", talks(func(f *fake, topic string, payload []byte) (bool, bool) {
		if topic == fakeJournal {
			f.deliver(topic, append([]byte("x"), payload...))
		}
		return true, topic != fakeJournal
	}), health.Rival, "no record"},
	{"ends the connection at records", talks(func(f *fake, topic string, _ []byte) (bool, bool) {
		if topic == fakeJournal {
			f.conn.Close()
		}
		return true, true
	}), health.BrokerSize, fakeJournal},
	{"ends the connection at the state", talks(func(f *fake, topic string, _ []byte) (bool, bool) {
		if topic == fakeState {
			f.conn.Close()
		}
		return true, true
	}), health.BrokerSize, fakeState},
	{"ends a connection that rests", func(c net.Conn) {
		rests := time.AfterFunc(time.Hour, func() { c.Close() })
		talks(func(_ *fake, topic string, _ []byte) (bool, bool) {
			rests.Reset(20 * time.Millisecond)
			return true, true
		})(c)
	}, health.BrokerSharedID, `"station"`},
	{"sends packets of no kind", talks(func(f *fake, topic string, _ []byte) (bool, bool) {
		if topic == fakeJournal {
			f.say(0xf0, 0)
		}
		return true, true
	}), health.BrokerForeign, "unsupported"},
	{"floods the state", talks(func(f *fake, topic string, _ []byte) (bool, bool) {
		if topic == fakeFence {
			for range 20_000 {
				f.deliver(fakeState, []byte(`{"epoch":"e9","size":"9","state":{}}`))
			}
		}
		return true, true
	}), health.Rival, "epoch e9"},
	{"retains a message of a megabyte", talks(func(f *fake, topic string, _ []byte) (bool, bool) {
		if topic == fakeFence {
			f.deliver(fakeState, make([]byte, 1<<20-100))
		}
		return true, true
	}), health.Rival, fakeState},
}

// zeros is endless.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// mostMemory is what a whole station may take, in bytes.
const mostMemory = 64 << 20

// TestHostileBrokers: whatever a broker does, the link names the cause, takes little memory, and delivers everything once a good
// broker is there; then nothing is wrong any more.
func TestHostileBrokers(t *testing.T) {
	if len(hostiles) < 20 {
		t.Fatalf("%d kinds of brokers", len(hostiles))
	}
	for _, h := range hostiles {
		t.Run(h.name, func(t *testing.T) {
			_, good := embedded(t, anyPort, new(access))
			f := newFront(t, good, h.handle)
			s := newStation(t, 40)
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			s.run("tcp://"+f.listener.Addr().String(), func(o *uplink.LinkOptions) {
				o.Broker.ConnectWithin, o.PauseMost = 300*time.Millisecond, 200*time.Millisecond
				o.Sender.Limits = uplink.Limits{Grid: 2 * time.Millisecond, BatchLines: 16, AckWithin: 400 * time.Millisecond, EchoWithin: 40 * time.Millisecond,
					ProbeEvery: 40 * time.Millisecond, RivalFor: 200 * time.Millisecond, CursorEvery: time.Millisecond}
			})
			s.wait("the cause, "+string(h.code), func() bool {
				return slices.ContainsFunc(s.conditions, func(c uplink.Condition) bool {
					return slices.ContainsFunc(c.Troubles, func(t uplink.Trouble) bool { return t.Code == h.code && strings.Contains(t.Evidence, h.says) })
				})
			})
			runtime.ReadMemStats(&after)
			if taken := after.HeapSys - min(before.HeapSys, after.HeapSys); taken > mostMemory {
				t.Errorf("the heap grew by %d bytes", taken)
			}
			f.hangUp(nil)
			s.wait("whole delivery, and that all is well", func() bool { return s.cursor == 40 && s.well() })
			s.end()
		})
	}
}
