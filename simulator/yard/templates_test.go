package yard_test

import (
	"fmt"
	"strings"
	"testing"

	"scentpost/configs"
	"scentpost/simulator/yard"
	"scentpost/station/catalog"
	"scentpost/station/config"
	"scentpost/station/devices"
	"scentpost/station/templates"
	"scentpost/station/trial"
)

// TestEveryTemplateRunsInTheSimulator: a station with a device of the type, as its template describes it, is built and
// runs a session to its end, and nothing is wrong with the device.
func TestEveryTemplateRunsInTheSimulator(t *testing.T) {
	names, err := configs.Files{}.Names(configs.Devices)
	if err != nil || len(names) < 8 {
		t.Fatalf("templates %q, %v", names, err)
	}
	for _, name := range names {
		if _, wired := catalog.Find(name); !wired {
			continue // no station can be given one
		}
		t.Run(name, func(t *testing.T) {
			file, src, err := configs.Files{}.Read(configs.Devices, name)
			if err != nil {
				t.Fatal(err)
			}
			template, err := templates.Parse(file, src)
			if err != nil {
				t.Fatal(err)
			}
			y := newYard(t, "virtual-two", func(o *yard.Options) { o.Config = with(t, template) })
			file, src = plan(t, "short")
			src = []byte(strings.Replace(string(src), "purge: 500ms", "purge: 10s", 1))
			conduct(t, y, file, src, rule(t))
			v := y.Host.Snapshot().View
			if v.Verdict == nil || v.Used != 0 || v.Runs[0].State != trial.Completed {
				t.Errorf("verdict %v, %d reserve runs used", v.Verdict, v.Used)
			}
			if told := y.Conditions.All(); len(told) != 0 {
				t.Errorf("conditions %+v", told)
			}
		})
	}
}

// with returns the configuration of the small virtual station with one more device, of a template.
func with(t *testing.T, template templates.Template) config.Config {
	t.Helper()
	file, src, err := configs.Files{}.Read(configs.Stations, "virtual-two")
	if err != nil {
		t.Fatal(err)
	}
	text := string(src)
	var b strings.Builder
	fmt.Fprintf(&b, "\n  - {name: more, type: %s", template.Type)
	switch template.Class {
	case "canister":
		b.WriteString(`, position: 2, canister: "2Z"`)
	case "beam": // a position has one: this is it
		i := strings.Index(text, "  - {name: beam-2,")
		text = text[:i] + text[i+strings.Index(text[i:], "\n")+1:]
		b.WriteString(", position: 2")
	}
	if len(template.Addresses) > 0 {
		fmt.Fprintf(&b, ", bus: i2c-1, address: %q", template.Addresses[0])
	}
	if template.Port != "" {
		b.WriteString(", port: more, id: more")
	}
	var lines []string
	for _, l := range template.Lines {
		lines = append(lines, fmt.Sprintf("%s: more.%s", l.Role, l.Role))
	}
	if lines != nil {
		fmt.Fprintf(&b, ", lines: {%s}", strings.Join(lines, ", "))
	}
	for _, s := range template.Settings {
		if s.Default == "" {
			fmt.Fprintf(&b, ", %s: %s", s.Name, s.Choices[0])
		}
	}
	b.WriteString("}\n")
	cfg, err := config.Read(file, []byte(text+b.String()), devices.Types())
	if err != nil {
		t.Fatalf("%v\n%s", err, b.String())
	}
	return cfg
}
