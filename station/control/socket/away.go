package socket

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"syscall"

	"scentpost/station/refusal"
)

// away says why a socket could not be dialled.
func away(path string, err error) *Error {
	found, statErr := os.Stat(path)
	var slow net.Error
	switch {
	case path == "":
		return failure(refusal.New(Unnamed), err)
	case errors.Is(err, fs.ErrPermission) || errors.Is(statErr, fs.ErrPermission):
		return failure(closed(path, err), err)
	case statErr == nil && found.IsDir():
		return failure(refusal.New(Folder, "path", path), err)
	case statErr == nil && found.Mode()&fs.ModeSocket == 0:
		return failure(refusal.New(NotASocket, "path", path), err)
	case errors.Is(err, syscall.EINVAL):
		return failure(refusal.New(PathTooLong, "path", path), err)
	case errors.Is(err, syscall.ECONNREFUSED):
		return failure(refusal.New(Ended, "path", path), ErrNoDaemon, err)
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return failure(refusal.New(Absent, "path", path), ErrNoDaemon, err)
	case errors.As(err, &slow) && slow.Timeout():
		return failure(refusal.New(Silent, "path", path), ErrNoDaemon, err)
	}
	return failure(refusal.New(Failed, "path", path, refusal.Detail, err), err)
}

// closed says where this account may not enter on the way to a socket.
func closed(path string, err error) *refusal.Reason {
	whole, absErr := filepath.Abs(path)
	if absErr != nil {
		whole = path
	}
	shut := whole
	for dir := filepath.Dir(whole); ; dir = filepath.Dir(dir) {
		if _, err := os.Lstat(dir); err == nil || dir == filepath.Dir(dir) {
			if syscall.Access(dir, 1) != nil { // X_OK
				shut = dir
			}
			break
		}
	}
	found, statErr := os.Stat(shut)
	if statErr != nil {
		return refusal.New(Unreachable, "uid", os.Getuid(), "path", path, refusal.Detail, err)
	}
	mode := fmt.Sprintf("%04o", found.Mode().Perm())
	owner, _ := found.Sys().(*syscall.Stat_t)
	switch {
	case !found.IsDir():
		return refusal.New(Shut, "uid", os.Getuid(), "path", path, "mode", mode)
	case owner != nil && found.Mode().Perm()&0o010 != 0:
		group := fmt.Sprint(owner.Gid)
		if g, err := user.LookupGroupId(group); err == nil {
			group = g.Name
		}
		return refusal.New(FolderOfGroup, "uid", os.Getuid(), "path", path, "folder", shut, "mode", mode, "group", group)
	}
	return refusal.New(FolderShut, "uid", os.Getuid(), "path", path, "folder", shut, "mode", mode)
}
