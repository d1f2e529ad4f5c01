package backup

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"scentpost/station/folder"
)

// The re-executed test binary is a restore in the house killedIn that is killed before its change to the disk number
// killedAt, counted from 0.
const (
	killedIn = "SCENTPOST_RESTORE_DIR"
	killedAt = "SCENTPOST_RESTORE_KILLED_AT"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(killedIn); dir != "" {
		if err := restoreAndDie(house{dir}); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// restoreAndDie restores the file backup with all that is put aside.
func restoreAndDie(h house) error {
	f, err := os.Open(h.dir + ".backup")
	if err != nil {
		return err
	}
	defer f.Close()
	target := h.target()
	target.Replace = true
	last, err := strconv.Atoi(os.Getenv(killedAt))
	steps := 0
	target.step = func(what string) error {
		fmt.Println(what)
		if err == nil && steps == last {
			return errors.Join(syscall.Kill(os.Getpid(), syscall.SIGKILL), errors.New("it outlived SIGKILL"))
		}
		steps++
		return nil
	}
	_, err = Restore(f, target)
	return err
}

// killer restores in a process of its own that is killed, and looks at what is left.
type killer struct {
	t       *testing.T
	backup  []byte
	private string
	want    content // of the whole restore
	old     bool    // the station had a journal and a key
}

func newKiller(t *testing.T, old bool) killer {
	t.Helper()
	from := newHouse(t)
	s := live(t, from)
	return killer{t: t, backup: text(t, from, s.private), private: s.private, want: contentOf(t, from.data()), old: old}
}

// house makes the station that is restored to.
func (k killer) house() (h house, before content) {
	k.t.Helper()
	h = newHouse(k.t)
	if k.old {
		j := h.open(k.t)
		begin(k.t, j, "old", newKey(k.t, 2)).session("s0", true)
		if err := j.Close(); err != nil {
			k.t.Fatal(err)
		}
		k.write(h.path("station.key"), []byte(newKey(k.t, 2)+"\n"))
	}
	k.write(h.dir+".backup", k.backup)
	return h, contentOf(k.t, h.data())
}

func (k killer) write(path string, text []byte) {
	k.t.Helper()
	if err := os.WriteFile(path, text, 0o600); err != nil {
		k.t.Fatal(err)
	}
}

// run runs the restore until it is killed, at a step or after a while, and tells whether it was.
func (k killer) run(h house, at string, after time.Duration) (killed bool, said string) {
	k.t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), killedIn+"="+h.dir, killedAt+"="+at)
	var out bytes.Buffer
	child.Stdout = &out
	if err := child.Start(); err != nil {
		k.t.Fatal(err)
	}
	if after > 0 {
		time.AfterFunc(after, func() { _ = child.Process.Kill() })
	}
	err := child.Wait()
	if err != nil && !strings.Contains(err.Error(), "killed") {
		k.t.Fatalf("%v: %s", err, &out)
	}
	return err != nil, out.String()
}

// look wants the journal of before or the whole one, with the key that belongs to it, and tells which it is.
func (k killer) look(h house, before content) (whole bool) {
	k.t.Helper()
	is := contentOf(k.t, h.data())
	whole = reflect.DeepEqual(is, k.want)
	if !whole && !reflect.DeepEqual(is, before) {
		k.t.Fatalf("there is neither what was nor what should be: %+v", is)
	}
	if _, err := folder.AdoptKey(folder.Folder(h.dir)); err != nil { // as the daemon does at its start
		k.t.Fatal(err)
	}
	key, err := os.ReadFile(h.path("station.key"))
	switch {
	case whole && (err != nil || string(key) != k.private+"\n"):
		k.t.Errorf("the journal is restored and the key is not: %v", err)
	case !whole && k.old && (err != nil || string(key) != newKey(k.t, 2)+"\n"):
		k.t.Errorf("the journal is the old one and the key is not: %v", err)
	case !whole && !k.old && err == nil:
		k.t.Error("there is no journal, and a key")
	}
	return whole
}

// finish restores once more: nothing that a killed one left stands in the way, and no old journal is lost.
func (k killer) finish(h house, before content) {
	k.t.Helper()
	if killed, said := k.run(h, "never", 0); killed {
		k.t.Fatalf("the second restore was killed: %s", said)
	}
	if !k.look(h, before) {
		k.t.Fatal("the second restore did nothing")
	}
	if _, err := os.Lstat(h.target().temporary()); err == nil {
		k.t.Error("the temporary folder is left")
	}
	if !k.old {
		return
	}
	all, err := filepath.Glob(h.data() + ".replaced-*")
	if err != nil {
		k.t.Fatal(err)
	}
	for _, dir := range all {
		if reflect.DeepEqual(contentOf(k.t, dir), before) {
			return
		}
	}
	k.t.Errorf("the old journal is in none of %q", all)
}

// TestKilledBeforeEachChange: a restore that is killed before any of its changes to the disk leaves the station as it
// was, or whole.
func TestKilledBeforeEachChange(t *testing.T) {
	for _, old := range []bool{false, true} {
		t.Run(fmt.Sprintf("old journal %t", old), func(t *testing.T) {
			t.Parallel()
			k := newKiller(t, old)
			met := map[bool]int{}
			for at := 0; ; at++ {
				h, before := k.house()
				killed, said := k.run(h, strconv.Itoa(at), 0)
				whole := k.look(h, before)
				met[whole]++
				if !killed {
					if !whole {
						t.Errorf("nothing was restored:\n%s", said)
					}
					break
				}
				lines := strings.Split(strings.TrimSpace(said), "\n")
				if last := lines[len(lines)-1]; whole != (last == "put the old journal aside" || last == "put the key into its place") {
					t.Errorf("killed before %q: whole is %t", last, whole)
				}
				k.finish(h, before)
			}
			if met[false] < 10 || met[true] != 3 {
				t.Errorf("%d restores did nothing, %d all", met[false], met[true])
			}
		})
	}
}

// TestKilledAtRandomInstants kills restores anywhere else.
func TestKilledAtRandomInstants(t *testing.T) {
	const kills = 10
	seed := uint64(os.Getpid())
	t.Logf("seed %d", seed)
	chance := rand.New(rand.NewPCG(seed, 0))
	k := newKiller(t, true)
	began := time.Now()
	h, _ := k.house()
	k.run(h, "never", 0)
	usual := time.Since(began)
	met := map[bool]int{}
	for range kills {
		h, before := k.house()
		k.run(h, "never", time.Duration(1+chance.Int64N(int64(usual))))
		met[k.look(h, before)]++
		k.finish(h, before)
	}
	t.Logf("%d restores did nothing, %d all", met[false], met[true])
}
