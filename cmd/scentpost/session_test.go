package main

import (
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"scentpost/station/control"
)

// TestEveryCommandOfTheTableCanBeTyped: each one that asks something of a session is a command of "scentpost session" with a
// flag or an argument for each of its arguments; and no other is there.
func TestEveryCommandOfTheTableCanBeTyped(t *testing.T) {
	parser, err := kong.New(&cli{}, kong.Name("scentpost"))
	if err != nil {
		t.Fatal(err)
	}
	typed := map[string]*kong.Node{}
	for _, group := range parser.Model.Children {
		if group.Name == "session" {
			for _, c := range group.Children {
				typed[c.Name] = c
			}
		}
	}
	// Arguments that are typed under another name, or with another one.
	other := map[string]string{
		"plan_name": "plan", "rule": "plan", "alone": "station-alone", "between": "position", "nowhere": "position",
		"all_back": "all-back", "close note": "remark",
	}
	delete(typed, "request") // it shows a part of the status
	for _, c := range control.Commands() {
		node := typed[c.Name]
		delete(typed, c.Name)
		if !c.Asks() {
			continue
		}
		if node == nil {
			t.Errorf("scentpost session %s: there is no such command", c.Name)
			continue
		}
		names := map[string]bool{}
		for _, p := range node.Positional {
			names[p.Name] = true
		}
		for _, f := range node.Flags {
			names[f.Name] = true
		}
		for _, a := range append(c.Needs, c.Takes...) {
			name := a.Name
			if o, known := other[name]; known {
				name = o
			} else if o, known := other[c.Name+" "+name]; known {
				name = o
			}
			if !names[name] {
				t.Errorf("scentpost session %s has no %s for %s", c.Name, name, a.Name)
			}
		}
		if strings.TrimSpace(node.Help) == "" {
			t.Errorf("scentpost session %s has no help", c.Name)
		}
	}
	for name := range typed {
		t.Errorf("scentpost session %s is in no table of commands", name)
	}
}
