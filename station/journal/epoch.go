package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"scentpost/station/durable"
	"scentpost/station/event"
)

// Each epoch is a database file of its own, epoch-<id>.db, and meta.json names them in order, the current one
// last. An ended epoch's file is kept as it is and never written again: it is archive and, when it was damaged,
// quarantine. Nothing here deletes one; how long they are kept is for their owner to say.

// maxEpochID is the longest epoch id in bytes; it is part of a file's name.
const maxEpochID = 64

// checkEpochID refuses an id that could not be part of a file's name.
func checkEpochID(id string) error {
	ok := id != "" && len(id) <= maxEpochID
	for _, c := range []byte(id) {
		ok = ok && (c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-')
	}
	if !ok {
		return fmt.Errorf("journal: epoch id %q, want 1 to %d of a-z, 0-9 and '-'", id, maxEpochID)
	}
	return nil
}

// meta is the content of meta.json.
type meta struct {
	Draft  int         `json:"draft"`  // event.Draft of the program that wrote it; stands here in every draft
	Epochs []Beginning `json:"epochs"` // in order, the current one last
	// Aside stands until the first epoch after an older draft's journal was put aside.
	Aside *Aside `json:"aside,omitempty"`
	// Restored stands until the first start after a restore, which begins an epoch.
	Restored *Restored `json:"restored,omitempty"`
}

func metaPath(dir string) string         { return filepath.Join(dir, "meta.json") }
func epochPath(dir, epoch string) string { return filepath.Join(dir, "epoch-"+epoch+".db") }

// loadMeta reads meta.json, the zero value when there is none.
func loadMeta(dir string) (meta, error) {
	var m meta
	text, err := os.ReadFile(metaPath(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil
	}
	if err != nil {
		return m, fmt.Errorf("reading the journal's list of epochs: %w", err)
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return meta{}, fmt.Errorf("%w: meta.json: %w: put back a copy, or move the folder away to begin anew", ErrDamaged, err)
	}
	if m.Draft != event.Draft {
		return meta{}, fmt.Errorf("the journal in %s was %w", dir, event.CheckDraft(max(m.Draft, event.FirstDraft)))
	}
	for _, e := range m.Epochs {
		if err := checkEpochID(e.ID); err != nil {
			return meta{}, fmt.Errorf("%w: meta.json: %w", ErrDamaged, err)
		}
	}
	return m, nil
}

func (m meta) store(dir string) error {
	m.Draft = event.Draft
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	if err := durable.Replace(metaPath(dir), append(text, '\n')); err != nil {
		return fmt.Errorf("writing the journal's list of epochs: %w", err)
	}
	return nil
}

// ids returns the epochs' ids in order.
func (m meta) ids() []string {
	var ids []string
	for _, e := range m.Epochs {
		ids = append(ids, e.ID)
	}
	return ids
}

// current returns the current epoch, the zero value before the first.
func (m meta) current() Beginning {
	if len(m.Epochs) == 0 {
		return Beginning{}
	}
	return m.Epochs[len(m.Epochs)-1]
}
