package folder

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"scentpost/station/event"
	"scentpost/station/journal"
	"scentpost/station/record"
)

const (
	// mostOthers is how many names of foreign files are kept.
	mostOthers = 3
	// pageBytes bounds the first record of an epoch.
	pageBytes = 1 << 20
)

// Look reads what a station needs to know of its folder before it writes there. A folder that is not there yet is empty. The
// error is a *Refused for a folder that this account cannot reach; any other is one of reading, which may pass.
func Look(f Folder) (seen Seen, err error) {
	entries, err := os.ReadDir(string(f))
	if errors.Is(err, fs.ErrNotExist) {
		return seen, nil
	}
	if err != nil {
		return seen, f.unreachable(err)
	}
	for _, e := range entries {
		if !f.owns(e) && len(seen.Others) < mostOthers {
			seen.Others = append(seen.Others, e.Name())
		}
	}
	if seen.Bound, err = f.bound(); err != nil {
		return seen, err
	}
	if err := f.lookAtKey(&seen); err != nil {
		return seen, err
	}
	seen.Log, err = f.log(seen.Bound)
	return seen, err
}

// owns tells whether an entry of the folder may lie in the folder of a station. A socket that stands there is no file.
func (f Folder) owns(e fs.DirEntry) bool {
	name, _ := strings.CutSuffix(e.Name(), ".new")
	if n := strings.LastIndex(name, "."+aside+"-"); n > 0 {
		name = name[:n]
	}
	known := []string{f.binding(), f.lock(), f.Journal(), f.Journal() + ".restoring", f.Key(), f.Departed(), f.Connections(), f.Cause(), f.in("lost+found")}
	return e.Type() == fs.ModeSocket || slices.Contains(known, f.in(name))
}

// bound reads what belongs together, nil when the folder does not say. What was written by nobody is as good as nothing:
// the journal says whose it is, too.
func (f Folder) bound() (*Binding, error) {
	text, err := os.ReadFile(f.binding())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read whose the folder is: %w", err)
	}
	var b Binding
	if json.Unmarshal(text, &b) != nil || !record.IsName(b.Site) || !record.IsName(b.Station) {
		return nil, nil
	}
	return &b, nil
}

// lookAtKey reads the key, or the one that came with a restored journal and is to take its place.
func (f Folder) lookAtKey(seen *Seen) error {
	for _, path := range []string{f.restoredKey(), f.Key()} {
		text, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("read the station's key: %w", err)
		}
		if seen.Key, err = record.VerifierOf(record.KeyText(text)); err != nil {
			seen.BadKey = true
			continue
		}
		seen.Adopted = path == f.restoredKey()
		return nil
	}
	return nil
}

// log reads what the journal says of itself, nil when there is none, or a list of epochs that is damaged or of another draft:
// whoever opens the journal says what becomes of it.
func (f Folder) log(bound *Binding) (*Log, error) {
	trace, err := journal.TraceOf(f.Journal())
	if errors.Is(err, journal.ErrDamaged) || errors.As(err, new(*event.UnknownLaw)) {
		return nil, nil
	}
	if err != nil || trace.First == "" {
		return nil, err
	}
	log := &Log{First: trace.First, Restored: trace.Restored}
	if bound != nil && bound.Journal == log.First {
		return log, nil
	}
	err = log.read(f.Journal())
	if errors.Is(err, journal.ErrDamaged) { // which the journal's own check finds, too
		err = nil
	}
	return log, err
}

// read reads the first record of the newest epoch that has one.
func (l *Log) read(dir string) (err error) {
	r, err := journal.Read(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	for _, epoch := range slices.Backward(r.Epochs()) {
		log, err := r.Log(epoch.ID)
		if err != nil {
			return err
		}
		lines, err := log.Lines(0, 1, pageBytes)
		if err != nil {
			return err
		}
		if len(lines) == 0 {
			continue
		}
		first, err := record.Decode(lines[0].Bytes)
		body, begins := first.Event.Body.(*event.Epoch)
		if err != nil || !begins {
			return fmt.Errorf("%w: the first record of epoch %s: %w", journal.ErrDamaged, epoch.ID, err)
		}
		l.Read, l.Of, l.Key = true, Name{first.Site, first.Station, body.Simulated}, body.Key
		return nil
	}
	return nil
}

// fit refuses a folder that a station cannot have for itself: one that others may write in, or that another account owns.
// Root may act for the owner where it gives what it makes to that one.
func (f Folder) fit(forOwner bool) error {
	found, err := os.Stat(string(f))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return f.unreachable(err)
	}
	mode := found.Mode()
	switch {
	case !found.IsDir():
		return refuse("name a folder for this station alone as `data`", "%s is no folder", f)
	case mode&fs.ModeSticky != 0:
		return noRights(fmt.Sprintf("name a folder in it as `data`, such as %s", f.in("station")), "the folder %s is one that everybody shares", f)
	case mode.Perm()&0o022 != 0:
		return noRights(fmt.Sprintf("chmod 700 %s, or name another folder as `data`", f), "others may write in the folder %s (mode %04o)", f, mode.Perm())
	}
	owner, known := found.Sys().(*syscall.Stat_t)
	if me := os.Geteuid(); known && int(owner.Uid) != me && !(forOwner && me == 0) {
		return noRights(fmt.Sprintf("start it as that account (sudo -u %s ...), or name another folder as `data`", account(int(owner.Uid))),
			"the folder %s belongs to the account %s, and this is %s", f, account(int(owner.Uid)), account(me))
	}
	return nil
}

// unreachable says what to do about a folder that this account cannot reach.
func (f Folder) unreachable(err error) error {
	if !errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("look at the station's folder: %w", err)
	}
	return noRights(f.remedy(), "the account %s may not reach the folder %s", account(os.Geteuid()), f)
}

// remedy makes the folder for this account.
func (f Folder) remedy() string {
	who := account(os.Geteuid())
	return fmt.Sprintf("sudo install -d -m 700 -o %s %s, or name a folder that %s may make as `data`", who, filepath.Clean(string(f)), who)
}

// account returns the name of an account, or its number.
func account(uid int) string {
	if u, err := user.LookupId(strconv.Itoa(uid)); err == nil {
		return u.Username
	}
	return strconv.Itoa(uid)
}
