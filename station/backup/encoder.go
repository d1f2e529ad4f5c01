package backup

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
)

// Encoder writes a backup, line by line. It checks nothing: a Decoder does.
type Encoder struct {
	out *bufio.Writer
	sum hash.Hash
}

// NewEncoder returns an encoder that writes to w.
func NewEncoder(w io.Writer) *Encoder {
	return &Encoder{out: bufio.NewWriterSize(w, 64<<10), sum: sha256.New()}
}

// Write writes a Header, Epoch, Line, Lost, Checkpoint, End, Name or Key.
func (e *Encoder) Write(item any) error {
	var line []byte
	var err error
	if one, isLine := item.(Line); isLine {
		line = one.Bytes
	} else if line, err = encode(item); err != nil {
		return fmt.Errorf("write the backup: %w", err)
	}
	e.sum.Write(line)
	e.sum.Write([]byte{'\n'})
	if _, err = e.out.Write(line); err == nil {
		err = e.out.WriteByte('\n')
	}
	if err != nil {
		return fmt.Errorf("write the backup: %w", err)
	}
	return nil
}

// Close writes the last line. It does not close what it wrote to.
func (e *Encoder) Close() error {
	if err := e.Write(seal{SHA256: hex.EncodeToString(e.sum.Sum(nil))}); err != nil {
		return err
	}
	if err := e.out.Flush(); err != nil {
		return fmt.Errorf("write the backup: %w", err)
	}
	return nil
}
