package yard_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"scentpost/simulator/yard"
	"scentpost/station/control"
	"scentpost/station/event"
	"scentpost/station/health"
	"scentpost/station/journal"
	"scentpost/station/record"
	"scentpost/station/trial"
	"scentpost/station/uplink"
	"scentpost/station/uplink/wire"
	"scentpost/station/verify"
)

// claim lets a copy of the station speak.
func claim(t *testing.T, y *yard.Yard, epoch string, size int64) {
	t.Helper()
	if err := y.Broker.Claim(epoch, size); err != nil {
		t.Fatal(err)
	}
}

// reported are the messages that left a station.
type reported []uplink.Publish

func (r *reported) take(_ int64, p uplink.Publish) { *r = append(*r, p) }

// lines are the lines of the topic journal, the first time that each was sent.
func (r reported) lines(t *testing.T) (all []string) {
	t.Helper()
	for _, p := range r {
		if !strings.HasSuffix(p.Topic, "/journal") {
			continue
		}
		for line := range strings.Lines(string(p.Payload)) {
			if !slices.Contains(all, line) {
				all = append(all, line)
			}
		}
	}
	return all
}

// TestABrokerThatIsAwayIsACondition: everything waits for it, and it gets the whole log.
func TestABrokerThatIsAwayIsACondition(t *testing.T) {
	var messages reported
	y := sealedYard(t, func(o *yard.Options) { o.Publish = messages.take })
	if _, away := holds(y, health.BrokerAway); away {
		t.Error("the broker is there, and said to be away")
	}
	y.Broker.Away(true)
	y.World.RunFor(5 * time.Second)
	if evidence, away := holds(y, health.BrokerAway); !away || evidence != "connection refused" {
		t.Errorf("the broker is away: %v, %q", away, evidence)
	}
	sent := len(messages)
	conclude(t, y)
	if len(messages) != sent {
		t.Errorf("%d messages left for a broker that is away", len(messages)-sent)
	}
	y.Broker.Away(false)
	y.World.RunFor(time.Minute)
	if _, away := holds(y, health.BrokerAway); away {
		t.Error("the broker is back, and said to be away")
	}
	size := y.Store.Size()
	if got := messages.lines(t); int64(len(got)) != size {
		t.Errorf("%d of %d records arrived", len(got), size)
	}
	if acknowledged, known := y.Station.Acknowledged(); !known || acknowledged != size {
		t.Errorf("%d of %d records are acknowledged, known %v", acknowledged, size, known)
	}
	i := slices.IndexFunc(messages, func(p uplink.Publish) bool { return strings.HasSuffix(p.Topic, "/info") })
	if info, err := wire.ParseInfo(messages[max(i, 0)].Payload); err != nil || info.Key != y.Key() || info.Epoch != y.Store.Epoch().ID || !info.Simulated || len(info.Devices) == 0 {
		t.Errorf("it says that it is %+v, %v", info, err)
	}
}

// TestABrokerThatHasSeenMoreEndsTheEpoch: the journal lost its tail or was restored, which a disk cannot know by itself. The
// session of the old epoch ends with it.
func TestABrokerThatHasSeenMoreEndsTheEpoch(t *testing.T) {
	var messages reported
	y := sealedYard(t, func(o *yard.Options) { o.Publish = messages.take })
	y.World.RunFor(time.Second)
	old, snapshot := y.Store.Epoch().ID, y.Station.Snapshot()
	if err := y.Kill(); err != nil {
		t.Fatal(err)
	}
	claim(t, y, old, snapshot.Size+7)
	if err := y.Start(); err != nil {
		t.Fatal(err)
	}
	y.World.RunFor(time.Second)
	began := y.Store.Epoch()
	if began.ID == old || began.Why != journal.WhyBeyond || began.Prev != old || y.Station.Snapshot().View.Phase != trial.Idle {
		t.Fatalf("the epoch is %+v, the station %s", began, y.Station.Snapshot().View.Phase)
	}
	if evidence, ended := holds(y, health.EpochEnded); !ended || !strings.Contains(evidence, old) {
		t.Errorf("that the epoch ended is told: %v, %q", ended, evidence)
	}
	lines, err := y.Store.Lines(0, 1, 1<<20)
	if err != nil || len(lines) != 1 {
		t.Fatal(err)
	}
	first, err := record.Decode(lines[0].Bytes)
	if body, ok := first.Event.Body.(*event.Epoch); err != nil || !ok || body.Prev != old || body.Why != journal.WhyBeyond || body.PrevSize < snapshot.Size ||
		!strings.Contains(body.Proof, "/"+old+"\n") {
		t.Errorf("the first record is %+v, %v", first.Event.Body, err)
	}
	file, src := plan(t, "short")
	conduct(t, y, file, src, rule(t))
	_, bundle, err := y.Archive.Bundle("", true)
	if report := verify.Verify(bundle, verify.Options{Keys: []string{y.Key()}}); err != nil || !report.Consistent {
		t.Errorf("the next session: %v, %v", report.Problems, err)
	}
}

// TestAJournalPutBackThatGrewEndsTheEpoch: journal and departed size were put back as they had been, and grew past what the
// broker keeps while it was away. Both histories have records of that number, and only their roots tell them apart.
func TestAJournalPutBackThatGrewEndsTheEpoch(t *testing.T) {
	var messages reported
	y := sealedYard(t, func(o *yard.Options) { o.Publish = messages.take })
	y.World.RunFor(time.Second)
	old, size := y.Store.Epoch().ID, y.Station.Snapshot().Size
	y.Broker.Away(true)
	y.World.RunFor(time.Second)
	claim(t, y, old, size-1) // what the lost history had said
	y.Broker.Away(false)
	y.World.RunFor(2 * time.Second)
	began := y.Store.Epoch()
	if began.ID == old || began.Why != journal.WhyBeyond || began.Prev != old || y.Station.Snapshot().View.Phase != trial.Idle {
		t.Fatalf("the epoch is %+v, the station %s", began, y.Station.Snapshot().View.Phase)
	}
	lines, err := y.Store.Lines(0, 1, 1<<20)
	if err != nil || !strings.Contains(string(lines[0].Bytes), fmt.Sprintf("/%s\\n%d\\n", old, size-1)) {
		t.Errorf("the first record keeps no proof: %s, %v", lines[0].Bytes, err)
	}
	y.World.RunFor(time.Minute)
	if again := y.Store.Epoch(); again.ID != began.ID {
		t.Errorf("epoch %s ended too, %+v", began.ID, again)
	}
	if acknowledged, _ := y.Station.Acknowledged(); acknowledged != y.Store.Size() {
		t.Errorf("%d of %d records are acknowledged", acknowledged, y.Store.Size())
	}
}

// TestWhatTheStationSaidItselfEndsNothing: the broker keeps an older state of this very history.
func TestWhatTheStationSaidItselfEndsNothing(t *testing.T) {
	var messages reported
	y := sealedYard(t, func(o *yard.Options) { o.Publish = messages.take })
	y.World.RunFor(time.Second)
	epoch := y.Store.Epoch().ID
	first := slices.IndexFunc(messages, func(p uplink.Publish) bool {
		state, err := wire.ParseState(p.Payload)
		return strings.HasSuffix(p.Topic, "/state") && err == nil && state.Departed.Size > 0
	})
	if err := y.Kill(); err != nil {
		t.Fatal(err)
	}
	y.Broker.Retain(messages[first].Topic, messages[first].Payload)
	if err := y.Start(); err != nil {
		t.Fatal(err)
	}
	y.World.RunFor(time.Minute)
	if got := y.Store.Epoch().ID; got != epoch {
		t.Errorf("epoch %s became %s", epoch, got)
	}
	if acknowledged, _ := y.Station.Acknowledged(); acknowledged != y.Store.Size() {
		t.Errorf("%d of %d records are acknowledged", acknowledged, y.Store.Size())
	}
}

// TestARivalEndsNothing: somebody else writes the state of this station in mid-session. It is told, the session goes on, and
// what stood there is overwritten by the station's own.
func TestARivalEndsNothing(t *testing.T) {
	var messages reported
	y := sealedYard(t, func(o *yard.Options) { o.Publish = messages.take })
	y.World.RunFor(time.Second)
	epoch := y.Store.Epoch().ID
	state := slices.IndexFunc(messages, func(p uplink.Publish) bool { return strings.HasSuffix(p.Topic, "/state") })
	y.Broker.Retain(messages[state].Topic, []byte(`{"epoch":"78f3aa0b11c2d4e5","size":"812","state":{}}`))
	y.World.RunFor(time.Second)
	if evidence, rival := holds(y, health.Rival); !rival || !strings.Contains(evidence, "78f3aa0b11c2d4e5") {
		t.Errorf("the rival is told: %v, %q", rival, evidence)
	}
	y.Broker.Away(true) // and again, read back at a connect
	y.World.RunFor(time.Second)
	y.Broker.Away(false)
	conclude(t, y)
	y.World.RunFor(time.Minute)
	if got := y.Store.Epoch().ID; got != epoch || y.Station.Snapshot().View.Aborted != nil {
		t.Errorf("epoch %s became %s", epoch, got)
	}
	size := y.Store.Size()
	if got := messages.lines(t); int64(len(got)) != size {
		t.Errorf("%d of %d records arrived", len(got), size)
	}
	y.World.RunFor(11 * time.Minute)
	if evidence, rival := holds(y, health.Rival); rival {
		t.Errorf("a rival that is silent is told still: %q", evidence)
	}
}

// TestACopyIsHeardInMidSession: two histories would be signed otherwise.
func TestACopyIsHeardInMidSession(t *testing.T) {
	var messages reported
	y := sealedYard(t, func(o *yard.Options) { o.Publish = messages.take })
	y.World.RunFor(time.Second)
	old := y.Store.Epoch().ID
	claim(t, y, old, y.Store.Size()+1)
	y.World.RunFor(time.Second)
	if began := y.Store.Epoch(); began.ID == old || began.Prev != old || began.Why != journal.WhyBeyond || y.Station.Snapshot().View.Phase != trial.Idle {
		t.Errorf("the epoch is %+v, the station %s", began, y.Station.Snapshot().View.Phase)
	}
}

// TestASecondUnknownEpochIsACopy: two stations with one key would begin epochs for ever. Nothing is sent until a person
// decides; sessions go on.
func TestASecondUnknownEpochIsACopy(t *testing.T) {
	var messages reported
	y := newYard(t, "virtual-two", func(o *yard.Options) { o.Publish = messages.take })
	y.World.RunFor(time.Second)
	first := y.Store.Epoch().ID
	claim(t, y, "aaaa", 3)
	y.World.RunFor(time.Second)
	second := y.Store.Epoch().ID
	if second == first {
		t.Fatal("an unknown epoch of this station's key ended nothing")
	}
	claim(t, y, "bbbb", 5)
	y.World.RunFor(time.Second)
	sent := len(messages)
	file, src := plan(t, "short")
	conduct(t, y, file, src, rule(t))
	y.World.RunFor(time.Minute)
	if got := y.Store.Epoch().ID; got != second || len(messages) != sent {
		t.Errorf("epoch %s became %s, %d messages left", second, got, len(messages)-sent)
	}
	if evidence, rival := holds(y, health.Rival); !rival || !strings.Contains(evidence, "epoch bbbb") {
		t.Errorf("the copy is told: %v, %q", rival, evidence)
	}
	speak(t, y, "Handler", false)
	speak(t, y, "Admin", true)
	y.World.RunFor(time.Minute)
	if began := y.Store.Epoch(); began.Prev != second {
		t.Errorf("the epoch is %+v", began)
	}
	if evidence, rival := holds(y, health.Rival); rival {
		t.Errorf("it was decided, and a rival is told still: %q", evidence)
	}
	lines, err := y.Store.Lines(0, 1, 1<<20)
	if err != nil || !strings.Contains(string(lines[0].Bytes), "/bbbb\\n5\\n") {
		t.Errorf("the first record keeps no proof: %s, %v", lines[0].Bytes, err)
	}
	if acknowledged, _ := y.Station.Acknowledged(); acknowledged != y.Store.Size() {
		t.Errorf("%d of %d records are acknowledged", acknowledged, y.Store.Size())
	}
	speak(t, y, "Admin", false) // there is nothing to decide any more
}

// speak has somebody decide for this station.
func speak(t *testing.T, y *yard.Yard, name string, want bool) {
	t.Helper()
	who, known := y.Control.Person(name)
	if !known {
		t.Fatalf("nobody is %s", name)
	}
	answered := false
	y.Control.Do(who, control.Request{Command: "speak"}, func(r control.Response) {
		if answered = true; r.OK != want {
			t.Errorf("%s decides: %+v", name, r)
		}
	})
	if !answered {
		t.Errorf("%s gets no answer", name)
	}
}

// TestWhatIsAcknowledgedAndNotDeliveredIsTold, with the topic, and sent once the broker delivers again.
func TestWhatIsAcknowledgedAndNotDeliveredIsTold(t *testing.T) {
	var messages reported
	y := newYard(t, "virtual-two", func(o *yard.Options) { o.Publish = messages.take })
	y.World.RunFor(time.Second)
	y.Broker.Deafen(true)
	file, src := plan(t, "short")
	conduct(t, y, file, src, rule(t))
	y.World.RunFor(time.Minute)
	if evidence, told := holds(y, health.BrokerUndelivered); !told || !strings.Contains(evidence, "/journal") {
		t.Errorf("that nothing is delivered is told: %v, %q", told, evidence)
	}
	y.Broker.Deafen(false)
	y.World.RunFor(time.Minute)
	if evidence, told := holds(y, health.BrokerUndelivered); told {
		t.Errorf("it is delivered, and told still: %q", evidence)
	}
	if acknowledged, _ := y.Station.Acknowledged(); acknowledged != y.Store.Size() {
		t.Errorf("%d of %d records are acknowledged", acknowledged, y.Store.Size())
	}
}
