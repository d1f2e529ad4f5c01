package uplink_test

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"scentpost/station/health"
	"scentpost/station/uplink"
	"scentpost/station/uplink/brokertest"
)

// What Debian's mosquitto refuses, and how it is told; when it refuses no longer, everything is delivered.

// hurried lets a link look for what does not come back sooner than a real one.
func hurried(o *uplink.LinkOptions) {
	o.Sender.EchoWithin, o.Sender.ProbeEvery, o.Sender.CursorEvery = 200*time.Millisecond, 200*time.Millisecond, time.Millisecond
}

// list writes an access list that allows everybody these topics of the station, and lets the broker read it.
func list(t *testing.T, file string, topics ...string) {
	t.Helper()
	var text strings.Builder
	for _, topic := range topics {
		fmt.Fprintf(&text, "topic readwrite %s\n", topic)
	}
	write(t, file, text.String())
}

func TestMosquittoAccessList(t *testing.T) {
	file := filepath.Join(t.TempDir(), "acl")
	const prefix = "scentpost/v1/site/station/"
	list(t, file, prefix+"fence", prefix+"state", prefix+"status", prefix+"info")
	broker := brokertest.Start(t, "acl_file "+file)
	s := newStation(t, 56)
	s.run(broker.URL, hurried)
	s.wait("the topic that lacks", func() bool { return s.saysAny(prefix + "journal") })
	if n := s.link.Acknowledged(); n != 0 {
		t.Errorf("%d records are acknowledged that nobody can have", n)
	}
	list(t, file, "scentpost/#")
	broker.Reload()
	s.wait("everything", func() bool { return s.cursor == 56 && s.well() })
	s.end()
}

// saysAny tells whether one of the conditions of what a broker does with messages names text. Versions of mosquitto differ in
// this: some acknowledge what they throw away, some end the connection at it.
func (s *station) saysAny(text string) bool {
	return s.says(health.BrokerUndelivered, text) || s.says(health.BrokerDenied, text) || s.says(health.BrokerSize, text)
}

// A right to write without a right to read looks the same from here, and is told with the same topic.
func TestMosquittoDeniedRead(t *testing.T) {
	file := filepath.Join(t.TempDir(), "acl")
	const prefix = "scentpost/v1/site/station/"
	write(t, file, fmt.Sprintf("topic readwrite %[1]sfence\ntopic readwrite %[1]sstate\ntopic write %[1]sstatus\ntopic write %[1]sinfo\ntopic write %[1]sjournal\n", prefix))
	broker := brokertest.Start(t, "acl_file "+file)
	s := newStation(t, 5)
	s.run(broker.URL, hurried)
	s.wait("the topic", func() bool { return s.saysAny(prefix + "journal") })
	s.end()
}

// long makes a record too long for a broker of 600 bytes, after some that are not.
func long(s *station) {
	s.change(func() { s.log = append(s.log, []byte(`{"epoch":"e1","note":"`+strings.Repeat("x", 700)+`"}`)) })
}

func TestMosquittoMessageSizeLimit(t *testing.T) {
	broker := brokertest.Start(t, "message_size_limit 600")
	s := newStation(t, 56)
	long(s)
	s.run(broker.URL, hurried)
	s.wait("the size of the record that is too long", func() bool { return s.saysAny(" bytes on ") && s.link.Acknowledged() == 56 })
	s.end()
}

func TestMosquittoMaxPacketSize(t *testing.T) {
	broker := brokertest.Start(t, "max_packet_size 600")
	s := newStation(t, 56)
	long(s)
	s.run(broker.URL, hurried)
	s.wait("the size of the record that is too long", func() bool { return s.says(health.BrokerSize, "/journal") && s.link.Acknowledged() == 56 })
	if c := s.condition(); len(c.Troubles) != 1 {
		t.Errorf("one condition names the size, and not %v", c.Troubles)
	}
	s.end()
}

// Two stations that bear one client id slow down, and each is told.
func TestMosquittoTwins(t *testing.T) {
	broker := brokertest.Start(t)
	var twins [2]*station
	for i := range twins {
		twins[i] = newStation(t, 3)
		twins[i].run(broker.URL, func(o *uplink.LinkOptions) {
			o.Sender.Station = fmt.Sprint("station-", i)
			o.PauseLeast, o.PauseMost = 10*time.Millisecond, 300*time.Millisecond
		})
	}
	for _, s := range twins {
		s.wait("the client id", func() bool {
			return slices.ContainsFunc(s.conditions, func(c uplink.Condition) bool {
				return slices.ContainsFunc(c.Troubles, func(t uplink.Trouble) bool {
					return t.Code == health.BrokerSharedID && strings.Contains(t.Evidence, `"station"`)
				})
			})
		})
	}
	twins[1].end()
	twins[0].wait("that it is alone", func() bool { return twins[0].ready() && !twins[0].says(health.BrokerSharedID, "") })
	twins[0].end()
}

func TestMosquittoPassword(t *testing.T) {
	hash, err := exec.LookPath("mosquitto_passwd")
	if err != nil {
		t.Skip("no mosquitto_passwd: apt-get install mosquitto")
	}
	folder := t.TempDir()
	passwords, file := filepath.Join(folder, "passwords"), filepath.Join(folder, "password")
	if out, err := exec.Command(hash, "-c", "-b", passwords, "station", "right").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	broker := brokertest.Start(t, "password_file "+passwords)
	write(t, file, "wrong")
	s := newStation(t, 5)
	s.run(broker.URL, func(o *uplink.LinkOptions) {
		hurried(o)
		o.Broker.Username, o.Broker.PasswordFile = "station", file
	})
	s.wait("the login", func() bool { return s.says(health.BrokerLogin, "") })
	write(t, file, "right\n")
	s.wait("everything", func() bool { return s.cursor == 5 && s.well() })
	s.end()
}

func TestMosquittoCertificate(t *testing.T) {
	certified := httptest.NewTLSServer(nil) // lends its certificate
	defer certified.Close()
	folder := t.TempDir()
	key, err := x509.MarshalPKCS8PrivateKey(certified.TLS.Certificates[0].PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	certificate, private := filepath.Join(folder, "cert.pem"), filepath.Join(folder, "key.pem")
	write(t, certificate, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certified.Certificate().Raw})))
	write(t, private, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})))
	free, err := net.Listen("tcp", anyPort)
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	free.Close()
	_, port, _ := net.SplitHostPort(address)
	brokertest.Start(t, "listener "+port+" 127.0.0.1", "certfile "+certificate, "keyfile "+private)
	s := newStation(t, 5)
	ca := filepath.Join(folder, "ca.pem")
	s.run("tls://"+address, func(o *uplink.LinkOptions) {
		hurried(o)
		o.Broker.CAFile = ca
	})
	s.wait("the missing file", func() bool { return s.says(health.BrokerSecret, "ca.pem") })
	write(t, ca, "no certificate")
	s.wait("the file that is none", func() bool { return s.says(health.BrokerSecret, "no certificate in PEM") })
	write(t, ca, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certified.Certificate().Raw})))
	s.wait("everything", func() bool { return s.cursor == 5 && s.well() })
	s.end()
	stranger := newStation(t, 5)
	stranger.run("tls://"+address, hurried)
	stranger.wait("the certificate", func() bool { return stranger.says(health.BrokerUntrusted, "certificate") })
	stranger.end()
}
