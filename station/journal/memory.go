package journal

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"golang.org/x/mod/sumdb/tlog"

	"scentpost/station/event"
)

// Memory is a journal without a disk, for simulations and tests. It implements Store and Operations, and keeps all
// promises of the contract but the one that needs a disk.
type Memory struct {
	mu         sync.RWMutex // guards everything below, and the logs
	closed     bool
	epochs     []Beginning // the current one last
	logs       map[string]*memoryLog
	current    *memoryLog // empty before the first epoch
	identities map[string]Identity
	operations []Operation
	logged     int64 // operations ever logged
}

// NewMemory returns an empty journal without an epoch.
func NewMemory() *Memory {
	m := &Memory{logs: map[string]*memoryLog{}, identities: map[string]Identity{}}
	m.current = m.newLog()
	return m
}

func (m *Memory) newLog() *memoryLog {
	return &memoryLog{mu: &m.mu, hashes: []tlog.Hash{}, cursors: map[string]int64{}}
}

// Commit implements Committer.
func (m *Memory) Commit(b Batch) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return ErrClosed
	}
	if len(m.epochs) == 0 {
		return ErrNoEpoch
	}
	log := m.current
	if err := checkBatch(b, log.edge.Size()); err != nil {
		return err
	}
	for i := range b.Rows {
		r := &b.Rows[i]
		log.hashes = log.edge.AppendLeaf(log.hashes, leafOf(r))
		log.lines = append(log.lines, Line{Seq: r.Seq, Session: r.Session, Bytes: r.Line})
		if r.Session != "" && log.find(r.Session) < 0 {
			log.sessions = append(log.sessions, memorySession{id: r.Session, first: r.Seq})
		}
		if r.Sealed {
			row := VaultRow{Seq: r.Seq, Type: r.Type, Run: r.Run, Nonce: r.Nonce, Body: r.Body}
			log.vault = append(log.vault, memoryVault{session: r.Session, row: row})
		}
	}
	for _, e := range b.Entries {
		if at := log.find(e.Session); at >= 0 {
			log.sessions[at].entry = e
		}
	}
	log.checkpoints = append(log.checkpoints, b.Checkpoints...)
	for _, id := range b.Identities {
		m.identities[id.Ref] = id
	}
	return nil
}

// log returns the log of the current epoch.
func (m *Memory) log() *memoryLog {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.current
}

// Size implements Log.
func (m *Memory) Size() int64 { return m.log().Size() }

// Lines implements Log.
func (m *Memory) Lines(from int64, max, maxBytes int) ([]Line, error) {
	return m.log().Lines(from, max, maxBytes)
}

// LinesOf implements Log.
func (m *Memory) LinesOf(s Session, from int64, max, maxBytes int) ([]Line, error) {
	return m.log().LinesOf(s, from, max, maxBytes)
}

// Sessions implements Log.
func (m *Memory) Sessions() ([]Session, error) { return m.log().Sessions() }

// Session implements Log.
func (m *Memory) Session(id string) (s Session, found bool, err error) { return m.log().Session(id) }

// Checkpoints implements Log.
func (m *Memory) Checkpoints(session string) ([]Checkpoint, error) {
	return m.log().Checkpoints(session)
}

// ReadHashes implements tlog.HashReader.
func (m *Memory) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	return m.log().ReadHashes(indexes)
}

// Vault implements Vault.
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

// Epochs implements Logs.
func (m *Memory) Epochs() []Beginning {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return slices.Clone(m.epochs)
}

// PutAside implements Logs: what lies in memory alone is of this draft.
func (m *Memory) PutAside() ([]Aside, error) { return nil, nil }

// Log implements Logs.
func (m *Memory) Log(epoch string) (Log, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if l := m.logs[epoch]; l != nil {
		return l, nil
	}
	return nil, fmt.Errorf("journal: no epoch %q", epoch)
}

// Identities implements Logs.
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

// Cursor implements Cursors.
func (m *Memory) Cursor(name string) (int64, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.current.cursors[name], nil
}

// SetCursor implements Cursors.
func (m *Memory) SetCursor(name string, size int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.epochs) == 0 {
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

// Epoch implements Store.
func (m *Memory) Epoch() Beginning {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.epoch()
}

// epoch is Epoch for those who hold the mutex.
func (m *Memory) epoch() Beginning {
	if len(m.epochs) == 0 {
		return Beginning{}
	}
	return m.epochs[len(m.epochs)-1]
}

// Recovery implements Store: memory is never damaged, only empty.
func (m *Memory) Recovery() Recovery {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if len(m.epochs) == 0 {
		return Recovery{NewEpochNeeded: true, Checked: true, Why: WhyFirst}
	}
	return Recovery{Checked: true, PrevEpoch: m.epoch().ID, PrevSize: m.current.edge.Size(), PrevRoot: m.current.edge.Root()}
}

// Check implements Store.
func (m *Memory) Check(context.Context) (Recovery, error) { return m.Recovery(), nil }

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

// BeginEpoch implements Store.
func (m *Memory) BeginEpoch(id, why string) error {
	found := m.Recovery()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.logs[id] != nil {
		return fmt.Errorf("journal: epoch %q was there before: an epoch's id is never used twice", id)
	}
	if err := checkEpochID(id); err != nil {
		return err
	}
	m.epochs = append(m.epochs, Beginning{ID: id, Why: why, Prev: found.PrevEpoch, PrevSize: found.PrevSize, PrevRoot: found.PrevRoot})
	m.current = m.newLog()
	m.logs[id] = m.current
	return nil
}
