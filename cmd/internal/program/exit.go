package program

import (
	"errors"
	"fmt"
	"strings"

	"scentpost/station/event"
)

// The exit codes of all programs; Codes says what they mean.
const (
	ExitFine  = 0
	ExitNo    = 1
	ExitUsage = 2
	// ExitAbsent is for a command whose answer is another program's, when that one does not answer: for scripts that
	// must tell "no" from "no answer". All other commands exit 1 then.
	ExitAbsent     = 3
	ExitDraft      = 4
	ExitPacked     = 5
	ExitUnfinished = 6
)

// Code is one row of the table of exit codes.
type Code struct {
	Code  int
	Means string
}

// Codes returns the table of exit codes. The help of every program prints it, and README.md has it.
func Codes() []Code {
	return []Code{
		{ExitFine, "fine, or the answer is yes"},
		{ExitNo, "the answer is no, or the program failed"},
		{ExitUsage, "wrong use or bad input (the unit does not start scentpostd again after it)"},
		{ExitAbsent, "no daemon answers (scentpost station busy only)"},
		{ExitDraft, "made under another draft or law than this program's: use the version that wrote it (the unit: as after 2)"},
		{ExitPacked, "a bundle is packed differently than a station packs it"},
		{ExitUnfinished, "a session has not ended: its record holds as far as it goes"},
	}
}

// help returns the table as the help of a program prints it.
func help() string {
	var text strings.Builder
	text.WriteString("Exit codes:\n\n")
	for _, c := range Codes() {
		fmt.Fprintf(&text, "    %d  %s\n", c.Code, c.Means)
	}
	return text.String()
}

// exitError is an error with the exit code that it ends the program with.
type exitError struct {
	code int
	error
}

// Unwrap returns the error itself.
func (e exitError) Unwrap() error { return e.error }

// No marks an error as the answer no.
func No(err error) error { return exitError{ExitNo, err} }

// Usage marks an error as wrong use or bad input.
func Usage(err error) error { return exitError{ExitUsage, err} }

// Absent marks an error as one of a daemon that does not answer.
func Absent(err error) error { return exitError{ExitAbsent, err} }

// Unfinished marks an error as one of a session that has not ended.
func Unfinished(err error) error { return exitError{ExitUnfinished, err} }

// Packed marks an error as one of a bundle that somebody packed again.
func Packed(err error) error { return exitError{ExitPacked, err} }

// ErrAnswered ends a command whose answer stands on standard output already.
var ErrAnswered = errors.New("the answer is given")

// Answered keeps the exit code of an error that stands on standard output already.
func Answered(err error) error { return exitError{codeOf(err), ErrAnswered} }

// codeOf returns the exit code of an error. Another draft or law is one wherever it was met; an error that is not marked
// exits 1.
func codeOf(err error) int {
	var coded exitError
	switch {
	case errors.As(err, new(*event.UnknownLaw)):
		return ExitDraft
	case errors.As(err, &coded):
		return coded.code
	}
	return ExitNo
}
