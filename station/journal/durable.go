package journal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// writeDurably replaces the file in one piece: after a power cut there is the old content or the new one, never
// an empty file.
func writeDurably(path string, content []byte) error {
	temp := path + ".new"
	file, err := os.OpenFile(temp, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		_ = os.Remove(temp)
		return err
	}
	if err := os.Rename(temp, path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// syncDir makes the names in a folder durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// privateDir makes the folder, or makes the existing one readable by its owner alone.
func privateDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("making the journal's folder: %w", err)
	}
	state, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if state.Mode().Perm()&0o077 == 0 {
		return nil
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		return fmt.Errorf("the journal's folder %s is open to others (mode %o) and cannot be closed to them: %w", dir, state.Mode().Perm(), err)
	}
	return nil
}
