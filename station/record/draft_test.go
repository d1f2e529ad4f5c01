package record

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"scentpost/station/event"
)

// TestThePageSaysItsDraft: whoever raises the draft says in FORMAT.md what it changed.
func TestThePageSaysItsDraft(t *testing.T) {
	page, err := os.ReadFile("FORMAT.md")
	if err != nil {
		t.Fatal(err)
	}
	row := "|---|---|\n"
	for n := event.Draft; n >= event.FirstDraft; n-- { // newest first, each said
		row += fmt.Sprintf("| %d | ", n)
		if !strings.Contains(string(page), row) {
			t.Fatalf("the list of drafts in FORMAT.md lacks %q", row)
		}
		_, rest, _ := strings.Cut(string(page), row)
		line, _, _ := strings.Cut(rest, "\n")
		row += line + "\n"
	}
	if want := fmt.Sprintf("What this page says is **draft %d**", event.Draft); !strings.Contains(string(page), want) {
		t.Errorf("FORMAT.md does not say %q", want)
	}
}
