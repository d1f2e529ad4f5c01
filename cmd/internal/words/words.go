// Package words says on a terminal what the station tells in codes: why it refuses, what it waits for, how a session stands.
package words

import (
	"errors"
	"strings"

	"scentpost/station/control"
	"scentpost/station/control/socket"
	"scentpost/station/refusal"
)

// Of says a reason, "" for none. A code without words is said with its values: a station of another version has it.
func Of(why *refusal.Reason) string {
	if why == nil {
		return ""
	}
	text, known := said[why.Code]
	if !known {
		return why.Error()
	}
	return why.Fill(text)
}

// Refused says why a station said no, and what to do first; where no command comes first, what the station waits for now. A
// simulated station says in a first line that it is one.
func Refused(r control.Response) error {
	if r.Refused == nil {
		return errors.New("the daemon says no without a reason: it may be of another version than this program")
	}
	text := Of(r.Refused) + first(r.First)
	if r.Status != nil && len(r.First) == 0 {
		text += "; next: " + Next(r.Status)
	}
	if r.Simulated {
		text = Simulated + "\n" + text
	}
	return errors.New(text)
}

// first says which commands come first, "" for none.
func first(commands []string) string {
	if len(commands) == 0 {
		return ""
	}
	before := ""
	if commands[0] == "close" {
		if before, commands = "close the one before", commands[1:]; len(commands) == 0 {
			return ": " + before + " first"
		}
		before += ", then "
	}
	which := "it"
	if commands[0] == "open" {
		which = "a session"
	}
	return ": " + before + listed(commands) + " " + which + " first"
}

// listed joins words as people do.
func listed(words []string) string {
	last := len(words) - 1
	if last == 0 {
		return words[0]
	}
	return strings.Join(words[:last], ", ") + " and " + words[last]
}

// Error says an error of package socket in words, and wraps it. Every other error is returned as it is, one that wraps an
// error of the socket too.
func Error(err error) error {
	failed, ok := err.(*socket.Error)
	if !ok {
		return err
	}
	return worded{Of(failed.Why), err}
}

// worded is an error in other words.
type worded struct {
	text string
	of   error
}

// Error returns the words.
func (w worded) Error() string { return w.text }

// Unwrap returns the error that is said.
func (w worded) Unwrap() error { return w.of }
