package backup

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"scentpost/station/durable"
	"scentpost/station/folder"
	"scentpost/station/journal"
)

// swap puts the new journal into its place, and what was there into the temporary one: at every instant a whole journal
// is in its place, or none as before.
func (t Target) swap() error {
	err := unix.Renameat2(unix.AT_FDCWD, t.temporary(), unix.AT_FDCWD, t.Folder.Journal(), unix.RENAME_EXCHANGE)
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) {
		return fmt.Errorf("the file system of %s cannot exchange two folders in one step, as ext4, xfs, btrfs and tmpfs can: have `data` of the configuration name a folder on such a one", t.Folder)
	}
	if err != nil {
		return fmt.Errorf("put the journal into its place: %w", err)
	}
	return durable.SyncFolder(string(t.Folder))
}

// putAside gives what lies in the temporary place a name of its own when it is to be kept, and deletes it otherwise.
func (t Target) putAside(keep bool) (name string, err error) {
	if keep {
		if err := journal.TakeAsideAlong(t.temporary(), t.Folder.Journal()); err != nil {
			return "", fmt.Errorf("keep the journals of other drafts: %w", err)
		}
		name, err = folder.Aside(t.temporary(), t.Folder.Journal())
	} else {
		err = os.RemoveAll(t.temporary())
	}
	if err != nil {
		return "", fmt.Errorf("put the old journal aside: %w", err)
	}
	return name, durable.SyncFolder(string(t.Folder))
}
