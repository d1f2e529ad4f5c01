// Package host is the shell around the engine: one goroutine owns the state, steps the engine, writes what it
// says to the journal, and lets its effects out once their cause is durable.
//
// Effects towards the safe state go at once and wait for nothing. Everything else is parked under the sequence
// number of its cause until the journal reports it durable; when the journal fails nothing parked is ever let
// out.
//
// The host has no goroutine of its own. Inputs are enqueued from anywhere; whoever owns the host calls Drain when
// Options.Wake says so: a loop in the daemon, an event of the virtual clock in a simulation.
package host

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"sync/atomic"
	"time"

	"scentpost/station/clock"
	"scentpost/station/event"
	"scentpost/station/journal"
	"scentpost/station/record"
	"scentpost/station/trial"
)

// Actuator is what the host moves. Its methods never wait.
type Actuator interface {
	// Move starts all moves at the monotonic instant at; a canister closes by itself after longest.
	Move(at int64, longest time.Duration, moves []event.Move)
	// CloseAll takes everything to its safe state now: canisters closed, what purges or sounds off.
	CloseAll()
	// Purge changes the air with all that there is for it, which rests again at the monotonic instant until.
	Purge(until int64)
	// Sound calls people, for one of the engine's reasons.
	Sound(why string)
	// Hush ends every sound now.
	Hush()
	// Air returns what each sensor of the air says of a monotonic instant, in the order of the configuration: its latest
	// sample, or why there is none.
	Air(mono int64) []event.Air
	// Light switches a light on or off; on lasts for the duration given when that is not 0.
	Light(name string, on bool, lasting time.Duration)
}

// Journal takes batches without waiting. It reports through Durable and Failed of the host.
type Journal interface {
	Append(journal.Batch) error
}

// Signer signs checkpoints of the log.
type Signer interface {
	Checkpoint(size int64, root [32]byte) ([]byte, error)
}

// Chance is where the host's random bytes come from: streams apart, so that what one of them gave tells nothing
// of the others.
type Chance struct {
	IDs    io.Reader // session ids and the salts of names
	Nonces io.Reader // nonces of sealed bodies
	Shares io.Reader // the station's shares of seeds
	Seals  io.Reader // the seeds of the commitments' nonces
}

// Options are what a host is made of. All but Names, CannotStart, Missing, OnFail and OnLock must be set.
type Options struct {
	Log       record.Log
	Settings  event.Settings
	Beams     []int    // the positions that have a beam
	Config    string   // hash of the configuration
	Pinch     []string // the pinch protections that the canisters declare
	Simulated bool

	Clock   clock.Clock
	Journal Journal
	Signer  Signer
	Chance  Chance
	// Wake is called, from any goroutine, when there is something to Drain.
	Wake func()
	// Names are the identities known so far.
	Names []journal.Identity
	// CannotStart returns why no new run can start, "" when one can.
	CannotStart func() string
	// Missing returns why no session over the positions 1 to n can be held, as devices that it needs are absent, "" when
	// one can; nil for never. It is asked when a session is opened and when a run is armed; sealed tells that nothing of
	// a canister may be named.
	Missing func(n int, sealed bool) string
	// Canisters names the station's canisters by their position. A session whose plan loads others is refused when it is
	// opened.
	Canisters map[int][]string
	// OnFail is called once, when the journal has failed and the host has stopped.
	OnFail func(error)
	// OnLock is called at every lock with the sources that have not reported past it, which are nearly always none.
	OnLock func(silent []string)
}

// Host owns the state of one station.
type Host struct {
	opt     Options
	machine *trial.Machine
	curtain trial.Curtain
	horizon trial.Horizon
	tree    record.Tree
	names   directory
	inbox   inbox

	actuator Actuator
	alarm    func()      // stops the clock's next call
	utc      event.Stamp // a stamp by the map from monotonic time to UTC that is in force

	gridAt   int64         // when the mechanical void of the run falls, 0 for none
	unmoved  int           // the run whose moves wait to be let out, 0 for none
	batch    journal.Batch // what this drain appends
	room     []byte        // for the lines of the batch
	parked   []parked
	vault    []sealedRow // the sealed bodies of the session that are not open yet
	failed   error
	snapshot atomic.Pointer[trial.Snapshot]
	watchers watchers
}

// New returns a host whose log is empty but for what tree holds. Restore brings back an interrupted session.
func New(opt Options, tree record.Tree) (*Host, error) {
	if opt.Clock == nil || opt.Journal == nil || opt.Signer == nil || opt.Wake == nil {
		return nil, errors.New("host: clock, journal, signer and wake must be set")
	}
	h := &Host{opt: opt, tree: tree, machine: trial.New(opt.Log.Station, opt.Log.Epoch), names: newDirectory(opt.Names)}
	h.utc = opt.Clock.Now()
	h.inbox.wake = opt.Wake
	h.show(h.takeSnapshot())
	return h, nil
}

// Attach gives the host what it moves and the sources of its facts, each with how late it may be. When one that is veiled
// reports may not be seen: a lock waits for all of its lateness. It must be called before anything comes in.
func (h *Host) Attach(a Actuator, sources map[string]time.Duration, veiled ...string) {
	h.actuator = a
	for name, lateness := range sources {
		h.horizon.Source(name, lateness)
	}
	for _, name := range veiled {
		h.horizon.Veil(name)
	}
}

// Begin writes the first record of an epoch. It must be called before anything comes in.
func (h *Host) Begin(e event.Epoch) {
	if h.tree.Size() == 0 {
		h.append(&event.Event{Type: event.EpochBegan, At: h.now(), By: event.ByStation, Body: &e})
		h.flush()
	}
}

// Event takes a fact from a device. It may be called from any goroutine and never waits.
func (h *Host) Event(e event.Event) { h.inbox.push(input{kind: inFact, event: e}) }

// Watermark notes that nothing stamped earlier than mono will come from a source.
func (h *Host) Watermark(source string, mono int64) {
	h.inbox.push(input{kind: inMark, source: source, mono: mono})
}

// Lost notes that facts may be missing for good, nobody knows since when: a source was away. The run is void; once it has
// locked that is noted.
func (h *Host) Lost() { h.inbox.push(input{kind: inDropped}) }

// Durable reports that every record up to and including seq is durable.
func (h *Host) Durable(seq int64) { h.inbox.push(input{kind: inDurable, mono: seq}) }

// Failed reports that the journal has failed for good.
func (h *Host) Failed(err error) { h.inbox.push(input{kind: inFailed, err: err}) }

// Ping queues a question behind everything that came in before: done is called by the host's owner, and must not wait.
// It tells a watchdog that the owner still looks at what comes in. Nothing is written for it.
func (h *Host) Ping(done func()) { h.inbox.push(input{kind: inPing, ping: done}) }

// Drain handles everything that came in, fires the timers that are due, and appends the records to the journal
// in one batch. Only the owner of the host may call it.
func (h *Host) Drain() {
	for {
		all := h.inbox.take()
		if len(all) == 0 {
			break
		}
		for i := range all {
			h.fire() // what was due before this came in
			h.handle(&all[i])
		}
		h.inbox.giveBack(all)
	}
	h.fire()
	h.flush()
	h.setAlarm()
}

// Waiting tells whether a lock waits for sources to report past its instant. Only the owner of the host may ask.
func (h *Host) Waiting() bool { return h.horizon.Waiting(h.opt.Clock.Now().Mono) }

func (h *Host) handle(in *input) {
	switch in.kind {
	case inMark:
		h.horizon.Mark(in.source, in.mono)
	case inDurable:
		h.release(in.mono)
	case inFailed:
		h.fail(in.err)
	case inCommand:
		h.command(in.command)
	case inPing:
		in.ping()
	case inClock:
		h.look()
	case inDropped:
		h.void(h.since(math.MinInt64), event.VoidSource)
	case inFact:
		h.fact(in.event)
	}
}

// fact takes an event of a device to the engine, or behind the curtain when it tells the placement.
func (h *Host) fact(e event.Event) {
	if h.failed != nil {
		return
	}
	switch e.Type {
	case event.CanisterMoved:
	case event.EdgesLost:
		h.lost(e)
		return
	case event.RunVoided: // the devices lost a source
		h.void(h.since(e.At.Mono), e.Body.(*event.Void).Reason)
		return
	default:
		e.At = h.date(e.At)
		h.step(e)
		return
	}
	h.curtain.Report(e.Body.(*event.Handling).Position, *e.Secret.(*event.Moves))
}

// lost takes that edges are missing of a run. Where it may have been a canister's limit switch that made them lost, its
// instant would tell when a canister arrived, and the loss is kept behind the curtain: it voids as a canister's fault does.
func (h *Host) lost(e event.Event) {
	if _, _, running := h.machine.Running(); !running {
		return
	}
	loss := e.Secret.(*event.Loss)
	if e.Body.(*event.LostEdges).Source == "" {
		h.curtain.Lose(loss.From, notKnown(loss.Why))
		return
	}
	e.At = h.since(loss.From)
	h.step(e)
}

// notKnown is the fault of every canister of a run behind whose curtain edges were lost. It is cut to what fits into a sealed
// body, of letters that take one byte each there.
func notKnown(why string) string {
	const most = 80
	plain := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || strings.ContainsRune(`"\<>&`, r) {
			return -1
		}
		return r
	}, why)
	return "not known, edges were lost: " + plain[:min(len(plain), most)]
}

// since is the stamp of a danger that began at the instant from and is told only now. The record says when it was told,
// as more could tell what lies behind it; but what began before the end of a search, while the lock still waits for
// sources, is stamped with that end: it voids the run, however late it came.
func (h *Host) since(from int64) event.Stamp {
	now := h.now()
	if end, ok := h.machine.Ends(); ok && from <= end && end < now.Mono {
		return now.AtMono(end)
	}
	return now
}

func ms(n int) int64 { return int64(n) * int64(time.Millisecond) }

// void takes the run out for a reason of the station's own; once its search has ended the reason is a note.
func (h *Host) void(at event.Stamp, reason string) {
	if _, _, running := h.machine.Running(); running && h.failed == nil {
		h.step(event.Event{Type: event.RunVoided, At: at, By: event.ByStation, Body: &event.Void{Reason: reason}})
	}
}

// fail stops the host: canisters are closed, nothing parked is let out, every later input is refused.
func (h *Host) fail(err error) {
	if h.failed != nil {
		return
	}
	h.failed = fmt.Errorf("the journal failed: %w", err)
	h.actuator.CloseAll()
	for _, p := range h.parked {
		if p.reply != nil {
			p.reply(h.failure())
		}
	}
	h.parked = nil
	s := *h.snapshot.Load()
	s.Failed = h.failed.Error()
	h.show(s)
	if h.opt.OnFail != nil {
		h.opt.OnFail(h.failed)
	}
}
