package record

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"reflect"

	"scentpost/station/event"
)

// tagBody begins what a sealed body's hash is taken over.
const tagBody = "scentpost/body/v1"

// The lengths of sealed bodies: one for each kind, whatever it says, so that sizes tell nothing. That of what lies where goes
// by the number of canisters, which is public.
const (
	seedLength    = 96  // {"seed":"<64 digits>"}
	fillingLength = 192 // {"share":"<64 digits>","salt":"<64 digits>","loading":[]}
	loadedLength  = 256 // a position, a canister, an odour of 40 characters, and a comma
	movesLength   = 256 // a canister, two instants of 64 bits, and a fault of up to about 120 bytes
	lossLength    = 512 // three numbers of 64 bits, and a reason of event.MaxWhy bytes, each of which may be escaped
)

// secretLength returns the length that EncodeSecret pads a body of kind t to, in bytes; 0 for kinds that have none.
func secretLength(t event.Type, secret any) int {
	switch t {
	case event.CanisterMoved:
		return movesLength
	case event.EdgesLost:
		return lossLength
	case event.SessionSealed:
		return seedLength
	case event.SessionLoaded:
		if f, ok := secret.(*event.Filling); ok && f != nil {
			return fillingLength + loadedLength*len(f.Loading)
		}
		return fillingLength
	}
	return 0
}

// EncodeSecret writes the sealed body of an event of kind t, padded with spaces to the one length of its kind. The error never
// quotes the body.
func EncodeSecret(t event.Type, secret any) ([]byte, error) {
	kind, length := shapes[t].sealed, secretLength(t, secret)
	if kind == nil {
		return nil, fmt.Errorf("%s has no sealed body", t)
	}
	v := reflect.ValueOf(secret)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Type().Elem() != kind.typ {
		return nil, fmt.Errorf("%s: want a sealed body of type *%s, have %T", t, kind.typ, secret)
	}
	body, err := kind.append(make([]byte, 0, length), v.Elem())
	if err != nil {
		return nil, fmt.Errorf("%s: the sealed body holds a value that cannot be written (not UTF-8, or too large)", t)
	}
	if len(body) > length {
		return nil, fmt.Errorf("%s: the sealed body does not fit %d bytes: shorten its texts", t, length)
	}
	return append(body, bytes.Repeat([]byte{' '}, length-len(body))...), nil
}

// DecodeSecret reads a sealed body of kind t with its padding. It accepts exactly what EncodeSecret writes.
func DecodeSecret(t event.Type, body []byte) (any, error) {
	kind := shapes[t].sealed
	if kind == nil {
		return nil, fmt.Errorf("%s has no sealed body", t)
	}
	s := scanner{src: bytes.TrimRight(body, " ")}
	secret := reflect.New(kind.typ)
	if err := s.value(kind, secret.Elem()); err != nil {
		return nil, fmt.Errorf("sealed body of %s: %w", t, err)
	}
	if s.pos != len(s.src) {
		return nil, fmt.Errorf("sealed body of %s: byte %d: only spaces may follow", t, s.pos)
	}
	again, err := kind.append(make([]byte, 0, len(s.src)), secret.Elem())
	if err != nil || !bytes.Equal(again, s.src) {
		return nil, fmt.Errorf("sealed body of %s: byte %d: not as a station writes it", t, firstDifference(again, s.src))
	}
	if want := secretLength(t, secret.Interface()); len(body) != want {
		return nil, fmt.Errorf("sealed body of %s: %d bytes, want %d", t, len(body), want)
	}
	return secret.Interface(), nil
}

// SealHash returns what the public line says of its sealed body: SHA-256 over the tag "scentpost/body/v1",
// station, epoch, seq, type, nonce and body, each after its length as 4 bytes, big end first; seq is 8 bytes,
// big end first. nonce is 32 random bytes of this record alone; body is as EncodeSecret gave it, padding included.
func SealHash(station, epoch string, seq int64, t event.Type, nonce [32]byte, body []byte) [32]byte {
	b := make([]byte, 0, 160+len(body))
	b = appendPart(b, tagBody)
	b = appendPart(b, station)
	b = appendPart(b, epoch)
	b = binary.BigEndian.AppendUint32(b, 8)
	b = binary.BigEndian.AppendUint64(b, uint64(seq))
	b = appendPart(b, t)
	b = appendPart(b, nonce[:])
	b = appendPart(b, body)
	return sha256.Sum256(b)
}

// Opening returns the record that opens the sealed body of record of, which belonged to run.
func Opening(session string, run int, at event.Stamp, of int64, nonce [32]byte, body []byte) event.Event {
	return event.Event{Type: event.Opened, Session: session, Run: run, At: at, By: event.ByStation,
		Body: &event.OpenedBody{Of: of, Nonce: hex.EncodeToString(nonce[:]), Body: string(body)}}
}

// appendPart writes the length of part in 4 bytes, then part: no two lists of parts give the same bytes.
func appendPart[T ~string | ~[]byte](dst []byte, part T) []byte {
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(part)))
	return append(dst, part...)
}
