package yard_test

import (
	"fmt"
	"strings"
	"testing"

	"scentpost/configs"
	"scentpost/simulator/yard"
	"scentpost/station/catalog"
	"scentpost/station/config"
	"scentpost/station/templates"
	"scentpost/station/trial"
)

// TestEveryTemplateRunsInTheSimulator: a station with a device of the type, as its template describes it, is built and
// runs a session to its end, and nothing is wrong with the device.
func TestEveryTemplateRunsInTheSimulator(t *testing.T) {
	for _, typ := range catalog.Types() {
		t.Run(typ.Name, func(t *testing.T) {
			y := newYard(t, "virtual-two", func(o *yard.Options) { o.Config = with(t, typ, catalog.Types()) })
			file, src := plan(t, "short")
			src = []byte(strings.Replace(string(src), "purge: 500ms", "purge: 10s", 1))
			conduct(t, y, file, src, rule(t))
			v := y.Host.Snapshot().View
			if v.Verdict == nil || v.Used != 0 || v.Runs()[0].State != trial.Completed {
				t.Errorf("verdict %v, %d reserve runs used", v.Verdict, v.Used)
			}
			if told := y.Conditions.All(); len(told) != 0 {
				t.Errorf("conditions %+v", told)
			}
		})
	}
}

// with returns the configuration of the small virtual station with one more device, of one of the known types.
func with(t *testing.T, typ templates.Type, known []templates.Type) config.Config {
	t.Helper()
	file, src, err := configs.Files{}.Read(configs.Stations, "virtual-two")
	if err != nil {
		t.Fatal(err)
	}
	text := string(src)
	if typ.Class == templates.Beam { // a position has one: this is it
		i := strings.Index(text, "  - {name: beam-2,")
		text = text[:i] + text[i+strings.Index(text[i:], "\n")+1:]
	}
	text += more(typ)
	cfg, err := config.Read(file, []byte(text), known)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return cfg
}

// more is a device of a type, at position 2 if it has one, as an entry of a configuration.
func more(typ templates.Type) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n  - {name: more, type: %s", typ.Name)
	if typ.Class.Stands == templates.AtPosition {
		b.WriteString(", position: 2")
	}
	if typ.Class == templates.Canister {
		b.WriteString(`, canister: "2Z"`)
	}
	if typ.OnI2C() {
		fmt.Fprintf(&b, ", bus: i2c-1, address: %q", typ.Addresses[0])
	}
	if typ.Port != "" {
		b.WriteString(", port: more, id: more")
	}
	var lines []string
	for _, l := range typ.Lines {
		lines = append(lines, fmt.Sprintf("%s: more.%s", l.Role, l.Role))
	}
	if lines != nil {
		fmt.Fprintf(&b, ", lines: {%s}", strings.Join(lines, ", "))
	}
	for _, s := range typ.Settings {
		if s.Default == "" {
			fmt.Fprintf(&b, ", %s: %s", s.Name, s.Choices[0])
		}
	}
	b.WriteString("}\n")
	return b.String()
}
