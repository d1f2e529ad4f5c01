package config

import (
	"net/netip"
	"regexp"
	"strconv"
	"strings"

	"scentpost/station/strict"
)

// Metrics says where the metrics are served; without an address they are not.
type Metrics struct {
	Listen string // host and port; a host that is not of this machine alone was said on purpose
}

type metrics struct {
	Listen string `yaml:"listen"`
}

const (
	metricsHint = "127.0.0.1:9464 is for this machine alone"
	maxPort     = 1<<16 - 1
)

// listened is a host, in brackets where it holds colons, and a port.
var listened = regexp.MustCompile(`^(\[[0-9a-fA-F:.]+\]|[0-9.]+|localhost):([0-9]{1,5})$`)

// metrics checks where the metrics are served. Names are not looked up, so that what is said here is what is listened on.
func (r *reader) metrics() {
	const at = "metrics.listen"
	listen := r.file.Metrics.Listen
	if !r.doc.Has("metrics") || !r.given(at, listen, metricsHint) {
		return
	}
	parts := listened.FindStringSubmatch(listen)
	if parts == nil || !isHost(parts[1]) {
		r.doc.Problem(at, metricsHint, "%s is not the address of a machine with a port", strict.Quote(listen))
		return
	}
	if port, _ := strconv.Atoi(parts[2]); port < 1 || port > maxPort {
		r.doc.Problem(at, metricsHint, "a port from 1 to %d is expected", maxPort)
	}
	if host := parts[1]; !strings.HasPrefix(host, "127.") && host != "[::1]" && host != "localhost" {
		r.warn(at, metricsHint, "%s can be reached by other machines: whoever does sees what everybody at the station may see, without a password", listen)
	}
	r.out.Metrics = Metrics{Listen: listen}
}

// isHost tells whether a host is one: an IPv4 address, an IPv6 address in brackets, or the one name that is known.
func isHost(host string) bool {
	if host == "localhost" {
		return true
	}
	inside, brackets := strings.CutPrefix(host, "[")
	at, err := netip.ParseAddr(strings.TrimSuffix(inside, "]"))
	return err == nil && at.Is6() == brackets
}
