package uplink

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"

	"scentpost/station/health"
)

// What ends a connection is told by its cause.
func TestTheCauseOfALoss(t *testing.T) {
	network := func(err error) error { return fmt.Errorf("%w : %w", packets.ErrorNetworkError, err) }
	for want, causes := range map[health.Code][]error{
		health.BrokerAway: {syscall.ECONNREFUSED, &net.DNSError{Err: "no such host"}, errors.New("no answer"), packets.ErrorRefusedServerUnavailable,
			network(syscall.EHOSTUNREACH), io.EOF},
		health.BrokerLogin:     {packets.ErrorRefusedBadUsernameOrPassword, packets.ErrorRefusedNotAuthorised, packets.ErrorRefusedIDRejected},
		health.BrokerSecret:    {secretError{errors.New("no file")}},
		health.BrokerUntrusted: {network(&tls.CertificateVerificationError{Err: errors.New("unknown authority")}), network(tls.AlertError(42))},
		health.BrokerForeign: {network(io.EOF), network(io.ErrUnexpectedEOF), network(syscall.ECONNRESET), network(tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}),
			&packetError{"x"}, packets.ErrorRefusedBadProtocolVersion, errors.New("unsupported packet type 0xf")},
		health.BrokerDenied: {&deniedError{"x"}},
		health.ReportHeld:   {&heldError{errors.New("no counter")}},
	} {
		for _, cause := range causes {
			if got := judge(fmt.Errorf("uplink: connect to the broker: %w", cause)); got.Code != want || got.Evidence == "" {
				t.Errorf("%v: %+v, want %s", cause, got, want)
			}
		}
	}
}

// A second client with the same id is named when the broker has ended several connections in a row that were well.
func TestEvictions(t *testing.T) {
	var e evictions
	loss := func(err error, lasted time.Duration, owed bool) { e.ended(err, lasted, time.Minute, owed) }
	for range Sends - 1 {
		loss(io.EOF, time.Second, false)
	}
	if found := e.trouble("x"); found != nil {
		t.Errorf("too early: %v", found)
	}
	loss(syscall.ECONNRESET, time.Second, false)
	if found := e.trouble("x"); len(found) != 1 || found[0].Code != health.BrokerSharedID {
		t.Errorf("found %v", found)
	}
	for name, f := range map[string]func(){
		"lasted":     func() { loss(io.EOF, time.Hour, false) },
		"owed":       func() { loss(io.EOF, time.Second, true) },
		"a time-out": func() { loss(errors.New("timed out"), time.Second, false) },
	} {
		e = evictions{Sends}
		if f(); e.trouble("x") != nil {
			t.Errorf("%s: it is still told", name)
		}
	}
}
