package config

import (
	"regexp"

	"scentpost/station/strict"
	"scentpost/station/templates"
)

var (
	idForm      = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,7}$`)
	movingPorts = regexp.MustCompile(`^/dev/tty(USB|ACM)[0-9]+$`)
	// lastingPorts are links that stay, and the ports of a machine's own pins.
	lastingPorts = regexp.MustCompile(`^/dev/(serial/by-(id|path)/.+|tty(AMA|S)[0-9]+|serial[0-9]+)$`)
)

// port checks that a device behind a serial port names the port and its own id, each once in the station.
func (r *reader) port(at string, i int, t templates.Type, out *Device, used usage) {
	d := r.file.Devices[i]
	for _, one := range []struct {
		key, value, hint string
		seen             map[string]int
		form             *regexp.Regexp
	}{
		{"port", d.Port, "such as /dev/serial/by-id/usb-1a86_USB_Serial-if00-port0: scentpost board ls lists them", used.ports, regexp.MustCompile(`^[^\x00-\x1f]+$`)},
		{"id", d.ID, "1 to 8 small letters, digits and hyphens, such as nano-1: scentpost board name gives it to the board, once", used.ids, idForm},
	} {
		path := at + "." + one.key
		switch {
		case t.Port == "" && r.doc.Has(path):
			r.doc.Problem(path, "take it away", "a %s is not behind a serial port", t.Name)
			continue
		case t.Port == "" || !r.given(path, one.value, one.hint):
			continue
		case !one.form.MatchString(one.value):
			r.doc.Problem(path, one.hint, "%s cannot be the %s of a board", strict.Quote(one.value), one.key)
			continue
		}
		r.once(one.seen, one.value, i, path, "devices")
	}
	if t.Port != "" {
		out.Port, out.ID = r.path(at+".port", d.Port), d.ID
	}
	const lasting = "name it by its link in /dev/serial/by-id, or in /dev/serial/by-path for a board without a serial number"
	switch {
	case t.Port == "" || d.Port == "" || lastingPorts.MatchString(d.Port):
	case movingPorts.MatchString(d.Port):
		r.warn(at+".port", lasting, "%s is another board's name when they are plugged in in another order", d.Port)
	case !r.out.Driver.Simulated:
		r.warn(at+".port", lasting, "%s is none of the names that a serial port has", strict.Quote(d.Port))
	}
}
