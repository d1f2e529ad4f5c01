package score

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"scentpost/station/signs"
	"scentpost/station/strict"
)

// Row is one line of a table of counts.
type Row struct {
	Label string
	Counts
}

// cell returns where a count of the row belongs.
func (r *Row) cell(column string) *int {
	return map[string]*int{hits: &r.TP, misses: &r.FN, falseAlerts: &r.FP, rejections: &r.TN}[column]
}

// Extra says what becomes of columns that are neither the label nor one of the counts.
type Extra bool

// A column that nobody asked for may be a misspelt one, so it is refused unless it is to be ignored.
const (
	RefuseExtra Extra = false
	IgnoreExtra Extra = true
)

// maxTableProblems is how many problems of one table are kept: more than a person mends in one go.
const maxTableProblems = 100

// ParseCounts reads a table with the columns label, tp, fn, fp and tn in any order, as spreadsheets write it. The first line
// names the columns, by these names or by the usual words and short forms of the station's languages. Commas, semicolons or
// tabs part them. A byte order mark, a "sep=" line before the first one, any line ends, quotes, empty lines, empty columns at
// the end and whole numbers such as 20.0 are taken; a first column without a name is the label. The error is a
// *strict.Problems with everything that is wrong.
func ParseCounts(file string, src []byte, extra Extra) ([]Row, error) {
	t := table{extra: extra, problems: strict.Problems{File: file}}
	if text, ok := t.text(src); ok {
		t.read(text)
	}
	if len(t.problems.List) > 0 {
		return nil, &t.problems
	}
	return t.rows, nil
}

// table is a table of counts that is being read.
type table struct {
	extra    Extra
	rows     []Row
	heads    []string // the header as it is written
	names    []string // the column of each field
	lines    [][]byte
	problems strict.Problems
}

// problem notes what is wrong at a place; column counts bytes from 1.
func (t *table) problem(line, column int, field, hint, format string, args ...any) {
	if len(t.problems.List) == maxTableProblems {
		t.problems.Omitted++
		return
	}
	if 0 < line && line <= len(t.lines) {
		column = 1 + utf8.RuneCount(t.lines[line-1][:min(max(column-1, 0), len(t.lines[line-1]))])
	}
	t.problems.List = append(t.problems.List, strict.Problem{Line: line, Column: column, Field: field,
		Message: fmt.Sprintf(format, args...), Hint: hint})
}

// text refuses what is no text in UTF-8, and returns the rest with line ends that every reader knows.
func (t *table) text(src []byte) ([]byte, bool) {
	text := bytes.TrimPrefix(src, []byte(signs.ByteOrderMark))
	if !bytes.ContainsRune(text, '\n') { // of an old Macintosh
		text = bytes.ReplaceAll(text, []byte{'\r'}, []byte{'\n'})
	}
	t.lines = bytes.Split(text, []byte{'\n'})
	if len(src) > strict.MaxBytes {
		t.problem(0, 0, "", "is this the right file?", "has %d bytes, %d are the most that is read", len(src), strict.MaxBytes)
		return nil, false
	}
	if bytes.HasPrefix(src, []byte("\xff\xfe")) || bytes.HasPrefix(src, []byte("\xfe\xff")) {
		t.problem(1, 1, "", "save it as CSV UTF-8", "is text in UTF-16, UTF-8 is expected")
		return nil, false
	}
	for i, line := range t.lines {
		for at := 0; at < len(line); {
			r, size := utf8.DecodeRune(line[at:])
			switch {
			case r == utf8.RuneError && size == 1:
				t.problem(i+1, at+1, "", "save it as CSV UTF-8", "byte 0x%02x is no text in UTF-8", line[at])
				return nil, false
			case unicode.IsControl(r) && r != '\t' && r != '\r':
				t.problem(i+1, at+1, "", "is this a CSV file?", "a control character (U+%04X), text is expected", r)
				return nil, false
			}
			at += size
		}
	}
	return text, true
}

// read reads the header and the rows.
func (t *table) read(text []byte) {
	text = afterSeparatorLine(text)
	r := csv.NewReader(bytes.NewReader(text))
	r.Comma, r.FieldsPerRecord = separator(text), -1
	for {
		fields, err := r.Read()
		if err != nil {
			t.end(err)
			return
		}
		for i, f := range fields {
			fields[i] = strings.TrimSpace(f)
		}
		switch {
		case !slices.ContainsFunc(fields, func(f string) bool { return f != "" }): // spreadsheets leave such lines behind
		case t.names != nil:
			t.row(r, fields)
		case !t.header(r, fields):
			return
		}
	}
}

// end says what is wrong with a table that ended so.
func (t *table) end(err error) {
	var syntax *csv.ParseError
	const firstLine = "the first line names the columns label,tp,fn,fp,tn"
	switch {
	case errors.As(err, &syntax) && errors.Is(err, csv.ErrBareQuote):
		t.problem(syntax.Line, syntax.Column, "", `put the whole field in quotes and write "" for each quote in it`, "a quote in the middle of a field")
	case errors.As(err, &syntax):
		t.problem(syntax.StartLine, 1, "", `quotes stand around a whole field; write "" for each quote in it`, "a quoted field in this line does not end as it should")
	case !errors.Is(err, io.EOF):
		t.problem(0, 0, "", "", "cannot be read: %v", err)
	case t.names == nil:
		t.problem(1, 1, "", firstLine, "the table is empty")
	case len(t.rows) == 0 && len(t.problems.List) == 0:
		t.problem(1, 1, "", "write a line for each label below the names", "the table has no lines of counts")
	}
}

var separatorLine = regexp.MustCompile(`^(?i:sep)=[,;\t]\r?\n`)

// afterSeparatorLine empties a first line such as "sep=;", which tells Excel what parts the columns; the others keep
// their numbers.
func afterSeparatorLine(text []byte) []byte {
	if line := separatorLine.Find(text); line != nil {
		return text[len(line)-1:]
	}
	return text
}

// filled is the fields up to the last that is not empty, and at least least of them.
func filled(fields []string, least int) []string {
	for len(fields) > least && fields[len(fields)-1] == "" {
		fields = fields[:len(fields)-1]
	}
	return fields
}

// separator is what parts the columns: what stands most in the first line with anything in it.
func separator(text []byte) rune {
	first, _, _ := bytes.Cut(bytes.TrimLeft(text, "\r\n"), []byte{'\n'})
	best, most := ',', 0
	for _, s := range ",;\t" {
		if n := bytes.Count(first, []byte(string(s))); n > most {
			best, most = s, n
		}
	}
	return best
}

// header reads the names of the columns; not ok when the rows cannot be told by them.
func (t *table) header(r *csv.Reader, fields []string) bool {
	before := len(t.problems.List)
	fields = filled(fields, 0)
	t.heads, t.names = fields, recognise(fields)
	if fields[0] == "" && !slices.Contains(t.names, labelColumn) {
		t.names[0] = labelColumn // as data frames are written
	}
	for i, name := range t.names {
		line, column := r.FieldPos(i)
		switch {
		case name == otherColumn && t.extra == RefuseExtra:
			t.problem(line, column, strict.Quote(fields[i]), unknownHint(fields[i]), "unknown column")
		case name != otherColumn && slices.Contains(t.names[:i], name):
			t.problem(line, column, fields[i], "keep one", "the column %s stands here a second time", name)
		}
	}
	line, _ := r.FieldPos(0)
	for _, name := range columns {
		if !slices.Contains(t.names, name) {
			t.problem(line, 1, name, columnsHint, "the column is missing")
		}
	}
	return len(t.problems.List) == before
}

// unknownHint says what to do about a column that is not known.
func unknownHint(name string) string {
	if near := meant(name); near != "" {
		return "did you mean " + near + "?"
	}
	return columnsHint + "; other columns are left out with --extra ignore"
}

// row reads one row.
func (t *table) row(r *csv.Reader, fields []string) {
	line, _ := r.FieldPos(0)
	fields = filled(fields, len(t.names))
	if len(fields) != len(t.names) {
		t.problem(line, 1, "", "", "%d fields, %d are expected (%s)", len(fields), len(t.names), strings.Join(t.heads, ", "))
		return
	}
	var row Row
	for i, f := range fields {
		line, column := r.FieldPos(i)
		name := t.names[i]
		if name == otherColumn {
			continue
		}
		if name == labelColumn {
			if row.Label = f; strings.ContainsFunc(f, unicode.IsControl) {
				t.problem(line, column, name, "", "a label of one line, without tabs, is expected")
			}
			continue
		}
		n, wrong := parseCount(f)
		if wrong != "" {
			t.problem(line, column, name, "", "%s, a whole number from 0 to %d is expected, not %s", wrong, MaxCount, strict.Quote(f))
		}
		*row.cell(name) = n
	}
	t.rows = append(t.rows, row)
}

// wholeNumber is a whole number as data frames and spreadsheets write it, with one or two zeros behind its point. Three zeros
// would be a thousand in half of the world.
var wholeNumber = regexp.MustCompile(`^([0-9]+)[.,]00?$`)

// parseCount reads a count; wrong says what is wrong with it.
func parseCount(text string) (n int, wrong string) {
	if whole := wholeNumber.FindStringSubmatch(text); whole != nil {
		text = whole[1]
	}
	digits := strings.TrimLeft(text, "-0123456789")
	switch n, err := strconv.Atoi(text); {
	case text == "":
		return 0, "empty"
	case strings.HasPrefix(text, "-") && digits == "":
		return 0, "negative"
	case text[0] >= '0' && text[0] <= '9' && err == nil && n <= MaxCount:
		return n, ""
	case digits == "":
		return 0, "too large"
	case strings.Trim(text, "-+0123456789.,eE") == "":
		return 0, "not a whole number"
	}
	return 0, "not a number"
}
