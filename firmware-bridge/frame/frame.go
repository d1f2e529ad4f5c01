// Package frame puts frames onto a serial line and takes them off it: COBS between zeros, and a CRC-32C.
//
// The bytes are specified in ../PROTOCOL.md.
package frame

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

const (
	// MaxBody is the longest frame without its CRC, in bytes, MinBody the shortest: a header.
	MaxBody, MinBody = 60, 4
	// MaxWire is the longest frame on the wire: two delimiters, one byte of COBS, body and CRC.
	MaxWire = 1 + 1 + MaxBody + crcSize + 1
	// MinWire is the shortest.
	MinWire = 1 + 1 + MinBody + crcSize + 1

	crcSize   = 4
	delimiter = 0x00
)

// castagnoli is the polynomial of CRC-32C.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Sum is the CRC-32C of b.
func Sum(b []byte) uint32 { return crc32.Checksum(b, castagnoli) }

// The reasons for which a piece of the line is no frame, to be tested with errors.Is.
var (
	ErrLength = errors.New("the length is none of a frame")
	ErrCOBS   = errors.New("the bytes are not COBS")
	ErrCRC    = errors.New("the CRC is another")
)

// Append appends a frame to dst as it goes onto the wire. body has MinBody to MaxBody bytes; another length is a
// mistake of the program and panics.
func Append(dst, body []byte) []byte {
	if len(body) < MinBody || len(body) > MaxBody {
		panic(fmt.Sprintf("frame: a body of %d bytes, expected %d to %d", len(body), MinBody, MaxBody))
	}
	var whole [MaxBody + crcSize]byte
	n := copy(whole[:], body)
	binary.LittleEndian.PutUint32(whole[n:], Sum(body))
	dst = append(dst, delimiter)
	dst = stuff(dst, whole[:n+crcSize])
	return append(dst, delimiter)
}

// stuff appends b in COBS. b is shorter than 254 bytes, so that no code is 0xFF.
func stuff(dst, b []byte) []byte {
	code := len(dst)
	dst = append(dst, 1)
	for _, c := range b {
		if c == delimiter {
			code = len(dst)
			dst = append(dst, 1)
			continue
		}
		dst = append(dst, c)
		dst[code]++
	}
	return dst
}

// Unwrap returns the body of one piece of the line, the bytes between two delimiters, decoded in place. The error says
// why it is none.
func Unwrap(piece []byte) (body []byte, err error) {
	if len(piece) < 1+MinBody+crcSize || len(piece) > MaxWire-2 {
		return nil, fmt.Errorf("%w: %d bytes on the wire", ErrLength, len(piece))
	}
	whole := piece[:0]
	for i := 0; i < len(piece); {
		code := int(piece[i])
		if code == delimiter || i+code > len(piece) {
			return nil, fmt.Errorf("%w: code %d with %d bytes behind it", ErrCOBS, code, len(piece)-i-1)
		}
		run := piece[i+1 : i+code]
		for _, c := range run {
			if c == delimiter {
				return nil, fmt.Errorf("%w: a zero within", ErrCOBS)
			}
		}
		whole = append(whole, run...)
		i += code
		if i < len(piece) {
			whole = append(whole, delimiter)
		}
	}
	body, tail := whole[:len(whole)-crcSize], whole[len(whole)-crcSize:]
	if got, want := binary.LittleEndian.Uint32(tail), Sum(body); got != want {
		return nil, fmt.Errorf("%w: %08x, computed %08x", ErrCRC, got, want)
	}
	return body, nil
}

// Splitter cuts the bytes of a line into frames, however they come. Its zero value is at the begin of a line.
type Splitter struct {
	piece [MaxWire]byte
	n     int
	long  bool
}

// Write takes bytes of the line. It calls body with each frame, which is valid during the call only, and bad with the
// reason for each piece that is none.
func (s *Splitter) Write(line []byte, body func([]byte), bad func(error)) {
	for _, c := range line {
		switch {
		case c == delimiter:
			s.end(body, bad)
		case s.n == len(s.piece):
			s.long = true
		default:
			s.piece[s.n] = c
			s.n++
		}
	}
}

func (s *Splitter) end(body func([]byte), bad func(error)) {
	piece, long := s.piece[:s.n], s.long
	s.n, s.long = 0, false
	switch {
	case long:
		bad(fmt.Errorf("%w: over %d bytes without a delimiter", ErrLength, MaxWire))
	case len(piece) == 0:
	default:
		got, err := Unwrap(piece)
		if err != nil {
			bad(err)
			return
		}
		body(got)
	}
}

// Reset forgets what has come of the frame under way, as after the line was opened anew.
func (s *Splitter) Reset() { s.n, s.long = 0, false }
