package journal

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"golang.org/x/mod/sumdb/tlog"

	"scentpost/station/event"
	"scentpost/station/record"
)

// Memory is a journal without a disk, for simulations and tests. It keeps all promises of the contract but the
// one that needs a disk.
type Memory struct {
	mu         sync.RWMutex // guards everything below
	closed     bool
	epoch      Beginning
	current    memoryLog
	archive    map[string]memoryLog
	identities map[string]Identity
	operations []Operation
	logged     int64 // operations ever logged
}

// memoryLog is one epoch's records.
type memoryLog struct {
	edge        record.Tree
	lines       []Line
	vault       []memoryVault
	hashes      []tlog.Hash
	checkpoints []Checkpoint
	starts      map[string]int64 // session -> seq of its first record
	cursors     map[string]int64
}

// memoryVault is a sealed body with the session that it belongs to.
type memoryVault struct {
	session string
	row     VaultRow
}

// NewMemory returns an empty journal without an epoch.
func NewMemory() *Memory {
	return &Memory{current: newMemoryLog(), archive: map[string]memoryLog{}, identities: map[string]Identity{}}
}

func newMemoryLog() memoryLog {
	return memoryLog{hashes: []tlog.Hash{}, starts: map[string]int64{}, cursors: map[string]int64{}}
}

// Commit implements Store.
func (m *Memory) Commit(b Batch) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return ErrClosed
	}
	if m.epoch.ID == "" {
		return ErrNoEpoch
	}
	log := &m.current
	if err := checkBatch(b, log.edge.Size()); err != nil {
		return err
	}
	for i := range b.Rows {
		r := &b.Rows[i]
		log.hashes = log.edge.AppendLeaf(log.hashes, leafOf(r))
		log.lines = append(log.lines, Line{Seq: r.Seq, Session: r.Session, Bytes: r.Line})
		if _, known := log.starts[r.Session]; !known && r.Session != "" {
			log.starts[r.Session] = r.Seq
		}
		if r.Sealed {
			row := VaultRow{Seq: r.Seq, Type: r.Type, Run: r.Run, Nonce: r.Nonce, Body: r.Body}
			log.vault = append(log.vault, memoryVault{session: r.Session, row: row})
		}
	}
	log.checkpoints = append(log.checkpoints, b.Checkpoints...)
	for _, id := range b.Identities {
		m.identities[id.Ref] = id
	}
	return nil
}

// leafOf returns the leaf hash of a row.
func leafOf(r *Row) tlog.Hash {
	if r.Leaf != (tlog.Hash{}) {
		return r.Leaf
	}
	return record.LeafHash(r.Line)
}

// Size implements Store.
func (m *Memory) Size() (int64, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.current.edge.Size(), nil
}

// Lines implements Store.
func (m *Memory) Lines(from int64, max, maxBytes int) ([]Line, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	var out []Line
	for seq, bytes := from, 0; seq >= 0 && seq < m.current.edge.Size() && len(out) < max; seq++ {
		line := m.current.lines[seq]
		if bytes += len(line.Bytes); bytes > maxBytes && len(out) > 0 {
			break
		}
		out = append(out, line)
	}
	return out, nil
}

// SessionStart implements Store.
func (m *Memory) SessionStart(session string) (int64, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if seq, known := m.current.starts[session]; known {
		return seq, nil
	}
	return -1, nil
}

// Vault implements Store.
func (m *Memory) Vault(session string) ([]VaultRow, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	var out []VaultRow
	for i := range m.current.vault {
		if m.current.vault[i].session == session {
			out = append(out, m.current.vault[i].row)
		}
	}
	return out, nil
}

// Checkpoints implements Store.
func (m *Memory) Checkpoints(session string) ([]Checkpoint, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	var out []Checkpoint
	for _, c := range m.current.checkpoints {
		if session == "" || c.Session == session {
			out = append(out, c)
		}
	}
	return out, nil
}

// Identities implements Store.
func (m *Memory) Identities() ([]Identity, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	var out []Identity
	for _, id := range m.identities {
		out = append(out, id)
	}
	slices.SortFunc(out, func(a, b Identity) int { return strings.Compare(a.Ref, b.Ref) })
	return out, nil
}

// ReadHashes implements tlog.HashReader.
func (m *Memory) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	out := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		if index < 0 || index >= int64(len(m.current.hashes)) {
			return nil, fmt.Errorf("journal: no stored hash %d in a log of %d records", index, m.current.edge.Size())
		}
		out[i] = m.current.hashes[index]
	}
	return out, nil
}

// Cursor implements Store.
func (m *Memory) Cursor(name string) (int64, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.current.cursors[name], nil
}

// SetCursor implements Store.
func (m *Memory) SetCursor(name string, size int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.epoch.ID == "" {
		return ErrNoEpoch
	}
	if err := checkCursor(name, size, m.current.edge.Size()); err != nil {
		return err
	}
	m.current.cursors[name] = size
	return nil
}

// Close implements Store. What was written can still be read.
func (m *Memory) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	return nil
}

// Epoch implements Epochs.
func (m *Memory) Epoch() Beginning {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.epoch
}

// Recovery implements Epochs: memory is never damaged, only empty.
func (m *Memory) Recovery() Recovery {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if m.epoch.ID == "" {
		return Recovery{NewEpochNeeded: true, Checked: true, Why: WhyFirst}
	}
	return Recovery{Checked: true, PrevEpoch: m.epoch.ID, PrevSize: m.current.edge.Size(), PrevRoot: m.current.edge.Root()}
}

// Check implements Epochs.
func (m *Memory) Check(context.Context) (Recovery, error) { return m.Recovery(), nil }

// Room implements Epochs: there is always room.
func (m *Memory) Room() error { return nil }

// LogOperation implements Operations.
func (m *Memory) LogOperation(o Operation) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.logged++
	o.ID, o.At = m.logged, event.Stamp{Boot: o.At.Boot, Mono: o.At.Mono, UTC: o.At.UTC}
	if m.operations = append(m.operations, o); len(m.operations) > maxOperations {
		m.operations = m.operations[1:]
	}
	return nil
}

// Operations implements Operations.
func (m *Memory) Operations(from int64, max int) ([]Operation, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	var out []Operation
	for _, o := range m.operations {
		if o.ID >= from && len(out) < max {
			out = append(out, o)
		}
	}
	return out, nil
}

// BeginEpoch implements Epochs.
func (m *Memory) BeginEpoch(id, why string) error {
	found := m.Recovery()
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, used := m.archive[id]; used || id == m.epoch.ID {
		return fmt.Errorf("journal: epoch %q was there before: an epoch's id is never used twice", id)
	}
	if err := checkEpochID(id); err != nil {
		return err
	}
	if m.epoch.ID != "" {
		m.archive[m.epoch.ID] = m.current
	}
	m.epoch = Beginning{ID: id, Why: why, Prev: found.PrevEpoch, PrevSize: found.PrevSize, PrevRoot: found.PrevRoot}
	m.current = newMemoryLog()
	return nil
}
