package folder

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Trouble says why a station cannot begin in its folder as this account, nil when it can. It only reads; of a folder that is
// closed to root alone, or of another account that root asks for, it says nothing.
func (f Folder) Trouble(of Name) error {
	if err := f.fit(true); err != nil {
		return err
	}
	if _, err := f.judged(of); err != nil {
		return err
	}
	if err := MayMake(f.lock()); err != nil {
		return noRights(f.remedy(), "%v", err)
	}
	return nil
}

// MayMake says why this account cannot make a file at path, with the folders before it, nil when it can.
func MayMake(path string) error {
	for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
		found, err := os.Stat(dir)
		switch {
		case errors.Is(err, fs.ErrNotExist) && dir != filepath.Dir(dir):
			continue
		case errors.Is(err, fs.ErrPermission):
			return fmt.Errorf("the account %s may not reach %s", account(os.Geteuid()), dir)
		case err != nil:
			return err
		case !found.IsDir():
			return fmt.Errorf("%s is no folder", dir)
		case unix.Access(dir, unix.W_OK|unix.X_OK) != nil:
			return fmt.Errorf("the account %s may not write in %s", account(os.Geteuid()), dir)
		}
		return nil
	}
}
