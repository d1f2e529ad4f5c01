// Package strict reads YAML that people write by hand, and finds everything that is wrong with it in one go.
//
// A document is limited before it is parsed: in size, nesting, number of values and length of keys, in one
// document, without anchors, aliases, merge keys, tags and complex keys, in UTF-8. After that every unknown or
// doubled key and every wrong type is a Problem with its line and column; what a caller finds wrong by meaning
// gets its place by path.
package strict

import (
	"bytes"
	"fmt"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"scentpost/station/signs"
)

// The limits of a document. No file that a person writes for a station comes near them.
const (
	// MaxBytes is the largest document: 1 MiB.
	MaxBytes = 1 << 20

	maxDepth  = 32     // levels of mappings and lists
	maxTokens = 50_000 // words and marks; bounds the parser's memory and stack
	maxKey    = 128    // bytes of one key; the parser copies keys into the path of every value below them
)

const tooDeepHint = "no file of a station is nested so deep: look for brackets or indents that are never closed"

// Document is a parsed file with the problems found so far. It is not for use by several goroutines at once.
type Document struct {
	root     *Node
	problems Problems
	// unknown holds by mapping which of the known keys each unknown one was most likely meant for, "" for none; missing are
	// the problems that one of them may explain.
	unknown map[string][]string
	missing []Problem
}

// Parse reads one document. What cannot be read at all comes back as an error of type *Problems; what can be
// read with problems (such as doubled keys) comes back as a Document whose Err has them.
func Parse(file string, src []byte) (*Document, error) {
	refused := &Problems{File: file}
	text, bad := checkBytes(src)
	if bad != nil {
		refused.add(*bad)
		return nil, refused
	}
	tokens, bad := tokenize(text)
	if bad == nil {
		bad = checkTokens(tokens)
	}
	if bad != nil {
		refused.add(*bad)
		return nil, refused
	}
	body, bad := parse(tokens)
	if bad != nil {
		refused.add(*bad)
		return nil, refused
	}
	doc := &Document{problems: Problems{File: file}, unknown: map[string][]string{}}
	doc.root = (&builder{problems: &doc.problems}).node(body, "", 1)
	return doc, nil
}

// TooLarge returns the error for a file of more than MaxBytes, for callers that know a size without reading.
func TooLarge(file string, size int64) error {
	return &Problems{File: file, List: []Problem{tooLarge(size)}}
}

func tooLarge(size int64) Problem {
	return Problem{Message: fmt.Sprintf("has %d bytes, and %d (1 MiB) are the most that is read", size, MaxBytes),
		Hint: "is this the right file?"}
}

// checkBytes refuses what is too large or no text, and returns the text without a byte order mark.
func checkBytes(src []byte) (string, *Problem) {
	if len(src) > MaxBytes {
		p := tooLarge(int64(len(src)))
		return "", &p
	}
	src = bytes.TrimPrefix(src, []byte(signs.ByteOrderMark))
	line, column := 1, 1
	_, unseen, found := signs.Unseen(string(src), true)
	for rest := src; len(rest) > 0; {
		r, size := utf8.DecodeRune(rest)
		var message string
		switch {
		case r == utf8.RuneError && size == 1:
			message = fmt.Sprintf("byte 0x%02X is not UTF-8", rest[0])
		case r < ' ' && r != '\n' && r != '\r' && r != '\t', r == 0x7F:
			message = fmt.Sprintf("control character 0x%02X is not text", r)
		case found && len(src)-len(rest) == unseen:
			return "", &Problem{Line: line, Column: column, Message: fmt.Sprintf("%U is a sign that no reader sees", r),
				Hint: "take it away: it may make the text look like another one"}
		}
		if message != "" {
			return "", &Problem{Line: line, Column: column, Message: message,
				Hint: "a plain text file in UTF-8 is expected: is this the right file?"}
		}
		rest, column = rest[size:], column+1
		if r == '\n' {
			line, column = line+1, 1
		}
	}
	return string(src), nil
}

// tokenize splits the text. A panic of the library on some odd text must not stop a daemon that reads its
// configuration, so it becomes a problem like any other.
func tokenize(text string) (tokens token.Tokens, bad *Problem) {
	defer recovered(&bad)
	return lexer.Tokenize(text), nil
}

// parse builds the tree of the one document; nil for an empty one.
func parse(tokens token.Tokens) (body ast.Node, bad *Problem) {
	defer recovered(&bad)
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return nil, syntaxProblem(err)
	}
	if len(file.Docs) == 0 {
		return nil, nil
	}
	return file.Docs[0].Body, nil
}

// recovered turns a panic of the YAML library into a problem.
func recovered(bad **Problem) {
	if r := recover(); r != nil {
		*bad = &Problem{Line: 1, Column: 1, Message: fmt.Sprintf("cannot be read as YAML: %v", r),
			Hint: "write it more simply; and please report this file"}
	}
}

// syntaxProblem gives the place and words of a parser's error without its drawing of the source.
func syntaxProblem(err error) *Problem {
	p := &Problem{Line: 1, Column: 1, Message: "is not YAML: " + err.Error()}
	if placed, ok := err.(interface {
		GetMessage() string
		GetToken() *token.Token
	}); ok {
		p.Line, p.Column = place(placed.GetToken())
		p.Message = "is not YAML: " + placed.GetMessage()
	}
	return p
}
