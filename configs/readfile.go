package configs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"scentpost/station/strict"
)

// ReadFile returns the bytes of a regular file of at most limit bytes. Anything else is refused without being
// read whole, with the next step in the error: a missing file, a folder, a pipe or device, a larger file.
func ReadFile(file string, limit int64) ([]byte, error) {
	stat, err := os.Stat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, refusal{file, "there is no such file", "check the path" + neighbours(file), fs.ErrNotExist}
	case errors.Is(err, fs.ErrPermission):
		return nil, refusal{file, "may not be read", "check the rights of the file and its folders", fs.ErrPermission}
	case err != nil:
		return nil, refusal{file, "cannot be read", "check the path", err}
	case stat.IsDir():
		return nil, refusal{file, "is a folder, a file is expected", "name a file in it", errNotRegular}
	case !stat.Mode().IsRegular():
		return nil, refusal{file, "is " + describe(stat.Mode()) + ", a file is expected", "name a regular file", errNotRegular}
	case stat.Size() > limit:
		return nil, refusal{file, fmt.Sprintf("has %d bytes, %d are the most that is read", stat.Size(), limit), "is this the right file?", errTooLarge}
	}
	opened, err := os.Open(file)
	if err != nil {
		return nil, refusal{file, "may not be read", "check the rights of the file and its folders", err}
	}
	defer func() { _ = opened.Close() }() // opened for reading: nothing is lost
	src, err := io.ReadAll(io.LimitReader(opened, limit+1))
	if err != nil {
		return nil, refusal{file, "cannot be read to its end", "check the disk", err}
	}
	if int64(len(src)) > limit { // it grew since the look at its size
		return nil, refusal{file, fmt.Sprintf("has more than %d bytes", limit), "is this the right file?", errTooLarge}
	}
	return src, nil
}

// Passes tells whether an error of ReadFile may pass by itself, such as one of the disk or of too many open files. A file
// that is missing, that may not be read or that is something else stays so until a person acts.
func Passes(err error) bool {
	var stays refusal
	if !errors.As(err, &stays) {
		return true
	}
	return !slices.ContainsFunc([]error{fs.ErrNotExist, fs.ErrPermission, errNotRegular, errTooLarge, syscall.ENOTDIR, syscall.ELOOP,
		syscall.ENAMETOOLONG, syscall.EINVAL}, func(cause error) bool { return errors.Is(stays.cause, cause) })
}

var (
	errNotRegular = errors.New("not a regular file")
	errTooLarge   = errors.New("too large")
)

// refusal says why a file is not read and what to do.
type refusal struct {
	file, message, hint string
	cause               error
}

// Error returns the file, what is wrong with it, and the next step.
func (r refusal) Error() string { return r.file + ": " + r.message + " (" + r.hint + ")" }

// Unwrap returns the cause, such as fs.ErrNotExist.
func (r refusal) Unwrap() error { return r.cause }

// describe says what a file is that is no regular file and no folder.
func describe(mode fs.FileMode) string {
	switch {
	case mode&fs.ModeNamedPipe != 0:
		return "a pipe"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	}
	return "a device"
}

// neighbours hints at a file of a similar name in the same folder.
func neighbours(file string) string {
	entries, err := os.ReadDir(filepath.Dir(file))
	if err != nil {
		return "; its folder cannot be read either"
	}
	var names []string
	for _, e := range entries[:min(len(entries), 1000)] { // a hint is not worth a walk through a spool
		names = append(names, e.Name())
	}
	if near := strict.Nearest(filepath.Base(file), names); near != "" {
		return fmt.Sprintf("; did you mean %q?", filepath.Join(filepath.Dir(file), near))
	}
	return ""
}
