package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"scentpost/cmd/internal/words"
	"scentpost/station/control"
	"scentpost/station/event"
	"scentpost/station/record"
	"scentpost/station/trial"
	"scentpost/station/uplink/brokertest"
	"scentpost/station/verify"
)

// watcher reads the lines of `scentpost watch --json`.
type watcher struct {
	*program
	last control.Status
}

func (r *rig) watch() *watcher {
	r.t.Helper()
	return &watcher{program: start(r.t, "scentpost", "watch", "--json", "--socket", r.socket())}
}

// until waits for a state that is wanted.
func (w *watcher) until(t testing.TB, what string, wanted func(control.Status) bool) control.Status {
	t.Helper()
	for limit := time.After(patience); ; {
		select {
		case line, open := <-w.lines:
			if !open {
				t.Fatalf("the watch ended before %s; last it showed %s", what, words.Progress(&w.last))
			}
			w.last = control.Status{}
			if err := json.Unmarshal([]byte(line), &w.last); err != nil {
				t.Fatalf("watch: %v in %s", err, line)
			}
			if wanted(w.last) {
				return w.last
			}
		case <-limit:
			t.Fatalf("no %s in %s; last it showed %s", what, patience, words.Progress(&w.last))
		}
	}
}

// between tells whether the next run can be armed, or the session is over.
func between(s control.Status) bool {
	return s.Phase == trial.Ended || s.Phase == trial.Sealed && s.Run == nil && s.Aborted == nil
}

// armNext arms the next run. On a machine so busy that canisters come too late, which voids runs, the session may be paused:
// then it is resumed.
func (r *rig) armNext(status control.Status) {
	r.t.Helper()
	if status.Paused != nil {
		r.tell("Assessor", "resume")
	}
	r.tell("Assessor", "arm")
}

// A person's session (issue 2, point 1): a daemon on a virtual station in scaled real time, driven by commands,
// reporting through a broker that is stopped and started in the middle. The station has all that purges, calls and
// measures besides.
func TestAPersonsSession(t *testing.T) {
	t.Parallel()
	broker := brokertest.Start(t)
	subscriber := broker.Subscribe(t, "scentpost/v1/#")
	keys := t.TempDir()
	authority, wrong, code := call("scentpost", nil, "key", "new", "authority", "-o", keys+"/authority.key")
	if code != 0 {
		t.Fatal(wrong)
	}
	r := newRig(t, options{example: "virtual-air", name: "person", broker: broker.URL, authority: strings.TrimSpace(authority), scale: 40, seed: 1})
	r.serve()
	w := r.watch()

	sealed := r.openAndSeal("lineup-six", keys+"/authority.key")
	checkpoint := keys + "/sealed.txt"
	if err := os.WriteFile(checkpoint, []byte(sealed.Checkpoint), 0o600); err != nil {
		t.Fatal(err)
	}
	if sealed.Seed != event.TwoParty {
		t.Errorf("the seed is %q after a share was given", sealed.Seed)
	}
	status := w.until(t, "the first run to arm", func(s control.Status) bool { return between(s) && s.Session == sealed.Session })
	for status.Phase != trial.Ended {
		r.armNext(status)
		done := len(status.Runs) + 1
		if done == 4 {
			w.until(t, "run 4 to be searched", func(s control.Status) bool { return s.Run != nil && s.Run.State == trial.Searching })
			broker.Stop()
		}
		status = w.until(t, fmt.Sprintf("the end of run %d", done), func(s control.Status) bool { return between(s) && len(s.Runs) == done })
		if done == 7 {
			broker.Restart()
		}
	}
	if shown := r.must("session", "status"); len(status.Air) != 1 || len(status.Air[0].Readings) != 3 || !strings.Contains(shown, "air by air: temperature 25.") {
		t.Errorf("the air at the last arming: %+v, shown as\n%s", status.Air, shown)
	}
	if status.Verdict == nil || len(status.Runs) < 12 {
		t.Errorf("%d runs, verdict %v after the end", len(status.Runs), status.Verdict)
	}
	r.tell("Loader", "close", "--all-back")
	closed := w.until(t, "the session's end", func(s control.Status) bool { return s.Phase == trial.Idle })
	bundle := r.path("session.zip")
	r.must("record", "export", "-o", bundle)
	r.checkVerified(bundle, checkpoint, event.TwoParty)
	checkReport(t, r, subscriber, closed, bundle)
	r.daemon.stop(t)
	r.station.stop(t)
}

// openAndSeal opens a session, loads it, and seals it with the share of an authority.
func (r *rig) openAndSeal(plan, authority string) control.Status {
	r.t.Helper()
	r.tell("Assessor", "open", plan, "--dog", "Rex", "--handler", "Handler", "--assessor", "Assessor", "--discipline", "explosives")
	r.tell("Loader", "load")
	request := r.path("request")
	r.must("session", "request", "--out", request)
	share := strings.TrimSpace(r.must("key", "answer", "--key", authority, "--log", r.path("answers"), request))
	return *r.tell("Assessor", "seal", "--share", share).Status
}

// checkVerified verifies a bundle with the station's key, and with the checkpoint that was kept, as a person does.
func (r *rig) checkVerified(bundle, checkpoint string, seed event.SeedSource) verify.Report {
	r.t.Helper()
	key := r.path("verifier.key")
	if err := os.WriteFile(key, []byte(r.must("key", "show", r.path("data/station.key"))), 0o600); err != nil {
		r.t.Fatal(err)
	}
	var report verify.Report
	out := r.must("verify", bundle, "--key", key, "--checkpoint", checkpoint, "--json")
	if err := json.Unmarshal([]byte(out), &report); err != nil {
		r.t.Fatal(err)
	}
	if !report.Consistent || report.Signer != verify.Pinned || report.Seed != string(seed) || report.Witness != verify.WitnessPaper ||
		!report.BeforeFirstRun || !report.Simulated || report.Replay != verify.ReplayChecked {
		r.t.Errorf("scentpost verify says %s", out)
	}
	return report
}

// checkReport compares what came through the broker with the bundle: whole and in order once repeats are dropped.
func checkReport(t *testing.T, r *rig, subscriber *brokertest.Subscriber, closed control.Status, bundle string) {
	t.Helper()
	data, err := os.ReadFile(bundle)
	if err != nil {
		t.Fatal(err)
	}
	b, faults := record.Read(data, record.DefaultLimits())
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	topic := "scentpost/v1/demo/" + r.name + "/journal"
	messages := subscriber.Wait("the whole record", func(m []brokertest.Message) bool {
		return int64(len(brokertest.Lines(m, topic))) >= closed.Size
	})
	lines := brokertest.Lines(messages, topic)
	for i, line := range lines {
		got, err := record.Decode(line)
		if err != nil || got.Seq != int64(i) || got.Epoch != closed.Epoch {
			t.Fatalf("line %d of the report is record %d of epoch %s: %v", i, got.Seq, got.Epoch, err)
		}
	}
	if int64(len(lines)) != closed.Size || !bytes.Equal(lines[0], b.Epoch) {
		t.Errorf("%d lines came of %d, the first is %s", len(lines), closed.Size, lines[0])
	}
	for i, at := range b.Places() {
		line, at := b.Lines[i], int(at)
		if at >= len(lines) || !bytes.Equal(lines[at], line) {
			t.Fatalf("record %d of the bundle is not the one that was reported", at)
		}
	}
	t.Logf("%d records in %d messages", len(lines), len(messages))
}
