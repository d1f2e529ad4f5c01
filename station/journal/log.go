package journal

import (
	"golang.org/x/mod/sumdb/tlog"
)

// Log is the log of one epoch, to be read: the current one, which grows, or one that has ended. It may be read from
// several goroutines beside the one that writes. What was read once stays as it is.
type Log interface {
	// Size returns the number of records, all of them durable. Of an ended epoch they are those that the next one goes on
	// from; what lies after them is read by session.
	Size() int64
	// Lines returns public lines from seq on, at most max and, save for the first, at most maxBytes of them; none from
	// the log's end on. With an error come the lines before it: a *BadRecord names a record that is not what was written, and an
	// ErrDamaged without one is of a record that cannot be read at all.
	Lines(from int64, max, maxBytes int) ([]Line, error)
	// LinesOf is Lines over the records of one session alone.
	LinesOf(s Session, from int64, max, maxBytes int) ([]Line, error)
	// Sessions returns the sessions that have records here, in the order of their first ones, without reading records.
	Sessions() ([]Session, error)
	// Session returns one of them; found is false when the log has no record of it.
	Session(id string) (s Session, found bool, err error)
	// Checkpoints returns the checkpoints of a session in order, all of them when session is empty.
	Checkpoints(session string) ([]Checkpoint, error)
	// HashReader gives the stored hashes of the Merkle log (tlog.StoredHashIndex), for frontiers and proofs.
	tlog.HashReader
}

// Session is a session in the index of a log.
type Session struct {
	ID string
	// From is its first record; all others lie before To, among those of other sessions perhaps.
	From, To int64
	// Entry is what the index says of it, made of its records before Known: the last Entry of a Batch. It is nil, with a
	// Known of From, where the index has none. It is no evidence: who wants to know for certain reads the records.
	Entry []byte
	Known int64
}

// Logs are the logs of all epochs.
type Logs interface {
	// Epochs returns where each epoch came from, in order; the last one is current.
	Epochs() []Beginning
	// Log returns the log of an epoch. It may be read as long as the journal is open.
	Log(epoch string) (Log, error)
	// PutAside lists the journals of other drafts that were put aside. Their logs cannot be read.
	PutAside() ([]Aside, error)
	// Identities returns the known names in order of reference.
	Identities() ([]Identity, error)
}

// Vault keeps sealed bodies. Who reads it knows what lies where: it is for the owner of the state alone.
type Vault interface {
	// Vault returns the sealed bodies of a session of the current epoch in order.
	Vault(session string) ([]VaultRow, error)
}

// Cursors remember how far the log of the current epoch was read.
type Cursors interface {
	// Cursor returns how many records the named reader is done with, 0 when it is new.
	Cursor(name string) (int64, error)
	// SetCursor keeps it. A cursor may go back; it may not be negative or larger than the log.
	SetCursor(name string, size int64) error
}

// Committer writes to the log of the current epoch.
type Committer interface {
	// Commit writes the batch, all or nothing, and returns when it is durable. Rows must follow the tail without
	// a gap, and a checkpoint may not be larger than the log: else ErrGap, and nothing was written.
	//
	// After any other error nobody knows what is on the disk: the store refuses all further commits with the same
	// error, and must be closed, opened and checked. Commit may be called from one goroutine at a time.
	Commit(Batch) error
}
