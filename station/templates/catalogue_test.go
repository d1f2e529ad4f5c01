package templates_test

import (
	"os"
	"path/filepath"
	"testing"

	"scentpost/station/catalog"
	"scentpost/station/templates"
)

// all are the templates of the catalogue, by name.
func all() map[string]templates.Template {
	out := map[string]templates.Template{}
	for _, t := range catalog.Types() {
		out[t.Name] = t.Template
	}
	return out
}

// TestTheBlueprintsTemplateReads: what people copy must be right.
func TestTheBlueprintsTemplateReads(t *testing.T) {
	file := filepath.Join("..", "..", "drivers", "blueprint", "template.yaml")
	src, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	template, err := templates.Parse(file, src, templates.Classes())
	if err != nil || template.Name != "blueprint" {
		t.Errorf("%+v, %v", template, err)
	}
}
