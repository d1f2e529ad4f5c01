package config

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"scentpost/station/strict"
	"scentpost/station/templates"
)

// pinsHint says which pins a carrier has: the nearest name would be another pin, which may be in use.
func pinsHint(c templates.Carries, wrong string) string {
	if i := slices.IndexFunc(c.Pins, func(pin string) bool { return strings.EqualFold(pin, wrong) }); i >= 0 {
		return fmt.Sprintf("did you mean %q?", c.Pins[i])
	}
	hint := "its pins are " + spans(c.Pins)
	if c.NoPins != "" {
		hint += "; " + c.NoPins
	}
	return hint
}

var numbered = regexp.MustCompile(`^(.*?)([0-9]{1,4})$`)

// spans writes names shortly that count up: "D2 to D12 and A0 to A5".
func spans(names []string) string {
	var runs []string
	for i := 0; i < len(names); {
		end := i
		for end+1 < len(names) && follows(names[end], names[end+1]) {
			end++
		}
		run := names[i]
		if end > i {
			run += " to " + names[end]
		}
		runs = append(runs, run)
		i = end + 1
	}
	return strict.Listed(runs)
}

// follows tells whether a name is another with its number one higher.
func follows(before, name string) bool {
	a, b := numbered.FindStringSubmatch(before), numbered.FindStringSubmatch(name)
	if a == nil || b == nil || a[1] != b[1] {
		return false
	}
	x, _ := strconv.Atoi(a[2]) // up to four digits
	y, _ := strconv.Atoi(b[2])
	return y == x+1
}
