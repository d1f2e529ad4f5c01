package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

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
	err := durable.Create(path, content, mode)
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
