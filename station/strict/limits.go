package strict

import (
	"fmt"

	"github.com/goccy/go-yaml/token"

	"scentpost/station/signs"
)

// refusedTokens are the parts of YAML that a station's files do without, with the reason or the way out.
var refusedTokens = map[token.Type]struct{ what, hint string }{
	token.AnchorType:     {"an anchor (&)", "write the value out, or put it in quotes if it is text"},
	token.AliasType:      {"an alias (*)", "write the value out, or put it in quotes if it is text"},
	token.MergeKeyType:   {"a merge key (<<)", "write the keys out"},
	token.TagType:        {"a tag (!)", "put the value in quotes if it is text"},
	token.DirectiveType:  {"a directive (%)", "put the value in quotes if it is text"},
	token.MappingKeyType: {"a complex key (?)", "write key: value, or put the value in quotes if it is text"},
}

// checkTokens refuses, before anything recursive runs, what is too much, too deep or not allowed.
func checkTokens(tokens token.Tokens) *Problem {
	nest := nesting{}
	count, ended := 0, false
	for _, tk := range tokens {
		if tk.Type == token.CommentType {
			continue
		}
		line, column := place(tk)
		at := func(hint, format string, args ...any) *Problem {
			return &Problem{Line: line, Column: column, Message: fmt.Sprintf(format, args...), Hint: hint}
		}
		if tk.Type == token.InvalidType {
			return at("", "is not YAML: %s", tk.Error)
		}
		if no, ok := refusedTokens[tk.Type]; ok {
			return at(no.hint, "%s is not allowed here", no.what)
		}
		if ended || (tk.Type == token.DocumentHeaderType && count > 0) {
			return at("keep one, and put the other in a file of its own", "a second document begins here")
		}
		if sign, _, found := signs.Unseen(tk.Value, true); found { // written as an escape
			return at("take it away: it may make the text look like another one", "%U is a sign that no reader sees", sign)
		}
		if count++; count > maxTokens {
			return at("is this the right file?", "more than %d words and marks", maxTokens)
		}
		ended = tk.Type == token.DocumentEndType
		if tk.Type == token.MappingValueType && tk.Prev != nil && len(tk.Prev.Value) > maxKey {
			line, column = place(tk.Prev)
			return at("", "a key of %d bytes, and %d are the most", len(tk.Prev.Value), maxKey)
		}
		if nest.deeper(tk) {
			return at(tooDeepHint, "nested deeper than %d", maxDepth)
		}
	}
	return nil
}

// nesting follows how deep the tokens of a document go: blocks by their columns, flows by their brackets. It
// may count a list at its key's own column as no level; the builder counts exactly.
type nesting struct {
	blocks []int // columns of the open blocks, rising
	flows  int
}

// deeper takes the next token and tells whether the limit is passed.
func (n *nesting) deeper(tk *token.Token) bool {
	switch tk.Type {
	case token.SequenceStartType, token.MappingStartType:
		n.flows++
	case token.SequenceEndType, token.MappingEndType:
		n.flows = max(0, n.flows-1)
	case token.SequenceEntryType:
		n.block(tk)
	case token.MappingValueType:
		if tk.Prev != nil {
			n.block(tk.Prev)
		}
	}
	return n.flows+len(n.blocks) > maxDepth
}

// block opens the block that begins at the token's column and closes those to the right of it.
func (n *nesting) block(tk *token.Token) {
	if n.flows > 0 {
		return
	}
	_, column := place(tk)
	for len(n.blocks) > 0 && n.blocks[len(n.blocks)-1] > column {
		n.blocks = n.blocks[:len(n.blocks)-1]
	}
	if len(n.blocks) == 0 || n.blocks[len(n.blocks)-1] < column {
		n.blocks = append(n.blocks, column)
	}
}
