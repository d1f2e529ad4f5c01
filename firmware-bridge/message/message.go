// Package message gives the frames of a board their meaning: one struct a type, read and written one way only.
//
// Lengths, fields and values are specified in ../PROTOCOL.md; whatever does not fit there is refused.
package message

import (
	"errors"
	"fmt"
)

// Version is the version of the protocol that this package speaks.
const Version = 1

// Type is what a frame is.
type Type byte

// The types. Those below 0x40 come from the host.
const (
	TypeHello     Type = 0x01
	TypeDescribe  Type = 0x02
	TypeConfigure Type = 0x03
	TypeSet       Type = 0x04
	TypeSafe      Type = 0x05
	TypeBeat      Type = 0x06
	TypePing      Type = 0x07
	TypeHeld      Type = 0x08
	TypeNothing   Type = 0x09
	TypeName      Type = 0x0A
	TypeBoard     Type = 0x41
	TypePin       Type = 0x42
	TypeAck       Type = 0x43
	TypePong      Type = 0x44
	TypeEvents    Type = 0x45
)

// MaxPins is how many pins a board may describe.
const MaxPins = 64

// Header is what stands before every payload.
type Header struct {
	Version byte
	Type    Type
	Session byte // the low byte of the session
	Number  byte // of a command, a SAFE or what is acknowledged; 0 for other types
}

// Message is one of the structs of this package.
type Message interface {
	// Type is the type of its frame.
	Type() Type
	// append appends the payload.
	append(dst []byte) []byte
	// read takes the payload, whose length is right unless the type has none of its own.
	read(r *reader)
}

// The reasons for which a frame is no message, to be tested with errors.Is.
var (
	ErrVersion = errors.New("another version of the protocol")
	ErrType    = errors.New("an unknown type")
	ErrLength  = errors.New("the length is none of its type")
	ErrValue   = errors.New("a value that its field cannot have")
)

// kind is how frames of a type are read.
type kind struct {
	make   func() Message
	length int // of the payload, -1 where the content says
}

// kinds is the one table of types.
var kinds = map[Type]kind{
	TypeHello:     {func() Message { return new(Hello) }, 6},
	TypeDescribe:  {func() Message { return new(Describe) }, 1},
	TypeConfigure: {func() Message { return new(Configure) }, configureSize},
	TypeSet:       {func() Message { return new(Set) }, 14},
	TypeSafe:      {func() Message { return new(Safe) }, 9},
	TypeBeat:      {func() Message { return new(Beat) }, 2},
	TypePing:      {func() Message { return new(Ping) }, pongSize},
	TypeHeld:      {func() Message { return new(Held) }, 3},
	TypeNothing:   {func() Message { return new(Nothing) }, 0},
	TypeName:      {func() Message { return new(Name) }, 8},
	TypeBoard:     {func() Message { return new(Board) }, 56},
	TypePin:       {func() Message { return new(Pin) }, 10},
	TypeAck:       {func() Message { return new(Ack) }, 2},
	TypePong:      {func() Message { return new(Pong) }, pongSize},
	TypeEvents:    {func() Message { return new(Events) }, -1},
}

const headerSize = 4

// Append appends the body of a frame: header and payload, without the CRC that package frame adds. A message with
// values that its fields cannot have is a mistake of the program; Parse would refuse it.
func Append(dst []byte, session, number byte, m Message) []byte {
	dst = append(dst, Version, byte(m.Type()), session, number)
	return m.append(dst)
}

// Parse reads the body of a frame. HELLO and BOARD are read in every version.
func Parse(body []byte) (Header, Message, error) {
	if len(body) < headerSize {
		return Header{}, nil, fmt.Errorf("%w: %d bytes, a header has %d", ErrLength, len(body), headerSize)
	}
	h := Header{Version: body[0], Type: Type(body[1]), Session: body[2], Number: body[3]}
	if body[0] != Version && h.Type != TypeHello && h.Type != TypeBoard {
		return h, nil, fmt.Errorf("%w: %d, expected %d", ErrVersion, body[0], Version)
	}
	k, known := kinds[h.Type]
	if !known {
		return h, nil, fmt.Errorf("%w: 0x%02X", ErrType, byte(h.Type))
	}
	payload := body[headerSize:]
	if k.length >= 0 && len(payload) != k.length {
		return h, nil, fmt.Errorf("%w: type 0x%02X has %d bytes, got %d", ErrLength, byte(h.Type), k.length, len(payload))
	}
	if h.Number != 0 && !h.Type.numbered() {
		return h, nil, fmt.Errorf("%w: type 0x%02X has no number, got %d", ErrValue, byte(h.Type), h.Number)
	}
	m := k.make()
	r := reader{rest: payload}
	m.read(&r)
	if r.err == nil && len(r.rest) > 0 {
		r.fail(ErrLength, "%d bytes too many", len(r.rest))
	}
	if r.err != nil {
		return h, nil, fmt.Errorf("type 0x%02X: %w", byte(h.Type), r.err)
	}
	return h, m, nil
}

// Command tells whether frames of the type are commands, taken in the order of their numbers.
func (t Type) Command() bool {
	return t == TypeConfigure || t == TypeSet || t == TypeNothing || t == TypeName
}

func (t Type) numbered() bool { return t.Command() || t == TypeSafe || t == TypeAck }
