package templates

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// tellsText says what the words of Tells mean.
var tellsText = map[Tells]string{
	Nothing:   "Tells nothing of what is in a canister: what it gives is public.",
	Placement: "Tells which canister moved: its moves and its faults are sealed until the reveal.",
	Content:   "Tells what is in a canister: its samples and faults are sealed until the reveal, and so is that there are any.",
}

// pageHead stands before the types on the page of all of them.
const pageHead = `# Devices

Every type of device that a station's configuration can name. This page is made from the files beside it
(` + "`scentpostd devices --markdown`" + `); a test holds the two together, so change the files and not this page.

Lines are named as the kernel names them (` + "`GPIO17`" + `; ` + "`gpioinfo`" + ` lists them), with the chip's label before a colon where two chips
have the same name, and as ` + "`name of the expander:pin`" + ` behind a port expander or a board (` + "`exp-1:A0`" + `, ` + "`nano-1:D4`" + `). Which line
is active-low and what holds it stands in ` + "`driver.lines`" + ` of the configuration: see [how lines are wired](#how-lines-are-wired).

| type | what it is | class | reached by |
|---|---|---|---|
`

// pageWiring stands behind the types on the page of all of them.
const pageWiring = `
## How lines are wired

` + "`driver.lines`" + ` has an entry for each line that is not simply active when it is high and held by what is on it.
A station with ` + "`driver: {type: virtual}`" + ` has none.

| key | values | default | of an input | of an output |
|---|---|---|---|---|
| ` + "`active_low`" + ` | true, false | false | true where active is ground: a contact to ground, a sensor that pulls down | true where on is ground: most relay boards; a transistor is on when it is high |
| ` + "`bias`" + ` | pull-up, pull-down, none | what the chip has | what the chip itself holds it by: pull-up for a contact to ground and for an open collector; none says that something drives it both ways | of the machine: holds it from the daemon's first request on, not from power-on. Of an expander: until it is driven. Of a board: nothing |
| ` + "`external`" + ` | pull-up, pull-down | no resistor | the resistor that holds it instead of a bias | the resistor towards its safe level, which is off. That of a canister's drive must be said: pull-up with active_low, pull-down without |

` + "`external`" + ` switches nothing: it says what was soldered. An input with neither bias nor external floats when its wire is off,
and whatever it then says is believed; ` + "`scentpostd check`" + ` warns of it.

| a line of | its biases | a pull-up goes to |
|---|---|---|
| this machine | pull-up, pull-down, none | 3.3 V |
| an mcp23017 | pull-up, none | 3.3 V |
| a nano | pull-up, none | 5 V |

` + "```yaml" + `
driver:
  type: linux
  lines:
    GPIO5: {active_low: true, external: pull-up}       # a relay board's input
    GPIO6: {external: pull-down}                       # the gate of a MOSFET
    GPIO22: {active_low: true, bias: pull-up}          # a button or a limit switch, to ground
    GPIO24: {bias: pull-up}                            # an emergency stop, from ground when it is pressed
    GPIO17: {bias: pull-up}                            # a beam that lets go of its line while it is broken
    GPIO27: {active_low: true, bias: pull-up}          # a beam that pulls its line down while it is broken
    "nano-2:D3": {bias: none}                          # a beam that drives its line both ways, high while it is broken
` + "```" + `
`

// Page writes the page of all types in Markdown.
func Page(w io.Writer, all []Template) {
	fmt.Fprint(w, pageHead)
	for _, t := range all {
		fmt.Fprintf(w, "| [%s](#%s) | %s | %s | %s |\n", t.Name, anchor(t), t.Title, t.Class.Name, t.reached())
	}
	for _, t := range all {
		fmt.Fprintln(w)
		Markdown(w, t)
	}
	fmt.Fprint(w, pageWiring)
}

// anchor is what a heading is linked by.
func anchor(t Template) string {
	return strings.ReplaceAll(strings.ToLower(heading(t)), " ", "-")
}

func heading(t Template) string { return t.Name + " " + t.Title }

// reached says what a device is reached by.
func (t Template) reached() string {
	switch len(t.Lines) {
	case 0:
		if len(t.Addresses) > 0 {
			return "I2C"
		}
		if t.Port != "" {
			return "serial port"
		}
		return ""
	case 1:
		return "1 line"
	}
	return fmt.Sprintf("%d lines", len(t.Lines))
}

// Markdown writes all that is known of a type in Markdown.
func Markdown(w io.Writer, t Template) {
	fmt.Fprintf(w, "## %s\n\n%s\n\n", heading(t), t.About)
	fmt.Fprintf(w, "**Wiring.** %s\n", t.Wiring)
	if len(t.Addresses) > 0 {
		fmt.Fprintf(w, "Addresses: %s.\n", strings.Join(t.Addresses, ", "))
	}
	if t.Port != "" {
		fmt.Fprintf(w, "\n**port:** %s.\n", t.Port)
	}
	if t.Interrupt != "" {
		fmt.Fprintf(w, "\n**interrupt:** %s.\n", t.Interrupt)
	}
	if len(t.Lines) > 0 {
		fmt.Fprint(w, "\n| line | direction | meaning |\n|---|---|---|\n")
		for _, l := range t.Lines {
			fmt.Fprintf(w, "| `%s` | %s | %s |\n", l.Role, l.direction(), cell(l.About))
		}
	}
	if len(t.Settings) > 0 {
		fmt.Fprint(w, "\n| setting | values | default | what it does |\n|---|---|---|---|\n")
		for _, s := range t.Settings {
			fmt.Fprintf(w, "| `%s` | %s | %s | %s |\n", s.Name, s.values(), s.byDefault(), cell(s.About))
		}
	}
	fmt.Fprintln(w)
	for _, one := range t.facts() {
		fmt.Fprintf(w, "- **%s:** %s\n", one[0], one[1])
	}
	fmt.Fprintf(w, "\n```yaml\n%s\n```\n", Example(t))
}

// cell is a text in a table.
func cell(text string) string { return strings.ReplaceAll(text, "|", "\\|") }

func (l Line) direction() string {
	if l.Output {
		return "out"
	}
	return "in"
}

// values says what a setting can be.
func (s Setting) values() string {
	if s.Choices != nil {
		return strings.Join(s.Choices, ", ")
	}
	return short(s.Min) + " to " + short(s.Max)
}

// byDefault says what counts when the configuration says nothing.
func (s Setting) byDefault() string {
	if s.Default == "" {
		return "none: it must be said"
	}
	return s.Default
}

// short writes a duration as people do: 5m and not 5m0s.
func short(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// facts are what else is known of a type, each under its name.
func (t Template) facts() [][2]string {
	facts := [][2]string{{"Accuracy", t.Accuracy}, {"Secrecy", tellsText[t.Tells]}}
	if t.Safe != "" {
		facts = append(facts, [2]string{"Safe state", t.Safe}, [2]string{"Without the daemon", t.OnLoss})
	}
	sheet := "none: " + t.Datasheet.None
	if t.Datasheet.None == "" {
		sheet = t.Datasheet.Name + ", " + t.Datasheet.Edition
	}
	return append(facts, [2]string{"Data sheet", sheet})
}

// ExampleWiring is the wiring of a device in its Example, "" where none is needed: a canister's relays are active-low, each
// with a resistor that holds it at off while nobody drives it; contacts close to ground, and a beam lets go of its line
// while it is broken.
func ExampleWiring(t Template) string {
	var wired []string
	for i, l := range t.Lines {
		how := ""
		switch {
		case l.Output && t.Class == Canister:
			how = "{active_low: true, external: pull-up}"
		case l.Output:
			continue
		case t.Class == Beam:
			how = "{bias: pull-up}"
		default:
			how = "{active_low: true, bias: pull-up}"
		}
		wired = append(wired, exampleLines[i%len(exampleLines)]+": "+how)
	}
	if wired == nil {
		return ""
	}
	return "{" + strings.Join(wired, ", ") + "}"
}

// exampleLines are names of lines for examples, those of a Raspberry Pi's header that have no other use.
var exampleLines = []string{"GPIO5", "GPIO6", "GPIO13", "GPIO19", "GPIO26"}

// Example writes a device of a type as an entry of a configuration. Before it stands how its lines are wired: without that a
// canister is refused, and inputs are warned of.
func Example(t Template) string {
	parts := []string{"name: " + t.Name + "-1", "type: " + t.Name}
	if t.Class.Stands == AtPosition {
		parts = append(parts, "position: 1")
	}
	if t.Class == Canister {
		parts = append(parts, `canister: "1A"`)
	}
	if len(t.Addresses) > 0 {
		parts = append(parts, "bus: i2c-1", fmt.Sprintf("address: %q", t.Addresses[0]))
	}
	if t.Port != "" {
		parts = append(parts, "port: /dev/serial/by-id/usb-1a86_USB_Serial-if00-port0", "id: "+t.Name+"-1")
	}
	switch len(t.Lines) {
	case 0:
	case 1:
		parts = append(parts, "line: "+exampleLines[0])
	default:
		var lines []string
		for i, l := range t.Lines {
			lines = append(lines, l.Role+": "+exampleLines[i%len(exampleLines)])
		}
		parts = append(parts, "lines: {"+strings.Join(lines, ", ")+"}")
	}
	for _, s := range t.Settings {
		if s.Default == "" {
			parts = append(parts, s.Name+": "+s.Choices[0])
		}
	}
	device := "- {" + strings.Join(parts, ", ") + "}"
	if wiring := ExampleWiring(t); wiring != "" {
		device = "# driver: {type: linux, lines: " + wiring + "}\n" + device
	}
	return device
}

// Text writes all that is known of a type for a terminal.
func Text(w io.Writer, t Template) {
	fmt.Fprintf(w, "%s: %s (%s, %s)\n\n%s\n\n%s\n", t.Name, t.Title, t.Class.Name, t.reached(), fold(t.About), fold("Wiring: "+t.Wiring))
	if len(t.Addresses) > 0 {
		fmt.Fprintf(w, "Addresses: %s\n", strings.Join(t.Addresses, ", "))
	}
	if t.Interrupt != "" {
		fmt.Fprintln(w, fold("interrupt: "+t.Interrupt))
	}
	for _, l := range t.Lines {
		fmt.Fprintf(w, "  line %s (%s): %s\n", l.Role, l.direction(), l.About)
	}
	for _, s := range t.Settings {
		fmt.Fprintf(w, "  %s: %s; default %s\n%s\n", s.Name, s.values(), s.byDefault(), indent(fold(s.About)))
	}
	for _, one := range t.facts() {
		fmt.Fprintln(w, fold(one[0]+": "+one[1]))
	}
	fmt.Fprintf(w, "\n%s\n", Example(t))
}

// width is how many characters a line of a terminal's text has at most.
const width = 100

// fold breaks a text into lines of at most width characters, longer words apart.
func fold(text string) string {
	var out strings.Builder
	used := 0
	for _, word := range strings.Fields(text) {
		n := len([]rune(word))
		switch {
		case used == 0:
		case used+1+n > width:
			out.WriteByte('\n')
			used = 0
		default:
			out.WriteByte(' ')
			used++
		}
		out.WriteString(word)
		used += n
	}
	return out.String()
}

// indent puts spaces before each line.
func indent(text string) string { return "      " + strings.ReplaceAll(text, "\n", "\n      ") }

// List writes a line for each type.
func List(w io.Writer, all []Template) {
	longest := 0
	for _, t := range all {
		longest = max(longest, len(t.Name))
	}
	for _, t := range all {
		fmt.Fprintf(w, "%-*s  %-11s  %-7s  %s\n", longest, t.Name, t.Class.Name, t.reached(), t.Title)
	}
}
