package journal

import (
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"scentpost/station/event"
	"scentpost/station/record"
)

// The list of epochs says no more than the epochs' first records do. Where it is gone, damaged, or of another folder, it is
// made again from them.

// epochsOf reads the list of epochs in a journal's folder. Where it is not what belongs to the databases there, it is made
// again: mended says so for people. The error is a condition, or a draft that this program does not know.
func epochsOf(dir string) (m meta, mended string, err error) {
	m, err = loadMeta(dir)
	files, listErr := epochFiles(dir)
	if listErr != nil {
		return meta{}, "", listErr
	}
	switch {
	case errors.As(err, new(*event.UnknownLaw)) && !ours(dir, files), err != nil && !errors.Is(err, ErrDamaged) && !errors.As(err, new(*event.UnknownLaw)):
		return meta{}, "", err
	case err != nil:
		mended = "the list of epochs was damaged"
	case m.Aside != nil && len(m.Epochs) == 0:
		return m, "", nil
	default:
		if mended, err = strangers(dir, m, files); err != nil || mended == "" {
			return m, "", err
		}
	}
	made, err := gather(dir, files)
	if err != nil {
		return meta{}, "", err
	}
	if len(made.Epochs) == 0 && len(m.Epochs) > 0 {
		return m, "", nil // nothing is here that the list could be made of
	}
	return made, mended + ", and made again from the logs", nil
}

// strangers says why a list of epochs does not fit the databases of a folder, "" when it does. A database without a record is
// that of an epoch whose beginning a power cut stopped.
func strangers(dir string, m meta, files []string) (why string, err error) {
	for _, id := range files {
		if slices.Contains(m.ids(), id) {
			continue
		}
		b, err := beginningOf(dir, id)
		if err != nil && !errors.Is(err, ErrDamaged) {
			return "", err
		}
		if err == nil && b.ID != "" {
			return fmt.Sprintf("the list of epochs did not have epoch %s", id), nil
		}
	}
	return "", nil
}

// epochFiles lists the epochs that have a database in a folder.
func epochFiles(dir string) (ids []string, err error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("listing the journal's folder: %w", err)
	}
	for _, e := range entries {
		id, is := strings.CutPrefix(e.Name(), "epoch-")
		id, whole := strings.CutSuffix(id, ".db")
		if is && whole && checkEpochID(id) == nil {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// ours tells whether a database of the folder is of this program's draft, by its header.
func ours(dir string, files []string) bool {
	return slices.ContainsFunc(files, func(id string) bool {
		draft, err := headerDraft(epochPath(dir, id))
		return err == nil && draft == event.Draft
	})
}

// Where the header of an SQLite database has user_version and application_id: https://www.sqlite.org/fileformat.html.
const (
	headerBytes = 100
	userVersion = 60
	application = 68
)

// headerDraft reads the draft in the header of one of our databases.
func headerDraft(path string) (draft int, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	var header [headerBytes]byte
	if _, err := io.ReadFull(f, header[:]); err != nil {
		return 0, err
	}
	if binary.BigEndian.Uint32(header[application:]) != applicationID {
		return 0, fmt.Errorf("%w: %s is not a scentpost database", ErrDamaged, filepath.Base(path))
	}
	return int(binary.BigEndian.Uint32(header[userVersion:])), nil
}

// beginningOf reads where an epoch came from in its first record: the zero value when it has none.
func beginningOf(dir, id string) (b Beginning, err error) {
	l, _, err := openLedger(epochPath(dir, id), id)
	if err != nil {
		return b, err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	lines, err := l.Lines(0, 1, record.MaxLine)
	if err != nil || len(lines) == 0 {
		return b, err
	}
	r, err := record.Decode(lines[0].Bytes)
	if err != nil {
		return b, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	first, ok := r.Event.Body.(*event.Epoch)
	if !ok || r.Epoch != id {
		return b, fmt.Errorf("%w: the database of epoch %s does not begin with it", ErrDamaged, id)
	}
	b = Beginning{ID: id, Why: first.Why, Prev: first.Prev, PrevSize: first.PrevSize, PrevRoot: emptyRoot(), PrevDraft: first.PrevDraft}
	if root, err := hex.DecodeString(first.PrevRoot); err == nil && len(root) == tlog.HashSize {
		b.PrevRoot = tlog.Hash(root)
	}
	return b, nil
}

// gather makes the list of epochs of their databases. Those that cannot be read come where others name them, else last: one
// of them may be the current one, which ends then.
func gather(dir string, files []string) (meta, error) {
	var m meta
	known := map[string]Beginning{}
	for _, id := range files {
		b, err := beginningOf(dir, id)
		if err != nil && !errors.Is(err, ErrDamaged) {
			return m, err
		}
		if err == nil && b.ID == "" {
			continue
		}
		b.ID = id
		known[id] = b
		m.Epochs = append(m.Epochs, b)
	}
	depth := func(b Beginning) int {
		before := 0
		for id := b.Prev; known[id].ID != "" && before <= len(known); id = known[id].Prev {
			before++
		}
		if b.Why == "" && !slices.ContainsFunc(m.Epochs, func(other Beginning) bool { return other.Prev == b.ID }) {
			return len(known)
		}
		return before
	}
	slices.SortStableFunc(m.Epochs, func(a, b Beginning) int { return cmp.Compare(depth(a), depth(b)) })
	return m, nil
}
