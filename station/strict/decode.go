package strict

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// Scalar is implemented by types that read themselves from one scalar, such as a range written 0..1.
type Scalar interface {
	// UnmarshalStrict reads the scalar (its Kind is Text, Int, Float or Bool). The error says what was expected;
	// one made by Errorf keeps its hint apart.
	UnmarshalStrict(n Node) error
}

var (
	durationType = reflect.TypeFor[time.Duration]()
	nodeType     = reflect.TypeFor[Node]()
	scalarType   = reflect.TypeFor[Scalar]()
)

// Decode fills the struct that into points to from the document and notes every unknown key and wrong type as
// a problem; what is wrong or absent keeps the value it had. Fields are named by the tag `yaml:"name"` and
// those without one are left alone; a field map[string]Node with the tag `yaml:",rest"` takes the keys that no
// other field has, for a caller who knows more. Supported are structs, pointers, slices, maps with string keys, strings,
// bools, integers, float64, time.Duration ("90s"), Node (taken as it is), and types that implement Scalar.
func (d *Document) Decode(into any) {
	v := reflect.ValueOf(into)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		panic(fmt.Sprintf("strict: Decode wants a pointer, got %T", into))
	}
	d.DecodeNode("", d.root, into)
}

// DecodeNode is Decode for the value n that stands at path: for values whose type is known only after others
// have been read.
func (d *Document) DecodeNode(path string, n *Node, into any) {
	d.decode(path, n, reflect.ValueOf(into).Elem())
}

// refuse notes a problem at a node.
func (d *Document) refuse(path string, n *Node, hint, format string, args ...any) {
	d.problems.add(Problem{Line: n.Line, Column: n.Column, Field: path, Message: fmt.Sprintf(format, args...), Hint: hint})
}

// want notes a wrong type.
func (d *Document) want(path string, n *Node, what string) {
	switch {
	case n.Kind == Null && path == "":
		d.refuse(path, n, "", "the file is empty")
	case n.Kind == Null:
		d.refuse(path, n, "give it, or take the key away", "has no value; %s is expected", what)
	case n.Kind == Mapping || n.Kind == Sequence:
		d.refuse(path, n, "", "%s is expected, not %s", what, n.Kind)
	default:
		d.refuse(path, n, "", "%s is expected, not %s", what, Quote(n.Text))
	}
}

func (d *Document) decode(path string, n *Node, v reflect.Value) {
	t := v.Type()
	switch {
	case t == nodeType:
		v.Set(reflect.ValueOf(*n))
		return
	case reflect.PointerTo(t).Implements(scalarType):
		d.scalar(path, n, v.Addr().Interface().(Scalar))
		return
	case t == durationType:
		d.duration(path, n, v)
		return
	}
	switch t.Kind() {
	case reflect.Pointer:
		fresh := reflect.New(t.Elem())
		d.decode(path, n, fresh.Elem())
		v.Set(fresh)
	case reflect.Struct:
		d.structure(path, n, v)
	case reflect.Map:
		d.dictionary(path, n, v)
	case reflect.Slice:
		d.list(path, n, v)
	case reflect.String:
		d.text(path, n, v)
	case reflect.Bool:
		if n.Kind != Bool {
			d.want(path, n, string(Bool))
			return
		}
		v.SetBool(n.Text == "true")
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		d.whole(path, n, v)
	case reflect.Float64:
		d.fraction(path, n, v)
	default:
		panic(fmt.Sprintf("strict: %s: fields of type %s are not supported", path, t))
	}
}

// structure decodes a mapping by the struct's tags.
func (d *Document) structure(path string, n *Node, v reflect.Value) {
	if n.Kind != Mapping {
		d.want(path, n, string(Mapping))
		return
	}
	fields, names, rest := known(v)
	for i, k := range n.keys {
		below := join(path, k.name)
		field, ok := fields[k.name]
		if !ok && rest.IsValid() {
			rest.SetMapIndex(reflect.ValueOf(k.name), reflect.ValueOf(*n.items[i]))
			continue
		}
		if !ok {
			d.unknownKey(path, k, names)
			continue
		}
		d.decode(below, n.items[i], v.Field(field))
	}
}

// known returns the fields of a struct by their keys, the keys in order, and the field for the rest, made empty.
func known(v reflect.Value) (fields map[string]int, names []string, rest reflect.Value) {
	fields = map[string]int{}
	for i := range v.NumField() {
		name, ok := v.Type().Field(i).Tag.Lookup("yaml")
		switch {
		case ok && name == ",rest":
			rest = v.Field(i)
			rest.Set(reflect.ValueOf(map[string]Node{}))
		case ok:
			fields[name] = i
			names = append(names, name)
		}
	}
	return fields, names, rest
}

// dictionary decodes a mapping with free keys.
func (d *Document) dictionary(path string, n *Node, v reflect.Value) {
	if n.Kind != Mapping {
		d.want(path, n, string(Mapping))
		return
	}
	out := reflect.MakeMapWithSize(v.Type(), len(n.keys))
	for i, k := range n.keys {
		item := reflect.New(v.Type().Elem()).Elem()
		d.decode(join(path, k.name), n.items[i], item)
		out.SetMapIndex(reflect.ValueOf(k.name).Convert(v.Type().Key()), item)
	}
	v.Set(out)
}

// list decodes a sequence.
func (d *Document) list(path string, n *Node, v reflect.Value) {
	if n.Kind != Sequence {
		d.want(path, n, string(Sequence))
		return
	}
	out := reflect.MakeSlice(v.Type(), len(n.items), len(n.items))
	for i, item := range n.items {
		d.decode(path+"["+strconv.Itoa(i)+"]", item, out.Index(i))
	}
	v.Set(out)
}

// text decodes a string. A number is refused rather than taken for text, since it may have lost its meaning
// on the way (1E2 as the name of a canister).
func (d *Document) text(path string, n *Node, v reflect.Value) {
	switch n.Kind {
	case Text:
		v.SetString(n.Text)
	case Int, Float, Bool:
		d.refuse(path, n, fmt.Sprintf("put it in quotes if it is meant as text: %q", n.Text), "text is expected, not %s", n.Kind)
	default:
		d.want(path, n, string(Text))
	}
}

// whole decodes an integer in plain decimal notation.
func (d *Document) whole(path string, n *Node, v reflect.Value) {
	digits := strings.TrimLeft(n.Text, "+-")
	switch {
	case n.Kind != Int:
		d.want(path, n, string(Int))
		return
	case len(digits) > 1 && digits[0] == '0':
		d.refuse(path, n, "write it without the leading zero", "%s is not a plain whole number", Quote(n.Text))
		return
	}
	number, err := strconv.ParseInt(n.Text, 10, 64)
	if err != nil || v.OverflowInt(number) {
		d.refuse(path, n, "", "%s is too large a number", Quote(n.Text))
		return
	}
	v.SetInt(number)
}

// fraction decodes a finite decimal number.
func (d *Document) fraction(path string, n *Node, v reflect.Value) {
	if n.Kind != Float && n.Kind != Int {
		d.want(path, n, "a number")
		return
	}
	number, err := strconv.ParseFloat(n.Text, 64)
	if err != nil || math.IsInf(number, 0) {
		d.refuse(path, n, "", "%s is too large a number", Quote(n.Text))
		return
	}
	v.SetFloat(number)
}

// duration decodes a length of time with its unit.
func (d *Document) duration(path string, n *Node, v reflect.Value) {
	const want = "a duration such as 90s, 1m30s or 500ms"
	if n.Kind == Int || n.Kind == Float {
		d.refuse(path, n, fmt.Sprintf("with its unit: %ss or %sms", n.Text, n.Text), "%s is expected, not %s", want, Quote(n.Text))
		return
	}
	length, err := time.ParseDuration(n.Text)
	if n.Kind != Text || err != nil {
		d.want(path, n, want)
		return
	}
	v.SetInt(int64(length))
}

// scalar lets a type read itself.
func (d *Document) scalar(path string, n *Node, into Scalar) {
	if n.Kind == Mapping || n.Kind == Sequence || n.Kind == Null {
		d.want(path, n, "one value")
		return
	}
	err := into.UnmarshalStrict(*n)
	var h *hinted
	switch {
	case errors.As(err, &h):
		d.refuse(path, n, h.hint, "%s", h.message)
	case err != nil:
		d.refuse(path, n, "", "%s", err)
	}
}
