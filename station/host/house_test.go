package host_test

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"crypto/sha256"

	"scentpost/simulator/world"
	"scentpost/station/blind"
	"scentpost/station/clock"
	"scentpost/station/event"
	"scentpost/station/host"
	"scentpost/station/journal"
	"scentpost/station/readiness"
	"scentpost/station/record"
	"scentpost/station/refusal"
	"scentpost/station/trial"
)

const smallPlan = `plan: Small
form: lineup
presentation: actuated
mode: double
positions: 2
runs: 2
reserve: 3
loading: {each_position: [tnt, glove, blank]}
targets: {odours: [tnt], per_run: 0..1}
distractors: {odours: [glove], per_run: 0..1}
calls: first-ends
limits: {run: 20s, dwell: 3s}
purge: 5s
feedback: none
reward: none
inconclusive: wrong
`

var usual = event.Settings{LeadMS: 2000, TravelMS: 1500, CloseMS: 1500, GridMS: 1000, WithdrawMS: 3000, LongPress: 1000, EdgeBudget: 100, OpenMS: 60_000}

const commitTime = 8 * time.Millisecond

// actuator is what a host moves, as functions.
type actuator struct {
	move     func(at int64, longest time.Duration, moves []event.Move)
	closeAll func()
	light    func(name string, on bool, lasting time.Duration)
	purge    func(until int64)
	sound    func(why string)
	hush     func()
	air      func(mono int64) []event.Air
}

func (a actuator) Move(at int64, longest time.Duration, moves []event.Move) {
	a.move(at, longest, moves)
}
func (a actuator) CloseAll()                                   { a.closeAll() }
func (a actuator) Purge(until int64)                           { a.purge(until) }
func (a actuator) Sound(why string)                            { a.sound(why) }
func (a actuator) Air(mono int64) []event.Air                  { return a.air(mono) }
func (a actuator) Hush()                                       { a.hush() }
func (a actuator) Light(name string, on bool, d time.Duration) { a.light(name, on, d) }

// appender is a journal as a function.
type appender func(journal.Batch) error

func (a appender) Append(b journal.Batch) error { return a(b) }

// house is a host on virtual time over a journal that can be held up, and canisters that do as they are told.
type house struct {
	t     testing.TB
	w     *world.World
	host  *host.Host
	store *journal.Memory
	log   record.Log
	key   string
	// kernel is the clock of the machine; without one the world's time is exact.
	kernel  *world.Kernel
	unpaced func() // stops the looks at it

	config   string // its hash
	wanted   bool
	obstacle func(readiness.Question) *refusal.Reason
	// canisters are those of the station, by position.
	canisters map[int][]string
	held      bool            // the journal stalls
	broken    error           // Append fails
	queue     []journal.Batch // appended, not durable
	batches   []journal.Batch // all that were made durable
	plan      string
	jam       int  // the position whose canister never confirms
	open      bool // a canister is open
	air       []event.Air
	hushed    int      // how often all sounds were ended
	seen      []string // what went out, with its time since the house was built
	from      int64
	silent    []string // at the last lock
	prepared  *blind.Prepared
	veiled    []string // sources, beside the one that is not
	failed    []error
}

func newHouse(t testing.TB) *house {
	h := &house{t: t, plan: smallPlan, canisters: map[int][]string{}, w: world.New(1), store: journal.NewMemory(), log: record.Log{Site: "site", Station: "line-1", Epoch: "e1"}}
	for position := 1; position <= 6; position++ {
		h.canisters[position] = []string{fmt.Sprint(position, "A"), fmt.Sprint(position, "B"), fmt.Sprint(position, "C")}
	}
	if err := h.store.BeginEpoch("e1", "first"); err != nil {
		t.Fatal(err)
	}
	var err error
	if h.key, _, err = record.NewKey(h.w.Bytes("key"), record.SimulatedPrefix+"line-1"); err != nil {
		t.Fatal(err)
	}
	h.w.RunFor(time.Second)
	h.start("")
	return h
}

// start starts a host over what is in the store.
func (h *house) start(cause event.Cause) {
	h.t.Helper()
	h.held, h.broken, h.queue, h.failed, h.wanted, h.from = false, nil, nil, nil, false, h.w.Mono()
	size := h.store.Size()
	tree, err := record.RestoreTree(size, h.store)
	must(h.t, err)
	signer, err := record.NewSigner(h.log, h.key)
	must(h.t, err)
	names, err := h.store.Identities()
	must(h.t, err)
	var now clock.Clock = h.w
	if h.kernel != nil {
		kept := world.Keep(h.kernel, 0)
		if h.unpaced != nil {
			h.unpaced()
		}
		h.unpaced = kept.Pace(time.Second, func() { h.host.LookAtClock() })
		now = kept
	}
	var mine *host.Host // a drain that a dead host asked for does nothing
	stream := func(name string) *bytesFrom { return &bytesFrom{h.w.Bytes(fmt.Sprint(name, size))} }
	mine, err = host.New(host.Options{
		Log: h.log, Settings: usual, Beams: []int{1, 2}, Config: h.config, Simulated: true, Clock: now, Signer: signer, Names: names,
		Journal: appender(func(b journal.Batch) error { return h.append(mine, b) }),
		Wake: func() {
			if !h.wanted {
				h.wanted = true
				h.w.After(0, func() {
					h.wanted = false
					h.host.Drain()
				})
			}
		},
		Chance:    host.Chance{IDs: stream("ids"), Nonces: stream("nonces"), Shares: stream("shares"), Seals: stream("seals")},
		OnFail:    func(err error) { h.failed = append(h.failed, err) },
		OnLock:    func(silent []string) { h.silent = silent },
		Canisters: h.canisters, Prepared: h.prepared,
		Obstacle: func(q readiness.Question) *refusal.Reason {
			if h.obstacle == nil {
				return nil
			}
			return h.obstacle(q)
		},
	}, tree)
	must(h.t, err)
	h.host = mine
	h.host.Attach(actuator{
		move: func(at int64, _ time.Duration, moves []event.Move) { h.move(at, moves) },
		closeAll: func() {
			h.open = false
			h.saw("close")
		},
		light: func(name string, on bool, _ time.Duration) { h.saw(fmt.Sprint(name, " ", on)) },
		purge: func(until int64) { h.saw(fmt.Sprint("purge for ", time.Duration(until-h.w.Mono()))) },
		sound: func(why string) { h.saw("sound " + why) },
		hush:  func() { h.hushed++ },
		air:   func(int64) []event.Air { return h.air },
	}, h.sources(), h.veiled...)
	h.host.Begin(event.Epoch{Site: "site", Why: "first", Key: signer.Verifier(), Simulated: true})
	must(h.t, h.host.Restore(h.interrupted(size, cause)))
	h.w.RunFor(20 * time.Millisecond)
}

// sources are what facts come from, each with how late it may be.
func (h *house) sources() map[string]time.Duration {
	all := map[string]time.Duration{"gpio": 50 * time.Millisecond}
	for _, name := range h.veiled {
		all[name] = 300 * time.Millisecond
	}
	return all
}

type bytesFrom struct {
	r interface{ Read([]byte) (int, error) }
}

func (b *bytesFrom) Read(p []byte) (int, error) { return b.r.Read(p) }

// interrupted reads back the one session of the store.
func (h *house) interrupted(size int64, cause event.Cause) host.Interrupted {
	was := host.Interrupted{Cause: cause}
	if size <= 1 {
		return was
	}
	lines, err := h.store.Lines(1, 1<<20, 1<<30)
	must(h.t, err)
	was.Lines = lines
	was.Vault, err = h.store.Vault(lines[0].Session)
	must(h.t, err)
	return was
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (h *house) append(by *host.Host, b journal.Batch) error {
	if h.broken != nil {
		return h.broken
	}
	h.queue = append(h.queue, b)
	if !h.held {
		h.w.After(commitTime, func() {
			if by == h.host && !h.held {
				h.commit()
			}
		})
	}
	return nil
}

// commit makes durable what was appended.
func (h *house) commit() {
	h.t.Helper()
	for _, b := range h.queue {
		must(h.t, h.store.Commit(b))
		h.batches = append(h.batches, b)
		h.host.Durable(b.Rows[len(b.Rows)-1].Seq)
	}
	h.queue = nil
}

func (h *house) saw(what string) {
	h.seen = append(h.seen, fmt.Sprintf("%s %s", time.Duration(h.w.Mono()-h.from).Truncate(time.Millisecond), what))
}

// move opens canisters and confirms each of them, unless it is jammed.
func (h *house) move(at int64, moves []event.Move) {
	h.saw("move")
	by := h.host
	h.w.At(at, func() { h.open = true })
	h.w.At(at+int64(time.Second), func() {
		for _, m := range moves {
			done := event.Moves{Canister: m.Canister, Open: true, Commanded: at, Confirmed: h.w.Mono()}
			if m.Position == h.jam {
				done.Confirmed, done.Fault = 0, "jammed"
			}
			by.Event(event.Event{Type: event.CanisterMoved, At: h.w.Now(), Body: &event.Handling{Position: m.Position}, Secret: &done})
		}
	})
}

// do gives a command and returns where its answer will be.
func (h *house) do(e event.Event) *[]trial.Answer {
	answers := &[]trial.Answer{}
	h.host.Submit(e, func(a trial.Answer) {
		*answers = append(*answers, a)
		h.saw("reply")
	})
	return answers
}

// close closes the session with all its aids back.
func (h *house) close() {
	out := h.host.Snapshot().View.Aids
	h.done(event.Event{Type: event.SessionClosed, By: "Vera", Body: &event.AidCount{Out: out, Back: out}})
}

// done gives a command that must be carried out.
func (h *house) done(e event.Event) {
	h.t.Helper()
	answers := h.do(e)
	h.w.RunFor(20 * time.Millisecond)
	if a := *answers; len(a) != 1 || a[0].Refused != nil {
		h.t.Fatalf("%s is answered by %+v", e.Type, a)
	}
}

func opening(plan string) *event.Opening {
	hash := sha256.Sum256([]byte(plan))
	return &event.Opening{Name: "small.yaml", Plan: plan, PlanHash: hex.EncodeToString(hash[:]), Mode: "double",
		Team: event.Team{Dog: "Rex", Handler: "Agron"}, People: []event.Person{{Ref: "Vera", Roles: []event.Role{event.Assessor}}},
		Draft: event.Draft, Laws: trial.Laws()}
}

// sealed brings a session to where runs can be armed.
func (h *house) sealed() *house {
	h.t.Helper()
	h.done(event.Event{Type: event.SessionOpened, By: "Vera", Body: opening(h.plan)})
	h.done(event.Event{Type: event.SessionLoaded, By: "Liri", Body: &event.Load{}})
	h.done(event.Event{Type: event.SessionSealed, By: "Vera", Body: &event.Seed{Source: event.Alone}})
	return h
}

// searching brings a run to its search.
func (h *house) searching() *house {
	h.t.Helper()
	h.done(event.Event{Type: event.RunArmed, By: "Vera"})
	h.w.RunFor(4 * time.Second)
	h.fact(event.BeamEntered, &event.Beam{Position: 1})
	h.w.RunFor(100 * time.Millisecond)
	if v := h.host.Snapshot().View; v.Run.State != trial.Searching || !h.open {
		h.t.Fatalf("the run is %q, a canister open: %t", v.Run.State, h.open)
	}
	return h
}

func (h *house) fact(t event.Type, body any) {
	h.host.Event(event.Event{Type: t, At: h.w.Now(), By: "device", Body: body})
}

func (h *house) press(role event.ButtonRole) {
	h.fact(event.ButtonPressed, &event.Press{Role: role, HeldMS: 100})
}

// finish runs what is left of the session and closes it.
func (h *house) finish() {
	h.t.Helper()
	for range 40 {
		h.w.RunFor(10 * time.Second)
		v := h.host.Snapshot().View
		switch {
		case v.Phase == trial.Idle:
			return
		case v.Phase == trial.Ended:
			h.close()
			return
		case v.Phase == trial.Opened:
			h.done(event.Event{Type: event.SessionLoaded, By: "Liri", Body: &event.Load{}})
		case v.Phase == trial.Loaded:
			h.done(event.Event{Type: event.SessionSealed, By: "Vera", Body: &event.Seed{Source: event.Alone}})
		case v.Paused != nil:
			h.done(event.Event{Type: event.SessionResumed, By: "Vera"})
		case v.Run.Index == 0:
			h.done(event.Event{Type: event.RunArmed, By: "Vera"})
		case v.Run.State == trial.Shown:
			h.press(event.ButtonClear)
		}
	}
	h.t.Fatal("the session does not end")
}

// types returns the kinds of the durable records, with the reason of voids and notes.
func (h *house) types() []string {
	lines, err := h.store.Lines(0, 1<<20, 1<<30)
	must(h.t, err)
	var all []string
	for _, l := range lines {
		r, err := record.Decode(l.Bytes)
		must(h.t, err)
		name := string(r.Event.Type)
		switch b := r.Event.Body.(type) {
		case *event.Void:
			name += " " + b.String()
		case *event.Why:
			name += " " + b.String()
		case *event.Restart:
			name += " " + string(b.Cause)
		}
		all = append(all, name)
	}
	return all
}

func (h *house) has(t testing.TB, name string) {
	t.Helper()
	for _, n := range h.types() {
		if n == name {
			return
		}
	}
	t.Errorf("no record %q among %s", name, strings.Join(h.types(), ", "))
}
