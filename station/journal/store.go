// Package journal is the durable store of the record: public lines, the vault of sealed bodies, checkpoints,
// names and cursors, written by one group-commit goroutine.
package journal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"golang.org/x/mod/sumdb/tlog"

	"scentpost/station/event"
	"scentpost/station/record"
)

// The reasons for which an epoch begins; they stand in its first record (event.Epoch.Why).
const (
	WhyFirst    = "first"               // the station never had one
	WhyTailLost = "tail lost"           // records are missing or malformed
	WhyRestored = "restored"            // an older copy, or another history, lies in the folder
	WhyBeyond   = "acknowledged beyond" // somebody signed for records that we do not have
	WhyDraft    = "another draft"       // the journal before was made under an older draft, and put aside
	WhyRenamed  = "renamed"             // the station has another name from here on
	WhyKeyLost  = "key lost"            // the station signs with another key from here on
)

// The errors that a caller may want to tell apart.
var (
	// ErrGap says that a batch does not follow the tail; nothing of it was written.
	ErrGap = errors.New("journal: rows do not follow the tail")
	// ErrNoEpoch says that no epoch has begun, or that the current one may not be continued (see Recovery).
	ErrNoEpoch = errors.New("journal: no epoch to write in: begin one")
	// ErrDamaged says that a stored row is not what was written.
	ErrDamaged = errors.New("journal: damaged")
	// ErrClosed says that the store or writer was closed.
	ErrClosed = errors.New("journal: closed")
)

// BadRecord is a stored record that is not what was written. It is ErrDamaged.
type BadRecord struct {
	Epoch string
	Seq   int64
	// Leaf is the hash of the line that lies there: either the line or its stored hash is wrong.
	Leaf tlog.Hash
}

// Error names the record.
func (b *BadRecord) Error() string {
	return fmt.Sprintf("%v: record %d of epoch %s is not what was written", ErrDamaged, b.Seq, b.Epoch)
}

// Unwrap returns ErrDamaged.
func (b *BadRecord) Unwrap() error { return ErrDamaged }

// Row is one record to be written: its public line and, when Sealed, what goes to the vault.
type Row struct {
	hidden
	Seq     int64  // from 0, without gaps: the leaf index of the Merkle log
	Session string // empty outside a session
	Line    []byte // the public line, without newline; alone hashed and served
	// Leaf is the line's leaf hash, when the caller has it (record.LeafHash). A store without a disk takes it as it
	// is; the durable one makes its own.
	Leaf   tlog.Hash
	Type   event.Type
	Run    int // from 1; 0 outside a run
	Sealed bool
	Nonce  [32]byte // of the sealed body
	Body   []byte   // the sealed body, padding included; nil unless Sealed
	// Lost is set for a record of which Leaf alone is known: its line was damaged before a backup was made. Readers meet a
	// BadRecord.
	Lost bool
}

// Line is one public line as it was stored. The caller must not change Bytes.
type Line struct {
	Seq     int64
	Session string
	Bytes   []byte
}

// VaultRow is one sealed body. It is never served: only an "opened" record publishes it.
type VaultRow struct {
	hidden
	Seq   int64
	Type  event.Type
	Run   int
	Nonce [32]byte
	Body  []byte
}

// hidden makes the struct that embeds it print, log and marshal as "sealed": no log or error may show a body.
type hidden struct{}

// Format writes "sealed" for every verb.
func (hidden) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, event.Hidden) }

// MarshalText returns "sealed".
func (hidden) MarshalText() ([]byte, error) { return []byte(event.Hidden), nil }

// LogValue returns "sealed".
func (hidden) LogValue() slog.Value { return slog.StringValue(event.Hidden) }

// Checkpoint is a signed tree head of the log.
type Checkpoint struct {
	Size    int64  // number of records that it covers
	Why     string // "seal", "lock", "close", ...
	Session string // empty outside a session
	Note    []byte // the signed note, C2SP tlog-checkpoint form
}

// Identity is a person's name behind the reference that stands in records. It lies beside the log, so that a
// lawful erasure does not break it.
type Identity = record.Identity

// Entry is what the index of sessions shall say of a session from now on, in the place of what it said. It is derived
// from the session's records before Known and serves lists alone.
type Entry struct {
	Session string
	Known   int64
	// Last says that the session has no record from Known on; one that comes nevertheless comes with a new entry.
	Last bool
	Text []byte // not empty
}

// Batch is what is committed in one piece. After Commit or Append its slices belong to the store: the caller
// must not change them.
type Batch struct {
	Rows        []Row
	Checkpoints []Checkpoint
	Identities  []Identity // one with a known Ref replaces it
	Entries     []Entry    // of sessions that have records
}

// Beginning is what an epoch's first record must say about where it came from.
type Beginning struct {
	ID       string    `json:"id"`
	Why      string    `json:"why"`
	Prev     string    `json:"prev,omitempty"` // the epoch that ended for ever
	PrevSize int64     `json:"prev_size"`      // its last good size, in records
	PrevRoot tlog.Hash `json:"prev_root"`      // the root at that size
	// PrevDraft is the draft of the epoch that ended, 0 for this program's own.
	PrevDraft int `json:"prev_draft,omitempty"`
}

// Store is a station's whole journal, on disk or in memory: the log of the current epoch, the logs of all epochs, and
// what begins an epoch. Its methods may be called from several goroutines, Commit from one at a time.
type Store interface {
	Log // of the current epoch; empty before the first one
	Logs
	Vault
	Cursors
	Committer
	// Epoch returns the current epoch, the zero value before the first one. While its Size is 0 its first record
	// is still to be written, from this Beginning.
	Epoch() Beginning
	// Recovery says whether the current epoch may be continued. After an unclean start it is final once Check
	// has returned.
	Recovery() Recovery
	// Check reads what an unclean start leaves in doubt; it may run beside readers, and must have returned before
	// the first Commit. After a clean start it returns at once.
	Check(ctx context.Context) (Recovery, error)
	// BeginEpoch ends the current epoch for ever and begins the next one; Prev, PrevSize and PrevRoot come from
	// Recovery. The old one's log can still be read.
	BeginEpoch(id, why string) error
	// Close marks a clean stop, if there was one, and lets go of the files.
	Close() error
}

// Recovery says what was found at the start.
type Recovery struct {
	NewEpochNeeded bool
	Unclean        bool // the last stop was no clean one
	Checked        bool // false: an unclean start whose Check has not returned yet
	Why            string
	Detail         string // for people: what was found, and where
	PrevEpoch      string
	PrevSize       int64     // last good size in records
	PrevRoot       tlog.Hash // the root at PrevSize
	PrevDraft      int       // as in Beginning
	Quarantined    int       // malformed rows, kept in the quarantine too
	// Mended says which damage beside the logs the start put right, Names what became of the names of people and dogs, "" where
	// nothing was wrong. NamesLost is set where names are gone and none came back.
	Mended, Names string
	NamesLost     bool
}

// checkBatch asserts that the batch may follow a log of the given size.
func checkBatch(b Batch, size int64) error {
	for i := range b.Rows {
		r := &b.Rows[i]
		if r.Seq != size {
			return fmt.Errorf("%w: got seq %d, want %d", ErrGap, r.Seq, size)
		}
		if !r.Lost && len(r.Line) == 0 || len(r.Line) > record.MaxLine {
			return fmt.Errorf("%w: line %d has %d bytes, want 1 to %d", ErrGap, r.Seq, len(r.Line), record.MaxLine)
		}
		if r.Sealed != (len(r.Body) > 0) {
			return fmt.Errorf("%w: record %d (%s) is sealed without a body, or has one unsealed", ErrGap, r.Seq, r.Type)
		}
		size++
	}
	for _, c := range b.Checkpoints {
		if c.Size < 0 || c.Size > size || len(c.Note) == 0 {
			return fmt.Errorf("%w: a checkpoint of size %d over a log of %d, or without a note", ErrGap, c.Size, size)
		}
	}
	for _, e := range b.Entries {
		if e.Session == "" || e.Known < 1 || e.Known > size || len(e.Text) == 0 {
			return fmt.Errorf("%w: an index entry of session %q at record %d of %d, or one that is empty", ErrGap, e.Session, e.Known, size)
		}
	}
	return nil
}

// checkCursor asserts that size can be a cursor of a log of the given length.
func checkCursor(name string, size, length int64) error {
	if size < 0 || size > length {
		return fmt.Errorf("journal: cursor %q at %d, want 0 to %d", name, size, length)
	}
	return nil
}
