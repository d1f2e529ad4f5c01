package folder

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Give gives all below a path to the owner of a folder: root may restore what the daemon's own account must read.
func Give(path, like string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	found, err := os.Stat(like)
	if err != nil {
		return err
	}
	owner, ok := found.Sys().(*syscall.Stat_t)
	if !ok || owner.Uid == 0 {
		return nil
	}
	return filepath.WalkDir(path, func(name string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(name, int(owner.Uid), int(owner.Gid))
	})
}
