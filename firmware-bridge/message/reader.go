package message

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// reader takes fields off a payload and keeps the first thing that is wrong with it.
type reader struct {
	rest []byte
	err  error
}

func (r *reader) fail(why error, format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: "+format, append([]any{why}, args...)...)
	}
}

// take returns the next n bytes, zeros when there are none any more.
func (r *reader) take(n int) []byte {
	if len(r.rest) < n {
		r.fail(ErrLength, "it ends within a field")
		r.rest = nil
		return make([]byte, n)
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

func (r *reader) u8() byte    { return r.take(1)[0] }
func (r *reader) u16() uint16 { return binary.LittleEndian.Uint16(r.take(2)) }
func (r *reader) u32() uint32 { return binary.LittleEndian.Uint32(r.take(4)) }
func (r *reader) u64() uint64 { return binary.LittleEndian.Uint64(r.take(8)) }

// bit reads a byte that is 0 or 1.
func (r *reader) bit(what string) bool {
	b := r.u8()
	if b > 1 {
		r.fail(ErrValue, "%s is %d, expected 0 or 1", what, b)
	}
	return b == 1
}

// most reads a byte that has a bound.
func (r *reader) most(limit byte, what string) byte {
	b := r.u8()
	if b > limit {
		r.fail(ErrValue, "%s is %d, expected at most %d", what, b, limit)
	}
	return b
}

// zeros reads n bytes that are zero.
func (r *reader) zeros(n int, what string) {
	if len(bytes.Trim(r.take(n), "\x00")) > 0 {
		r.fail(ErrValue, "%s is not zero", what)
	}
}

// text reads ASCII that is filled up with zeros.
func (r *reader) text(n int, what string) string {
	b := bytes.TrimRight(r.take(n), "\x00")
	for _, c := range b {
		if c < ' ' || c > '~' {
			r.fail(ErrValue, "%s holds the byte 0x%02X", what, c)
			return ""
		}
	}
	return string(b)
}

// padded appends n bytes of text, filled up with zeros; what is longer is cut.
func padded(dst []byte, s string, n int) []byte {
	field := make([]byte, n)
	copy(field, s)
	return append(dst, field...)
}

func one(b bool) byte {
	if b {
		return 1
	}
	return 0
}

// The appenders that all payloads share.
var le = binary.LittleEndian
