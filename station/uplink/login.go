package uplink

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"time"

	"scentpost/station/signs"
	"scentpost/station/uplink/address"
)

// Broker says where the broker is and how the station names itself there. The files are read again at each connect.
type Broker struct {
	Address address.Address
	// ClientID is the MQTT client id, the same for the life of the station: a broker drops an older connection that
	// bears it.
	ClientID string
	// Username, and the file that holds the password. Both may be empty.
	Username, PasswordFile string
	// CAFile holds the authorities that may have signed the broker's certificate, in PEM; "" for those of the system.
	CAFile string
	// CertFile and KeyFile hold the station's certificate and its key, in PEM; both or none.
	CertFile, KeyFile string
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

const (
	maxPassword = 65535   // bytes of the password file: MQTT's own limit
	maxPEM      = 1 << 20 // bytes of a file of certificates or of a key
)

// withDefaults checks what can be checked without a network.
func (b Broker) withDefaults() (Broker, error) {
	switch {
	case !b.Address.Given():
		return b, errors.New("uplink: broker: no address: where to report to is not known")
	case b.ClientID == "":
		return b, errors.New("uplink: broker: no client id: a broker would invent one for each connection")
	case (b.CertFile == "") != (b.KeyFile == ""):
		return b, errors.New("uplink: broker: a certificate and its key belong together: give both files or none")
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

// secretError is a file for the login that cannot be read.
type secretError struct{ error }

// Unwrap returns what is wrong with the file.
func (e secretError) Unwrap() error { return e.error }

// login is what the files of a broker say.
type login struct {
	password string
	tls      *tls.Config // nil where the address asks for none
}

// read reads the files. The error is a secretError.
func (b Broker) read() (l login, err error) {
	if b.PasswordFile != "" {
		text, err := readFile("password file", b.PasswordFile, maxPassword)
		if err != nil {
			return login{}, err
		}
		l.password = string(bytes.TrimRight(text, "\r\n")) // the line's end does not belong to it
	}
	if !b.Address.TLS {
		return l, nil
	}
	l.tls = &tls.Config{MinVersion: tls.VersionTLS12}
	if b.CAFile != "" {
		text, err := readFile("file of authorities", b.CAFile, maxPEM)
		if err != nil {
			return login{}, err
		}
		l.tls.RootCAs = x509.NewCertPool()
		if !l.tls.RootCAs.AppendCertsFromPEM(text) {
			return login{}, secretError{fmt.Errorf("uplink: file of authorities %s: it holds no certificate in PEM", b.CAFile)}
		}
	}
	if b.CertFile == "" {
		return l, nil
	}
	certificate, err := readFile("certificate", b.CertFile, maxPEM)
	if err != nil {
		return login{}, err
	}
	key, err := readFile("key of the certificate", b.KeyFile, maxPEM)
	if err != nil {
		return login{}, err
	}
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		return login{}, secretError{fmt.Errorf("uplink: certificate %s and key %s: %w", b.CertFile, b.KeyFile, err)}
	}
	l.tls.Certificates = []tls.Certificate{pair}
	return l, nil
}

// readFile reads a regular file of at most so many bytes, without a byte order mark.
func readFile(what, path string, most int64) ([]byte, error) {
	stat, err := os.Stat(path)
	if err != nil {
		return nil, secretError{fmt.Errorf("uplink: %s: %w", what, err)}
	}
	if !stat.Mode().IsRegular() || stat.Size() > most {
		return nil, secretError{fmt.Errorf("uplink: %s %s: want a file of at most %d bytes", what, path, most)}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, secretError{fmt.Errorf("uplink: %s: %w", what, err)}
	}
	return bytes.TrimPrefix(text, []byte(signs.ByteOrderMark)), nil
}
