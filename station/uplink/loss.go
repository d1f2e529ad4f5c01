package uplink

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"strings"
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
	case errors.Is(err, packets.ErrorRefusedBadUsernameOrPassword), errors.Is(err, packets.ErrorRefusedNotAuthorised),
		errors.Is(err, packets.ErrorRefusedIDRejected):
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
	case network && (errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET)):
		return true // the connection ended instead of an answer to the greeting
	}
	return strings.Contains(err.Error(), "unsupported packet type") // paho has no type for it
}

// evictions counts how often in a row a broker let the station in and then ended the connection, though it owed no answer:
// so it does with the older of two connections that bear one client id.
type evictions struct{ times int }

// ended notes how a connection ended after lasted: err is the reason, owed tells whether the broker owed an answer. One that
// lasted longer than most does not count: a broker is stopped now and then, and networks break.
func (e *evictions) ended(err error, lasted, most time.Duration, owed bool) {
	hungUp := errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
	if !hungUp || owed || lasted > most {
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
