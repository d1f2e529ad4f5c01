package strict

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// maxProblems is how many problems of one file are kept: more than a person mends in one go, and a bound for a
// file that is wrong in every line.
const maxProblems = 100

// Problem is one thing that is wrong in a file, and where.
type Problem struct {
	// Line and Column count from 1, columns in characters; 0 where the problem has no place.
	Line, Column int
	// Field is the path of the value, such as "targets.per_run" or "devices[3].lines.drive"; "" for the file itself.
	Field string
	// Message says what is wrong and what was expected.
	Message string
	// Hint says what to do next; "" where the message says it all.
	Hint string
}

// Problems is the error that holds everything that is wrong in one file, in the order of the places.
type Problems struct {
	// File is the name of the file as the caller gave it.
	File string
	// List holds the problems by line and column.
	List []Problem
	// Omitted counts the problems past the limit of 100.
	Omitted int
}

// Error lists the problems one a line: file:line:column: field: message (hint).
func (p *Problems) Error() string {
	var b strings.Builder
	for i, one := range p.List {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(p.File)
		if one.Line > 0 {
			fmt.Fprintf(&b, ":%d:%d", one.Line, one.Column)
		}
		b.WriteString(": ")
		if one.Field != "" {
			b.WriteString(one.Field + ": ")
		}
		b.WriteString(one.Message)
		if one.Hint != "" {
			b.WriteString(" (" + one.Hint + ")")
		}
	}
	if p.Omitted > 0 {
		fmt.Fprintf(&b, "\n%s: and %d more problems (mend these first)", p.File, p.Omitted)
	}
	return b.String()
}

// add keeps a problem once, as long as there is room.
func (p *Problems) add(one Problem) {
	switch {
	case slices.Contains(p.List, one):
	case len(p.List) >= maxProblems:
		p.Omitted++
	default:
		p.List = append(p.List, one)
	}
}

// sorted puts the problems in the order of their places, keeping the order of those at one place.
func (p *Problems) sorted() *Problems {
	slices.SortStableFunc(p.List, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return p
}

// hinted is an error that carries the next step apart from the message.
type hinted struct{ message, hint string }

// Error returns the message with its hint.
func (h *hinted) Error() string {
	if h.hint == "" {
		return h.message
	}
	return h.message + " (" + h.hint + ")"
}

// Errorf returns an error for Scalar.UnmarshalStrict whose hint is kept apart from its message.
func Errorf(hint, format string, args ...any) error {
	return &hinted{message: fmt.Sprintf(format, args...), hint: hint}
}

// Listed writes names as people list them, "none" when there are none.
func Listed(names []string) string {
	switch n := len(names); n {
	case 0:
		return "none"
	case 1:
		return names[0]
	default:
		return strings.Join(names[:n-1], ", ") + " and " + names[n-1]
	}
}

// Quote returns text in quotes for a message: cut short, since a bad value can be a megabyte.
func Quote(text string) string {
	const enough = 60 // characters that show which value is meant
	if runes := []rune(text[:min(len(text), 4*enough)]); len(runes) > enough {
		text = string(runes[:enough]) + "..."
	}
	return fmt.Sprintf("%q", text)
}
