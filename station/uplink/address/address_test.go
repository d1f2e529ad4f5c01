package address_test

import (
	"errors"
	"net"
	"strconv"
	"strings"
	"testing"

	"scentpost/station/uplink/address"
)

func TestAddressesThatAreTaken(t *testing.T) {
	for text, want := range map[string]string{
		"tcp://hub.example:1883":       "tcp://hub.example:1883",
		"mqtt://hub.example:1883":      "tcp://hub.example:1883",
		"tls://hub.example:8883":       "tls://hub.example:8883",
		"ssl://hub.example:8883":       "tls://hub.example:8883",
		"mqtts://hub.example:8883":     "tls://hub.example:8883",
		"MQTT://Hub.Example:1883":      "tcp://Hub.Example:1883",
		"tcp://hub.example:1883/":      "tcp://hub.example:1883",
		"tcp://hub:1":                  "tcp://hub:1",
		"tcp://hub:65535":              "tcp://hub:65535",
		"tcp://hub_1.example.:1883":    "tcp://hub_1.example.:1883",
		"tcp://3com.example:1883":      "tcp://3com.example:1883",
		"tcp://localhost:01883":        "tcp://localhost:1883",
		"tcp://127.0.0.1:1883":         "tcp://127.0.0.1:1883",
		"tcp://[::1]:1883":             "tcp://[::1]:1883",
		"tls://[fd00::17]:8883":        "tls://[fd00::17]:8883",
		"tcp://[fe80::1%eth0]:1883":    "tcp://[fe80::1%eth0]:1883",
		"tcp://[::ffff:10.0.0.1]:1883": "tcp://[::ffff:10.0.0.1]:1883",
	} {
		a, err := address.Parse(text)
		if err != nil || a.String() != want || !a.Given() {
			t.Errorf("%s: %v, %v, want %s", text, a, err, want)
			continue
		}
		if host, port, err := net.SplitHostPort(a.Dial()); err != nil || host != a.Host || port != strconv.Itoa(a.Port) {
			t.Errorf("%s: dialled as %q: host %q, port %q, %v", text, a.Dial(), host, port, err)
		}
		if again, err := address.Parse(a.String()); err != nil || again != a {
			t.Errorf("%s: written and read again it is %v, %v", text, again, err)
		}
	}
}

func TestAddressesThatAreRefused(t *testing.T) {
	long := strings.Repeat("a", 63) + "."
	for text, want := range map[string]string{
		"":                                           "is not the address of a broker",
		"hub.example":                                "is not the address of a broker",
		"hub.example:1883":                           "is not the address of a broker",
		"//hub.example:1883":                         "is not the address of a broker",
		"tcp:/hub.example:1883":                      "is not the address of a broker",
		"ws://127.0.0.1:9001/mqtt":                   "ws:// is MQTT over WebSocket",
		"wss://hub.example:443":                      "wss:// is MQTT over WebSocket",
		"http://hub.example:1883":                    "http:// is a web address",
		"ftp://hub.example:1883":                     "begins with none of tcp://",
		"://hub.example:1883":                        "begins with none of tcp://",
		" tcp://hub.example:1883":                    "begins with none of tcp://",
		"tcp://hub.example":                          "has no port",
		"tcp://hub.example:":                         "has no port",
		"tcp://hub.example:0":                        "no port from 1 to 65535",
		"tcp://hub.example:00000":                    "no port from 1 to 65535",
		"tcp://hub.example:65536":                    "no port from 1 to 65535",
		"tcp://hub.example:99999":                    "no port from 1 to 65535",
		"tcp://hub.example:999999":                   "no port from 1 to 65535",
		"tcp://hub.example:+1883":                    "no port from 1 to 65535",
		"tcp://hub.example:-1":                       "no port from 1 to 65535",
		"tcp://hub.example:mqtt":                     "no port from 1 to 65535",
		"tcp://hub.example:1883/mqtt":                "no port from 1 to 65535",
		"tcp://hub.example:1883?x=1":                 "no port from 1 to 65535",
		"tcp://hub.example:1883//":                   "no port from 1 to 65535",
		"tcp://hub.example:1883 ":                    "no port from 1 to 65535",
		"tcp://hub.example:1883\x00":                 "no port from 1 to 65535",
		"tcp://:1883":                                "no name or IP address",
		"tcp://":                                     "no name or IP address",
		"tcp://hub example:1883":                     "no name or IP address",
		"tcp://hub..example:1883":                    "no name or IP address",
		"tcp://-hub:1883":                            "no name or IP address",
		"tcp://hüb.example:1883":                     "no name or IP address",
		"tcp://hub%2e:1883":                          "no name or IP address",
		"tcp://256.1.1.1:1883":                       "no name or IP address",
		"tcp://10.0.1:1883":                          "no name or IP address",
		"tcp://010.0.0.1:1883":                       "no name or IP address",
		"tcp://" + long + long + long + long + "x:1": "no name or IP address",
		"tcp://fd00::17:1883":                        "IPv6 address without brackets",
		"tcp://::1:1883":                             "IPv6 address without brackets",
		"tcp://[fd00::17":                            "no IPv6 address between its brackets",
		"tcp://[hub.example]:1883":                   "no IPv6 address between its brackets",
		"tcp://[10.0.0.1]:1883":                      "no IPv6 address between its brackets",
		"tcp://[fe80::1%\n]:1883":                    "no IPv6 address between its brackets",
		"tcp://[fe80::1%]:1883":                      "no IPv6 address between its brackets",
		"tcp://[]:1883":                              "no IPv6 address between its brackets",
		"tcp://[fd00::17]1883":                       "no colon and port after its brackets",
		"tcp://[fd00::17]":                           "no colon and port after its brackets",
		"tcp://[fd00::17]:0":                         "no port from 1 to 65535",
		"tcp://me:secret@hub.example:1883":           "holds a user or password",
		"tcp://secret@hub.example:1883":              "holds a user or password",
		"secret://hub.example:1883":                  "begins with none of tcp://",
		"tcp://hub.example:secret":                   "no port from 1 to 65535",
		"tcp://secret secret:1883":                   "no name or IP address",
	} {
		a, err := address.Parse(text)
		var said *address.Error
		if !errors.As(err, &said) || !strings.Contains(said.What, want) || said.Do == "" || a.Given() {
			t.Errorf("%q: %v, %v, want %q", text, a, err, want)
			continue
		}
		if strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: the error repeats it: %v", text, err)
		}
	}
}

// FuzzParse: what is read is written and read again as it is, can be dialled, and an error repeats nothing.
func FuzzParse(f *testing.F) {
	for _, text := range []string{"tcp://hub.example:1883", "tls://[fe80::1%e]:1", "ws://x:1", "mqtt://10.0.0.1:65535/", "tcp://a:b@c:1", "tcp://[::]:1]"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a, err := address.Parse(text)
		if err != nil {
			if a.Given() {
				t.Errorf("%q: refused, and given: %v", text, a)
			}
			return
		}
		if again, err := address.Parse(a.String()); err != nil || again != a {
			t.Errorf("%q: %v is read again as %v, %v", text, a, again, err)
		}
		if host, _, err := net.SplitHostPort(a.Dial()); err != nil || host != a.Host || a.Port < 1 || a.Port > 65535 {
			t.Errorf("%q: %+v: %v", text, a, err)
		}
	})
}
