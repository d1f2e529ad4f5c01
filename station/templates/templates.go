// Package templates reads device templates, which say as data what a type of device is, how it is wired and what it can
// tell.
//
// A type is a template with what makes its parts: a row of package catalog. The check of a configuration, the doctor, the
// pages about devices, the station and its simulation all go by it.
package templates

import (
	"fmt"
	"regexp"
	"slices"
	"time"

	"scentpost/station/strict"
)

// Tells says what can be learnt about a run from what a device gives, and so what is sealed until the reveal.
type Tells string

// What devices tell.
const (
	Nothing   Tells = "nothing"   // public: everybody at the place sees it
	Placement Tells = "placement" // which canister moved: samples and faults are sealed
	Content   Tells = "content"   // what is in a canister: samples and faults are sealed, and so is that there are any
)

// Type is one type of device: its template, and what makes its parts.
type Type struct {
	Template
	// Part is for whoever puts the devices of a configuration to work: one of the constructors of package catalog.
	Part Part
}

// Part makes the part of a device.
type Part interface {
	// Fits returns why a template does not describe what is made, nil when it does.
	Fits(Template) error
}

// Template is what is known of a type of device.
type Template struct {
	Name   string // the word in a station's configuration
	Class  Class
	Title  string
	About  string
	Wiring string
	// Lines are those that it needs; none for a device on I2C, which has Addresses.
	Lines     []Line
	Addresses []string
	// Port is what its serial port is, for a device behind one; "" for every other.
	Port string
	// Interrupt is what the line means that a device on I2C may ask with; "" for one that does not ask.
	Interrupt string
	// Carries is what it offers to other devices, nil for a type that carries no lines.
	Carries   *Carries
	Settings  []Setting
	Datasheet Datasheet
	Accuracy  string
	Tells     Tells
	// Safe is its safe state; OnLoss what becomes of it when the daemon is gone.
	Safe, OnLoss string
}

// Line is one line of a device.
type Line struct {
	Role   string
	Output bool
	About  string
}

// Setting is one setting of a device: a word of Choices, or a duration from Min to Max.
type Setting struct {
	Name, About string
	Choices     []string
	Min, Max    time.Duration
	Default     string // "": the configuration must say it
}

// Carries is what a type offers that carries lines for other devices.
type Carries struct {
	// Pins are the names of its lines, as they stand after its own name and a colon: A0 of exp-1:A0.
	Pins []string
	// OutputsOnly are those of Pins that may not be inputs.
	OutputsOnly []string
	// Biases are those that it can give to a pin; it can always give none.
	Biases []string
	// Supply is what a resistor pulls its pins up to, such as 5 V.
	Supply string
	// NoPins says of names that people look for why they are no pins; "" where there is nothing to say.
	NoPins string
	// Polled is set where its inputs are read now and then: what is over before it is read leaves nothing.
	Polled bool
	// Holds is set where its outputs keep their level when the daemon is lost.
	Holds bool
}

// Line returns the line of a role.
func (t Template) Line(role string) (Line, bool) {
	i := slices.IndexFunc(t.Lines, func(l Line) bool { return l.Role == role })
	if i < 0 {
		return Line{}, false
	}
	return t.Lines[i], true
}

// Drives tells whether the station drives a line of such a device.
func (t Template) Drives() bool {
	return slices.ContainsFunc(t.Lines, func(l Line) bool { return l.Output })
}

// OnI2C tells whether such a device is on an I2C bus.
func (t Template) OnI2C() bool { return len(t.Addresses) > 0 }

// Datasheet is where the facts come from. A device of many makers has none, and None says so.
type Datasheet struct{ Name, Edition, None string }

var (
	word    = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,31}$`)
	address = regexp.MustCompile(`^0x[0-7][0-9a-f]$`)
)

// file is the shape of a template's file.
type file struct {
	Type      string   `yaml:"type"`
	Class     string   `yaml:"class"`
	Title     string   `yaml:"title"`
	About     string   `yaml:"about"`
	Wiring    string   `yaml:"wiring"`
	Lines     []line   `yaml:"lines"`
	Addresses []string `yaml:"addresses"`
	Port      string   `yaml:"port"`
	Interrupt string   `yaml:"interrupt"`
	Carries   struct {
		Pins        []string `yaml:"pins"`
		OutputsOnly []string `yaml:"outputs_only"`
		Biases      []string `yaml:"biases"`
		Supply      string   `yaml:"supply"`
		NoPins      string   `yaml:"no_pins"`
		Polled      bool     `yaml:"polled"`
		Holds       bool     `yaml:"holds"`
	} `yaml:"carries"`
	Settings  []setting `yaml:"settings"`
	Datasheet struct {
		Name    string `yaml:"name"`
		Edition string `yaml:"edition"`
		None    string `yaml:"none"`
	} `yaml:"datasheet"`
	Accuracy string `yaml:"accuracy"`
	Tells    string `yaml:"tells"`
	Safe     string `yaml:"safe"`
	OnLoss   string `yaml:"on_loss"`
}

type line struct {
	Role      string `yaml:"role"`
	Direction string `yaml:"direction"`
	About     string `yaml:"about"`
}

type setting struct {
	Name    string        `yaml:"name"`
	About   string        `yaml:"about"`
	Unit    string        `yaml:"unit"`
	Choices []string      `yaml:"choices"`
	Min     time.Duration `yaml:"min"`
	Max     time.Duration `yaml:"max"`
	Default string        `yaml:"default"`
}

// reader checks one file; every problem goes to the document.
type reader struct {
	doc     *strict.Document
	classes []Class
	file    file
}

// Parse reads the template of a file, of one of the classes. The error has every problem with its place.
func Parse(name string, src []byte, classes []Class) (Template, error) {
	doc, err := strict.Parse(name, src)
	if err != nil {
		return Template{}, err
	}
	r := &reader{doc: doc, classes: classes}
	doc.Decode(&r.file)
	r.words()
	r.wires()
	r.carries()
	r.settings()
	r.source()
	if err := doc.Err(); err != nil {
		return Template{}, err
	}
	return r.template(), nil
}

// given notes a problem when a text is missing, and tells whether it is there.
func (r *reader) given(path, text, hint string) bool {
	if text == "" {
		r.doc.Problem(path, hint, "is missing")
	}
	return text != ""
}

// name checks a word of the configuration.
func (r *reader) name(path, text string) {
	if r.given(path, text, "a word of small letters, such as beam") && !word.MatchString(text) {
		r.doc.Problem(path, "small letters, digits, _ and -, at most 32", "%s is not a name", strict.Quote(text))
	}
}

// oneOf checks a choice.
func (r *reader) oneOf(path, text string, known []string) {
	if r.given(path, text, strict.DidYouMean("", known)) && !slices.Contains(known, text) {
		r.doc.Problem(path, strict.DidYouMean(text, known), "%s cannot be chosen", strict.Quote(text))
	}
}

func (r *reader) words() {
	f := r.file
	r.name("type", f.Type)
	r.oneOf("class", f.Class, classNames(r.classes))
	r.given("title", f.Title, "a few words for a heading")
	r.given("about", f.About, "what it is and what it is for, for somebody who never saw one")
	r.given("wiring", f.Wiring, "how it is wired, with voltages and pulls")
	r.oneOf("tells", f.Tells, []string{string(Nothing), string(Placement), string(Content)})
	r.given("accuracy", f.Accuracy, "how exact it is, with the conditions; or what is not known")
}

// wires checks the lines or addresses, and what an output needs besides.
func (r *reader) wires() {
	f := r.file
	ways := 0
	for _, given := range []bool{len(f.Lines) > 0, len(f.Addresses) > 0, f.Port != ""} {
		if given {
			ways++
		}
	}
	if ways != 1 {
		r.doc.Problem("lines", "give lines, the addresses of a device on I2C, or the port of one behind a serial port: one of them", "what it is reached by is not clear")
	}
	seen, outputs := map[string]bool{}, classOf(f.Class, r.classes).Carries
	for i, l := range f.Lines {
		at := fmt.Sprintf("lines[%d]", i)
		r.name(at+".role", l.Role)
		r.given(at+".about", l.About, "what active means")
		r.oneOf(at+".direction", l.Direction, []string{"in", "out"})
		r.once(seen, at+".role", l.Role)
		outputs = outputs || l.Direction == "out"
	}
	for i, a := range f.Addresses {
		at := fmt.Sprintf("addresses[%d]", i)
		if !address.MatchString(a) {
			r.doc.Problem(at, `seven bits in small letters and quotes, such as "0x76"`, "%s is no address", strict.Quote(a))
		}
		r.once(seen, at, a)
	}
	if i := slices.IndexFunc(f.Settings, func(s setting) bool { return s.Name == SettingAddress }); len(f.Addresses) > 0 && (i < 0 || !slices.Equal(f.Settings[i].Choices, f.Addresses)) {
		r.doc.Problem("addresses", "", "a setting %s with the same choices is expected", SettingAddress)
	}
	if f.Interrupt != "" && len(f.Addresses) == 0 {
		r.doc.Problem("interrupt", "give it as a line", "only a device on I2C asks by a line besides")
	}
	if outputs {
		r.given("safe", f.Safe, "the state that harms nobody, and how it gets there")
		r.given("on_loss", f.OnLoss, "what becomes of its outputs when the daemon is gone")
	}
}

// carries checks what a type offers that carries lines, which its class says.
func (r *reader) carries() {
	c, expected, given := r.file.Carries, classOf(r.file.Class, r.classes).Carries, r.doc.Has("carries")
	switch {
	case given && !expected:
		r.doc.Problem("carries", "take it away, or another class", "a device of this class carries no lines")
		return
	case expected && len(c.Pins) == 0:
		r.doc.Problem("carries.pins", "the names of its lines", "is missing")
	}
	if !expected {
		return
	}
	r.given("carries.supply", c.Supply, "what a resistor pulls its pins up to, such as 5 V")
	seen := map[string]bool{}
	for i, pin := range c.Pins {
		r.once(seen, fmt.Sprintf("carries.pins[%d]", i), pin)
	}
	for i, pin := range c.OutputsOnly {
		if !slices.Contains(c.Pins, pin) {
			r.doc.Problem(fmt.Sprintf("carries.outputs_only[%d]", i), strict.DidYouMean(pin, c.Pins), "%s is none of its pins", strict.Quote(pin))
		}
	}
}

func (r *reader) once(seen map[string]bool, path, text string) {
	if text != "" && seen[text] {
		r.doc.Problem(path, "", "%s is there twice", strict.Quote(text))
	}
	seen[text] = true
}

func (r *reader) settings() {
	seen := map[string]bool{}
	for i, s := range r.file.Settings {
		at := fmt.Sprintf("settings[%d]", i)
		r.name(at+".name", s.Name)
		r.once(seen, at+".name", s.Name)
		r.given(at+".about", s.About, "what it does, and what goes wrong when it is too small or too large")
		r.oneOf(at+".unit", s.Unit, []string{"duration", "word"})
		switch s.Unit {
		case "duration":
			r.duration(at, s)
		case "word":
			r.choice(at, s)
		}
	}
}

func (r *reader) duration(at string, s setting) {
	if s.Choices != nil {
		r.doc.Problem(at+".choices", "take them away", "a duration has limits, no choices")
	}
	if s.Min < 0 || s.Max <= s.Min {
		r.doc.Problem(at+".max", "", "limits from %s to %s hold nothing", s.Min, s.Max)
		return
	}
	d, err := time.ParseDuration(s.Default)
	if err != nil || d < s.Min || d > s.Max {
		r.doc.Problem(at+".default", "", "%s is no duration from %s to %s", strict.Quote(s.Default), s.Min, s.Max)
	}
}

func (r *reader) choice(at string, s setting) {
	if r.doc.Has(at+".min") || r.doc.Has(at+".max") {
		r.doc.Problem(at+".unit", "take min and max away", "a word has choices, no limits")
	}
	if len(s.Choices) == 0 {
		r.doc.Problem(at+".choices", "", "is missing: a word is chosen")
		return
	}
	seen := map[string]bool{}
	for i, c := range s.Choices {
		r.once(seen, fmt.Sprintf("%s.choices[%d]", at, i), c)
	}
	if s.Default != "" && !slices.Contains(s.Choices, s.Default) {
		r.doc.Problem(at+".default", strict.DidYouMean(s.Default, s.Choices), "%s cannot be chosen", strict.Quote(s.Default))
	}
}

// source checks that the file says where its facts come from.
func (r *reader) source() {
	d := r.file.Datasheet
	if d.None != "" {
		if d.Name != "" || d.Edition != "" {
			r.doc.Problem("datasheet.none", "take it away, or name and edition", "there is a data sheet and there is none")
		}
		return
	}
	if r.given("datasheet.name", d.Name, "the maker's document; or none: with the reason") {
		r.given("datasheet.edition", d.Edition, "its number, revision and date")
	}
}

// template is the file as a value, checked.
func (r *reader) template() Template {
	f := r.file
	t := Template{
		Name: f.Type, Class: classOf(f.Class, r.classes), Title: f.Title, About: f.About, Wiring: f.Wiring, Addresses: f.Addresses, Port: f.Port, Interrupt: f.Interrupt,
		Datasheet: Datasheet(f.Datasheet), Accuracy: f.Accuracy, Tells: Tells(f.Tells), Safe: f.Safe, OnLoss: f.OnLoss,
	}
	if t.Class.Carries {
		carries := Carries(f.Carries)
		t.Carries = &carries
	}
	for _, l := range f.Lines {
		t.Lines = append(t.Lines, Line{Role: l.Role, Output: l.Direction == "out", About: l.About})
	}
	for _, s := range f.Settings {
		t.Settings = append(t.Settings, Setting{Name: s.Name, About: s.About, Choices: s.Choices, Min: s.Min, Max: s.Max, Default: s.Default})
	}
	return t
}
