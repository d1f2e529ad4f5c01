// Package durable replaces and creates small files so that a power cut leaves the old content or the new one.
//
// A write reaches the disk when the kernel chooses, and a file's name may reach it before its content. Each function
// here returns only when content and name are both on the disk.
package durable

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// private is the mode of a replaced file: its owner alone may read it.
const private fs.FileMode = 0o600

// Replace puts content in the place of the file at path, or makes the file, readable by its owner alone. After a power
// cut, and after an error, the file holds its old content or the new one, whole. One caller at a time may replace a file:
// the new content lies under the same name with ".new" until it takes its place.
func Replace(path string, content []byte) error { return replace(system{}, path, content) }

// Create makes a file that is not there yet. The error is fs.ErrExist when it is. After any other error no file is left
// behind; after a power cut there is no file, or one with the whole content once Create had returned.
func Create(path string, content []byte, mode fs.FileMode) error {
	return create(system{}, path, whole(content), mode)
}

// Fill is Create of a file whose content fill writes, for content that is not in memory. An error of fill is returned as it is
// and leaves no file behind.
func Fill(path string, mode fs.FileMode, fill func(w io.Writer) error) error {
	return create(system{}, path, fill, mode)
}

// whole fills a file with content that is in memory.
func whole(content []byte) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	}
}

// Rename gives a file or folder another name on the same file system, in the place of a file of that name, and returns
// when both folders know it.
func Rename(from, to string) error { return rename(system{}, from, to) }

// SyncFolder returns when the names in a folder are on the disk: those that were made, those that were taken away.
func SyncFolder(path string) error { return system{}.syncFolder(path) }

// disk is the part of a file system that is used here. A test puts one in its place that loses what was not synced.
type disk interface {
	create(path string, mode fs.FileMode) (file, error) // fs.ErrExist when there is one
	remove(path string) error
	rename(from, to string) error
	syncFolder(path string) error
}

type file interface {
	io.WriteCloser
	Sync() error
}

func replace(d disk, path string, content []byte) error {
	// The new content is written beside the old one: a write into the file itself would lose the old content first.
	temporary := path + ".new"
	// A power cut may have left one. It is removed and made again, since a link of that name must not be followed.
	if err := d.remove(temporary); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove what an earlier attempt left: %w", err)
	}
	if err := write(d, temporary, whole(content), private); err != nil {
		return err
	}
	// The rename is one step: at every instant the name stands for the old file or for the new one.
	if err := d.rename(temporary, path); err != nil {
		return errors.Join(err, d.remove(temporary))
	}
	// Without this the old file may come back after a power cut, although the caller was told of the new one.
	return d.syncFolder(filepath.Dir(path))
}

func create(d disk, path string, fill func(io.Writer) error, mode fs.FileMode) error {
	if err := write(d, path, fill, mode); err != nil {
		return err
	}
	return d.syncFolder(filepath.Dir(path)) // without this the file has no name after a power cut
}

func rename(d disk, from, to string) error {
	if err := d.rename(from, to); err != nil {
		return err
	}
	// The folder that it came to first: between the two it is better to have both names than none.
	err := d.syncFolder(filepath.Dir(to))
	if filepath.Dir(from) != filepath.Dir(to) {
		err = errors.Join(err, d.syncFolder(filepath.Dir(from)))
	}
	return err
}

// write makes a new file whose content, but not yet its name, is on the disk. It leaves none behind that is not whole.
func write(d disk, path string, fill func(io.Writer) error, mode fs.FileMode) error {
	f, err := d.create(path, mode)
	if err != nil {
		return err
	}
	err = fill(f)
	if err == nil {
		// Before the name counts: file systems may write a rename before the content, and leave an empty file.
		err = f.Sync()
	}
	// Some file systems tell only here that a write failed.
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, d.remove(path))
	}
	return nil
}

// system is the file system of this machine.
type system struct{}

func (system) create(path string, mode fs.FileMode) (file, error) {
	// O_EXCL: neither a file nor a link that somebody put there is written through.
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return nil, err
	}
	return f, nil
}

func (system) remove(path string) error     { return os.Remove(path) }
func (system) rename(from, to string) error { return os.Rename(from, to) }

func (system) syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
