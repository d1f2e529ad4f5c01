package backup

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"

	"scentpost/station/folder"
	"scentpost/station/journal"
)

// TestABackupComesBack: all that is no secret, under the same numbers, roots and signatures; the session that had not
// ended is named, and no epoch goes on.
func TestABackupComesBack(t *testing.T) {
	from, to := newHouse(t), newHouse(t)
	live(t, from) // the journal stays open: a backup is made beside a running daemon
	file := from.path("backup")
	r, err := journal.Read(from.data())
	if err != nil {
		t.Fatal(err)
	}
	s, err := Save(file, r, Options{Made: made, Program: "test", Connections: 7})
	if err != nil || r.Close() != nil {
		t.Fatal(err)
	}
	if s.Epochs != 2 || s.Records != 13 || s.Sessions != 3 || s.Names != 3 || s.Epoch != "e2" || s.Size != 8 || s.WithKey ||
		!reflect.DeepEqual(s.Unfinished, []string{"s3"}) || !s.Simulated || s.Connections != 7 {
		t.Errorf("the backup holds %+v", s)
	}
	if found, err := os.Stat(file); err != nil || found.Mode().Perm() != 0o600 {
		t.Errorf("the file's mode is %v, %v", found.Mode(), err)
	}
	if _, err := Save(file, r, Options{}); !errors.Is(err, fs.ErrExist) {
		t.Errorf("over another file: %v", err)
	}
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	report, err := Restore(f, to.target())
	if err != nil || report.Aside != "" || report.AsideKey != "" || report.Lacking != "" || report.Epoch != "e2" {
		t.Fatalf("%+v, %v", report, err)
	}
	if was, is := contentOf(t, from.data()), contentOf(t, to.data()); !reflect.DeepEqual(was, is) {
		t.Errorf("it was\n%+v\nand is\n%+v", was, is)
	}
	if _, err := os.Stat(to.path("station.key")); err == nil {
		t.Error("a backup without the key brought one")
	}
	if text, err := os.ReadFile(to.path("connections")); err != nil || string(text) != fmt.Sprintln(7+moreConnections) {
		t.Errorf("connections: %q, %v", text, err)
	}
	if r := to.open(t).Recovery(); r.Why != journal.WhyRestored || r.PrevEpoch != "e2" || r.PrevSize != 8 {
		t.Errorf("the next start finds %+v", r)
	}
}

// TestABackupHoldsNoSecret looks for what was planted in the vault, as it is and as it could be written.
func TestABackupHoldsNoSecret(t *testing.T) {
	h := newHouse(t)
	private := live(t, h).private
	without, with := text(t, h, ""), text(t, h, private)
	for _, secret := range []string{secretBody, secretNonce, "which nobody may see"} {
		for _, form := range []string{secret, hex.EncodeToString([]byte(secret)), base64.StdEncoding.EncodeToString([]byte(secret))} {
			if bytes.Contains(with, []byte(form)) {
				t.Errorf("the backup holds %q", form)
			}
		}
	}
	seed := strings.Split(private, "+")[4]
	if bytes.Contains(without, []byte(seed)) || !bytes.Contains(with, []byte(seed)) {
		t.Error("the key is in the backup without being asked for, or is not when asked for")
	}
	if lines := bytes.SplitAfter(without, []byte("\n")); !bytes.Equal(bytes.Join(lines[:len(lines)-2], nil), with[:len(without)-len(lines[len(lines)-2])]) {
		t.Error("the backups with and without key differ in more than the key and the last line")
	}
}

// TestAnEarlierBackupSaysWhatItLacks: what had left the station that it is restored to.
func TestAnEarlierBackupSaysWhatItLacks(t *testing.T) {
	h := newHouse(t)
	s := live(t, h)
	early := text(t, h, "")
	s.sign("lock", "s3")
	more := func(n int64) {
		t.Helper()
		if err := s.j.Departed().Store(s.j.Epoch().ID, n, s.tree.Root()); err != nil {
			t.Fatal(err)
		}
	}
	more(8)
	target := h.target()
	target.Replace = true
	restored := func(want string) {
		t.Helper()
		if err := s.j.Close(); err != nil {
			t.Fatal(err)
		}
		report, err := Restore(bytes.NewReader(early), target)
		if err != nil || report.Lacking != want {
			t.Errorf("lacking %q, want %q (%v)", report.Lacking, want, err)
		}
		s.j = h.open(t)
	}
	restored("")
	if s.j.Recovery().Why != journal.WhyRestored {
		t.Errorf("%+v", s.j.Recovery())
	}
	s = begin(t, s.j, "e3", s.private)
	s.session("s4", true)
	more(s.tree.Size())
	restored("all of epoch e3, of which 5 records had left this station")
	if !strings.Contains(s.j.Recovery().Detail, "knows nothing of epoch e3") {
		t.Errorf("%+v", s.j.Recovery())
	}
	s = begin(t, s.j, "e4", s.private)
	early = text(t, h, "")
	s.session("s5", true)
	more(s.tree.Size())
	restored("records 1 to 4 of epoch e4, which had left this station")
	if !strings.Contains(s.j.Recovery().Detail, "; 5 records of that epoch had left this station") {
		t.Errorf("%+v", s.j.Recovery())
	}
}

// tree lists all files below a folder with what they hold; locks and what SQLite keeps beside its databases are left
// out.
func tree(t testing.TB, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == "lock" || strings.HasSuffix(path, "-shm") || strings.HasSuffix(path, "-wal") {
			return err
		}
		text, err := os.ReadFile(path)
		all[strings.TrimPrefix(path, dir)] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestARefusedRestoreChangesNothing: each reason to refuse says what to do.
func TestARefusedRestoreChangesNothing(t *testing.T) {
	from := newHouse(t)
	private := live(t, from).private
	whole := text(t, from, private)
	cut := whole[:len(whole)-100]
	for name, c := range map[string]struct {
		text []byte
		to   func(t *testing.T, h house) Target
		want string
	}{
		"a daemon runs": {whole, func(t *testing.T, h house) Target {
			h.open(t)
			target := h.target()
			target.Replace = true
			return target
		}, fmt.Sprintf("while the station is stopped: journal: in use: %%s/lock is held by process %d", os.Getpid())},
		"there is a journal": {whole, func(t *testing.T, h house) Target {
			if err := live(t, h).j.Close(); err != nil {
				t.Fatal(err)
			}
			return h.target()
		}, "station line-1 has a journal in %s: to put that one aside and restore the backup in its place, say --replace"},
		"another station": {whole, func(_ *testing.T, h house) Target {
			target := h.target()
			target.Station = "line-2"
			return target
		}, "the backup is of station pristina/line-1, the configuration of pristina/line-2"},
		"no simulation": {whole, func(_ *testing.T, h house) Target {
			target := h.target()
			target.Simulated = false
			return target
		}, "simulated: true"},
		"another key": {whole, func(t *testing.T, h house) Target {
			if err := os.WriteFile(h.path("station.key"), []byte(newKey(t, 2)+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			return h.target()
		}, "the station has another key in"},
		"a cut backup": {cut, func(_ *testing.T, h house) Target { return h.target() }, "line 27: the backup is cut short here"},
		"no backup":    {[]byte("PK\x03\x04"), func(_ *testing.T, h house) Target { return h.target() }, "line 1: the backup is cut short"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			target := c.to(t, h)
			before := tree(t, h.dir)
			_, err := Restore(bytes.NewReader(c.text), target)
			want := c.want
			if strings.Contains(want, "%s") {
				want = fmt.Sprintf(want, h.data())
			}
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("it says %v, want %q", err, want)
			}
			if strings.Contains(fmt.Sprint(err), strings.Split(private, "+")[4]) {
				t.Error("it prints the key")
			}
			if after := tree(t, h.dir); !reflect.DeepEqual(before, after) {
				t.Errorf("there was %v, and is %v", keys(before), keys(after))
			}
			if _, err := os.Lstat(target.temporary()); err == nil {
				t.Error("it left its temporary folder")
			}
		})
	}
}

func keys(m map[string]string) (out []string) {
	for k := range m {
		out = append(out, k)
	}
	return out
}

// TestWhatWasThereIsPutAside: nothing is deleted, and the key that signs is the backup's.
func TestWhatWasThereIsPutAside(t *testing.T) {
	from, to := newHouse(t), newHouse(t)
	private := live(t, from).private
	whole := text(t, from, private)
	j := to.open(t)
	begin(t, j, "old", newKey(t, 2))
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to.path("station.key"), []byte(newKey(t, 2)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	old := contentOf(t, to.data())
	older := filepath.Join(to.data(), "put-aside", "draft-1-e0")
	if err := errors.Join(os.MkdirAll(older, 0o700), os.WriteFile(filepath.Join(older, "aside.json"), []byte(`{"draft":1,"epoch":"e0"}`), 0o600)); err != nil {
		t.Fatal(err)
	}
	target := to.target()
	target.Replace = true
	for n := 1; n <= 2; n++ {
		report, err := Restore(bytes.NewReader(whole), target)
		if err != nil || report.Aside != fmt.Sprintf("%s.replaced-%d", to.data(), n) {
			t.Fatalf("%+v, %v", report, err)
		}
		if n == 1 && (report.AsideKey != to.path("station.key.replaced-1") || !reflect.DeepEqual(contentOf(t, report.Aside), old)) {
			t.Errorf("put aside: %+v", report)
		}
	}
	if list, err := journal.PutAside(to.data()); err != nil || len(list) != 1 || list[0].Epoch != "e0" {
		t.Errorf("of another draft there is %+v, %v", list, err)
	}
	key, err := os.ReadFile(to.path("station.key"))
	aside, asideErr := os.ReadFile(to.path("station.key.replaced-1"))
	if err != nil || asideErr != nil || string(key) != private+"\n" || string(aside) != newKey(t, 2)+"\n" {
		t.Errorf("the keys are not where they belong: %v, %v", err, asideErr)
	}
	if _, err := os.Stat(filepath.Join(to.data(), folder.RestoredKey)); err == nil {
		t.Error("the key is left with the journal")
	}
	if is := contentOf(t, to.data()); !reflect.DeepEqual(is, contentOf(t, from.data())) {
		t.Errorf("it is %+v", is)
	}
}

// TestBackupsWhileTheJournalGrows: each of them holds, and each holds what the one before held.
func TestBackupsWhileTheJournalGrows(t *testing.T) {
	h := newHouse(t)
	s := begin(t, h.open(t), "e1", newKey(t, 1))
	s.session("s0", false)
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for i := 1; ; i++ {
			select {
			case <-stop:
				return
			default:
				s.session(fmt.Sprint("s", i), i%2 == 0)
			}
		}
	}()
	defer func() { close(stop); <-stopped }()
	last := int64(0)
	for grown := 0; grown < 5; {
		select {
		case <-stopped:
			t.Fatal("nobody writes any more")
		default:
		}
		got, err := Check(bytes.NewReader(text(t, h, "")))
		if err != nil || got.Size < last || got.Names < got.Sessions {
			t.Fatalf("after %d records: %+v, %v", last, got, err)
		}
		if got.Size > last {
			grown++
		}
		last = got.Size
	}
}

// TestRootLeavesTheFilesToTheirOwner: whoever backs up or restores as root must not lock the daemon's account out.
func TestRootLeavesTheFilesToTheirOwner(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give files away")
	}
	const account = 65534
	from, to := newHouse(t), newHouse(t)
	s := live(t, from)
	whole := text(t, from, s.private)
	if err := s.j.Close(); err != nil {
		t.Fatal(err)
	}
	for _, h := range []house{from, to} {
		if err := os.Chown(h.dir, account, account); err != nil {
			t.Fatal(err)
		}
		if err := folder.Give(h.dir, h.dir); err != nil {
			t.Fatal(err)
		}
	}
	r, err := journal.Read(from.data())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := Write(io.Discard, r, Options{Made: made}); err != nil {
		t.Fatal(err)
	}
	if _, err := Restore(bytes.NewReader(whole), to.target()); err != nil {
		t.Fatal(err)
	}
	for _, h := range []house{from, to} {
		err := filepath.WalkDir(h.dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			found, err := d.Info()
			if err == nil && found.Sys().(*syscall.Stat_t).Uid != account {
				t.Errorf("%s belongs to root", path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestABackupOfADamagedJournal takes all else, and says what is not in it; so does what is restored from it. A lost record stays
// in its place, an epoch whose log cannot be read on ends there, and one that cannot be read at all is named.
func TestABackupOfADamagedJournal(t *testing.T) {
	flip := func(text string, find func(s, sep []byte) int) func(t *testing.T, h house) {
		return func(t *testing.T, h house) {
			path := filepath.Join(h.data(), "epoch-e1.db")
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			at := find(content, []byte(text))
			if at < 0 {
				t.Fatalf("%q is not in the database", text)
			}
			content[at+len(text)-1] ^= 1
			if err := os.WriteFile(path, content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, c := range map[string]struct {
		spoil   func(t *testing.T, h house)
		says    string
		records int64
		lost    int64
		cut     int
	}{
		"a line":          {flip(`"data":{"how":"completed`, bytes.LastIndex), "record 3 of epoch e1: its line is damaged", 13, 1, 0},
		"a first line":    {flip(`"type":"scentpost.epoch.began`, bytes.Index), "", 13, 0, 0}, // which lies twice
		"the other of it": {flip(`"type":"scentpost.epoch.began`, bytes.LastIndex), "", 13, 0, 0},
		"junk": {func(t *testing.T, h house) {
			if err := os.WriteFile(filepath.Join(h.data(), "epoch-e1.db"), bytes.Repeat([]byte("junk"), 4096), 0o600); err != nil {
				t.Fatal(err)
			}
		}, "all of epoch e1", 8, 0, 1},
		"no file": {func(t *testing.T, h house) {
			if err := os.Remove(filepath.Join(h.data(), "epoch-e1.db")); err != nil {
				t.Fatal(err)
			}
		}, "all of epoch e1", 8, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			from, to := newHouse(t), newHouse(t)
			if err := live(t, from).j.Close(); err != nil {
				t.Fatal(err)
			}
			c.spoil(t, from)
			r, err := journal.Read(from.data())
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			file := from.path("backup")
			s, err := Save(file, r, Options{Made: made, Program: "test"})
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(strings.Join(s.NotIn, "; "), c.says) || (len(s.NotIn) > 0) != (c.says != "") || s.Records != c.records || s.Lost != c.lost || len(s.Cut) != c.cut || s.Names != 3 || s.Epochs != 2 {
				t.Errorf("%+v", s)
			}
			f, err := os.Open(file)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if report, err := Restore(f, to.target()); err != nil || report.Lost != c.lost || len(report.Cut) != c.cut {
				t.Fatalf("%+v, %v", report, err)
			}
			back, err := journal.Read(to.data())
			if err != nil {
				t.Fatal(err)
			}
			defer back.Close()
			again, err := Save(to.path("again"), back, Options{Made: made, Program: "test"})
			if err != nil || again.Records != s.Records || again.Lost != s.Lost {
				t.Errorf("the backup of what was restored: %+v, %v", again, err)
			}
		})
	}
}
