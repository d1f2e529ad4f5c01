package doctor

import (
	"fmt"

	"scentpost/station/config"
)

// port finds the serial port of a board. Who the board is only somebody who speaks with it can say.
func (x examiner) port(d config.Device) (where string, problems []Problem) {
	switch p := x.seen.Ports[d.Port]; {
	case !p.There:
		return "", []Problem{{NoPort, "there is no " + d.Port + ": the board is not plugged in, or has no power", "plug it in; scentpost board ls   # lists the ports that are there"}}
	case p.Denied:
		return "", []Problem{*x.denied(p.Node, "dialout", "tty", "tty[UA]*")}
	case p.InUse:
		return "", []Problem{{PortUsed, "another program uses " + d.Port, "sudo fuser -v " + d.Port + "   # shows which; end it"}}
	}
	return fmt.Sprintf("its port is %s; scentpost board info %s asks whether it is %s", d.Port, d.Port, d.ID), nil
}
