package journal

import (
	"fmt"
	"os"
)

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
	if state.Mode()&os.ModeSticky != 0 { // made for everybody: it is nobody's to close
		return fmt.Errorf("the folder %s is one that everybody shares: name a folder in it for the journal", dir)
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		return fmt.Errorf("the journal's folder %s is open to others (mode %o) and cannot be closed to them: %w", dir, state.Mode().Perm(), err)
	}
	return nil
}
