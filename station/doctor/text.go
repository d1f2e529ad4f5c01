package doctor

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// Write writes a report for a person: what was asked, a line for each device, and each thing to do once.
func Write(w io.Writer, r Report) {
	fmt.Fprintf(w, "station %s, driver %s, as %s: ", r.Station, r.Driver, r.Account)
	switch {
	case r.Asked == "":
		fmt.Fprintln(w, "no daemon runs here, so the machine was looked at; no line was asked for, and nothing was driven")
	case r.Sealed:
		fmt.Fprintf(w, "the daemon at %s was asked; a session is sealed: what could tell something of a canister is shown as it was at the seal, and the rest after the reveal\n", r.Asked)
	default:
		fmt.Fprintf(w, "the daemon at %s was asked; no bus was read, no line was asked for, and nothing was driven\n", r.Asked)
	}
	for _, note := range r.Notes {
		fmt.Fprintf(w, "note: %s\n", note)
	}
	var todo []string
	for _, f := range slices.Concat(r.Places, r.Devices) {
		todo = writeDevice(w, f, r, todo)
	}
	for i, do := range todo {
		fmt.Fprintf(w, "[%d] %s\n", i+1, do)
	}
	if r.Next != "" {
		fmt.Fprintf(w, "the daemon says what comes next: %s\n", r.Next)
	}
	if r.Blocked() > 0 {
		fmt.Fprintf(w, "the daemon cannot run here as %s\n", r.Account)
	}
	if n := r.Wrong(); n > 0 {
		fmt.Fprintf(w, "%d of %d devices are missing or at fault\n", n, len(r.Devices))
		return
	}
	if n := r.untold(); n > 0 {
		fmt.Fprintf(w, "nothing is known to be wrong; of %d devices nothing is told before the reveal\n", n)
		return
	}
	fmt.Fprintf(w, "all %d devices are found\n", len(r.Devices))
}

// untold counts the devices of which nothing can be told before the reveal.
func (r Report) untold() (n int) {
	for _, f := range r.Devices {
		if f.Untold {
			n++
		}
	}
	return n
}

// writeDevice writes what was found of a device, and returns what there is to do so far.
func writeDevice(w io.Writer, f Finding, r Report, todo []string) []string {
	name, typ := 0, 0
	for _, other := range slices.Concat(r.Places, r.Devices) {
		name, typ = max(name, len(other.Device)), max(typ, len(other.Type))
	}
	word := "found  "
	switch {
	case f.Untold:
		word = "untold "
	case !f.Found:
		word = "MISSING"
	case len(f.Problems) > 0:
		word = "FAULT  "
	}
	head := fmt.Sprintf("%s  %-*s  %-*s  ", word, name, f.Device, typ, f.Type)
	if f.AtSeal {
		head += "(at the seal) "
	}
	if len(f.Problems) == 0 {
		fmt.Fprintln(w, strings.TrimRight(head+f.Where, " "))
		return todo
	}
	for _, p := range f.Problems {
		i := slices.Index(todo, p.Do)
		if i < 0 {
			i = len(todo)
			todo = append(todo, p.Do)
		}
		fmt.Fprintf(w, "%s%s [%d]\n", head, p.What, i+1)
		head = strings.Repeat(" ", len(head))
	}
	if f.Wiring != "" {
		fmt.Fprintf(w, "%swiring of a %s: %s\n", head, f.Type, f.Wiring)
	}
	return todo
}
