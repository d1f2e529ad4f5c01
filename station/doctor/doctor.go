// Package doctor says of each device of a station whether it is there, and if not why and what mends it.
//
// Examine collects what is to be seen through a Machine; Diagnose is a function of what was seen. Neither asks for a
// line, and neither drives anything.
package doctor

import (
	"fmt"
	"maps"
	"slices"

	"scentpost/station/config"
	"scentpost/station/strict"
)

// Cause names why a device is not there, for programs; it never changes its meaning.
type Cause string

// The causes.
const (
	NoChip        Cause = "no-chip"        // the machine has no GPIO chip
	NoRule        Cause = "no-rule"        // no udev rule gives the file to a group
	NoGroup       Cause = "no-group"       // the account is not in the group that may use the file
	OldLogin      Cause = "old-login"      // it is, and has not logged in since
	UnknownLabel  Cause = "unknown-label"  // no chip has the label that the line names
	UnknownLine   Cause = "unknown-line"   // no line has the name
	Ambiguous     Cause = "ambiguous-line" // several lines have it
	Held          Cause = "line-held"      // somebody else has the line
	BusOff        Cause = "bus-off"        // the machine does not offer the I2C bus
	NoModule      Cause = "no-module"      // it does, and nothing makes its file
	NoAnswer      Cause = "no-answer"      // nothing answers at the address
	OtherAddress  Cause = "other-address"  // it answers at another one
	BusHangs      Cause = "bus-hangs"      // a transfer does not end
	NoStation     Cause = "no-station"     // the virtual station does not run
	NoPort        Cause = "no-port"        // the serial port is not there
	PortUsed      Cause = "port-used"      // another program uses it
	NoPlace       Cause = "no-place"       // a folder or socket that the station needs cannot be had
	CarrierAbsent Cause = "carrier-absent" // what carries its lines is not there
	SaidDaemon    Cause = "said-by-daemon" // the running daemon says so, and more could not be found out
)

// Problem is one reason why a device is not there.
type Problem struct {
	Cause Cause `json:"cause"`
	// What says what was seen and what was expected.
	What string `json:"what"`
	// Do is the very command that mends it, or what to do where no command does.
	Do string `json:"do"`
}

// Finding is what was found of one device.
type Finding struct {
	Device string `json:"device"`
	Type   string `json:"type"`
	Found  bool   `json:"found"`
	// Where is where a device that was found is.
	Where    string    `json:"where,omitempty"`
	Problems []Problem `json:"problems,omitempty"`
	// Wiring is how a device of its type is wired, where that may be what is wrong.
	Wiring string `json:"wiring,omitempty"`
	// AtSeal is set when it is what was so when the session was sealed: what has changed since is told after the reveal.
	AtSeal bool `json:"at_seal,omitempty"`
	// Untold is set when nothing can be told of it before the reveal. It is then neither found nor missing.
	Untold bool `json:"untold,omitempty"`
}

// Report is what the doctor says.
type Report struct {
	Station string `json:"station"`
	Driver  string `json:"driver"`
	Account string `json:"account"`
	// Asked is the socket of the daemon that was asked; "" when none runs and the machine was looked at.
	Asked string `json:"asked,omitempty"`
	// Next is what that daemon says can be done next.
	Next   string   `json:"next,omitempty"`
	Sealed bool     `json:"sealed,omitempty"`
	Notes  []string `json:"notes,omitempty"`
	// Places are the station's folder and its socket, where no daemon has them.
	Places  []Finding `json:"places,omitempty"`
	Devices []Finding `json:"devices"`
}

// Wrong counts the devices that are missing or at fault.
func (r Report) Wrong() int { return wrong(r.Devices) }

// Blocked counts the places that the station needs and cannot have.
func (r Report) Blocked() int { return wrong(r.Places) }

func wrong(all []Finding) (n int) {
	for _, f := range all {
		if len(f.Problems) > 0 {
			n++
		}
	}
	return n
}

// examiner finds out what is wrong with the devices of a configuration, one by one.
type examiner struct {
	cfg  config.Config
	seen Evidence
}

// Diagnose says of each device of a configuration whether it is there. It depends on its arguments alone.
func Diagnose(cfg config.Config, seen Evidence) Report {
	x := examiner{cfg: cfg, seen: seen}
	r := Report{Station: cfg.Site + "/" + cfg.Station, Driver: cfg.Driver.Type, Account: seen.Account.Name, Devices: []Finding{}}
	if d := seen.Daemon; d != nil {
		r.Asked, r.Next, r.Sealed = d.Socket, d.Next, d.Sealed
	}
	if seen.Account.Root && seen.Daemon == nil && cfg.Driver.Type == config.DriverLinux {
		r.Notes = append(r.Notes, "root may open everything: whether the daemon's account may, sudo -u scentpost scentpostd doctor tells")
	}
	for _, c := range seen.Chips {
		if c.Keeps {
			r.Notes = append(r.Notes, c.Label+" keeps its outputs when the daemon is killed, so that what is open stays open until it is started "+
				"again: add pinctrl_bcm2835.persist_gpio_outputs=N to the kernel's command line (on a Raspberry Pi: /boot/firmware/cmdline.txt)")
		}
	}
	for _, p := range seen.Places {
		f := Finding{Device: p.Name, Type: p.Type, Found: p.What == "", Where: p.Path}
		if !f.Found {
			f.Problems = []Problem{{NoPlace, p.What, p.Do}}
		}
		r.Places = append(r.Places, f)
	}
	for _, d := range cfg.Devices {
		if p := seen.Ports[d.Port]; p.Moves != "" {
			r.Notes = append(r.Notes, fmt.Sprintf("%s: %s may be another board's name tomorrow: %s", d.Name, d.Port, p.Moves))
		}
		r.Devices = append(r.Devices, x.device(d))
	}
	return r
}

// device finds out about one device.
func (x examiner) device(d config.Device) Finding {
	f := Finding{Device: d.Name, Type: d.Type.Name}
	if x.seen.Daemon != nil {
		return x.told(d, f)
	}
	f.Where, f.Problems = x.look(d)
	f.Found = len(f.Problems) == 0
	return wired(d, f)
}

// told is what the daemon says of a device. What may be looked at besides says why.
func (x examiner) told(d config.Device, f Finding) Finding {
	i := slices.IndexFunc(x.seen.Daemon.Devices, func(t Told) bool { return t.Name == d.Name })
	if i < 0 {
		f.Problems = []Problem{{SaidDaemon, "the running daemon knows no such device: it runs with another configuration", "sudo systemctl restart scentpostd"}}
		return f
	}
	t := x.seen.Daemon.Devices[i]
	f.Found, f.AtSeal, f.Untold = t.Found, t.AtSeal, t.Untold
	if t.Untold {
		f.Where = "told after the reveal: the daemon was started again since the seal"
		return f
	}
	if f.Found && t.Why == "" {
		f.Where = "the daemon has it"
		return f
	}
	if !t.Found && !x.seen.Daemon.Sealed {
		_, f.Problems = x.look(d)
		f.Problems = slices.DeleteFunc(f.Problems, func(p Problem) bool { return p.Cause == Held || p.Cause == PortUsed }) // by the daemon itself
	}
	if len(f.Problems) == 0 {
		f.Problems = []Problem{{SaidDaemon, t.Why, "see what it says; it is tried again by itself"}}
	}
	return wired(d, f)
}

// wired adds how the device is wired, where that may be what is wrong.
func wired(d config.Device, f Finding) Finding {
	if slices.ContainsFunc(f.Problems, func(p Problem) bool { return p.Cause == NoAnswer || p.Cause == BusHangs || p.Cause == SaidDaemon }) {
		f.Wiring = d.Type.Wiring
	}
	return f
}

// look finds out about one device by what was seen of the machine.
func (x examiner) look(d config.Device) (where string, problems []Problem) {
	if x.cfg.Driver.Type != config.DriverLinux {
		if x.seen.Stands {
			return "the virtual station stands", nil
		}
		return "", []Problem{{NoStation, fmt.Sprintf("nobody listens on %s: the virtual station does not run", x.cfg.Driver.Socket), "scentsim station " + x.seen.File + " --seed 1"}}
	}
	if d.Bus != "" {
		where, problems = x.chip(d)
	}
	if d.Port != "" {
		where, problems = x.port(d)
	}
	roles := slices.Sorted(maps.Keys(d.Lines))
	for _, role := range roles {
		at, problem := x.line(d.Lines[role])
		switch {
		case problem != nil:
			if len(roles) > 1 && !general(problem.Cause) {
				problem.What = role + ": " + problem.What
			}
			problems = append(problems, *problem)
		case where == "":
			where = at
		default:
			where += ", " + at
		}
	}
	if d.Interrupt != "" {
		if _, problem := x.line(d.Interrupt); problem != nil {
			if !general(problem.Cause) {
				problem.What = "interrupt: " + problem.What
			}
			problems = append(problems, *problem)
		}
	}
	return where, compact(problems)
}

// compact leaves out problems that say the same of several lines of a device.
func compact(all []Problem) []Problem {
	var out []Problem
	for _, p := range all {
		same := func(o Problem) bool { return o.Cause == p.Cause && o.Do == p.Do && general(p.Cause) }
		if !slices.ContainsFunc(out, same) {
			out = append(out, p)
		}
	}
	return out
}

// general tells whether a cause lies with the machine, and not with one line.
func general(c Cause) bool {
	return slices.Contains([]Cause{NoChip, NoRule, NoGroup, OldLogin, CarrierAbsent, UnknownLabel}, c)
}

// carrier returns the device that carries a line, if one does.
func (x examiner) carrier(line string) (config.Device, bool) {
	i := slices.IndexFunc(x.cfg.Devices, func(d config.Device) bool { return d.Name == label(line) })
	if i < 0 {
		return config.Device{}, false
	}
	return x.cfg.Devices[i], true
}

// denied says why the account may not open a node, and what gives it the right.
func (x examiner) denied(n Node, wanted, subsystem, pattern string) *Problem {
	a := x.seen.Account
	switch {
	case !n.usable():
		rule := fmt.Sprintf(`echo 'SUBSYSTEM=="%s", KERNEL=="%s", GROUP="%s", MODE="0660"' | sudo tee /etc/udev/rules.d/60-scentpost.rules`, subsystem, pattern, wanted)
		if !slices.Contains(a.Known, wanted) {
			rule = "sudo groupadd --system " + wanted + " && " + rule
		}
		return &Problem{NoRule, fmt.Sprintf("%s belongs to the group %s with the mode %04o: a udev rule is missing that gives it to the group %s", n.Path, strict.Quote(n.Group), n.Mode.Perm(), wanted),
			rule + " && sudo udevadm control --reload && sudo udevadm trigger --subsystem-match=" + subsystem}
	case slices.Contains(a.Groups, n.Group):
		return &Problem{NoRule, fmt.Sprintf("%s may not be opened, though %s is in its group %s: something else forbids it (a sandbox, an access list)", n.Path, a.Name, n.Group),
			"getfacl " + n.Path}
	case slices.Contains(a.Listed, n.Group):
		return &Problem{OldLogin, fmt.Sprintf("%s is in the group %s since a later moment than this login", a.Name, n.Group), "log out and in again"}
	}
	return &Problem{NoGroup, fmt.Sprintf("%s belongs to the group %s, and %s is not in it", n.Path, n.Group, a.Name),
		fmt.Sprintf("sudo usermod -aG %s %s   # then log out and in again", n.Group, a.Name)}
}
