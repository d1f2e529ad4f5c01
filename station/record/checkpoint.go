package record

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// maxCheckpoint is the longest note that is read, in bytes; ours has about 250.
const maxCheckpoint = 8 << 10

// Head is what a checkpoint says: a log had Size records, and Root as its root.
type Head struct {
	Origin string
	Size   int64
	Root   tlog.Hash
}

// Checkpoint signs that the log had size records with this root. The note is in the form of C2SP tlog-checkpoint:
// origin, size, root in base64, an empty line, "— <key name> <base64 of key id and signature>".
func (s *Signer) Checkpoint(size int64, root [32]byte) ([]byte, error) {
	signed, err := s.Sign(headText(Head{s.log.Origin(), size, root}))
	if err != nil {
		return nil, fmt.Errorf("sign the checkpoint of %d records: %w", size, err)
	}
	return signed, nil
}

// Sign makes a signed note (C2SP signed-note) of a text whose lines each end with a newline.
func (s *Signer) Sign(text string) ([]byte, error) { return note.Sign(&note.Note{Text: text}, s.note) }

func headText(h Head) string {
	return h.Origin + "\n" + strconv.FormatInt(h.Size, 10) + "\n" + base64.StdEncoding.EncodeToString(h.Root[:]) + "\n"
}

// ParseCheckpoint reads what a checkpoint says without looking at its signatures. It accepts only a text that is
// written in the one usual way.
func ParseCheckpoint(signed []byte) (Head, error) {
	if len(signed) > maxCheckpoint {
		return Head{}, fmt.Errorf("the checkpoint has %d bytes, more than %d", len(signed), maxCheckpoint)
	}
	text, _, ok := bytes.Cut(signed, []byte("\n\n"))
	lines := strings.Split(string(text), "\n")
	if !ok || len(lines) != 3 {
		return Head{}, errors.New("a checkpoint has three lines (origin, size, root), an empty one, and signatures")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 {
		return Head{}, fmt.Errorf("the checkpoint's size %.40q is no number of records", lines[1])
	}
	root, err := tlog.ParseHash(lines[2])
	if err != nil {
		return Head{}, errors.New("the checkpoint's root is not the base64 of 32 bytes")
	}
	h := Head{Origin: lines[0], Size: size, Root: root}
	if headText(h) != string(text)+"\n" {
		return Head{}, errors.New("the checkpoint's size or root is not written in the usual way")
	}
	return h, nil
}

// VerifyCheckpoint reads a checkpoint and checks that it is signed by each of the verifier keys and by nobody
// else. A note that is not, byte for byte, what the signers wrote is refused: note.Open alone would accept changed
// base64 and repeated signatures.
func VerifyCheckpoint(signed []byte, verifiers ...string) (Head, error) {
	h, err := ParseCheckpoint(signed)
	if err != nil {
		return Head{}, err
	}
	if _, err := VerifyNote(signed, verifiers...); err != nil {
		return Head{}, fmt.Errorf("the checkpoint of %d records %w", h.Size, err)
	}
	return h, nil
}

// VerifyNote checks that a note is signed by each of the verifier keys and by nobody else, and returns its text. It is as strict
// as VerifyCheckpoint. The error goes on from the name of the note.
func VerifyNote(signed []byte, verifiers ...string) (text string, err error) {
	known := make([]note.Verifier, 0, len(verifiers))
	for _, text := range verifiers {
		v, err := newVerifier(text)
		if err != nil {
			return "", fmt.Errorf("cannot be checked: %w", err)
		}
		known = append(known, v)
	}
	n, err := note.Open(signed, note.VerifierList(known...))
	switch {
	case err != nil:
		return "", signatureError(err)
	case len(n.UnverifiedSigs) > 0:
		return "", fmt.Errorf("has a signature of another key, %q", n.UnverifiedSigs[0].Name)
	case len(n.Sigs) != len(known):
		return "", fmt.Errorf("has %d signatures, want %d", len(n.Sigs), len(known))
	case !bytes.Equal(rewrite(n), signed):
		return "", errors.New("is not written as its signer wrote it")
	}
	return n.Text, nil
}

// ReadNote returns the text of a note and whose one signature it bears, as "<name>+<key id, 8 hex>". It does not look whether
// the signature holds: that needs the key.
func ReadNote(signed []byte) (text, signer string, err error) {
	if len(signed) > maxCheckpoint {
		return "", "", fmt.Errorf("has %d bytes, more than %d", len(signed), maxCheckpoint)
	}
	var unverified *note.UnverifiedNoteError
	if _, err := note.Open(signed, note.VerifierList()); !errors.As(err, &unverified) || len(unverified.Note.UnverifiedSigs) != 1 {
		return "", "", errors.New("is no text with one signature: want it as it was printed, with its last lines")
	}
	n := unverified.Note
	return n.Text, fmt.Sprintf("%s+%08x", n.UnverifiedSigs[0].Name, n.UnverifiedSigs[0].Hash), nil
}

// signatureError says in our words why note refused.
func signatureError(err error) error {
	var invalid *note.InvalidSignatureError
	var unverified *note.UnverifiedNoteError
	switch {
	case errors.As(err, &invalid):
		return fmt.Errorf("has a signature of %q that does not fit its text", invalid.Name)
	case errors.As(err, &unverified):
		return errors.New("is not signed by the key")
	}
	return errors.New("has signatures that cannot be read")
}

// rewrite writes a note in the one usual way.
func rewrite(n *note.Note) []byte {
	b := []byte(n.Text + "\n")
	for _, sig := range n.Sigs {
		raw, err := base64.StdEncoding.DecodeString(sig.Base64)
		if err != nil {
			return nil
		}
		b = fmt.Appendf(b, "— %s %s\n", sig.Name, base64.StdEncoding.EncodeToString(raw))
	}
	return b
}
