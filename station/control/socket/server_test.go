package socket

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"scentpost/station/control"
	"scentpost/station/event"
	"scentpost/station/history"
	"scentpost/station/trial"
)

// patience bounds what a busy machine may take; nothing is measured by it.
const patience = 30 * time.Second

// accounts are those of a simulated station, whose people have none.
var accounts = control.NewAccounts([]control.Account{{Name: "Ada", Roles: []event.Role{event.Assessor}, UID: -1}}, true, 0)

// inbox is a host that remembers what it is given, and takes all of it.
type inbox struct {
	state    trial.Snapshot
	got      []event.Event
	watchers chan func(trial.Snapshot)
}

func newInbox(v trial.View) *inbox {
	return &inbox{state: trial.Snapshot{View: v, Epoch: "e1"}, watchers: make(chan func(trial.Snapshot), 100)}
}

func (i *inbox) Submit(e event.Event, done func(trial.Answer)) {
	i.got = append(i.got, e)
	done(trial.Answer{Seq: 7})
}

func (i *inbox) Snapshot() trial.Snapshot { return i.state }

func (i *inbox) Watch(f func(trial.Snapshot)) (stop func()) {
	i.watchers <- f
	return func() {}
}

// archive is a journal with what it exports.
type archive struct{ export history.Export }

func (a archive) Export(string, bool) (history.Export, error) { return a.export, nil }
func (archive) PutAside() ([]history.Aside, error)            { return nil, nil }
func (archive) Sessions() ([]history.Listed, error)           { return nil, nil }

func newTestService(t *testing.T, i control.Inbox) *control.Service {
	t.Helper()
	s, err := control.New(control.Options{Site: "site", Station: "line-1", Simulated: true, People: accounts.People(), Inbox: i, Archive: archive{}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// serve serves a simulated station.
func serve(t *testing.T, s *control.Service) (socket string, end func()) {
	t.Helper()
	return serveFor(t, s, accounts)
}

// serveFor runs a server on a socket of its own; end stops it and waits until all of it has ended.
func serveFor(t *testing.T, s *control.Service, accounts control.Accounts) (socket string, end func()) {
	t.Helper()
	dir, err := os.MkdirTemp("", "control-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	socket = filepath.Join(dir, "new", "s")
	server, err := Listen(socket, s, accounts)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ctx) }()
	end = func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("the server ended with %v", err)
			}
		case <-time.After(patience):
			t.Error("the server did not end")
		}
		ended <- nil
	}
	t.Cleanup(end)
	return socket, end
}

func dial(t *testing.T, socket string) *Client {
	t.Helper()
	c, err := Dial(t.Context(), socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.conn.SetDeadline(time.Now().Add(patience))
	return c
}

func send(t *testing.T, c *Client, r *control.Request) control.Response {
	t.Helper()
	got, err := c.Send(r)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// TestThePeersAccountDecides: the kernel says who is at the other end, whatever the request says.
func TestThePeersAccountDecides(t *testing.T) {
	mine := control.NewAccounts([]control.Account{
		{Name: "Ada", Roles: []event.Role{event.Assessor}, UID: os.Getuid()},
		{Name: "Ben", Roles: []event.Role{event.Assessor}, UID: os.Getuid() + 1},
	}, false, os.Getuid())
	in := newInbox(trial.View{})
	s, err := control.New(control.Options{People: mine.People(), Inbox: in, Archive: archive{}})
	if err != nil {
		t.Fatal(err)
	}
	socket, _ := serveFor(t, s, mine)
	c := dial(t, socket)
	if got := send(t, c, &control.Request{Command: "arm"}); !got.OK || in.got[0].By != "Ada" {
		t.Errorf("my own account: %+v", got)
	}
	if got := send(t, c, &control.Request{Command: "arm", As: "Ben"}); got.OK {
		t.Errorf("another's account: %+v", got)
	}
	if got := send(t, c, &control.Request{Command: "watch", As: "Ben"}); got.OK {
		t.Errorf("watching as another: %+v", got)
	}
}

// TestBadLines: a line that cannot be read is answered, and the next one is read.
func TestBadLines(t *testing.T) {
	socket, _ := serve(t, newTestService(t, newInbox(trial.View{})))
	conn, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	lines := bufio.NewScanner(conn)
	for _, c := range []struct {
		line string
		ok   bool
	}{{"{", false}, {"", false}, {"\x00\xff", false}, {`{"command":"list"}`, true}} {
		if _, err := conn.Write([]byte(c.line + "\n")); err != nil {
			t.Fatal(err)
		}
		var got control.Response
		if !lines.Scan() || json.Unmarshal(lines.Bytes(), &got) != nil || got.OK != c.ok || (got.Refused == nil) != c.ok {
			t.Errorf("%q: %s", c.line, lines.Bytes())
		}
	}
	if _, err := conn.Write([]byte(strings.Repeat("x", 2*control.MaxRequest))); err == nil {
		for lines.Scan() { // it hangs up, rather than to remember without end
			t.Logf("%.100s", lines.Bytes())
		}
	}
	if got := send(t, dial(t, socket), &control.Request{Command: "list"}); !got.OK {
		t.Errorf("the next client: %+v", got)
	}
}

// TestSilentConnectionsDelayNobody: of an account's connections that say nothing those make room that did so for longest. Who
// made room is told why, and who asks is answered.
func TestSilentConnectionsDelayNobody(t *testing.T) {
	socket, _ := serve(t, newTestService(t, newInbox(trial.View{})))
	first, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	for range 1000 {
		silent, err := net.Dial("unix", socket)
		if err != nil {
			t.Fatal(err)
		}
		defer silent.Close()
	}
	if got := send(t, dial(t, socket), &control.Request{Command: "arm", As: "Ada"}); !got.OK {
		t.Errorf("an assessor's command: %+v", got)
	}
	if line, err := bufio.NewReader(first).ReadString('\n'); err != nil || !strings.Contains(line, `"code":"too-many-clients"`) {
		t.Errorf("the first that was silent hears %q, %v", line, err)
	}
}

// TestWatchesLeaveRoomForCommands: an account has a number of watches, and places for commands beside them.
func TestWatchesLeaveRoomForCommands(t *testing.T) {
	socket, _ := serve(t, newTestService(t, newInbox(trial.View{})))
	watches := make([]*Client, maxWatching)
	for i := range watches {
		watches[i] = dial(t, socket)
		if got := send(t, watches[i], &control.Request{Command: "watch"}); !got.OK {
			t.Fatalf("watch %d: %+v", i+1, got)
		}
	}
	if got := send(t, dial(t, socket), &control.Request{Command: "watch"}); got.OK || got.Refused.Code != TooManyWatches {
		t.Errorf("one watch more: %+v", got)
	}
	if got := send(t, dial(t, socket), &control.Request{Command: "arm", As: "Ada"}); !got.OK {
		t.Errorf("a command beside them: %+v", got)
	}
	_ = watches[3].Close()
	for limit := time.Now().Add(patience); ; {
		if got := send(t, dial(t, socket), &control.Request{Command: "watch"}); got.OK {
			break
		}
		if time.Now().After(limit) {
			t.Fatal("no room after a watch has ended")
		}
	}
}

// TestEachAccountHasPlacesOfItsOwn: accounts that nobody knows share theirs, and those of the station's people are never short
// of one for others.
func TestEachAccountHasPlacesOfItsOwn(t *testing.T) {
	const ada, ben = 1001, 1002
	p := newPlaces([]int{ada, ben})
	gaveUp := map[int]int{}
	enter := func(uid int) *place { return p.enter(uid, func() { gaveUp[uid]++ }) }
	answering := func(uid, n int) {
		for i := range n {
			c := enter(uid)
			if c == nil || !c.wait() || !c.answer() {
				t.Fatalf("connection %d of account %d is turned away", i+1, uid)
			}
		}
	}
	answering(ada, maxAsking)
	for stranger := range 4 {
		for range maxAsking {
			enter(5000 + stranger)
		}
	}
	if n := gaveUp[5000] + gaveUp[5001]; n != 2*maxAsking || gaveUp[5003] > 0 {
		t.Errorf("of the strangers %v have made room", gaveUp)
	}
	answering(7000, maxAsking)
	answering(7001, maxAsking)
	if enter(7002) != nil || enter(ada) != nil {
		t.Error("somebody gets one more than there are")
	}
	answering(ben, maxAsking)
	for c := range p.all {
		if c.uid == ben {
			c.leave()
			break
		}
	}
	if c := enter(ben); c == nil || c.gone {
		t.Error("the place that was left is not there")
	}
	for uid, most := range map[int]int{ada: maxWatching, 7000: maxWatching} {
		n := 0
		for c := range p.all {
			if c.uid == uid && c.watch() {
				n++
			}
		}
		if n != most {
			t.Errorf("account %d watches %d times", uid, n)
		}
	}
}

// TestWhoMadeRoomIsToldSo: a place that was given away is no longer there, whether its connection waits or has just asked.
func TestWhoMadeRoomIsToldSo(t *testing.T) {
	p := newPlaces(nil)
	first := p.enter(1, func() {})
	for range maxAsking {
		p.enter(1, func() {})
	}
	if first.answer() || first.wait() || len(p.all) != maxAsking {
		t.Errorf("the first has its place still, with %d others", len(p.all))
	}
}

// TestASlowWatcherSeesTheEnd: it skips states, never goes back, holds up nobody, and comes to see the last one.
func TestASlowWatcherSeesTheEnd(t *testing.T) {
	in := newInbox(trial.View{})
	socket, _ := serve(t, newTestService(t, in))
	c := dial(t, socket)
	send(t, c, &control.Request{Command: "watch"})
	tell := <-in.watchers
	const last = 20000
	padding := strings.Repeat("x", 1000) // more than the socket's buffers take
	for size := range int64(last + 1) {
		tell(trial.Snapshot{Epoch: "e1", Size: size, View: trial.View{Session: "s1", Plan: padding}})
	}
	seen, before := 0, int64(-1)
	for {
		got := send(t, c, nil)
		seen++
		if got.Status.Size < before {
			t.Fatalf("%d records after %d", got.Status.Size, before)
		}
		if before = got.Status.Size; before == last {
			break
		}
	}
	t.Logf("%d of %d states were seen", seen, last)
}

// A state that waited while an even newer one was shown first is not shown after it.
func TestAWatcherNeverGoesBack(t *testing.T) {
	in := newInbox(trial.View{})
	in.state.Size = 10
	socket, _ := serve(t, newTestService(t, in))
	c := dial(t, socket)
	if got := send(t, c, &control.Request{Command: "watch"}); got.Status.Size != 10 {
		t.Fatalf("%+v", got)
	}
	tell := <-in.watchers
	tell(trial.Snapshot{Epoch: "e1", Size: 9})
	tell(trial.Snapshot{Epoch: "e1", Size: 11})
	if got := send(t, c, nil); got.Status.Size != 11 {
		t.Errorf("after 10 records %d are shown", got.Status.Size)
	}
	tell(trial.Snapshot{Epoch: "e2", Size: 1})
	if got := send(t, c, nil); got.Status.Epoch != "e2" {
		t.Errorf("a new epoch is not shown: %+v", got.Status)
	}
}

// TestAWatchTellsARunAgainOnlyWhenItChanged: what a client makes of the lines is what a status says, and a line takes no more
// bytes after many runs than after few.
func TestAWatchTellsARunAgainOnlyWhenItChanged(t *testing.T) {
	in := newInbox(trial.View{})
	service := newTestService(t, in)
	socket, _ := serve(t, service)
	c := dial(t, socket)
	send(t, c, &control.Request{Command: "watch"})
	tell := <-in.watchers
	var over []trial.RunView
	view := func(size int64, v trial.View) (length int) {
		t.Helper()
		v.Phase, v.Mode = trial.Sealed, event.ModeDouble
		state := trial.Snapshot{Epoch: "e1", Size: size, View: v}
		tell(state)
		got, want := send(t, c, nil), service.Status(state, control.Person{})
		if !reflect.DeepEqual(got.Status.Runs, want.Runs) || got.Status.RunsKept != 0 {
			t.Fatalf("record %d: a watcher sees %+v, want %+v", size, got.Status.Runs, want.Runs)
		}
		return len(c.lines.Bytes())
	}
	few, many := 0, 0
	for n := 1; n <= 200; n++ {
		length := view(int64(n), trial.View{Session: "s1", Over: slices.Clip(over), Run: trial.RunView{Index: 1000 + n, State: trial.Searching}})
		if over = append(over, trial.RunView{Index: 1000 + n, State: trial.Completed}); n == 20 {
			few = length
		}
		many = length
	}
	if many > few+2 {
		t.Errorf("a line has %d bytes after 20 runs and %d after 200", few, many)
	}
	scored := slices.Clone(over)
	scored[3].Result = &event.RunResult{}
	view(201, trial.View{Session: "s1", Over: scored, Revision: 1})
	view(202, trial.View{Session: "s1", Over: over[:2], Revision: 1, Revealed: true})
	view(203, trial.View{Session: "s2", Over: over[:1], Revision: 1, Revealed: true})
}

// TestTheDaemonIsGone: who waits is told, and what to do.
func TestTheDaemonIsGone(t *testing.T) {
	in := newInbox(trial.View{})
	socket, end := serve(t, newTestService(t, in))
	idle, watching := dial(t, socket), dial(t, socket)
	send(t, idle, &control.Request{Command: "status"})
	send(t, watching, &control.Request{Command: "watch"})
	end()
	if _, err := watching.Send(nil); err == nil || !errors.Is(err, ErrHungUp) {
		t.Errorf("the watcher hears %v", err)
	}
	if _, err := idle.Send(&control.Request{Command: "status"}); err == nil {
		t.Error("somebody answers")
	}
	if _, err := Dial(t.Context(), socket); err == nil || !errors.Is(err, ErrNoDaemon) {
		t.Errorf("who comes later hears %v", err)
	}
}

// TestAnAnswerThatNeverComes: the host that is stopping answers no more; the client must not hold up the stop.
func TestAnAnswerThatNeverComes(t *testing.T) {
	in := &mute{inbox: newInbox(trial.View{}), asked: make(chan bool)}
	socket, end := serve(t, newTestService(t, in))
	c := dial(t, socket)
	hung := make(chan error, 1)
	go func() {
		_, err := c.Send(&control.Request{Command: "arm", As: "Ada"})
		hung <- err
	}()
	<-in.asked
	end()
	if err := <-hung; err == nil {
		t.Error("it was answered")
	}
}

// mute is a host that never answers.
type mute struct {
	*inbox
	asked chan bool
}

func (m *mute) Submit(event.Event, func(trial.Answer)) { m.asked <- true }

func TestListen(t *testing.T) {
	s := newTestService(t, newInbox(trial.View{}))
	socket, end := serve(t, s)
	if _, err := Listen(socket, s, accounts); err == nil || !strings.Contains(err.Error(), "another daemon answers there") {
		t.Errorf("a second daemon: %v", err)
	}
	end()
	stale, err := net.ListenUnix("unix", &net.UnixAddr{Name: socket, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	stale.SetUnlinkOnClose(false)
	_ = stale.Close()
	again, err := Listen(socket, s, accounts)
	if err != nil {
		t.Fatalf("over the socket of a daemon that was killed: %v", err)
	}
	_ = again.listener.Close()
	file := filepath.Join(t.TempDir(), "precious")
	if err := os.WriteFile(file, []byte("data"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(file, s, accounts); err == nil {
		t.Error("a file was taken for a socket")
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != "data" {
		t.Errorf("the file that was in the way is gone: %v", err)
	}
	if _, err := Listen(filepath.Join(file, "s"), s, accounts); err == nil {
		t.Error("a folder that is a file")
	}
}
