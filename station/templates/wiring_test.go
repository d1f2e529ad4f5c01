package templates_test

import (
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"scentpost/station/catalog"
	"scentpost/station/config"
)

var (
	keyRow  = regexp.MustCompile("(?m)^\\| `(\\w+)` \\| ([^|]+) \\| [^|]+ \\| [^|]+ \\| [^|]+ \\|$")
	lineRow = regexp.MustCompile(`(?m)^\| (?:this|an|a) (\w+) \| ([^|]+) \| ([^|]+) \|$`)
)

// wiring returns the part of the page that says how lines are wired.
func wiring(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	_, part, found := strings.Cut(string(text), "\n## How lines are wired\n")
	if !found {
		t.Fatal("the page does not say how lines are wired")
	}
	return part
}

// wired returns what is wrong with a station whose button is on a line that is wired so.
func wired(line, how string) error {
	text := "site: s\nstation: t\ndata: d\nsocket: s\ndriver: {type: linux, lines: {\"" + line + "\": " + how + "}}\npositions: 1\ndevices:\n" +
		"  - {name: b, type: button, role: start, line: \"" + line + "\"}\n" +
		"  - {name: mcp23017, type: mcp23017, bus: i2c-1}\n  - {name: nano, type: nano, port: p, id: n}\n"
	_, err := config.Read("f", []byte(text), catalog.Types())
	return err
}

// TestThePageSaysHowLinesAreWired: its keys are those of the configuration, with the values that are taken and no others.
func TestThePageSaysHowLinesAreWired(t *testing.T) {
	var keys, want []string
	for _, row := range keyRow.FindAllStringSubmatch(wiring(t), -1) {
		keys = append(keys, row[1])
		values := strings.Split(row[2], ", ")
		for _, value := range append(values, "none", "pull-up", "pull-down", "true", "false") {
			err := wired("GPIO5", "{"+row[1]+": "+value+"}")
			if taken := err == nil; taken != slices.Contains(values, value) {
				t.Errorf("%s: %s: %v", row[1], value, err)
			}
		}
	}
	typ := reflect.TypeFor[config.Wiring]()
	for i := range typ.NumField() {
		want = append(want, typ.Field(i).Tag.Get("yaml"))
	}
	if !slices.Equal(keys, want) {
		t.Errorf("the page has the keys %q, the configuration %q", keys, want)
	}
}

// TestThePageSaysWhatEachLineCanHave: the biases of the machine and of each carrier, and what a pull-up goes to.
func TestThePageSaysWhatEachLineCanHave(t *testing.T) {
	on := map[string]string{"machine": "GPIO5", "mcp23017": "mcp23017:A0", "nano": "nano:D4"}
	supply := map[string]string{"machine": "3.3 V"}
	for _, typ := range catalog.Types() {
		if typ.Carries != nil {
			supply[typ.Name] = typ.Carries.Supply
		}
	}
	rows := lineRow.FindAllStringSubmatch(wiring(t), -1)
	if len(rows) != len(supply) {
		t.Errorf("%d rows for %v", len(rows), supply)
	}
	for _, row := range rows {
		if supply[row[1]] != row[3] || on[row[1]] == "" {
			t.Errorf("%s: the page says %s, the catalogue %s", row[1], row[3], supply[row[1]])
		}
		for _, bias := range []string{"pull-up", "pull-down", "none"} {
			err := wired(on[row[1]], "{bias: "+bias+"}")
			if taken := err == nil; taken != slices.Contains(strings.Split(row[2], ", "), bias) {
				t.Errorf("%s: %s: %v", row[1], bias, err)
			}
		}
		missing := fmt.Sprint(drive(on[row[1]]))
		if row[1] != "mcp23017" && !strings.Contains(missing, "a resistor of 10 kOhm to "+row[3]+",") {
			t.Errorf("%s: the check says %s", row[1], missing)
		}
	}
}

// drive returns what is wrong with a canister whose drive nothing holds.
func drive(line string) error {
	text := "site: s\nstation: t\ndata: d\nsocket: s\ndriver: {type: linux, lines: {\"" + line + "\": {active_low: true}}}\npositions: 1\ndevices:\n" +
		"  - {name: c, type: shutter, position: 1, canister: 1A, pinch: guard, lines: {drive: \"" + line + "\", opened: x, closed: y}}\n" +
		"  - {name: nano, type: nano, port: p, id: n}\n"
	_, err := config.Read("f", []byte(text), catalog.Types())
	return err
}

// TestThePagesExampleOfWiringIsTaken: each of its lines.
func TestThePagesExampleOfWiringIsTaken(t *testing.T) {
	_, example, _ := strings.Cut(wiring(t), "```yaml\n")
	example, _, _ = strings.Cut(example, "```")
	text := "site: s\nstation: t\ndata: d\nsocket: s\npositions: 1\n" + example + "devices:\n  - {name: nano-2, type: nano, port: p, id: n}\n"
	lines := regexp.MustCompile(`(?m)^    "?([A-Za-z0-9:-]+[0-9])"?: `).FindAllStringSubmatch(example, -1)
	for i, line := range lines {
		text += fmt.Sprintf("  - {name: b%d, type: button, role: start, line: %q}\n", i, line[1])
	}
	if _, err := config.Read("f", []byte(text), catalog.Types()); err != nil || len(lines) != 7 {
		t.Errorf("%d lines: %v\n%s", len(lines), err, text)
	}
}

// TestAsManyCanistersFitAsThePageSays counts pins.
func TestAsManyCanistersFitAsThePageSays(t *testing.T) {
	nano, _ := catalog.Find("nano")
	shutter, _ := catalog.Find("shutter")
	motor, _ := catalog.Find("motor-shutter")
	pins := len(nano.Carries.Pins)
	says := fmt.Sprintf("Of its %d pins a shutter takes %d and a motor-shutter %d, so %d shutters or %d motor-shutters fit.",
		pins, len(shutter.Lines), len(motor.Lines), pins/len(shutter.Lines), pins/len(motor.Lines))
	if got := all()["nano"].Wiring; !strings.Contains(got, says) {
		t.Errorf("want %q in %q", says, got)
	}
}

// TestTheReadmeNamesTheSupplies, where it says what a drive is pulled to.
func TestTheReadmeNamesTheSupplies(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	nano, _ := catalog.Find("nano")
	expander, _ := catalog.Find("mcp23017")
	says := fmt.Sprintf("(%s of the machine or an MCP23017, %s of a Nano)", expander.Carries.Supply, nano.Carries.Supply)
	if !strings.Contains(strings.Join(strings.Fields(string(text)), " "), says) {
		t.Errorf("the README does not say %q", says)
	}
}
