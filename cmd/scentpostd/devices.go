package main

import (
	"fmt"
	"slices"
	"strings"

	"scentpost/cmd/internal/program"
	"scentpost/station/catalog"
	"scentpost/station/strict"
	"scentpost/station/templates"
)

type devicesCmd struct {
	Type     string `arg:"" optional:"" help:"One type of device; without it all are listed."`
	Markdown bool   `help:"Print the page in Markdown."`
}

// Run prints what is known of the types of devices.
func (c devicesCmd) Run(out program.Streams) error {
	all := deviceTemplates()
	if c.Type == "" {
		if c.Markdown {
			templates.Page(out.Out, all)
			return nil
		}
		templates.List(out.Out, all)
		return nil
	}
	i := slices.IndexFunc(all, func(t templates.Template) bool { return t.Name == c.Type })
	if i < 0 {
		var names []string
		for _, t := range all {
			names = append(names, t.Name)
		}
		return program.Usage(fmt.Errorf("%s is no type of device (%s)", strict.Quote(c.Type), strict.DidYouMean(c.Type, names)))
	}
	if c.Markdown {
		templates.Markdown(out.Out, all[i])
		return nil
	}
	templates.Text(out.Out, all[i])
	return nil
}

// deviceTemplates returns the templates of all types of devices, by name.
func deviceTemplates() (all []templates.Template) {
	for _, t := range catalog.Types() {
		all = append(all, t.Template)
	}
	slices.SortFunc(all, func(a, b templates.Template) int { return strings.Compare(a.Name, b.Name) })
	return all
}
