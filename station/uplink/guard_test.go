package uplink

import (
	"bytes"
	"errors"
	"io"
	"net"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"
	"pgregory.net/rapid"
)

// packet is a packet of MQTT with a body of n bytes, whose length is written in at least so many bytes.
func packet(kind byte, n int) []byte {
	p := []byte{kind}
	for length := n; ; {
		b := byte(length & 0x7f)
		if length >>= 7; length > 0 {
			b |= 0x80
		}
		if p = append(p, b); length == 0 {
			break
		}
	}
	return append(p, make([]byte, n)...)
}

// Packets up to the bound pass, however the stream is cut; a longer one ends it before any of its body.
func TestPacketsAreBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		stream := packet(0x20, 2)
		lengths := rapid.SliceOfN(rapid.SampledFrom([]int{0, 1, 2, 127, 128, 16383, 16384, 65535, maxPacket}), 1, 6).Draw(t, "lengths")
		for _, n := range lengths {
			stream = append(stream, packet(0x30, n)...)
		}
		good := len(stream)
		long := rapid.SampledFrom([][]byte{
			{0x20, 0x81, 0x80, 0x40},             // 1 MiB and a byte
			{0x30, 0xff, 0xff, 0xff, 0x7f},       // the longest that MQTT has
			{0xd0, 0x80, 0x80, 0x80, 0x80, 0x01}, // a length of five bytes
		}).Draw(t, "long")
		stream = append(stream, long...)
		var h headers
		taken, err := 0, error(nil)
		for err == nil && taken < len(stream) {
			n := min(rapid.SampledFrom([]int{1, 2, 3, 1000, 1 << 17, 1 << 22}).Draw(t, "read"), len(stream)-taken)
			err = h.take(stream[taken : taken+n])
			taken += n
		}
		if wrong := (*packetError)(nil); !errors.As(err, &wrong) || taken <= good {
			t.Fatalf("%v after %d of %d bytes, %d of them good", err, taken, len(stream), good)
		}
	})
}

// What is too long is never given to the reader, and the connection is closed.
func TestTheGuardClosesTheConnection(t *testing.T) {
	broker, station := net.Pipe()
	g := &guarded{Conn: station}
	go func() {
		_, _ = broker.Write(packet(0x20, 2))
		_, _ = broker.Write([]byte{0x30, 0xff, 0xff, 0xff, 0x7f, 1, 2, 3})
	}()
	p := make([]byte, 64)
	if n, err := g.Read(p); n != 4 || err != nil {
		t.Fatalf("%d bytes, %v", n, err)
	}
	if n, err := g.Read(p); n != 0 || err == nil || !strings.Contains(err.Error(), "at most 1048576 are read") {
		t.Fatalf("%d bytes, %v", n, err)
	}
	if _, err := broker.Write([]byte{1}); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("the connection is open: %v", err)
	}
}

// TestNothingIsLostAfterAGoodbye: a broker that is not done with earlier packets may write, and then reads DISCONNECT.
func TestNothingIsLostAfterAGoodbye(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	station, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	broker, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	g := &guarded{Conn: station}
	if _, err := g.Write([]byte{packets.Disconnect << 4, 0}); err != nil {
		t.Fatal(err)
	}
	closed := make(chan error, 1)
	go func() { closed <- g.Close() }()
	_ = broker.SetReadDeadline(time.Now().Add(time.Minute))
	first := make([]byte, 1)
	if _, err := io.ReadFull(broker, first); err != nil {
		t.Fatal(err)
	}
	for range 100 {
		if _, err := broker.Write(packet(packets.Puback<<4, 2)); err != nil {
			t.Fatalf("the broker answers an earlier packet: %v", err)
		}
	}
	rest, err := io.ReadAll(broker)
	if err != nil || len(rest) != 1 {
		t.Errorf("the broker reads % x and then %v, want the rest of DISCONNECT", rest, err)
	}
	broker.Close()
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

// FuzzHeaders: any bytes in any cut end in the same way.
func FuzzHeaders(f *testing.F) {
	f.Add(append(packet(0x20, 2), packet(0x30, 3)...), 2)
	f.Add([]byte{0x20, 2, 0, 6}, 3)
	f.Add([]byte{0x20, 0xff, 0xff, 0xff, 0x7f}, 1)
	f.Fuzz(func(t *testing.T, stream []byte, cut int) {
		var whole, parts headers
		err := whole.take(bytes.Clone(stream))
		var again error
		for rest := stream; len(rest) > 0 && again == nil; {
			n := min(max(cut, 1), len(rest))
			again, rest = parts.take(rest[:n]), rest[n:]
		}
		if (err == nil) != (again == nil) || err == nil && !reflect.DeepEqual(whole, parts) {
			t.Errorf("in one %v %+v, in parts %v %+v", err, whole, again, parts)
		}
	})
}
