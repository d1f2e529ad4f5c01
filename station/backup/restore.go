package backup

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"scentpost/station/durable"
	"scentpost/station/folder"
	"scentpost/station/holder"
	"scentpost/station/journal"
)

// Target is the station that a backup is restored to.
type Target struct {
	Site, Station string
	Simulated     bool
	Folder        folder.Folder
	// Replace puts aside a journal or another key that is there already. Without it they are a reason to refuse.
	Replace bool

	step func(what string) error // called before each change to the disk; for tests
}

// Report says what a restore did.
type Report struct {
	Summary
	Aside    string // where the journal went that was there, "" when none was
	AsideKey string // where the key went
	// Lacking says which records had left this station and are not in the backup, "" for none that is known of here.
	Lacking string
}

// moreConnections is added to the number of connections that a backup tells of: whoever was told of later ones must
// find the next number higher. A station connects once a second at most, so this is for eleven days without a pause.
const moreConnections = 1_000_000

// Restore makes a journal of a backup, where the station's daemon looks for it. It refuses while a daemon has the
// journal open. Whatever stops it before the one step that puts the whole journal into its place, the station is as it
// was; the daemon's next start begins a new epoch.
func Restore(r io.Reader, t Target) (report Report, err error) {
	if t.step == nil {
		t.step = func(string) error { return nil }
	}
	free, held, err := t.take()
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, free()) }()
	if err := t.step("clear what an earlier restore left"); err != nil {
		return report, err
	}
	if err := t.clear(); err != nil {
		return report, err
	}
	if report.Summary, err = t.build(r); err != nil {
		return report, errors.Join(err, os.RemoveAll(t.temporary()))
	}
	report.Lacking = t.lacking(report.Summary)
	if err := t.raiseConnections(report.Connections); err != nil {
		return report, err
	}
	if err := t.step("put the journal into its place"); err != nil {
		return report, err
	}
	if err := t.swap(); err != nil {
		return report, errors.Join(err, os.RemoveAll(t.temporary()))
	}
	if err := t.step("put the old journal aside"); err != nil {
		return report, err
	}
	if report.Aside, err = t.putAside(held); err != nil {
		return report, err
	}
	if err := t.step("put the key into its place"); err != nil {
		return report, err
	}
	report.AsideKey, err = folder.AdoptKey(t.Folder)
	return report, err
}

// temporary is where the journal is built; once it is in its place, the old one lies there until it is put aside.
func (t Target) temporary() string { return t.Folder.Journal() + ".restoring" }

// take locks the journal's folder, and makes it if need be, so that no daemon starts on it. held tells whether a journal
// is in it.
func (t Target) take() (free func() error, held bool, err error) {
	data := t.Folder.Journal()
	leave, err := folder.Enter(t.Folder, folder.Name{Site: t.Site, Station: t.Station, Simulated: t.Simulated}, "a restore")
	if err != nil {
		return nil, false, stopped(err)
	}
	unlock := func() error { return nil }
	free = func() error { return errors.Join(unlock(), leave()) }
	if err = os.Mkdir(data, 0o700); err == nil {
		err = folder.Give(data, string(t.Folder))
	} else if errors.Is(err, fs.ErrExist) {
		err = nil
	}
	if err == nil {
		var lock func() error
		if lock, err = journal.Lock(data); err == nil {
			unlock = lock
			held, err = journal.Holds(data)
		}
	}
	if err == nil && held && !t.Replace {
		err = fmt.Errorf("station %s has a journal in %s: to put that one aside and restore the backup in its place, say --replace", t.Station, data)
	}
	if err != nil {
		return nil, false, errors.Join(stopped(err), free())
	}
	return free, held, nil
}

// stopped says when a backup is restored, where another program has the folder.
func stopped(err error) error {
	if errors.Is(err, holder.ErrHeld) {
		return fmt.Errorf("a backup is restored while the station is stopped: %w", err)
	}
	return err
}

// clear takes away what an earlier restore left that was stopped: a journal that was not finished is deleted, any other
// is put aside.
func (t Target) clear() error {
	held, err := journal.Holds(t.temporary())
	if err != nil {
		return fmt.Errorf("look at what an earlier restore left: %w", err)
	}
	_, err = t.putAside(held && !journal.Unbuilt(t.temporary()))
	return err
}

// build makes the journal in the temporary folder, and checks that it is this station's.
func (t Target) build(r io.Reader) (s Summary, err error) {
	if err := t.step("begin to build"); err != nil {
		return s, err
	}
	b, err := journal.Build(t.temporary())
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	m := mason{Target: t, to: b}
	d := NewDecoder(r)
	for {
		item, err := d.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = m.add(item)
		}
		if err != nil {
			return s, err
		}
	}
	if err := m.flush(); err != nil {
		return s, err
	}
	s = d.Summary()
	if s.Simulated != t.Simulated {
		return s, fmt.Errorf("the backup is of a station that is simulated: %t, and the configuration is of one where that is %t: give the station its own backup", s.Simulated, t.Simulated)
	}
	if err := t.step("finish the journal"); err != nil {
		return s, err
	}
	if err := b.Finish(journal.Restored{Made: s.Made}); err != nil {
		return s, err
	}
	return s, folder.Give(t.temporary(), string(t.Folder))
}

// mason lays a journal, item by item.
type mason struct {
	Target
	to    *journal.Builder
	batch journal.Batch
	bytes int
}

func (m *mason) add(item any) error {
	switch item := item.(type) {
	case Header:
		if item.Site != m.Site || item.Station != m.Station {
			return fmt.Errorf("the backup is of station %s/%s, the configuration of %s/%s: give the station its own backup", item.Site, item.Station, m.Site, m.Station)
		}
	case Epoch:
		from, err := item.beginning()
		if err != nil {
			return err
		}
		if err := m.step("begin an epoch"); err != nil {
			return err
		}
		return m.to.Begin(from)
	case Line:
		of := item.Record.Event
		m.batch.Rows = append(m.batch.Rows, journal.Row{Seq: item.Record.Seq, Session: of.Session, Type: of.Type, Run: of.Run, Line: bytes.Clone(item.Bytes)})
		if item.Entry != nil {
			m.batch.Entries = append(m.batch.Entries, journal.Entry{Session: of.Session, Known: item.Record.Seq + 1, Last: item.Last, Text: item.Entry})
		}
		if m.bytes += len(item.Bytes); m.bytes >= pageBytes || len(m.batch.Rows) >= pageLines {
			return m.flush()
		}
	case Lost:
		leaf, err := parseHash(item.Leaf)
		m.batch.Rows = append(m.batch.Rows, journal.Row{Seq: item.Seq, Type: "lost", Lost: true, Leaf: leaf, Line: []byte("lost")})
		return err
	case Checkpoint:
		m.batch.Checkpoints = append(m.batch.Checkpoints, journal.Checkpoint{Size: item.Size, Why: item.Why, Session: item.Session, Note: []byte(item.Note)})
	case End:
		return m.flush()
	case Name:
		m.batch.Identities = append(m.batch.Identities, journal.Identity{Ref: item.Ref, Salt: item.Salt, Name: item.Is})
		if len(m.batch.Identities) >= pageLines {
			return m.flush()
		}
	case Key:
		return m.key(item)
	}
	return nil
}

// flush makes durable what has gathered.
func (m *mason) flush() error {
	if err := m.step("write records"); err != nil {
		return err
	}
	if err := m.to.Commit(m.batch); err != nil {
		return fmt.Errorf("write the journal: %w", err)
	}
	m.batch, m.bytes = journal.Batch{}, 0
	return nil
}

// key keeps the private key with the journal until both are in their place.
func (m *mason) key(k Key) error {
	text := []byte(k.Private + "\n")
	now, err := os.ReadFile(m.Folder.Key())
	if err == nil && !bytes.Equal(now, text) && !m.Replace {
		return fmt.Errorf("the station has another key in %s: to put that one aside and take the backup's, say --replace", m.Folder.Key())
	}
	if err := m.step("write the key"); err != nil {
		return err
	}
	return durable.Create(filepath.Join(m.temporary(), folder.RestoredKey), text, 0o600)
}

// lacking compares a backup with what is known here to have left the station.
func (t Target) lacking(s Summary) string {
	left, found, err := journal.LeftAt(t.Folder.Departed())
	switch {
	case err != nil || !found || left.Size == 0:
		return ""
	case left.Epoch != s.Epoch && !s.Knows(left.Epoch):
		return fmt.Sprintf("all of epoch %s, of which %d records had left this station", left.Epoch, left.Size)
	case left.Epoch == s.Epoch && left.Size > s.Size:
		return fmt.Sprintf("records %d to %d of epoch %s, which had left this station", s.Size, left.Size-1, left.Epoch)
	}
	return ""
}

// raiseConnections sees that the next connection has a higher number than any before. A number that is too high does no
// harm, whatever becomes of the restore.
func (t Target) raiseConnections(n int64) error {
	if n == 0 {
		return nil
	}
	if err := t.step("count the connections on"); err != nil {
		return err
	}
	want := n + moreConnections
	text, err := os.ReadFile(t.Folder.Connections())
	if now, bad := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err == nil && bad == nil && now >= want {
		return nil
	}
	if err := durable.Replace(t.Folder.Connections(), fmt.Appendf(nil, "%d\n", want)); err != nil {
		return fmt.Errorf("count the connections on: %w", err)
	}
	return folder.Give(t.Folder.Connections(), string(t.Folder))
}
