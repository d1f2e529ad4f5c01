package journal

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"scentpost/station/durable"
	"scentpost/station/event"
)

// A journal of an older draft is put aside whole, below the folder of the journal that follows it:
//
//	put-aside/draft-1-<epoch>/journal/        the old folder's files as they were
//	put-aside/draft-1-<epoch>/departed.json   a copy of what had left the station
//	put-aside/draft-1-<epoch>/aside.json      an Aside, as this draft writes it
//
// So the version that wrote it can open it where it lies, and its files need not be read here. While it is under way the
// folder is called "moving". The journal's own meta.json comes last: before it is replaced the old journal counts, and the
// next start goes on with what is left to do; after it the new one does.

const (
	asideFolder = "put-aside"
	movingName  = "moving"
)

// Aside is a journal that was put aside since it was made under another draft.
type Aside struct {
	Draft int `json:"draft"`
	// Epoch was its current one, with so many records and this root, as far as they could be read without its version.
	Epoch string    `json:"epoch"`
	Size  int64     `json:"size,string"`
	Root  tlog.Hash `json:"root"`
	// Sessions is how many it holds, Uncounted where only its version can count them.
	Sessions int `json:"sessions"`
	// Unfinished is the session that had not ended, "" when there is none or nobody but its version can say.
	Unfinished string `json:"unfinished,omitempty"`
	// Folder is the journal's, for the version that wrote it.
	Folder string `json:"-"`
}

// Uncounted is the Aside.Sessions of a journal whose sessions only its own version can count.
const Uncounted = -1

// draftOf returns the draft of the journal in a folder, as its meta.json says: there in every draft. ok is false when
// there is no journal, or one whose meta.json is no JSON.
func draftOf(dir string) (draft int, ok bool, err error) {
	text, err := os.ReadFile(metaPath(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("reading the journal's list of epochs: %w", err)
	}
	says := struct {
		Draft int `json:"draft"`
	}{event.FirstDraft}
	if json.Unmarshal(text, &says) != nil {
		return 0, false, nil
	}
	return says.Draft, true, nil
}

// mover puts a journal of an older draft aside. It may be stopped at any step and made again.
type mover struct {
	dir      string
	departed string // path of the file of what has left the station
	// step is called before each change to the disk; for tests.
	step func(what string) error
}

// run puts the journal in the folder aside when it is of an older draft. One of a newer draft is an error.
func (m mover) run() error {
	draft, ok, err := draftOf(m.dir)
	switch {
	case err != nil || !ok:
		return err
	case draft == event.Draft:
		return m.settle()
	case m.ours():
		return nil // the number is damaged, and epochsOf makes the list again
	case draft > event.Draft || draft < event.FirstDraft:
		return fmt.Errorf("the journal in %s was %w", m.dir, event.CheckDraft(draft))
	}
	if err := m.prepare(draft); err != nil {
		return err
	}
	if err := m.move(); err != nil {
		return err
	}
	return m.settle()
}

// ours tells whether the journal is of this program's draft after all, whatever its list of epochs says.
func (m mover) ours() bool {
	files, err := epochFiles(m.dir)
	return err == nil && ours(m.dir, files)
}

func (m mover) moving() string { return filepath.Join(m.dir, asideFolder, movingName) }

// prepare writes down what is known of the journal, while all of it is still in its place.
func (m mover) prepare(draft int) error {
	if err := m.step("make the folder"); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(m.moving(), "journal"), 0o700); err != nil {
		return err
	}
	left, err := os.ReadFile(m.departed)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("reading what has left the station: %w", err)
	}
	was, note := survey(m.dir, draft, left), filepath.Join(m.moving(), "aside.json")
	if _, missing := os.Lstat(note); missing == nil && was.Sessions == Uncounted {
		return nil // an earlier start wrote it, and has moved something since
	}
	if err == nil {
		if err := m.step("copy what has left the station"); err != nil {
			return err
		}
		if err := durable.Replace(filepath.Join(m.moving(), "departed.json"), left); err != nil {
			return err
		}
	}
	text, err := json.MarshalIndent(was, "", "  ")
	if err != nil {
		return err
	}
	if err := m.step("write what is known of it"); err != nil {
		return err
	}
	return durable.Replace(note, append(text, '\n'))
}

// stays tells which entries of a journal's folder belong to whoever has it open, or to the next journal too.
func stays(name string) bool {
	return name == asideFolder || name == "lock" || name == "meta.json" || name == keyInside || strings.HasPrefix(name, "ballast")
}

// keyInside is the private key that a restored journal brings (see package backup), on its way to the station's own place.
const keyInside = "station.key"

// move moves the files, and then lets the new journal count.
func (m mover) move() error {
	to := filepath.Join(m.moving(), "journal")
	entries, err := os.ReadDir(m.dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if stays(e.Name()) {
			continue
		}
		if err := m.step("move " + e.Name()); err != nil {
			return err
		}
		if err := os.Rename(filepath.Join(m.dir, e.Name()), free(filepath.Join(to, e.Name()))); err != nil {
			return err
		}
	}
	// All names must be where they went before meta.json says that nothing is left here.
	if err := m.step("sync the folders"); err != nil {
		return err
	}
	for _, folder := range []string{to, m.moving(), filepath.Dir(m.moving()), m.dir} {
		if err := durable.SyncFolder(folder); err != nil {
			return err
		}
	}
	old, err := os.ReadFile(metaPath(m.dir))
	if err != nil {
		return err
	}
	if err := m.step("copy meta.json"); err != nil {
		return err
	}
	if err := durable.Replace(metaPath(to), old); err != nil {
		return err
	}
	was, err := readAside(m.moving())
	if err != nil {
		return err
	}
	if err := m.step("let the new journal count"); err != nil {
		return err
	}
	return meta{Aside: &was}.store(m.dir)
}

// settle gives the folder of what was put aside its name.
func (m mover) settle() error {
	was, err := readAside(m.moving())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	name := fmt.Sprintf("draft-%d", was.Draft)
	if checkEpochID(was.Epoch) == nil {
		name += "-" + was.Epoch
	}
	if err := m.step("give it its name"); err != nil {
		return err
	}
	return durable.Rename(m.moving(), free(filepath.Join(m.dir, asideFolder, name)))
}

// free returns a path under which nothing lies: this one, or the first with a number after it. Nothing is ever replaced.
func free(path string) string {
	name := path
	for n := 2; ; n++ {
		if _, err := os.Lstat(name); errors.Is(err, fs.ErrNotExist) {
			return name
		}
		name = fmt.Sprintf("%s-%d", path, n)
	}
}

// survey says of a journal of another draft what can be read of it when its tables are as today. What cannot is left
// unknown: its files go aside all the same.
func survey(dir string, draft int, departed []byte) Aside {
	was := Aside{Draft: draft, Sessions: Uncounted, Root: emptyRoot()}
	var says struct {
		Epochs []struct {
			ID string `json:"id"`
		} `json:"epochs"`
	}
	text, err := os.ReadFile(metaPath(dir))
	if err != nil || json.Unmarshal(text, &says) != nil || len(says.Epochs) == 0 {
		return was
	}
	was.Epoch = says.Epochs[len(says.Epochs)-1].ID
	var left Left
	if len(departed) > 0 && json.Unmarshal(departed, &left) == nil && left.Epoch == was.Epoch && left.Size > 0 {
		was.Size, was.Root = left.Size, left.Root
	}
	sessions := 0
	for _, e := range says.Epochs {
		n, err := was.read(dir, e.ID)
		if err != nil {
			return was
		}
		sessions += n
	}
	was.Sessions = sessions
	return was
}

// read counts the sessions of an epoch, and reads the end of the current one.
func (a *Aside) read(dir, epoch string) (sessions int, err error) {
	if err := checkEpochID(epoch); err != nil {
		return 0, err
	}
	if _, err := os.Stat(epochPath(dir, epoch)); err != nil { // SQLite would make one
		return 0, err
	}
	db, err := openToRead(epochPath(dir, epoch), 1)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := db.QueryRow("SELECT count(*) FROM sessions").Scan(&sessions); err != nil || epoch != a.Epoch {
		return sessions, err
	}
	l := &ledger{epoch: epoch, read: db}
	if err := l.measure(); err != nil {
		return sessions, err
	}
	root, err := tlog.TreeHash(l.size.Load(), l)
	if err != nil {
		return sessions, err
	}
	a.Size, a.Root = l.size.Load(), root
	a.Unfinished, err = unfinished(db)
	return sessions, err
}

// unfinished returns the session of the last record, "" when it has ended or there is none.
func unfinished(db *sql.DB) (session string, err error) {
	err = db.QueryRow("SELECT session FROM records ORDER BY seq DESC LIMIT 1").Scan(&session)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	if err != nil || session == "" {
		return "", err
	}
	var ended int
	err = db.QueryRow(`SELECT count(*) FROM records WHERE seq >= (SELECT first FROM sessions WHERE session = ?1) AND session = ?1 AND type = ?2`,
		session, string(event.SessionEnded)).Scan(&ended)
	if err != nil || ended > 0 {
		return "", err
	}
	return session, nil
}

// PutAside lists the journals that were put aside below a journal's folder, the oldest draft first.
func PutAside(dir string) ([]Aside, error) {
	entries, err := os.ReadDir(filepath.Join(dir, asideFolder))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("listing what was put aside: %w", err)
	}
	var list []Aside
	for _, e := range entries {
		was, err := readAside(filepath.Join(dir, asideFolder, e.Name()))
		if errors.Is(err, fs.ErrNotExist) {
			continue // nothing was moved there
		}
		if err != nil {
			return list, err
		}
		list = append(list, was)
	}
	slices.SortStableFunc(list, func(a, b Aside) int { return a.Draft - b.Draft })
	return list, nil
}

// TakeAsideAlong moves what was put aside below one journal's folder to that of the journal that takes its place, unless
// something lies there already.
func TakeAsideAlong(from, to string) error {
	if _, err := os.Lstat(filepath.Join(from, asideFolder)); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if _, err := os.Lstat(filepath.Join(to, asideFolder)); err == nil {
		return nil
	}
	return durable.Rename(filepath.Join(from, asideFolder), filepath.Join(to, asideFolder))
}

// PutAside lists the journals of other drafts that were put aside.
func (j *Journal) PutAside() ([]Aside, error) { return PutAside(j.dir) }

// readAside reads what is known of one.
func readAside(folder string) (was Aside, err error) {
	text, err := os.ReadFile(filepath.Join(folder, "aside.json"))
	if err != nil {
		return was, err
	}
	was.Folder = filepath.Join(folder, "journal")
	if err := json.Unmarshal(text, &was); err != nil {
		return was, fmt.Errorf("%w: %s: %w", ErrDamaged, filepath.Join(folder, "aside.json"), err)
	}
	return was, nil
}

// putAside puts a journal of an older draft aside, from the ballast's room when the disk is full.
func (j *Journal) putAside(o Options) error {
	m := mover{dir: j.dir, departed: o.Departed, step: o.step}
	if m.step == nil {
		m.step = func(string) error { return nil }
	}
	err := m.run()
	if isFull(err) && j.ballast.release() {
		err = m.run()
	}
	if errors.As(err, new(*event.UnknownLaw)) {
		return err
	}
	if err != nil {
		return fmt.Errorf("putting the journal of another draft aside: %w", err)
	}
	return nil
}
