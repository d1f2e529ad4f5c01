package strict

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

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
func (d *Document) KeyProblem(path, name, hint, format string, args ...any) {
	k := d.keyAt(path, name)
	d.problems.add(Problem{Line: k.line, Column: k.column, Field: join(path, name), Message: fmt.Sprintf(format, args...), Hint: hint})
}

// keyAt returns the key of a name in the mapping at path, with the place of that when there is none.
func (d *Document) keyAt(path, name string) key {
	at := d.root
	for _, step := range steps(path) {
		if at = at.child(step); at == nil {
			break
		}
	}
	if at != nil {
		if k := at.keyOf(name); k != nil {
			return *k
		}
	}
	line, column := d.Place(path)
	return key{name: name, line: line, column: column}
}

// Missing notes, as Problem does, that a value must be there and is not. It is left out where an unknown key of the same
// mapping was most likely meant for it: that says it already.
func (d *Document) Missing(path, hint, format string, args ...any) {
	line, column := d.Place(path)
	d.missing = append(d.missing, Problem{Line: line, Column: column, Field: path, Message: fmt.Sprintf(format, args...), Hint: hint})
}

// Misspelt tells whether the mapping at path has an unknown key, so that what it seems to leave out may have been said.
// Unlike the steps of other paths its last one may hold any sign.
func (d *Document) Misspelt(path string) bool { return len(d.unknown[path]) > 0 }

// unknownKey notes a key of the mapping at path that is not among the known ones.
func (d *Document) unknownKey(path string, k key, known []string) {
	d.unknown[path] = append(d.unknown[path], Nearest(k.name, known))
	d.problems.add(Problem{Line: k.line, Column: k.column, Field: join(path, k.name), Message: "unknown key", Hint: DidYouMean(k.name, known)})
}

// tellMissing adds what is missing and was not meant by an unknown key.
func (d *Document) tellMissing() {
	for _, one := range d.missing {
		mapping, key := "", one.Field
		if i := strings.LastIndex(one.Field, "."); i >= 0 {
			mapping, key = one.Field[:i], one.Field[i+1:]
		}
		if !slices.Contains(d.unknown[mapping], key) {
			d.problems.add(one)
		}
	}
	d.missing = nil
}

// Err returns nil, or all problems found so far as a *Problems sorted by place.
func (d *Document) Err() error {
	d.tellMissing()
	if len(d.problems.List) == 0 {
		return nil
	}
	return d.problems.sorted()
}

// UnknownKey notes that a key of the mapping at path is not among the known ones, as Decode does, for keys that a rest
// field took.
func (d *Document) UnknownKey(path, key string, known []string) {
	d.unknownKey(path, d.keyAt(path, key), known)
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
