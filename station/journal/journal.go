package journal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/mod/sumdb/tlog"

	"scentpost/station/event"
)

// ErrUnchecked says that the last stop was no clean one and that Check has not returned yet.
var ErrUnchecked = errors.New("journal: the last stop was no clean one: the check must be through before anything is written")

// Options say where what does not lie in the journal's folder lies, and how large the ballast is.
type Options struct {
	// Departed is the path of the file of what has left the station. It must lie outside the journal's folder.
	Departed string
	// Ballast is the size of the ballast in bytes: 0 for DefaultBallast, negative for none.
	Ballast int64

	step func(what string) error // called before each change to the disk by which a journal is put aside; for tests
}

// Journal is the durable store. It implements Store and Operations.
type Journal struct {
	dir      string
	lock     io.Closer
	desk     *desk
	departed *Departed
	ballast  ballast
	starts   int64 // what the next start will count

	scrub scrub // of the one goroutine that calls Scrub

	checking sync.Mutex // one Check at a time
	writing  sync.Mutex // one Commit or BeginEpoch at a time; taken before mu

	mu       sync.RWMutex // guards all below
	meta     meta
	current  *ledger            // nil: there is none that can be read
	ended    map[string]*ledger // those that were opened
	recovery Recovery
	failed   error // why nothing more is written
	closed   bool
}

// Open opens the journal in the folder, or makes an empty one: then, as after any loss, Recovery says that a new
// epoch is needed. It reads a few rows, however long the journal is.
//
// What is damaged is no error: it is put aside or ended, and Recovery tells of it. An error is ErrLocked, an
// *event.UnknownLaw, or a condition that may pass: then nothing was given up, and Open may be tried again.
func Open(dir string, opts Options) (*Journal, error) {
	if err := outside(dir, opts.Departed); err != nil {
		return nil, err
	}
	if err := privateDir(dir); err != nil {
		return nil, err
	}
	lock, err := lockFolder(dir)
	if err != nil {
		return nil, err
	}
	j := &Journal{dir: dir, lock: lock, ended: map[string]*ledger{}}
	j.ballast = ballast{path: filepath.Join(dir, "ballast"), size: opts.Ballast}
	if opts.Ballast == 0 {
		j.ballast.size = DefaultBallast
	}
	if err := j.openWithRoom(opts); err != nil {
		j.failed = err // whatever was begun is no clean stop
		return nil, errors.Join(err, j.Close())
	}
	return j, nil
}

// outside refuses a path in the journal's folder: whoever restores the folder would restore it with it.
func outside(dir, path string) error {
	if path == "" {
		return errors.New("journal: no path for the file of what has left the station: give one outside the journal's folder")
	}
	whole, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	other, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	if rel, err := filepath.Rel(whole, other); err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		return fmt.Errorf("journal: %s lies in the journal's own folder: whoever restores the folder would restore it too; give a path outside", path)
	}
	return nil
}

func (j *Journal) open(opts Options) error {
	err := j.putAside(opts)
	if err != nil {
		return err
	}
	var mended string
	if j.meta, mended, err = epochsOf(j.dir); err != nil {
		return err
	}
	if mended != "" {
		if err := j.DespiteFull(func() error { return j.meta.store(j.dir) }); err != nil {
			return err
		}
	}
	if err := j.ballast.fill(); err != nil {
		return err
	}
	departed, had, leftErr := loadDeparted(opts.Departed)
	if len(j.meta.Epochs) > 0 && errors.As(leftErr, new(*event.UnknownLaw)) {
		leftErr = fmt.Errorf("%w: %w", ErrDamaged, leftErr) // a later program would have put this journal aside
	}
	if leftErr != nil && !errors.Is(leftErr, ErrDamaged) {
		return leftErr
	}
	j.departed, departed.room = departed, j.DespiteFull
	var left *Left
	if had && leftErr == nil {
		left = &departed.left
	}
	f, err := j.look()
	if err != nil {
		return err
	}
	if j.recovery, err = decide(f, left, leftErr); err != nil {
		return err
	}
	j.recovery.Checked = !j.recovery.Unclean || j.current == nil
	j.starts = max(f.state.starts, departed.left.Starts) + 1
	if j.desk, err = openDesk(j.dir, len(f.epochs) > 1 || f.size > 1 || f.broken != nil); err != nil {
		return err
	}
	j.recovery.Mended, j.recovery.Names, j.recovery.NamesLost = mended, j.desk.found, j.desk.lost
	if j.recovery.Checked && !j.recovery.NewEpochNeeded {
		err = j.goOn()
	}
	if errors.Is(err, ErrDamaged) {
		j.recovery = j.recovery.need(WhyTailLost, "epoch %s cannot be gone on with: %v", j.recovery.PrevEpoch, err)
		err = nil
	}
	return err
}

// leastRoom is the room in bytes below which a disk counts as full when a journal cannot be opened: SQLite's index of a
// write-ahead log, and some pages.
const leastRoom = 1 << 20

// openWithRoom opens the journal, and once more from the ballast's room where it cannot be opened on a full disk. What fails
// for want of room is not always called so: SQLite says that it cannot open a file, or that a write failed.
func (j *Journal) openWithRoom(opts Options) error {
	err := j.open(opts)
	if err == nil || errors.As(err, new(*event.UnknownLaw)) {
		return err
	}
	if room, unknown := freeBytes(j.dir); unknown != nil || room >= leastRoom || !j.ballast.release() {
		return err
	}
	if err := j.letGo(false); err != nil {
		return err
	}
	return j.open(opts)
}

// letGo closes what is open.
func (j *Journal) letGo(clean bool) error {
	var errs []error
	if j.current != nil {
		errs = append(errs, j.current.stopWriting(clean), j.current.close())
	}
	for _, l := range j.ended {
		errs = append(errs, l.close())
	}
	if j.desk != nil {
		errs = append(errs, j.desk.close())
	}
	j.current, j.desk, j.ended = nil, nil, map[string]*ledger{}
	return errors.Join(errs...)
}

// look opens the current epoch's database for reading and says what is there.
func (j *Journal) look() (found, error) {
	f := found{epochs: j.meta.ids(), restored: j.meta.Restored, aside: j.meta.Aside}
	if len(f.epochs) == 0 {
		return f, nil
	}
	f.before = j.meta.Epochs[0].Prev
	id := j.meta.current().ID
	var err error
	if j.current, f.state, err = openLedger(epochPath(j.dir, id), id); err != nil {
		if !errors.Is(err, ErrDamaged) {
			return f, err // a condition, or a draft that this program does not know
		}
		f.broken = err
		return f, nil
	}
	f.size = j.current.size.Load()
	f.rootAt = func(size int64) (tlog.Hash, error) { return tlog.TreeHash(size, j.current) }
	return f, nil
}

// goOn begins to write in the current epoch: first the journal counts its start, then the file outside it, so
// that a crash between the two does not look like an older copy.
func (j *Journal) goOn() error {
	if err := j.DespiteFull(func() error { return j.current.startWriting(j.starts) }); err != nil {
		return err
	}
	return j.departed.started(j.current.epoch, j.starts)
}

// DespiteFull does something that writes, and once more from the ballast's room when the disk was full. It is for each file
// that a run under way needs: the one reserve serves them all.
//
// Doing the same again is right only because "full" is told before anything was synced (see isFull), and only
// with the same batch: should frames of the first try be on the disk after all, a crash finds either nothing or
// the very same records under the very same numbers.
func (j *Journal) DespiteFull(do func() error) error {
	err := do()
	if isFull(err) && j.ballast.release() {
		err = do()
	}
	if isFull(err) {
		err = fmt.Errorf("%w (%w)", err, ErrBallastSpent)
	}
	return err
}

// Room returns ErrBallastSpent while no new run may start. It looks whether the ballast can be restored, which
// writes and syncs the file when there is room again: not for the goroutine that owns the state.
func (j *Journal) Room() error {
	if j.ballast.room() != nil {
		if err := j.ballast.fill(); err != nil {
			return err
		}
	}
	if err := j.ballast.room(); err != nil {
		return err
	}
	_ = j.desk.catchUp() // tried again at the next look
	return nil
}

// Spent tells whether the ballast was given up: no new run may start until Room says that there is room again. It
// looks at nothing and never waits.
func (j *Journal) Spent() bool { return j.ballast.room() != nil }

// Bytes returns how much the records of this epoch take on the disk, without the write-ahead log, whose room is used
// again and again.
func (j *Journal) Bytes() (int64, error) {
	l := j.ledger()
	if l.read == nil {
		return 0, nil
	}
	stat, err := os.Stat(l.path)
	if err != nil {
		return 0, fmt.Errorf("asking for the size of the journal: %w", err)
	}
	return stat.Size(), nil
}

// Departed returns the file of what has left the station.
func (j *Journal) Departed() *Departed { return j.departed }

// Epoch implements Store.
func (j *Journal) Epoch() Beginning {
	j.mu.RLock()
	defer j.mu.RUnlock()
	return j.meta.current()
}

// Recovery implements Store.
func (j *Journal) Recovery() Recovery {
	j.mu.RLock()
	defer j.mu.RUnlock()
	return j.recovery
}

// Check implements Store.
func (j *Journal) Check(ctx context.Context) (Recovery, error) {
	j.checking.Lock()
	defer j.checking.Unlock()
	r := j.Recovery()
	if r.Checked {
		return r, nil
	}
	found, err := j.current.inspect(ctx)
	if err != nil {
		return r, err
	}
	_ = j.desk.quarantine(j.current.epoch, found.bad) // a copy: what is damaged stays where it is, too
	r = r.inspected(found)
	if !r.NewEpochNeeded {
		err = j.goOn()
	}
	if errors.Is(err, ErrDamaged) {
		r = r.need(WhyTailLost, "epoch %s cannot be gone on with: %v", r.PrevEpoch, err)
	} else if err != nil {
		return j.Recovery(), err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.recovery = r
	return r, nil
}

// inspected adds to what the start found what the check found. A damaged record ends no epoch: the log holds its hash. A
// damaged page does, since nothing more is written into such a database, and so do hashes that are not those of the log.
func (r Recovery) inspected(found inspection) Recovery {
	r.Checked, r.Quarantined = true, found.count
	if found.count == 0 && len(found.pages) == 0 {
		if r.NewEpochNeeded && r.PrevSize == 0 && r.Why == WhyTailLost {
			r.PrevSize, r.PrevRoot = found.good, found.root
		}
		return r
	}
	detail := fmt.Sprintf("%d malformed records", found.count)
	if found.count > 0 {
		detail += fmt.Sprintf(", the first is %d (%s)", found.bad[0].seq, found.bad[0].why)
	}
	if len(found.pages) > 0 {
		detail += "; the database: " + found.pages[0]
	}
	r.Detail = strings.TrimPrefix(r.Detail+"; "+detail, "; ")
	if !r.NewEpochNeeded && !found.cut && len(found.pages) == 0 {
		return r
	}
	if !r.NewEpochNeeded {
		r.Why = WhyTailLost
	}
	r.NewEpochNeeded = true
	if r.PrevSize == 0 && r.Why == WhyTailLost || found.good < r.PrevSize {
		r.PrevSize, r.PrevRoot = found.good, found.root
	}
	return r
}

// BeginEpoch implements Store.
func (j *Journal) BeginEpoch(id, why string) error {
	if err := checkEpochID(id); err != nil {
		return err
	}
	j.writing.Lock()
	defer j.writing.Unlock()
	j.mu.Lock()
	defer j.mu.Unlock()
	switch {
	case j.closed:
		return ErrClosed
	case j.failed != nil:
		return j.failed
	case !j.recovery.Checked:
		return ErrUnchecked
	}
	next := j.beginning(id, why)
	var made *ledger
	err := j.DespiteFull(func() (err error) {
		made, err = createLedger(epochPath(j.dir, id), id, j.starts)
		return err
	})
	if err != nil {
		return fmt.Errorf("beginning epoch %s: %w", id, err)
	}
	m := meta{Epochs: append(j.meta.Epochs[:len(j.meta.Epochs):len(j.meta.Epochs)], next)}
	if err := j.DespiteFull(func() error { return m.store(j.dir) }); err != nil {
		return errors.Join(err, made.stopWriting(false), made.close())
	}
	if j.current != nil {
		err = j.current.stopWriting(false)
		j.ended[j.current.epoch] = j.current.endedAt(next.PrevSize)
	}
	j.meta, j.current, j.recovery = m, made, Recovery{Checked: true}
	return errors.Join(err, j.departed.begin(id, j.starts))
}

// beginning says where the next epoch comes from.
func (j *Journal) beginning(id, why string) Beginning {
	r := j.recovery
	if !r.NewEpochNeeded { // an ack beyond us: what we have is good to its end
		r.PrevEpoch, r.PrevSize, r.PrevRoot = j.current.epoch, j.current.size.Load(), j.current.root()
	}
	return Beginning{ID: id, Why: why, Prev: r.PrevEpoch, PrevSize: r.PrevSize, PrevRoot: r.PrevRoot, PrevDraft: r.PrevDraft}
}

// Close implements Store. The stop is a clean one when the journal had been checked and no commit failed.
func (j *Journal) Close() error {
	j.writing.Lock()
	defer j.writing.Unlock()
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return nil
	}
	j.closed = true
	current := j.current
	err := j.letGo(j.failed == nil)
	j.current = current // its readers see that it is closed
	return errors.Join(err, j.lock.Close())
}
