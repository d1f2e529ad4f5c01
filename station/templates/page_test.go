package templates_test

import (
	"bytes"
	"cmp"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"scentpost/configs"
	"scentpost/station/catalog"
	"scentpost/station/config"
	"scentpost/station/templates"
)

var update = flag.Bool("update", false, "write the page of the devices anew")

// page is where the page of all types lies.
const page = "../../configs/devices/README.md"

// inOrder reads every template in the order of their names.
func inOrder(t *testing.T) []templates.Template {
	t.Helper()
	names, err := configs.Files{}.Names(configs.Devices)
	if err != nil {
		t.Fatal(err)
	}
	files := all()
	var out []templates.Template
	for _, name := range names {
		out = append(out, files[name])
	}
	return out
}

// TestThePageIsMadeOfTheTemplates: whoever changes a template changes the page with it.
func TestThePageIsMadeOfTheTemplates(t *testing.T) {
	var want bytes.Buffer
	templates.Page(&want, inOrder(t))
	if *update {
		if err := os.WriteFile(page, want.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(page)
	if err != nil || !bytes.Equal(got, want.Bytes()) {
		t.Errorf("%s is not what the templates give (%v): go test ./station/templates -run Page -update writes it anew", filepath.Base(page), err)
	}
}

// TestThePageSaysAllOfATemplate: no fact of a template is left out, in either form.
func TestThePageSaysAllOfATemplate(t *testing.T) {
	for _, one := range inOrder(t) {
		var markdown, text, list bytes.Buffer
		templates.Markdown(&markdown, one)
		templates.Text(&text, one)
		templates.List(&list, []templates.Template{one})
		facts := []string{one.Name, one.Title, one.Class.Name, one.About, one.Wiring, one.Accuracy, one.Safe, one.OnLoss,
			one.Datasheet.Name, one.Datasheet.Edition, one.Datasheet.None}
		facts = append(facts, one.Addresses...)
		for _, l := range one.Lines {
			facts = append(facts, l.Role, l.About)
		}
		for _, s := range one.Settings {
			facts = append(append(facts, s.Name, s.About, s.Default), s.Choices...)
		}
		for name, got := range map[string]string{"markdown": markdown.String() + one.Class.Name, "text": text.String()} {
			got = strings.Join(strings.Fields(got), " ")
			for _, fact := range facts {
				if !strings.Contains(got, strings.Join(strings.Fields(fact), " ")) {
					t.Errorf("%s of %s does not say %q", name, one.Name, fact)
				}
			}
		}
		if !strings.Contains(list.String(), one.Title) {
			t.Errorf("the list does not say %q: %s", one.Title, &list)
		}
	}
}

// TestEveryExampleIsSound: what the page shows can be copied into a configuration.
func TestEveryExampleIsSound(t *testing.T) {
	for _, one := range inOrder(t) {
		wiring := cmp.Or(templates.ExampleWiring(one), "{}")
		text := "site: s\nstation: t\ndata: d\nsocket: s\ndriver: {type: linux, lines: " + wiring + "}\npositions: 1\ndevices:\n  " +
			strings.ReplaceAll(templates.Example(one), "\n", "\n  ") + "\n"
		c, err := config.Read("example.yaml", []byte(text), catalog.Types())
		if err != nil {
			t.Errorf("%v\n%s", err, text)
		}
		for _, w := range c.Warnings {
			if w.Field != "devices" { // the rest of a station is not there
				t.Errorf("%s: %s", one.Name, w.Message)
			}
		}
	}
}
