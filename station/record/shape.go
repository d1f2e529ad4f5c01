package record

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"

	"scentpost/station/event"
)

// A shape is how one Go type of package event is written as JSON, worked out once from its struct tags. There is
// exactly one way to write a value: fields in the order of the struct, fields marked omitempty left out when
// empty, an empty list as [], no null, no space.
type shape struct {
	form   form
	typ    reflect.Type
	fields []field // of an object
	elem   *shape  // of a list
}

type form uint8

const (
	object  form = iota
	list         // [...]
	text         // "..."
	number       // an int, plain
	decimal      // an int64, as a string of digits
	truth        // true or false
)

type field struct {
	index []int
	key   string // `"position":`
	name  string
	omit  bool
	shape *shape
}

// shapesOf are the bodies of one kind of event, nil where it has none.
type shapesOf struct{ public, sealed *shape }

// shapes is made from the one table of kinds in package event. A body that could not be written on every machine
// alike (a float, a map, a plain int64) stops every program at its start, hence in the first test that is run.
var shapes = func() map[event.Type]shapesOf {
	all := make(map[event.Type]shapesOf)
	for _, t := range event.Types() {
		all[t] = shapesOf{public: bodyShape(event.NewBody(t)), sealed: bodyShape(event.NewSecret(t))}
	}
	return all
}()

func bodyShape(body any) *shape {
	if body == nil {
		return nil
	}
	return shapeOf(reflect.TypeOf(body).Elem(), false)
}

func shapeOf(t reflect.Type, quoted bool) *shape {
	switch t.Kind() {
	case reflect.String:
		return &shape{form: text, typ: t}
	case reflect.Bool:
		return &shape{form: truth, typ: t}
	case reflect.Int:
		return &shape{form: number, typ: t}
	case reflect.Int64:
		if quoted {
			return &shape{form: decimal, typ: t}
		}
	case reflect.Slice:
		return &shape{form: list, typ: t, elem: shapeOf(t.Elem(), false)}
	case reflect.Struct:
		return objectShape(t)
	}
	panic("record: " + t.String() + " cannot be written alike on every machine: use string, bool, int, int64 with the option string, lists and structs of them")
}

func objectShape(t reflect.Type) *shape {
	s := &shape{form: object, typ: t}
	for _, f := range reflect.VisibleFields(t) {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous && name == "" && f.Type.Kind() == reflect.Struct {
			continue // its fields follow
		}
		if name == "" || !f.IsExported() {
			panic("record: " + t.String() + "." + f.Name + " needs an exported name and a json tag")
		}
		s.fields = append(s.fields, field{
			index: f.Index,
			key:   `"` + name + `":`,
			name:  name,
			omit:  strings.Contains(options, "omitempty"),
			shape: shapeOf(f.Type, strings.Contains(options, "string")),
		})
	}
	return s
}

// appendBody writes the struct that body points to.
func (s *shape) appendBody(dst []byte, body any) ([]byte, error) {
	v := reflect.ValueOf(body)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Type().Elem() != s.typ {
		return dst, fmt.Errorf(": want a *%s, have %T", s.typ, body)
	}
	return s.append(dst, v.Elem())
}

// append writes v. An error begins with the path to the value that cannot be written: ".people[1].ref: ...".
func (s *shape) append(dst []byte, v reflect.Value) (_ []byte, err error) {
	switch s.form {
	case object:
		return s.appendObject(dst, v)
	case list:
		return s.appendList(dst, v)
	case text:
		if dst, err = appendText(dst, v.String()); err != nil {
			return dst, fmt.Errorf(": %w", err)
		}
	case number:
		n := v.Int()
		if n > maxInt || n < -maxInt {
			return dst, fmt.Errorf(": %d is beyond %d", n, maxInt)
		}
		dst = strconv.AppendInt(dst, n, 10)
	case decimal:
		dst = append(dst, '"')
		dst = strconv.AppendInt(dst, v.Int(), 10)
		dst = append(dst, '"')
	case truth:
		dst = strconv.AppendBool(dst, v.Bool())
	}
	return dst, nil
}

func (s *shape) appendObject(dst []byte, v reflect.Value) (_ []byte, err error) {
	dst = append(dst, '{')
	open := len(dst)
	for i := range s.fields {
		f := &s.fields[i]
		value := v.FieldByIndex(f.index)
		if f.omit && isEmpty(f.shape.form, value) {
			continue
		}
		if len(dst) > open {
			dst = append(dst, ',')
		}
		dst = append(dst, f.key...)
		if dst, err = f.shape.append(dst, value); err != nil {
			return dst, fmt.Errorf(".%s%w", f.name, err)
		}
	}
	return append(dst, '}'), nil
}

func (s *shape) appendList(dst []byte, v reflect.Value) (_ []byte, err error) {
	dst = append(dst, '[')
	for i := range v.Len() {
		if i > 0 {
			dst = append(dst, ',')
		}
		if dst, err = s.elem.append(dst, v.Index(i)); err != nil {
			return dst, fmt.Errorf("[%d]%w", i, err)
		}
	}
	return append(dst, ']'), nil
}

func isEmpty(f form, v reflect.Value) bool {
	if f == list {
		return v.Len() == 0
	}
	return f != object && v.IsZero()
}

const hexDigits = "0123456789abcdef"

// shortEscape gives the letter of the escapes that JSON has a letter for.
var shortEscape = [256]byte{'"': '"', '\\': '\\', '\b': 'b', '\f': 'f', '\n': 'n', '\r': 'r', '\t': 't'}

// appendText writes a JSON string as RFC 8785 does: the quote, the backslash and the control characters below
// U+0020 are escaped, with a letter where there is one, else \u00xx in lower case; nothing else is. Text that is
// not UTF-8 is refused: to repair it would change evidence.
func appendText(dst []byte, s string) ([]byte, error) {
	dst = append(dst, '"')
	done := 0
	plain := true
	for i := range len(s) {
		c := s[i]
		if c >= utf8.RuneSelf {
			plain = false
			continue
		}
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, s[done:i]...)
		done = i + 1
		if letter := shortEscape[c]; letter != 0 {
			dst = append(dst, '\\', letter)
		} else {
			dst = append(dst, `\u00`...)
			dst = append(dst, hexDigits[c>>4], hexDigits[c&15])
		}
	}
	if !plain && !utf8.ValidString(s) {
		return dst, fmt.Errorf("not UTF-8 text")
	}
	dst = append(dst, s[done:]...)
	return append(dst, '"'), nil
}
