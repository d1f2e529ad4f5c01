package folder

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"scentpost/station/durable"
)

// PutAside gives a file or folder the first free name of the form NAME.replaced-1, and returns it.
func PutAside(path string) (name string, err error) { return Aside(path, path) }

// Aside moves what lies at from to the first free name of the form LIKE.replaced-1, and returns that.
func Aside(from, like string) (name string, err error) {
	for n := 1; ; n++ {
		name := fmt.Sprintf("%s.%s-%d", like, aside, n)
		if _, err := os.Lstat(name); errors.Is(err, fs.ErrNotExist) {
			return name, durable.Rename(from, name)
		} else if err != nil {
			return "", err
		}
	}
}

// AdoptKey puts the private key that came with a restored journal into its place, and another one that was there aside.
// Claim calls it, in case a restore was stopped before it could.
func AdoptKey(f Folder) (asideAs string, err error) {
	inside, path := f.restoredKey(), f.Key()
	text, err := os.ReadFile(inside)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read the restored key: %w", err)
	}
	now, err := os.ReadFile(path)
	if err == nil && !bytes.Equal(now, text) {
		if asideAs, err = PutAside(path); err != nil {
			return "", fmt.Errorf("put the station's key aside: %w", err)
		}
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read the station's key: %w", err)
	}
	if err := durable.Rename(inside, path); err != nil {
		return asideAs, fmt.Errorf("put the restored key into its place: %w", err)
	}
	return asideAs, nil
}
