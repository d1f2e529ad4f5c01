package main

import (
	"fmt"
	"slices"

	"scentpost/cmd/internal/program"
	"scentpost/configs"
	"scentpost/station/strict"
	"scentpost/station/templates"
)

type devicesCmd struct {
	Type     string `arg:"" optional:"" help:"One type of device; without it all are listed."`
	Markdown bool   `help:"Print the page in Markdown."`
}

// Run prints what is known of the types of devices.
func (c devicesCmd) Run(out program.Streams) error {
	all, err := deviceTemplates()
	if err != nil {
		return err
	}
	if c.Type == "" {
		if c.Markdown {
			templates.Page(out.Out, all)
			return nil
		}
		templates.List(out.Out, all)
		return nil
	}
	i := slices.IndexFunc(all, func(t templates.Template) bool { return t.Type == c.Type })
	if i < 0 {
		var names []string
		for _, t := range all {
			names = append(names, t.Type)
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
func deviceTemplates() ([]templates.Template, error) {
	names, err := configs.Files{}.Names(configs.Devices)
	if err != nil {
		return nil, err
	}
	var all []templates.Template
	for _, name := range names {
		file, src, err := configs.Files{}.Read(configs.Devices, name)
		if err != nil {
			return nil, err
		}
		one, err := templates.Parse(file, src)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}
