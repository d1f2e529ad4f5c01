package doctor

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"scentpost/station/config"
	"scentpost/station/strict"
)

// ours is what the kernel names as the owner of the lines of a daemon of ours.
const ours = "scentpost"

// line finds a line, or says why it is not to be had. A line of a carrier is there when its carrier is.
func (x examiner) line(name string) (where string, problem *Problem) {
	if on, carried := x.carrier(name); carried {
		if _, problems := x.look(on); len(problems) > 0 {
			return "", &Problem{CarrierAbsent, fmt.Sprintf("%s is a pin of %s, which is not there", strict.Quote(name), on.Name), "mend " + on.Name + " first"}
		}
		return name, nil
	}
	var found []string
	var holder string
	var denied *Chip
	for i, c := range x.seen.Chips {
		if c.Denied {
			denied = cmp.Or(denied, &x.seen.Chips[i])
			continue
		}
		for _, l := range c.Lines {
			if full := c.Label + ":" + l.Name; l.Name != "" && (l.Name == name || full == name) {
				found = append(found, full)
				holder = l.Consumer
			}
		}
	}
	switch {
	case len(found) > 1:
		return "", &Problem{Ambiguous, fmt.Sprintf("%d lines are named %s", len(found), strict.Quote(name)),
			"name the chip too, in the configuration: one of " + strings.Join(found, ", ")}
	case len(found) == 0 && denied != nil:
		return "", x.denied(denied.Node, "gpio", "gpio", "gpiochip*")
	case len(found) == 0:
		return "", x.unknown(name)
	case holder != "":
		return "", held(name, holder)
	}
	return found[0], nil
}

// held says who has a line.
func held(name, holder string) *Problem {
	do := fmt.Sprintf("stop the program that calls itself %s (gpioinfo shows its lines)", strict.Quote(holder))
	switch holder {
	case ours:
		do = "sudo systemctl stop scentpostd   # or ask it: name its socket in the configuration"
	case "sysfs":
		do = "undo what exported it: echo its number > /sys/class/gpio/unexport"
	}
	return &Problem{Held, fmt.Sprintf("%s is held by %s", strict.Quote(name), strict.Quote(holder)), do}
}

// unknown says why no line has a name: no chip, no chip of that label, or no line.
func (x examiner) unknown(name string) *Problem {
	labels, lines := x.names()
	if len(labels) == 0 {
		return &Problem{NoChip, "this machine has no GPIO chip (/dev/gpiochip*)", x.noChip()}
	}
	if chip := label(name); chip != "" && !slices.Contains(labels, chip) {
		near := strict.Nearest(chip, labels)
		do := "name one of these chips in the configuration: " + strings.Join(labels, ", ")
		if near != "" {
			do = fmt.Sprintf("did you mean %q?", near+strings.TrimPrefix(name, chip))
		}
		return &Problem{UnknownLabel, fmt.Sprintf("no chip has the label %s; the chips here are %s", strict.Quote(chip), strings.Join(labels, ", ")), do}
	}
	if label(name) == "" {
		lines = x.short()
	}
	do := "gpioinfo lists the names of all lines: take one of them into the configuration"
	if near := strict.Nearest(name, slices.DeleteFunc(lines, x.used)); near != "" {
		do = fmt.Sprintf("did you mean %q? (gpioinfo lists all names)", near)
	}
	return &Problem{UnknownLine, fmt.Sprintf("no line of %s is named %s", strings.Join(labels, ", "), strict.Quote(name)), do}
}

// noChip says what to do on a machine without chips.
func (x examiner) noChip() string {
	if x.raspberry() {
		return "update the kernel: that of Raspberry Pi OS has the GPIO character device"
	}
	return "run scentpostd on the board that the devices are wired to, or take driver: {type: virtual} for a trial"
}

func (x examiner) raspberry() bool { return strings.Contains(x.seen.Model, "Raspberry Pi") }

// used tells whether a device of the configuration has a line: nobody meant that one.
func (x examiner) used(line string) bool {
	same := func(other string) bool { return other != "" && bare(other) == bare(line) }
	return slices.ContainsFunc(x.cfg.Devices, func(d config.Device) bool {
		return same(d.Interrupt) || slices.ContainsFunc(slices.Collect(maps.Values(d.Lines)), same)
	})
}

// bare is the name of a line without its chip.
func bare(line string) string { return line[strings.Index(line, ":")+1:] }

// names returns the labels of the chips that could be looked at, and the full names of their lines.
func (x examiner) names() (labels, lines []string) {
	for _, c := range x.seen.Chips {
		if c.Denied {
			continue
		}
		labels = append(labels, c.Label)
		for _, l := range c.Lines {
			if l.Name != "" {
				lines = append(lines, c.Label+":"+l.Name)
			}
		}
	}
	slices.Sort(labels)
	return slices.Compact(labels), lines
}

// short returns the names of all lines without their chips.
func (x examiner) short() []string {
	_, full := x.names()
	var out []string
	for _, name := range full {
		out = append(out, bare(name))
	}
	return out
}

// chip finds a device on an I2C bus, or says why it does not answer.
func (x examiner) chip(d config.Device) (where string, problems []Problem) {
	i := slices.IndexFunc(x.seen.Buses, func(b Bus) bool { return b.Name == d.Bus })
	switch {
	case i < 0:
		return "", []Problem{x.busOff(d.Bus)}
	case x.seen.Buses[i].Path == "":
		return "", []Problem{{NoModule, d.Bus + " is there, and has no file in /dev: the module i2c-dev is not loaded",
			"sudo modprobe i2c-dev && echo i2c-dev | sudo tee /etc/modules-load.d/scentpost.conf"}}
	case x.seen.Buses[i].Denied:
		return "", []Problem{*x.denied(x.seen.Buses[i].Node, "i2c", "i2c-dev", "i2c-[0-9]*")}
	case x.seen.hangs(d.Bus):
		return "", []Problem{{BusHangs, d.Bus + " hangs: a transfer does not end; a chip may hold SDA low", "switch the power of the chips off and on; look for a wire that is loose or shorted"}}
	}
	switch x.seen.Answers[Place{d.Bus, d.Address}] {
	case Answers:
		return d.Bus + " " + d.Address, nil
	case "":
		return "", nil // a daemon runs: it was not asked
	}
	return "", []Problem{x.silent(d)}
}

// busOff says how an I2C bus is switched on.
func (x examiner) busOff(bus string) Problem {
	var names []string
	for _, b := range x.seen.Buses {
		names = append(names, b.Name)
	}
	what := "this machine has no I2C bus"
	if len(names) > 0 {
		what = fmt.Sprintf("this machine has no %s; it has %s", bus, strings.Join(names, ", "))
	}
	do := "sudo modprobe i2c-dev   # and see that the board's own bus is switched on"
	if x.raspberry() {
		do = "sudo raspi-config nonint do_i2c 0 && sudo reboot   # or the line dtparam=i2c_arm=on in /boot/firmware/config.txt"
	}
	return Problem{BusOff, what, do}
}

// silent says that nothing answers at a device's address, and which other addresses of its type do.
func (x examiner) silent(d config.Device) Problem {
	var taken, free []string
	for _, address := range d.Type.Addresses {
		if x.seen.Answers[Place{d.Bus, address}] != Answers {
			continue
		}
		if slices.ContainsFunc(x.cfg.Devices, func(o config.Device) bool { return o.Bus == d.Bus && o.Address == address }) {
			taken = append(taken, address)
			continue
		}
		free = append(free, address)
	}
	what := fmt.Sprintf("nothing answers at %s of %s", d.Address, d.Bus)
	if len(free) > 0 {
		return Problem{OtherAddress, fmt.Sprintf("%s; at %s something does", what, strings.Join(free, ", ")),
			fmt.Sprintf("write address: %q for it in the configuration, or set the pins of the chip for %s", free[0], d.Address)}
	}
	if len(taken) > 0 {
		what += "; of the other addresses of its type only " + strings.Join(taken, ", ") + " answers, which another device has"
	}
	return Problem{NoAnswer, what, "see that it has power, and that SDA, SCL and ground are wired; then scentpostd doctor again"}
}
