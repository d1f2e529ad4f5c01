// Package address reads the address of an MQTT broker.
//
// The check of a configuration and the uplink call the same function, so that an address which passes one of them serves
// the other.
package address

import (
	"net/netip"
	"regexp"
	"strconv"
	"strings"
)

// Address is where a broker listens, and whether TLS is spoken there. The zero value is no address.
type Address struct {
	// Host is a name or an IP address, an IPv6 address without brackets.
	Host string
	// Port is from 1 to 65535.
	Port int
	// TLS is set where the connection is encrypted.
	TLS bool
}

// Local tells whether the address is one of this machine: what is sent there goes over no network.
func (a Address) Local() bool {
	ip, err := netip.ParseAddr(a.Host)
	return a.Host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

// Error says what is wrong with an address and what to write. It repeats nothing of the text, which may hold a password.
type Error struct{ What, Do string }

// Error returns both.
func (e *Error) Error() string { return e.What + " (" + e.Do + ")" }

const (
	example  = "such as tcp://hub.example:1883 or tls://hub.example:8883"
	mostPort = 1<<16 - 1
	mostHost = 253 // characters of a host's name, by RFC 1035
)

// schemes are the words before the address with whether they mean TLS. Programs and brokers use several for the same.
var schemes = map[string]bool{"tcp": false, "mqtt": false, "tls": true, "ssl": true, "mqtts": true}

// others are schemes that people take for those of MQTT over TCP, with what they mean.
var others = map[string]string{
	"ws": "MQTT over WebSocket", "wss": "MQTT over WebSocket", "http": "a web address", "https": "a web address",
}

var (
	label   = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$`)
	numbers = regexp.MustCompile(`^[0-9.]+$`)
	digits  = regexp.MustCompile(`^[0-9]{1,5}$`)
)

// Parse reads an address such as tcp://hub.example:1883. The error is an *Error.
func Parse(text string) (Address, error) {
	scheme, rest, found := strings.Cut(text, "://")
	if !found {
		return Address{}, &Error{"is not the address of a broker", example}
	}
	scheme = strings.ToLower(scheme)
	encrypted, known := schemes[scheme]
	if means := others[scheme]; means != "" {
		return Address{}, &Error{scheme + ":// is " + means + ", which a station does not speak", "name the broker's port for MQTT over TCP, " + example}
	}
	if !known {
		return Address{}, &Error{"begins with none of tcp://, mqtt://, tls://, ssl:// and mqtts://", example}
	}
	if strings.Contains(rest, "@") {
		return Address{}, &Error{"holds a user or password", "give user, and password_file for the password"}
	}
	host, port, err := split(strings.TrimSuffix(rest, "/"))
	if err != nil {
		return Address{}, err
	}
	number, _ := strconv.Atoi(port) // at most five digits
	switch {
	case port == "":
		return Address{}, &Error{"has no port", "1883 is usual for tcp, 8883 for tls; " + example}
	case !digits.MatchString(port) || number < 1 || number > mostPort:
		return Address{}, &Error{"has no port from 1 to " + strconv.Itoa(mostPort) + " at its end", "1883 is usual for tcp, 8883 for tls; " + example}
	}
	return Address{Host: host, Port: number, TLS: encrypted}, nil
}

// split cuts host and port, and checks the host. What stands between brackets must be an IPv6 address.
func split(text string) (host, port string, err error) {
	if inside, open := strings.CutPrefix(text, "["); open {
		host, after, closed := strings.Cut(inside, "]")
		at, wrong := netip.ParseAddr(host)
		if !closed || wrong != nil || !at.Is6() || at.Zone() != "" && !label.MatchString(at.Zone()) {
			return "", "", &Error{"has no IPv6 address between its brackets", "such as tcp://[fd00::1]:1883"}
		}
		if port, found := strings.CutPrefix(after, ":"); found {
			return host, port, nil
		}
		return "", "", &Error{"has no colon and port after its brackets", "such as tcp://[fd00::1]:1883"}
	}
	host, port, _ = strings.Cut(text, ":")
	switch {
	case strings.Contains(port, ":"):
		return "", "", &Error{"has an IPv6 address without brackets", "such as tcp://[fd00::1]:1883"}
	case !isHost(host):
		return "", "", &Error{"has no name or IP address of a machine", example}
	}
	return host, port, nil
}

// isHost tells whether a text can be a machine's name or is an IPv4 address.
func isHost(text string) bool {
	if numbers.MatchString(text) {
		at, err := netip.ParseAddr(text)
		return err == nil && at.Is4()
	}
	if len(text) > mostHost {
		return false
	}
	for part := range strings.SplitSeq(strings.TrimSuffix(text, "."), ".") {
		if !label.MatchString(part) {
			return false
		}
	}
	return true
}

// Given tells whether there is an address.
func (a Address) Given() bool { return a.Port != 0 }

// Dial is the address as net.Dial takes it: an IPv6 address stands in brackets.
func (a Address) Dial() string {
	host := a.Host
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return host + ":" + strconv.Itoa(a.Port)
}

// String returns the address as Parse reads it.
func (a Address) String() string {
	if a.TLS {
		return "tls://" + a.Dial()
	}
	return "tcp://" + a.Dial()
}
