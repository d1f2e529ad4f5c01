package strict

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// Kind says what a value is.
type Kind string

// The kinds of values. A plain scalar is a number only in decimal notation: 0x10, 1_000 and yes are text.
const (
	Mapping  Kind = "a mapping"
	Sequence Kind = "a list"
	Text     Kind = "text"
	Int      Kind = "a whole number"
	Float    Kind = "a fraction"
	Bool     Kind = "true or false"
	Null     Kind = "nothing"
)

// Node is one value of a document with its place.
type Node struct {
	// Kind says what the value is.
	Kind Kind
	// Text is a scalar as it was written, without quotes; "" for lists, mappings and nothing.
	Text string
	// Line and Column count from 1.
	Line, Column int

	keys  []key   // of a mapping
	items []*Node // the values of a mapping or a list
}

// key is one key of a mapping.
type key struct {
	name         string
	line, column int
}

// Keys returns the keys of a mapping in the order of the file, duplicates left out.
func (n *Node) Keys() []string {
	names := make([]string, len(n.keys))
	for i, k := range n.keys {
		names[i] = k.name
	}
	return names
}

// Items returns the values of a mapping or the entries of a list, in the order of the file.
func (n *Node) Items() []*Node { return n.items }

// get returns the value of a mapping's key, nil when it is absent.
func (n *Node) get(name string) *Node {
	for i, k := range n.keys {
		if k.name == name {
			return n.items[i]
		}
	}
	return nil
}

var (
	wholeForm    = regexp.MustCompile(`^[-+]?[0-9]+$`)
	fractionForm = regexp.MustCompile(`^[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?$`)
)

// plainKind classifies a scalar that stands without quotes.
func plainKind(text string) Kind {
	switch {
	case text == "" || text == "~" || text == "null":
		return Null
	case text == "true" || text == "false":
		return Bool
	case wholeForm.MatchString(text):
		return Int
	case fractionForm.MatchString(text):
		return Float
	}
	return Text
}

// builder turns the parser's tree into nodes and collects what is refused.
type builder struct{ problems *Problems }

// refuse notes a problem at a token.
func (b *builder) refuse(tk *token.Token, path, hint, format string, args ...any) {
	line, column := place(tk)
	b.problems.add(Problem{Line: line, Column: column, Field: path, Message: fmt.Sprintf(format, args...), Hint: hint})
}

// place returns where a token begins.
func place(tk *token.Token) (line, column int) {
	if tk == nil || tk.Position == nil {
		return 1, 1
	}
	return max(1, tk.Position.Line), max(1, tk.Position.Column)
}

// node converts one value; depth counts from 1.
func (b *builder) node(n ast.Node, path string, depth int) *Node {
	if n == nil {
		return &Node{Kind: Null, Line: 1, Column: 1}
	}
	line, column := place(n.GetToken())
	out := &Node{Line: line, Column: column}
	if depth > maxDepth {
		b.refuse(n.GetToken(), path, tooDeepHint, "nested deeper than %d", maxDepth)
		out.Kind = Null
		return out
	}
	switch v := n.(type) {
	case *ast.MappingNode:
		out.Kind = Mapping
		b.mapping(out, v.Values, path, depth)
	case *ast.MappingValueNode:
		out.Kind = Mapping
		b.mapping(out, []*ast.MappingValueNode{v}, path, depth)
	case *ast.SequenceNode:
		out.Kind = Sequence
		for i, item := range v.Values {
			out.items = append(out.items, b.node(item, path+"["+strconv.Itoa(i)+"]", depth+1))
		}
	case *ast.LiteralNode:
		out.Kind, out.Text = Text, v.Value.Value
	case *ast.StringNode:
		out.Kind, out.Text = Text, v.Value
		if t := v.GetToken().Type; t != token.SingleQuoteType && t != token.DoubleQuoteType {
			out.Kind = plainKind(v.Value)
		}
	case ast.ScalarNode:
		out.Text = v.GetToken().Value
		if _, none := v.(*ast.NullNode); none {
			out.Text = ""
		}
		out.Kind = plainKind(out.Text)
	default:
		b.refuse(n.GetToken(), path, "", "%s cannot be used here", strings.ToLower(n.Type().YAMLName()))
		out.Kind = Null
	}
	return out
}

// mapping converts the entries of a mapping; of duplicate keys the first is kept.
func (b *builder) mapping(out *Node, values []*ast.MappingValueNode, path string, depth int) {
	seen := make(map[string]int, len(values)) // name -> line of the first
	for _, value := range values {
		tk := value.Key.GetToken()
		if s, ok := value.Key.(*ast.StringNode); ok {
			tk = s.GetToken()
		}
		name, below := tk.Value, join(path, tk.Value)
		line, column := place(tk)
		if out.keys == nil {
			out.Line, out.Column = line, column // the parser gives the place of a mapping's first colon
		}
		if first, twice := seen[name]; twice {
			b.refuse(tk, below, fmt.Sprintf("take one away: the first is in line %d", first), "given twice")
			continue
		}
		seen[name] = line
		out.keys = append(out.keys, key{name: name, line: line, column: column})
		item := b.node(value.Value, below, depth+1)
		if item.Kind == Null {
			item.Line, item.Column = line, column // nothing has no place of its own
		}
		out.items = append(out.items, item)
	}
}

// join appends a key to a path.
func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
