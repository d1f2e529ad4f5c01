package configs_test

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"scentpost/configs"
	"scentpost/station/catalog"
	"scentpost/station/config"
	"scentpost/station/templates"
)

// drawing is the page on which the wiring of two-boards is drawn.
const drawing = "../firmware-bridge/firmware/README.md"

var (
	block = regexp.MustCompile("(?ms)^```([a-z]*)\n(.*?)^```")
	drawn = regexp.MustCompile(`(?m) ([AD][0-9]+) ├ (\S+(?: [0-9][A-Z]?)?) `)
)

// TestTheDrawingIsTheConfiguration: each pin that is drawn is that of two-boards, with the same thing on it, and what the page
// shows of the configuration is in it.
func TestTheDrawingIsTheConfiguration(t *testing.T) {
	page, err := os.ReadFile(drawing)
	if err != nil {
		t.Fatal(err)
	}
	file, src, err := configs.Files{}.Read(configs.Stations, "two-boards")
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Read(file, src, catalog.Types())
	if err != nil {
		t.Fatal(err)
	}
	shown, snippets := map[string]string{}, 0
	for _, b := range block.FindAllStringSubmatch(string(page), -1) {
		switch first, second, whole := strings.Cut(b[2], "nano-2, "); {
		case whole:
			maps.Copy(shown, pinsOf("nano-1", first))
			maps.Copy(shown, pinsOf("nano-2", second))
		case b[1] == "yaml":
			snippets++
			if !strings.Contains(string(src), b[2]) {
				t.Errorf("%s shows what %s does not say:\n%s", drawing, file, b[2])
			}
		}
	}
	if want := onBoards(cfg); !maps.Equal(shown, want) || len(want) != 20 || snippets != 2 {
		t.Errorf("%d snippets; drawn and configured:\n%s\n%s", snippets, list(shown), list(want))
	}
	if strings.Contains(string(page), "virtual-boards") {
		t.Errorf("%s tells of virtual-boards, which is not what it draws", drawing)
	}
}

// pinsOf returns what a drawing has on the pins of a board.
func pinsOf(board, text string) map[string]string {
	found := map[string]string{}
	for _, m := range drawn.FindAllStringSubmatch(text, -1) {
		found[board+":"+m[1]] = m[2]
	}
	return found
}

// onBoards returns what a configuration has on its lines, as a drawing calls it.
func onBoards(cfg config.Config) map[string]string {
	all := map[string]string{}
	for _, d := range cfg.Devices {
		for role, line := range d.Lines {
			switch d.Type.Class {
			case templates.Canister:
				all[line] = role + " " + d.Canister
			case templates.Beam:
				all[line] = fmt.Sprint("beam ", d.Position)
			case templates.Button:
				all[line] = d.Values.Choices[templates.SettingRole]
			default:
				all[line] = d.Name
			}
		}
	}
	return all
}

func list(pins map[string]string) string {
	var out []string
	for _, pin := range slices.Sorted(maps.Keys(pins)) {
		out = append(out, pin+" "+pins[pin])
	}
	return strings.Join(out, ", ")
}
