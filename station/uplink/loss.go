package uplink

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"syscall"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"

	"scentpost/station/health"
)

// judge says what kind of trouble it is that a connection could not be made, or was lost.
func judge(err error) Trouble {
	said := Trouble{Code: health.BrokerAway, Evidence: err.Error()}
	var secret secretError
	var packet *packetError
	var denied *deniedError
	var held *heldError
	switch {
	case errors.As(err, &secret):
		said.Code = health.BrokerSecret
	case errors.As(err, &held):
		said.Code = health.ReportHeld
	case errors.Is(err, packets.ErrorRefusedBadUsernameOrPassword), errors.Is(err, packets.ErrorRefusedNotAuthorised):
		said.Code = health.BrokerLogin
	case isTrust(err):
		said.Code = health.BrokerUntrusted
	case errors.As(err, &packet), isGarbage(err):
		said.Code = health.BrokerForeign
	case errors.As(err, &denied):
		said.Code = health.BrokerDenied
	}
	return said
}

// isTrust tells whether one side refuses the other's certificate.
func isTrust(err error) bool {
	var verification *tls.CertificateVerificationError
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	var alert tls.AlertError
	return errors.As(err, &verification) || errors.As(err, &authority) || errors.As(err, &host) || errors.As(err, &invalid) || errors.As(err, &alert)
}

// isGarbage tells whether what answers speaks something else than MQTT, or something else than TLS.
func isGarbage(err error) bool {
	var header tls.RecordHeaderError
	network := errors.Is(err, packets.ErrorNetworkError)
	switch {
	case errors.As(err, &header), errors.Is(err, packets.ErrorProtocolViolation), errors.Is(err, packets.ErrorRefusedBadProtocolVersion):
		return true
	case network && errors.Is(err, io.EOF): // the greeting was taken, and the connection ended without an answer
		return true
	}
	// paho has no types for the rest: an unknown kind of packet, or another one than the answer to the greeting.
	text := errorText(err)
	return network && text == "non-CONNACK first packet received" || isUnsupported(text)
}

// errorText returns the text of the innermost error.
func errorText(err error) string {
	for {
		switch u := err.(type) {
		case interface{ Unwrap() error }:
			if next := u.Unwrap(); next != nil {
				err = next
				continue
			}
		case interface{ Unwrap() []error }:
			if all := u.Unwrap(); len(all) > 0 {
				err = all[len(all)-1]
				continue
			}
		}
		return err.Error()
	}
}

func isUnsupported(text string) bool {
	const begin = "unsupported packet type 0x"
	return len(text) > len(begin) && text[:len(begin)] == begin
}

// evictions counts how often in a row a broker let the station in and then ended the connection, though it owed no answer:
// so it does with the older of two connections that bear one client id.
type evictions struct{ times int }

// evictedAtMost is how long a connection lasts at most that counts: a broker is stopped now and then, and networks break.
const evictedAtMost = time.Minute

// ended notes how a connection ended after lasted: err is the reason, owed tells whether the broker owed an answer.
func (e *evictions) ended(err error, lasted time.Duration, owed bool) {
	hungUp := errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
	if !hungUp || owed || lasted > evictedAtMost {
		e.times = 0
		return
	}
	e.times++
}

// trouble says that another client uses the same id, once it seems so.
func (e *evictions) trouble(clientID string) []Trouble {
	if e.times < Sends {
		return nil
	}
	return []Trouble{{health.BrokerSharedID, fmt.Sprintf("the broker let the station in as %q and ended the connection, several times in a row, "+
		"though nothing was wrong with it: it does so when a second client comes with the same id", clientID)}}
}
