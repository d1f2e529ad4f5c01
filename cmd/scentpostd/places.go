package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"scentpost/drivers/linux"
	"scentpost/station/config"
	"scentpost/station/doctor"
	"scentpost/station/folder"
	"scentpost/station/health"
	"scentpost/station/health/vitals"
)

// lookAtPlaces tries what a station of a configuration needs of the machine's files, as this account, and changes nothing: the
// station's folder with room on its disk, and the socket for commands. It is for a station that does not run.
func lookAtPlaces(cfg config.Config) []doctor.Looked {
	return []doctor.Looked{lookAtData(cfg), lookAtSocket(cfg.Socket)}
}

func lookAtData(cfg config.Config) doctor.Looked {
	own := folder.Folder(cfg.Data)
	p := doctor.Looked{Name: "data", Type: "folder", Path: cfg.Data}
	var refused *folder.Refused
	switch err := own.Trouble(nameOf(cfg)); {
	case errors.As(err, &refused):
		p.What, p.Do = refused.What, refused.Do
		return p
	case err != nil:
		p.What, p.Do = err.Error(), "see what it says"
		return p
	}
	disk, err := linux.DiskOf(nearest(cfg.Data))
	if err != nil {
		return p // which cannot be asked is no fault
	}
	held := func(health.Code) bool { return false }
	for _, v := range vitals.Judge(vitals.Reading{HasDisk: true, Free: disk.Free, ReadOnly: disk.ReadOnly}, held) {
		if v.Holds {
			p.What, p.Do = v.Evidence, "free space on the disk, or name a folder on another one as `data`"
		}
	}
	return p
}

// lookAtSocket tries the path of a socket that no daemon answers at.
func lookAtSocket(path string) doctor.Looked {
	p := doctor.Looked{Name: "socket", Type: "socket", Path: path}
	found, err := os.Lstat(path)
	switch {
	case err == nil && found.Mode()&fs.ModeSocket == 0:
		p.What, p.Do = fmt.Sprintf("something else is at %s", path), "take it away, or name another path as `socket`"
		return p
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		p.What, p.Do = err.Error(), "name another path as `socket`"
		return p
	}
	if err := folder.MayMake(path); err != nil {
		dir := filepath.Dir(path)
		p.What = err.Error()
		p.Do = fmt.Sprintf("sudo install -d -m 755 -o $(id -un) %s, or name a path that this account may make as `socket`", dir)
	}
	return p
}

// nearest is the folder itself, or the nearest one above it that is there.
func nearest(dir string) string {
	for {
		if _, err := os.Stat(dir); err == nil || dir == filepath.Dir(dir) {
			return dir
		}
		dir = filepath.Dir(dir)
	}
}
