package strict

import (
	"fmt"
	"strconv"
	"strings"
)

// Root returns the document's value.
func (d *Document) Root() *Node { return d.root }

// Kind returns the kind of the value at path, "" when none stands there.
func (d *Document) Kind(path string) Kind {
	n := d.root
	for _, step := range steps(path) {
		if n = n.child(step); n == nil {
			return ""
		}
	}
	return n.Kind
}

// Has tells whether a value stands at path, be it of the right type or not.
func (d *Document) Has(path string) bool {
	_, _, whole := d.find(path)
	return whole
}

// Place returns the line and column of the value at path, or of the nearest mapping or list above it that
// exists.
func (d *Document) Place(path string) (line, column int) {
	line, column, _ = d.find(path)
	return line, column
}

// Problem notes what a caller found wrong by meaning. Path is as in Problem.Field ("targets.per_run",
// "devices[3].lines.drive"); for a value that is not there the place is that of what should hold it.
func (d *Document) Problem(path, hint, format string, args ...any) {
	line, column := d.Place(path)
	d.problems.add(Problem{Line: line, Column: column, Field: path, Message: fmt.Sprintf(format, args...), Hint: hint})
}

// KeyProblem notes what is wrong with a key of the mapping at path, or with what stands under it, at the key's own place.
// Unlike the steps of a path the key may hold any sign, as a name that a user gave does.
func (d *Document) KeyProblem(path, key, hint, format string, args ...any) {
	at := d.root
	for _, step := range steps(path) {
		if at = at.child(step); at == nil {
			break
		}
	}
	line, column := d.Place(path)
	if at != nil {
		if k := at.keyOf(key); k != nil {
			line, column = k.line, k.column
		}
	}
	d.problems.add(Problem{Line: line, Column: column, Field: join(path, key), Message: fmt.Sprintf(format, args...), Hint: hint})
}

// Err returns nil, or all problems found so far as a *Problems sorted by place.
func (d *Document) Err() error {
	if len(d.problems.List) == 0 {
		return nil
	}
	return d.problems.sorted()
}

// UnknownKey notes that a key of the mapping at path is not among the known ones, as Decode does, for keys that a rest
// field took.
func (d *Document) UnknownKey(path, key string, known []string) {
	d.KeyProblem(path, key, DidYouMean(key, known), "unknown key")
}

// find walks to the value at path. The place is that of the last step that exists: for a mapping's entry the
// key's when its value is a mapping or list, since that is where a reader looks.
func (d *Document) find(path string) (line, column int, whole bool) {
	at := d.root
	line, column = at.Line, at.Column
	for _, step := range steps(path) {
		next := at.child(step)
		if next == nil {
			return line, column, false
		}
		line, column = next.Line, next.Column
		if next.Kind == Mapping || next.Kind == Sequence || next.Kind == Null {
			if k := at.keyOf(step); k != nil {
				line, column = k.line, k.column
			}
		}
		at = next
	}
	return line, column, true
}

// steps splits a path: "a.b[2]" into "a", "b", "[2]".
func steps(path string) []string {
	var out []string
	for part := range strings.SplitSeq(strings.ReplaceAll(path, "[", ".["), ".") {
		if part != "" {
			out = append(out, part)
		}
	}
	return out
}

// child returns the value one step below, nil when it is not there.
func (n *Node) child(step string) *Node {
	if strings.HasPrefix(step, "[") && n.Kind == Sequence {
		i, err := strconv.Atoi(strings.Trim(step, "[]"))
		if err != nil || i < 0 || i >= len(n.items) {
			return nil
		}
		return n.items[i]
	}
	return n.get(step)
}

// keyOf returns the key of one step below a mapping.
func (n *Node) keyOf(step string) *key {
	for i := range n.keys {
		if n.keys[i].name == step {
			return &n.keys[i]
		}
	}
	return nil
}
