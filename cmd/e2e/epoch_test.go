package e2e

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"scentpost/station/control"
	"scentpost/station/control/socket"
	"scentpost/station/event"
	"scentpost/station/health"
	"scentpost/station/journal"
	"scentpost/station/record"
	"scentpost/station/trial"
	"scentpost/station/uplink/brokertest"
	"scentpost/station/uplink/wire"
)

// loser is a station that loses what had left it.
type loser struct {
	*rig
	t    *testing.T
	sent *ledger
	info *brokertest.Subscriber
	drv  *driver
}

func newLoser(t *testing.T, name string) *loser {
	t.Helper()
	broker := brokertest.Start(t)
	l := &loser{t: t, sent: newLedger(t, broker, name), info: broker.Subscribe(t, topicsOf(t, name).Info)}
	l.rig = newRig(t, options{example: "virtual-two", name: name, broker: broker.URL, plan: "../../configs/plans/short.yaml", scale: 40, seed: 1})
	l.drv = newDriver(t, l.rig, rand.New(rand.NewPCG(1, 1)))
	l.drv.abortOne = false
	return l
}

// most is how many records are cut off at most.
const most = 50

// work opens a session and runs until a run is armed and there are more records than are cut off; then everything so far is
// waited for at the subscriber.
func (l *loser) work() control.Status {
	l.t.Helper()
	w := l.watch()
	defer w.kill(l.t)
	now := w.until(l.t, "a state", func(control.Status) bool { return true })
	for now.Run == nil || now.Size <= most {
		if request := l.drv.next(now); request.Command != "" {
			l.say(request)
		}
		size := now.Size
		now = w.until(l.t, "the next state", func(s control.Status) bool { return s.Size > size })
	}
	l.sent.subscriber.Wait("what was shown", func([]brokertest.Message) bool {
		l.sent.read(l.t)
		return l.sent.size(now.Epoch) >= now.Size
	})
	return now
}

func (l *loser) say(request control.Request) {
	l.t.Helper()
	client, err := socket.Dial(l.t.Context(), l.socket())
	if err != nil {
		l.t.Fatal(err)
	}
	defer client.Close()
	if response, err := client.Send(&request); err != nil || !response.OK && response.Seq == 0 {
		l.t.Fatalf("%s: %v %v", request.Command, err, response.Refused)
	}
}

// cut takes the last n of the records that have left the station out of the journal, and what came after them, with all that
// belongs to them. It returns how many are left.
func (l *loser) cut(epoch string, n int64) (left int64) {
	l.t.Helper()
	l.sent.read(l.t)
	left = l.sent.size(epoch) - n
	db, err := sql.Open("sqlite", l.path("data/journal/epoch-"+epoch+".db"))
	if err != nil {
		l.t.Fatal(err)
	}
	defer db.Close()
	for _, text := range []string{"DELETE FROM records WHERE seq >= ?", "DELETE FROM vault WHERE seq >= ?",
		"DELETE FROM checkpoints WHERE size > ?", "DELETE FROM sessions WHERE first >= ?"} {
		if _, err := db.Exec(text, left); err != nil {
			l.t.Fatal(err)
		}
	}
	return left
}

// newEpoch sees that the daemon began, names and reports a new epoch after size records of was, -1 for any number.
func (l *loser) newEpoch(was string, size int64, why ...string) {
	l.t.Helper()
	now := l.until(func(s control.Status) bool { return s.Epoch != was && s.Size > 0 && s.Obstacle == nil })
	if now.Phase != trial.Idle {
		l.t.Errorf("a session crossed into epoch %s: %s", now.Epoch, now.Phase)
	}
	named := slices.ContainsFunc(now.Conditions, func(c health.Condition) bool {
		return c.Code == health.EpochEnded && strings.Contains(c.Evidence, was) && strings.Contains(c.Evidence, now.Epoch)
	})
	if said := l.daemon.said(); !named || !strings.Contains(said, "the log goes on in a new epoch") {
		l.t.Errorf("conditions %+v; the log says\n%s", now.Conditions, said)
	}
	l.info.Wait("the new info", func(m []brokertest.Message) bool {
		if len(m) == 0 {
			return false
		}
		info, err := wire.ParseInfo(m[len(m)-1].Payload)
		if err != nil {
			l.t.Fatal(err)
		}
		return info.Epoch == now.Epoch
	})
	l.sent.subscriber.Wait("the first record of the new epoch", func([]brokertest.Message) bool {
		l.sent.read(l.t)
		return l.sent.size(now.Epoch) > 0
	})
	first, err := record.Decode(l.sent.lines[identity{now.Epoch, 0}])
	if err != nil {
		l.t.Fatal(err)
	}
	began, ok := first.Event.Body.(*event.Epoch)
	if !ok || !slices.Contains(why, began.Why) || began.Prev != was || size >= 0 && began.PrevSize != size {
		l.t.Errorf("the new epoch says %+v, want it after %d records of %s because of %v", first.Event.Body, size, was, why)
	}
}

// until waits for a state.
func (l *loser) until(wanted func(control.Status) bool) control.Status {
	l.t.Helper()
	w := l.watch()
	defer w.kill(l.t)
	return w.until(l.t, "the state", wanted)
}

// The journal cut back by up to 50 records that had left the station (issue 2, point 4).
func TestACutJournalBeginsAnEpoch(t *testing.T) {
	t.Parallel()
	l := newLoser(t, "cut")
	l.serve()
	chance := rand.New(rand.NewPCG(killSeed, 50))
	for i, n := range []int64{1, most, 1 + chance.Int64N(most), 1 + chance.Int64N(most)} {
		was := l.work()
		if i%2 == 0 {
			l.daemon.kill(t)
		} else {
			l.daemon.stop(t)
		}
		left := l.cut(was.Epoch, n)
		t.Logf("cut back by %d to %d records", n, left)
		l.serve()
		l.newEpoch(was.Epoch, left, journal.WhyTailLost)
	}
	l.work()
	l.daemon.stop(t)
	l.station.stop(t)
}

// An older copy of the journal, alone or with all that lies beside it, in its place.
func TestARestoredJournalBeginsAnEpoch(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		whole bool // all files of the station, so that only the broker can tell
		why   []string
	}{
		"the journal's folder": {false, []string{journal.WhyRestored, journal.WhyTailLost}},
		"the whole station":    {true, []string{journal.WhyBeyond}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLoser(t, fmt.Sprint("restored-", c.whole))
			l.serve()
			l.work()
			l.daemon.stop(t)
			kept := filepath.Join(t.TempDir(), "kept")
			copyAll(t, l.path("data"), kept)
			l.serve()
			was := l.work() // perhaps less than a start writes by itself before it has heard the broker
			l.daemon.stop(t)
			parts := []string{"journal"}
			if c.whole {
				parts = []string{"journal", "departed.json", "station.key", "connections"}
			}
			for _, part := range parts {
				if err := os.RemoveAll(l.path("data/" + part)); err != nil {
					t.Fatal(err)
				}
				copyAll(t, filepath.Join(kept, part), l.path("data/"+part))
			}
			l.serve()
			if c.whole { // it hears from the broker, and starts again
				l.daemon.line(t, "sessions")
			}
			l.newEpoch(was.Epoch, -1, c.why...)
			l.work()
			l.daemon.stop(t)
			l.station.stop(t)
		})
	}
}

// copyAll copies a file or a folder; sockets are left out.
func copyAll(t testing.TB, from, to string) {
	t.Helper()
	if out, err := exec.Command("cp", "-a", from, to).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}
