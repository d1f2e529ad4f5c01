package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"

	"scentpost/cmd/internal/words"
	"scentpost/station/durable"
)

// cannotRead says why a file cannot be read and what to do.
func cannotRead(path string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s: there is no such file: check the path", path)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%s: may not be read by this account: check the rights of the file and its folders", path)
	}
	return fmt.Errorf("%s: cannot be read: %w", path, err)
}

// createNew makes a file with its content, durably; one that is there already is never written over. what names it in
// the error, which is a wrong use where another name would help, and the answer no where the disk failed.
func createNew(what, path string, content []byte, mode fs.FileMode) error {
	return notMade(what, path, durable.Create(path, content, mode))
}

// fillNew is createNew of content that is not in memory. An error of fill that is no error of a file keeps its words.
func fillNew(what, path string, mode fs.FileMode, fill func(io.Writer) error) error {
	var source error
	err := durable.Fill(path, mode, func(w io.Writer) error {
		out := &kept{to: w}
		if err := fill(out); err != nil && out.err == nil {
			source = err
		}
		return errors.Join(source, out.err)
	})
	if source != nil {
		return no(words.Error(source))
	}
	return notMade(what, path, err)
}

// kept keeps the first error of a writer.
type kept struct {
	to  io.Writer
	err error
}

// Write implements io.Writer.
func (k *kept) Write(p []byte) (n int, err error) {
	if n, err = k.to.Write(p); k.err == nil {
		k.err = err
	}
	return n, err
}

// notMade says why a file was not made; nil when it was.
func notMade(what, path string, err error) error {
	if err == nil {
		return nil
	}
	for _, choice := range []error{fs.ErrExist, fs.ErrNotExist, fs.ErrPermission} {
		if errors.Is(err, choice) {
			return usage(fmt.Errorf("%s: %w", what, cannotMake(path, err)))
		}
	}
	return no(fmt.Errorf("%s: %w", what, cannotMake(path, err)))
}

// cannotMake says why a file cannot be made and what to do.
func cannotMake(path string, err error) error {
	switch {
	case errors.Is(err, fs.ErrExist):
		return fmt.Errorf("%s is there already, and nothing is written over: name a new file with -o", path)
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s cannot be made: there is no folder %s", path, filepath.Dir(path))
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%s cannot be made: this account may not write in %s: name a file elsewhere with -o", path, filepath.Dir(path))
	}
	return fmt.Errorf("%s cannot be made: %w", path, err)
}
