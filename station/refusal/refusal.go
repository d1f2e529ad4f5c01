// Package refusal says why a station does not do something: a code with values. Programs go by the code; each program
// that shows it to people has the words.
package refusal

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// Code names one reason, in small letters and hyphens ("no-run"). It is an interface: a code keeps its meaning. Every
// code is a constant of this type in the package that refuses for it.
type Code string

// Detail names the value that holds English text without a code of its own, such as the error of a system call or
// the problems of a file.
const Detail = "detail"

// Reason is one reason. It tells nothing of a placement: everybody may see it. It does not change.
type Reason struct {
	Code Code `json:"code"`
	// Values are what the code is about, by name. A name ends in its unit where it has one ("needed_ms").
	Values map[string]string `json:"values,omitempty"`
}

// New returns a reason. The values are pairs of a name and a value: a text, a number, or a slice, whose elements are
// listed with commas. nil stands for no reason, so a function returns *Reason and never an error that holds one.
func New(code Code, values ...any) *Reason {
	r := &Reason{Code: code}
	for pair := range slices.Chunk(values, 2) {
		if r.Values == nil {
			r.Values = map[string]string{}
		}
		r.Values[fmt.Sprint(pair[0])] = text(pair[len(pair)-1])
	}
	return r
}

func text(value any) string {
	list := reflect.ValueOf(value)
	if list.Kind() != reflect.Slice {
		return fmt.Sprint(value)
	}
	all := make([]string, list.Len())
	for i := range all {
		all[i] = fmt.Sprint(list.Index(i).Interface())
	}
	return strings.Join(all, ", ")
}

// Says tells whether there is a reason, and it has this code.
func (r *Reason) Says(code Code) bool { return r != nil && r.Code == code }

// Same tells whether two reasons say the same, or there is neither.
func (r *Reason) Same(other *Reason) bool {
	if r == nil || other == nil {
		return r == other
	}
	return r.Code == other.Code && maps.Equal(r.Values, other.Values)
}

// Value returns a value by its name, "" when there is none.
func (r *Reason) Value(name string) string { return r.Values[name] }

// Fill puts the values into a template, each in the place of its name in braces ("position {position}").
func (r *Reason) Fill(template string) string {
	pairs := make([]string, 0, 2*len(r.Values))
	for name, value := range r.Values {
		pairs = append(pairs, "{"+name+"}", value)
	}
	return strings.NewReplacer(pairs...).Replace(template)
}

// Error gives code and values, for logs and tests.
func (r *Reason) Error() string {
	names := make([]string, 0, len(r.Values))
	for name := range r.Values {
		names = append(names, name)
	}
	slices.Sort(names)
	for i, name := range names {
		names[i] = name + " " + r.Values[name]
	}
	if len(names) == 0 {
		return string(r.Code)
	}
	return string(r.Code) + " (" + strings.Join(names, ", ") + ")"
}
