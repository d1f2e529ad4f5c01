package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
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

// createNew makes a file; one that is there already is never written over.
func createNew(path string, mode fs.FileMode) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return nil, cannotMake(path, err)
	}
	return f, nil
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
