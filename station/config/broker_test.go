package config_test

import (
	"strings"
	"testing"

	"scentpost/station/config"
	"scentpost/station/uplink/address"
)

// TestTheBrokersAddressIsTheOneThatIsDialled: the check takes what the uplink takes, and hands it on as it was read.
func TestTheBrokersAddressIsTheOneThatIsDialled(t *testing.T) {
	for _, text := range []string{
		"tcp://hub.example:1883", "mqtt://hub.example:1883", "tls://hub.example:8883", "ssl://hub.example:8883", "mqtts://hub.example:8883",
		"tcp://[fd00::17]:1883", "tcp://10.0.0.1:1883/", "ws://hub.example:9001/mqtt", "wss://hub.example:443", "tcp://hub.example:0", "tcp://hub.example:99999",
		"tcp://fd00::17:1883", "tcp://hub.example", "hub.example:1883", "tcp://:1883", "tcp://me:secret@hub.example:1883",
	} {
		want, refused := address.Parse(text)
		got, err := config.Read("f", []byte(strings.Replace(good, "tls://hub.example:8883", text, 1)), types)
		switch {
		case refused == nil && (err != nil || got.Broker.Address != want || !want.Given()):
			t.Errorf("%s is dialled at %s; the check: %v, %+v", text, want, err, got.Broker)
		case refused != nil && (err == nil || err.Error() != "f:6:15: broker.url: "+refused.Error()):
			t.Errorf("%s: %v; the check: %v", text, refused, err)
		}
	}
}

func TestWithoutABrokerThereIsNoAddress(t *testing.T) {
	text := strings.Replace(good, good[strings.Index(good, "broker:"):strings.Index(good, "people:")], "", 1)
	if got, err := config.Read("f", []byte(text), types); err != nil || got.Broker.Address.Given() {
		t.Errorf("%+v, %v", got.Broker, err)
	}
}

// TestASocketIsMeasuredAsItIsBound: with the folder of the configuration before it.
func TestASocketIsMeasuredAsItIsBound(t *testing.T) {
	dir := "/" + strings.Repeat("d", 80)
	for name, c := range map[string]struct{ dir, socket, wrong string }{
		"fits":                       {dir, strings.Repeat("s", 25), ""},
		"one byte too long":          {dir, strings.Repeat("s", 26), "f:4:9: socket: has 108 bytes, taken from the folder of this file, and 107 are the most for a Unix socket (choose a shorter path)"},
		"the folder does not matter": {dir, "/" + strings.Repeat("s", 106), ""},
		"written out in full":        {dir, "/" + strings.Repeat("s", 107), "f:4:9: socket: has 108 bytes, and 107 are the most for a Unix socket (choose a shorter path)"},
		"shorter than it is written": {"/d", strings.Repeat("a/../", 30) + "s", ""},
	} {
		text := strings.Replace(good, "/run/scentpost.sock", c.socket, 1)
		got, err := config.ReadIn(c.dir, "f", []byte(text), types)
		switch {
		case c.wrong == "" && (err != nil || len(got.Socket) > 107 || got.Socket[0] != '/'):
			t.Errorf("%s: %v, %q", name, err, got.Socket)
		case c.wrong != "" && (err == nil || err.Error() != c.wrong):
			t.Errorf("%s: got %v, want %s", name, err, c.wrong)
		}
	}
	long := strings.Replace(good, "socket: station.sock", "socket: "+strings.Repeat("v", 100), 1)
	if _, err := config.ReadIn(dir, "f", []byte(long), types); err == nil || !strings.Contains(err.Error(), "driver.socket: has 182 bytes, taken from the folder") {
		t.Errorf("the socket of a virtual station: %v", err)
	}
}
