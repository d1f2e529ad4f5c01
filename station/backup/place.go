package backup

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"

	"scentpost/station/durable"
	"scentpost/station/journal"
)

// keyInside is the private key's name in the folder of a restored journal. It comes into its place with the journal, in
// one step, and from there into its own.
const keyInside = "station.key"

// swap puts the new journal into its place, and what was there into the temporary one: at every instant a whole journal
// is in its place, or none as before.
func (t Target) swap() error {
	err := unix.Renameat2(unix.AT_FDCWD, t.temporary(), unix.AT_FDCWD, t.Data, unix.RENAME_EXCHANGE)
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) {
		return fmt.Errorf("the file system of %s cannot exchange two folders in one step, as ext4, xfs, btrfs and tmpfs can: have `data` of the configuration name a folder on such a one", t.Data)
	}
	if err != nil {
		return fmt.Errorf("put the journal into its place: %w", err)
	}
	return durable.SyncFolder(filepath.Dir(t.Data))
}

// putAside gives what lies in the temporary place a name of its own when it is to be kept, and deletes it otherwise.
func (t Target) putAside(keep bool) (name string, err error) {
	if keep {
		if err := journal.TakeAsideAlong(t.temporary(), t.Data); err != nil {
			return "", fmt.Errorf("keep the journals of other drafts: %w", err)
		}
		name, err = aside(t.temporary(), filepath.Clean(t.Data))
	} else {
		err = os.RemoveAll(t.temporary())
	}
	if err != nil {
		return "", fmt.Errorf("put the old journal aside: %w", err)
	}
	return name, durable.SyncFolder(filepath.Dir(t.Data))
}

// aside renames what was replaced to the first free name.
func aside(from, like string) (string, error) {
	for n := 1; ; n++ {
		name := fmt.Sprintf("%s.replaced-%d", like, n)
		if _, err := os.Lstat(name); errors.Is(err, fs.ErrNotExist) {
			return name, os.Rename(from, name)
		} else if err != nil {
			return "", err
		}
	}
}

// AdoptKey puts the private key that came with a restored journal into its place, and another one that was there aside.
// The daemon calls it before it reads its key, in case a restore was stopped before it could.
func AdoptKey(data, path string) (asideAs string, err error) {
	inside := filepath.Join(data, keyInside)
	text, err := os.ReadFile(inside)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read the restored key: %w", err)
	}
	now, err := os.ReadFile(path)
	if err == nil && !bytes.Equal(now, text) {
		if asideAs, err = aside(path, path); err != nil {
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

// give gives all below a path to the owner of a folder: root may restore what the daemon's own account must read.
func give(path, like string) error {
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
