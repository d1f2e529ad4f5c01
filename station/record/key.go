package record

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"scentpost/station/signs"
)

// SimulatedPrefix begins the name of every key that a simulation made. The name stands in the key's text, in
// every signature line and, hashed, in the key's id: it cannot be taken off a signature afterwards.
const SimulatedPrefix = "SIMULATED/"

// IsSimulated tells whether a key of this name, or a text that begins with the name, was made by a simulation.
func IsSimulated(name string) bool { return strings.HasPrefix(name, SimulatedPrefix) }

// NewKey makes an Ed25519 key from 32 bytes of random. Both texts are in the form of golang.org/x/mod/sumdb/note:
// private "PRIVATE+KEY+<name>+<id>+<base64>", which must be kept secret, and verifier "<name>+<id>+<base64>".
// The name is a station's or an authority's, of letters, digits, '.', '_' and '-', and for a simulation with
// SimulatedPrefix before it.
func NewKey(random io.Reader, name string) (private, verifier string, err error) {
	if !IsName(strings.TrimPrefix(name, SimulatedPrefix)) {
		return "", "", badName("key", name)
	}
	seed := make([]byte, 32)
	if _, err := io.ReadFull(random, seed); err != nil {
		return "", "", fmt.Errorf("make a key: no 32 random bytes: %w", err)
	}
	return keyFromSeed(name, seed)
}

// Signer signs the checkpoints of one log.
type Signer struct {
	log      Log
	note     note.Signer
	verifier string
}

// NewSigner reads a private key's text, to sign the checkpoints of l. The error does not quote the key.
func NewSigner(l Log, private string) (*Signer, error) {
	if err := l.Check(); err != nil {
		return nil, err
	}
	verifier, err := VerifierOf(private)
	if err != nil {
		return nil, err
	}
	n, err := note.NewSigner(private)
	if err != nil {
		return nil, errPrivate
	}
	return &Signer{log: l, note: n, verifier: verifier}, nil
}

// Name returns the key's name.
func (s *Signer) Name() string { return s.note.Name() }

// Verifier returns the text of the verifier key.
func (s *Signer) Verifier() string { return s.verifier }

// Simulated tells whether a simulation made the key.
func (s *Signer) Simulated() bool { return IsSimulated(s.Name()) }

// ParseVerifier reads a verifier key's text, which must be written in the one usual way. It returns the key's name.
func ParseVerifier(text string) (name string, err error) {
	v, err := newVerifier(text)
	if err != nil {
		return "", err
	}
	return v.Name(), nil
}

func newVerifier(text string) (note.Verifier, error) {
	v, err := note.NewVerifier(text)
	if err != nil {
		return nil, fmt.Errorf("%.120q is no verifier key: want <name>+<id>+<base64>, as `scentpost key show` prints it", text)
	}
	// note accepts other ways to write the id and the base64; one key must have one text.
	_, key, _ := strings.Cut(text[len(v.Name())+1:], "+")
	raw, err := base64.StdEncoding.DecodeString(key)
	if err != nil || fmt.Sprintf("%s+%08x+%s", v.Name(), v.KeyHash(), base64.StdEncoding.EncodeToString(raw)) != text {
		return nil, fmt.Errorf("the verifier key of %q is not written in the usual way: copy it again", v.Name())
	}
	return v, nil
}

// keyFromSeed gives the two texts of the key with this Ed25519 seed. It goes through note, so that the texts are
// note's and nobody else's.
func keyFromSeed(name string, seed []byte) (private, verifier string, err error) {
	key := ed25519.NewKeyFromSeed(seed)
	verifier, err = note.NewEd25519VerifierKey(name, key.Public().(ed25519.PublicKey))
	if err != nil {
		return "", "", err
	}
	id := strings.Split(verifier, "+")[1]
	secret := append([]byte{algEd25519}, seed...)
	return "PRIVATE+KEY+" + name + "+" + id + "+" + base64.StdEncoding.EncodeToString(secret), verifier, nil
}

// algEd25519 is note's number for Ed25519, the first byte of a key.
const algEd25519 = 1

var errPrivate = errors.New("this is no private key: want the one line that `scentpost key new` writes, without spaces")

// VerifierOf returns the verifier key of a private key's text. The error does not quote the key.
func VerifierOf(private string) (string, error) {
	if _, err := note.NewSigner(private); err != nil {
		return "", errPrivate
	}
	parts := strings.SplitN(private, "+", 5)
	raw, err := base64.StdEncoding.DecodeString(parts[4])
	if err != nil {
		return "", errPrivate
	}
	again, verifier, err := keyFromSeed(parts[2], raw[1:])
	if err != nil || again != private {
		return "", errPrivate
	}
	return verifier, nil
}

// KeyText returns the key in the content of a file, private or verifier: without a byte order mark before it and white space
// around it.
func KeyText(content []byte) string {
	return strings.TrimSpace(strings.TrimPrefix(string(content), signs.ByteOrderMark))
}
