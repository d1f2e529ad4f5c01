package journal

import (
	"fmt"
	"slices"
	"sync"

	"golang.org/x/mod/sumdb/tlog"

	"scentpost/station/record"
)

// memoryLog is one epoch's records. It implements Log.
type memoryLog struct {
	mu          *sync.RWMutex // the journal's
	edge        record.Tree
	lines       []Line
	vault       []memoryVault
	hashes      []tlog.Hash
	checkpoints []Checkpoint
	sessions    []memorySession
	cursors     map[string]int64
}

// memorySession is a row of the index.
type memorySession struct {
	id    string
	first int64
	entry Entry
}

func (s memorySession) session(size int64) Session {
	out := Session{ID: s.id, From: s.first}
	out.take(s.entry, size)
	return out
}

// memoryVault is a sealed body with the session that it belongs to.
type memoryVault struct {
	session string
	row     VaultRow
}

// leafOf returns the leaf hash of a row.
func leafOf(r *Row) tlog.Hash {
	if r.Leaf != (tlog.Hash{}) {
		return r.Leaf
	}
	return record.LeafHash(r.Line)
}

// find returns the place of a session in the index, -1 when it is not there: the last ones are looked at first.
func (l *memoryLog) find(session string) int {
	for i := len(l.sessions) - 1; i >= 0; i-- {
		if l.sessions[i].id == session {
			return i
		}
	}
	return -1
}

// Size implements Log.
func (l *memoryLog) Size() int64 {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.edge.Size()
}

// Lines implements Log.
func (l *memoryLog) Lines(from int64, max, maxBytes int) ([]Line, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.pick(from, l.edge.Size(), max, maxBytes, func(Line) bool { return true }), nil
}

// LinesOf implements Log.
func (l *memoryLog) LinesOf(s Session, from int64, max, maxBytes int) ([]Line, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.pick(from, min(s.To, l.edge.Size()), max, maxBytes, func(line Line) bool { return line.Session == s.ID }), nil
}

// pick returns those of the lines [from, to) that are wanted, at most max and, save for the first, maxBytes of them.
func (l *memoryLog) pick(from, to int64, max, maxBytes int, wanted func(Line) bool) (out []Line) {
	for seq, bytes := from, 0; seq >= 0 && seq < to && len(out) < max; seq++ {
		line := l.lines[seq]
		if !wanted(line) {
			continue
		}
		if bytes += len(line.Bytes); bytes > maxBytes && len(out) > 0 {
			break
		}
		out = append(out, line)
	}
	return out
}

// Sessions implements Log.
func (l *memoryLog) Sessions() ([]Session, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	all := make([]Session, len(l.sessions))
	for i, s := range l.sessions {
		all[i] = s.session(l.edge.Size())
	}
	return all, nil
}

// Session implements Log.
func (l *memoryLog) Session(id string) (s Session, found bool, err error) {
	all, err := l.Sessions()
	if at := slices.IndexFunc(all, func(s Session) bool { return s.ID == id }); at >= 0 {
		return all[at], true, err
	}
	return Session{}, false, err
}

// Checkpoints implements Log.
func (l *memoryLog) Checkpoints(session string) ([]Checkpoint, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	var out []Checkpoint
	for _, c := range l.checkpoints {
		if session == "" || c.Session == session {
			out = append(out, c)
		}
	}
	return out, nil
}

// ReadHashes implements tlog.HashReader.
func (l *memoryLog) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	out := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		if index < 0 || index >= int64(len(l.hashes)) {
			return nil, fmt.Errorf("journal: no stored hash %d in a log of %d records", index, l.edge.Size())
		}
		out[i] = l.hashes[index]
	}
	return out, nil
}
