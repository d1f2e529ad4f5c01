package backup

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"scentpost/station/event"
	"scentpost/station/record"
)

// Fault is what is wrong with a backup, with its place.
type Fault struct {
	Line int64 // from 1
	What string
}

// Error says where and what.
func (f *Fault) Error() string { return fmt.Sprintf("line %d: %s", f.Line, f.What) }

// part is where in a backup a decoder is.
type part int

const (
	atHeader part = iota
	atEpoch       // one may begin; behind the first there may be names, too
	inEpoch
	atNames
	atSeal
	atEnd
)

// Decoder reads a backup, line by line, and checks everything that it says: the form, the hashes, the signatures, and
// that each epoch is the one that the next names. What it has given is good only when it came to the end.
type Decoder struct {
	in    *bufio.Reader
	line  int64
	sum   hash.Hash
	at    part
	epoch epoch
	log   record.Log // of the last epoch that has records
	last  string     // reference of the last name
	out   Summary
}

// Summary is what a backup holds.
type Summary struct {
	Header
	Epochs, Records, Sessions, Names int64
	// Epoch is the last epoch, Size how many records it has.
	Epoch string
	Size  int64
	// Unfinished are the sessions of the last epoch that had not ended: no later epoch goes on with them.
	Unfinished []string
	Simulated  bool
	// Verifier is the key that signed the last epoch.
	Verifier string
	WithKey  bool
	// Lost is how many records were damaged and have no line, Cut says of which epochs the end is not there.
	Lost int64
	Cut  []string
	// NotIn says for people what a journal holds that its backup does not. Save sets it.
	NotIn []string

	seen map[string]bool // the epochs' ids
}

// Knows tells whether an epoch is in the backup.
func (s Summary) Knows(epoch string) bool { return s.seen[epoch] }

// NewDecoder returns a decoder that reads from r.
func NewDecoder(r io.Reader) *Decoder {
	return &Decoder{in: bufio.NewReaderSize(r, 64<<10), sum: sha256.New(), out: Summary{seen: map[string]bool{}}}
}

// Summary returns what was read so far; it is whole at the end.
func (d *Decoder) Summary() Summary { return d.out }

// Next returns the next Header, Epoch, Line, Lost, Checkpoint, End, Name or Key, and io.EOF at the end of a whole backup. A
// Line is good until the next call. Any other error is a *Fault, an *event.UnknownLaw for a backup of another draft, or one
// of reading.
func (d *Decoder) Next() (any, error) {
	line, err := d.read()
	switch {
	case err != nil:
		return nil, err
	case d.at == atHeader:
		return d.header(line)
	case bytes.HasPrefix(line, []byte(headSeal)):
		return nil, d.seal(line)
	}
	d.count(line)
	switch {
	case d.at == inEpoch && bytes.HasPrefix(line, []byte(headLine)):
		return d.record(line)
	case d.at == inEpoch && bytes.HasPrefix(line, []byte(headLost)):
		return d.lost(line)
	case d.at == inEpoch && bytes.HasPrefix(line, []byte(headCheckpoint)):
		return d.checkpoint(line)
	case d.at == inEpoch && bytes.HasPrefix(line, []byte(headEnd)):
		return d.end(line)
	case d.at == atEpoch && bytes.HasPrefix(line, []byte(headEpoch)):
		return d.begin(line)
	case d.named() && bytes.HasPrefix(line, []byte(headName)):
		return d.name(line)
	case d.named() && bytes.HasPrefix(line, []byte(headKey)):
		return d.key(line)
	}
	return nil, d.fault("%s is expected here, not %.40q", d.expected(), line)
}

// named tells whether names may come, or the key.
func (d *Decoder) named() bool { return d.at == atNames || d.at == atEpoch && d.out.Epochs > 0 }

// expected says what may come.
func (d *Decoder) expected() string {
	switch d.at {
	case inEpoch:
		return "a record, a checkpoint or the end of epoch " + d.epoch.id
	case atEpoch:
		if d.out.Epochs == 0 {
			return "the first epoch"
		}
		return "an epoch, a name, the key or the last line's hash"
	case atNames:
		return "a name, the key or the last line's hash"
	}
	return "the last line's hash"
}

func (d *Decoder) fault(format string, args ...any) error {
	return &Fault{Line: d.line, What: fmt.Sprintf(format, args...)}
}

// read returns the next line without its newline. At the end of the file it returns io.EOF, if that is where a backup
// ends.
func (d *Decoder) read() ([]byte, error) {
	d.line++
	line, err := d.in.ReadSlice('\n')
	for whole := line; errors.Is(err, bufio.ErrBufferFull); line = whole {
		whole = bytes.Clone(whole)
		if line, err = d.in.ReadSlice('\n'); len(whole)+len(line) > maxLine+len("\n") {
			return nil, d.fault("the line is longer than %d bytes", maxLine)
		}
		whole = append(whole, line...)
	}
	switch {
	case err != nil && !errors.Is(err, io.EOF):
		return nil, fmt.Errorf("read the backup: %w", err)
	case d.at == atEnd && len(line) == 0:
		return nil, io.EOF
	case d.at == atEnd:
		return nil, d.fault("there is more behind the last line")
	case err != nil:
		return nil, d.fault("the backup is cut short here: %s is expected", d.expected())
	case !utf8.Valid(line):
		return nil, d.fault("not UTF-8")
	}
	return line[:len(line)-1], nil
}

func (d *Decoder) count(line []byte) {
	d.sum.Write(line)
	d.sum.Write([]byte{'\n'})
}

func (d *Decoder) header(line []byte) (any, error) {
	const ours = headHeader + `"scentpost/backup/`
	if !bytes.HasPrefix(line, []byte(ours)) {
		return nil, d.fault("this is no backup of scentpost: it should begin with %s", ours)
	}
	if err := draftOf(line); err != nil {
		return nil, err
	}
	var h Header
	if err := decode(line, &h); err != nil {
		return nil, d.fault("the header: %v", err)
	}
	made, err := time.Parse(time.RFC3339, h.Made)
	switch {
	case h.Format != Format || h.Draft != event.Draft:
		return nil, d.fault("the header: format %.60q of draft %d, want %q of draft %d", h.Format, h.Draft, Format, event.Draft)
	case err != nil || made.UTC().Format(time.RFC3339) != h.Made:
		return nil, d.fault("the header: made %.40q is no time such as 2026-11-26T09:30:00Z", h.Made)
	case strings.ContainsFunc(h.Program, unicode.IsControl):
		return nil, d.fault("the header: program %.40q is no version", h.Program)
	case !record.IsName(h.Site) || !record.IsName(h.Station):
		return nil, d.fault("the header: %.70q / %.70q are no names of a site and a station", h.Site, h.Station)
	case h.Connections < 0:
		return nil, d.fault("the header: %d connections", h.Connections)
	}
	d.count(line)
	d.out.Header, d.at = h, atEpoch
	return h, nil
}

// draftOf returns an *event.UnknownLaw for the header of another draft, whatever else stands in it.
func draftOf(line []byte) error {
	says := struct {
		Draft int `json:"draft"`
	}{event.FirstDraft}
	if json.Unmarshal(line, &says) != nil || says.Draft < event.FirstDraft {
		return nil // what is wrong with it the one who reads the whole of it says
	}
	return event.CheckDraft(says.Draft)
}

func (d *Decoder) name(line []byte) (any, error) {
	var n Name
	if err := decode(line, &n); err != nil {
		return nil, d.fault("a name: %v", err)
	}
	if err := (record.Identity{Ref: n.Ref, Salt: n.Salt, Name: n.Is}).Check(); err != nil {
		return nil, d.fault("a name: %v", err)
	}
	if n.Ref <= d.last {
		return nil, d.fault("the name of %s stands behind that of %s", n.Ref, d.last)
	}
	d.last, d.at = n.Ref, atNames
	d.out.Names++
	return n, nil
}

// key reads the private key; no error quotes it.
func (d *Decoder) key(line []byte) (any, error) {
	var k Key
	if err := decode(line, &k); err != nil {
		return nil, d.fault("the station's key is not written as a backup writes it")
	}
	verifier, err := record.VerifierOf(k.Private)
	if err != nil {
		return nil, d.fault("the station's key: %v", err)
	}
	if verifier != d.out.Verifier {
		return nil, d.fault("the private key is not the one that signed epoch %s", d.out.Epoch)
	}
	d.at, d.out.WithKey = atSeal, true
	return k, nil
}

// seal checks the last line and what only the end can show. Nothing may come behind it.
func (d *Decoder) seal(line []byte) error {
	var s seal
	switch {
	case !d.named() && d.at != atSeal:
		return d.fault("%s is expected here, not the last line's hash", d.expected())
	case decode(line, &s) != nil || s.SHA256 != hex.EncodeToString(d.sum.Sum(nil)):
		return d.fault("the hash of all lines is not the one that stands here: the backup was changed or damaged; take another copy of it")
	case d.out.Records == 0:
		return d.fault("the backup holds no record")
	case d.log.Site != d.out.Site || d.log.Station != d.out.Station:
		return d.fault("the header says station %s/%s, the records %s/%s", d.out.Site, d.out.Station, d.log.Site, d.log.Station)
	}
	d.at = atEnd
	_, err := d.Next()
	return err
}
