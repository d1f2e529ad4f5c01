package templates_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"scentpost/configs"
	"scentpost/station/catalog"
	"scentpost/station/templates"
)

// all reads every template that comes with Scentpost, by the name of its file.
func all(t *testing.T) map[string]templates.Template {
	t.Helper()
	names, err := configs.Files{}.Names(configs.Devices)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]templates.Template{}
	for _, name := range names {
		file, src, err := configs.Files{}.Read(configs.Devices, name)
		if err != nil {
			t.Fatal(err)
		}
		if out[name], err = templates.Parse(file, src); err != nil {
			t.Error(err)
		}
	}
	return out
}

// TestEveryTypeHasItsTemplateAndEveryTemplateItsType: what the files say is what the catalogue and the parts do.
func TestEveryTypeHasItsTemplateAndEveryTemplateItsType(t *testing.T) {
	files := all(t)
	for _, typ := range catalog.Types() {
		template, ok := files[typ.Name]
		if !ok {
			t.Errorf("the type %s has no template: write configs/devices/%s.yaml", typ.Name, typ.Name)
			continue
		}
		delete(files, typ.Name)
		for _, difference := range differences(template, typ) {
			t.Errorf("configs/devices/%s.yaml: %s", typ.Name, difference)
		}
	}
	for name := range files {
		t.Errorf("configs/devices/%s.yaml: the catalogue has no such type: give it a row, or take the file away", name)
	}
}

// differences says where a template and a type of the catalogue do not agree.
func differences(template templates.Template, typ catalog.Type) []string {
	var out []string
	differ := func(what string, template, catalogue any) {
		if a, b := fmt.Sprint(template), fmt.Sprint(catalogue); a != b {
			out = append(out, fmt.Sprintf("%s: the template says %s, the catalogue %s", what, a, b))
		}
	}
	differ("type", template.Type, typ.Name)
	differ("class", template.Class, typ.Class)
	var lines, roles, settings []string
	for _, l := range typ.Lines {
		roles = append(roles, fmt.Sprintf("%s out=%v %q", l.Role, l.Output, l.About))
	}
	for _, l := range template.Lines {
		lines = append(lines, fmt.Sprintf("%s out=%v %q", l.Role, l.Output, l.About))
	}
	differ("lines", lines, roles)
	var addresses []string
	for _, a := range typ.Addresses {
		addresses = append(addresses, fmt.Sprintf("0x%02x", a))
	}
	differ("addresses", template.Addresses, addresses)
	differ("behind a port", template.Port != "", typ.Port)
	differ("asks by a line", template.Interrupt != "", typ.Interrupts)
	for _, s := range typ.Settings {
		settings = append(settings, s.Name)
		i := slices.IndexFunc(template.Settings, func(other templates.Setting) bool { return other.Name == s.Name })
		if i < 0 {
			continue // the names differ, which is told below
		}
		other := template.Settings[i]
		differ(s.Name+": limits", []time.Duration{other.Min, other.Max}, []time.Duration{s.Min, s.Max})
		differ(s.Name+": choices", other.Choices, s.Choices)
		differ(s.Name+": default", normal(other.Default), normal(s.Default))
	}
	var given []string
	for _, s := range template.Settings {
		given = append(given, s.Name)
	}
	differ("settings", given, settings)
	return out
}

// normal writes a duration one way: 5m is 5m0s.
func normal(text string) string {
	if d, err := time.ParseDuration(text); err == nil {
		return d.String()
	}
	return text
}

// TestWhatTellsThePlacement: the limit switches of canisters do, whatever else is true.
func TestWhatTellsThePlacement(t *testing.T) {
	for name, template := range all(t) {
		if canister := template.Class == "canister"; canister != (template.Tells == templates.Placement) {
			t.Errorf("%s: class %s tells %s", name, template.Class, template.Tells)
		}
	}
}

// TestDifferencesAreFound spoils an agreement in each of its points.
func TestDifferencesAreFound(t *testing.T) {
	typ, _ := catalog.Find("shutter")
	template := all(t)["shutter"]
	if got := differences(template, typ); got != nil {
		t.Fatal(got)
	}
	for name, spoil := range map[string]func(*templates.Template){
		"class":     func(m *templates.Template) { m.Class = "light" },
		"line":      func(m *templates.Template) { m.Lines = m.Lines[1:] },
		"output":    func(m *templates.Template) { m.Lines[0].Output = false },
		"limit":     func(m *templates.Template) { m.Settings[1].Max++ },
		"default":   func(m *templates.Template) { m.Settings[1].Default = "801ms" },
		"setting":   func(m *templates.Template) { m.Settings = m.Settings[:2] },
		"name":      func(m *templates.Template) { m.Settings[2].Name = "long" },
		"choices":   func(m *templates.Template) { m.Settings[0].Choices = []string{"a"} },
		"interrupt": func(m *templates.Template) { m.Interrupt = "asks" },
		"an I2C":    func(m *templates.Template) { m.Addresses = []string{"0x20"} },
		"the type":  func(m *templates.Template) { m.Type = "shuter" },
	} {
		m := template
		m.Lines, m.Settings = slices.Clone(m.Lines), slices.Clone(m.Settings)
		spoil(&m)
		if got := differences(m, typ); len(got) == 0 {
			t.Errorf("%s: not found", name)
		}
	}
}

// TestTheBlueprintsTemplateReads: what people copy must be right.
func TestTheBlueprintsTemplateReads(t *testing.T) {
	file := filepath.Join("..", "..", "drivers", "blueprint", "template.yaml")
	src, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	template, err := templates.Parse(file, src)
	if err != nil || template.Type != "blueprint" {
		t.Errorf("%+v, %v", template, err)
	}
}
