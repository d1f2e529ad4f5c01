// Package host is the shell around the stage of a trial: one goroutine owns the state, gives the stage what comes in, writes
// its records to the journal, and lets its other effects out once their cause is durable. It decides nothing about a trial.
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
	"slices"
	"sync/atomic"
	"time"

	"scentpost/station/blind"
	"scentpost/station/clock"
	"scentpost/station/event"
	"scentpost/station/history"
	"scentpost/station/journal"
	"scentpost/station/listeners"
	"scentpost/station/readiness"
	"scentpost/station/record"
	"scentpost/station/refusal"
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

// Signer signs checkpoints of the log, and requests to a second party.
type Signer interface {
	Checkpoint(size int64, root [32]byte) ([]byte, error)
	// Sign makes a signed note of a text, whose lines each end with a newline.
	Sign(text string) ([]byte, error)
}

// Chance is where the host's random bytes come from: streams apart, so that what one of them gave tells nothing
// of the others.
type Chance struct {
	IDs    io.Reader // session ids and the salts of names
	Nonces io.Reader // nonces of sealed bodies
	Shares io.Reader // the station's shares of seeds
	Seals  io.Reader // the seeds of the commitments' nonces
}

// Options are what a host is made of. All but Names, Obstacle, Prepared, OnFail and OnLock must be set.
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
	// Obstacle returns why no session can be held, or why no run can start, nil when it can; nil for never. It is asked when
	// a session is opened and when a run is armed, on the goroutine of the host's owner, and must not wait.
	Obstacle func(readiness.Question) *refusal.Reason
	// Canisters names the station's canisters by their position. A session whose plan loads others is refused when it is
	// opened.
	Canisters map[int][]string
	// Prepared is what a virtual station is prepared for, nil for a real one. A session whose plan differs is refused when it is
	// opened, and its runs when they are armed.
	Prepared *blind.Prepared
	// OnFail is called once, when the journal has failed and the host has stopped.
	OnFail func(error)
	// OnLock is called at every lock with the sources that have not reported past it, which are nearly always none.
	OnLock func(silent []string)
}

// Host owns the state of one station.
type Host struct {
	opt   Options
	stage *trial.Stage
	tree  record.Tree
	chain record.Chain // of the session
	asked struct {     // the latest request to a second party, signed
		text string
		note []byte
	}
	names directory
	inbox inbox

	actuator Actuator
	alarm    func() // stops the clock's next call

	batch    journal.Batch // what this drain appends
	line     history.Line  // what the index of sessions says of the session, as of its last record
	room     []byte        // for the lines of the batch
	parked   []parked
	vault    []sealedRow // the sealed bodies of the session that are not open yet
	failed   error
	snapshot atomic.Pointer[trial.Snapshot]
	watchers listeners.List[trial.Snapshot]
}

// New returns a host whose log is empty but for what tree holds. Restore brings back an interrupted session.
func New(opt Options, tree record.Tree) (*Host, error) {
	if opt.Clock == nil || opt.Journal == nil || opt.Signer == nil || opt.Wake == nil {
		return nil, errors.New("host: clock, journal, signer and wake must be set")
	}
	now := opt.Clock.Now()
	h := &Host{opt: opt, tree: tree, stage: trial.NewStage(opt.Log.Station, opt.Log.Epoch, now), names: newDirectory(opt.Names)}
	h.inbox.wake = opt.Wake
	h.show(h.takeSnapshot())
	return h, nil
}

// Attach gives the host what it moves and the sources of its facts, each with how late it may be. When one that is veiled
// reports may not be seen: a lock waits for all of its lateness. It must be called before anything comes in.
func (h *Host) Attach(a Actuator, sources map[string]time.Duration, veiled ...string) {
	h.actuator = a
	for name, lateness := range sources {
		h.stage.Source(name, lateness, slices.Contains(veiled, name))
	}
}

// Begin writes the first record of an epoch. It must be called before anything comes in.
func (h *Host) Begin(e event.Epoch) {
	if h.tree.Size() == 0 {
		e.Draft = event.Draft
		h.append(&event.Event{Type: event.EpochBegan, At: h.stage.Date(h.opt.Clock.Now()), By: event.ByStation, Body: &e})
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

// LookAtClock lets the stage look whether the clock's map from monotonic time to UTC has changed. Whoever looks after the
// clock calls it at a steady pace: a look that came with whatever else comes in would tell when a canister moved. It may be
// called from any goroutine.
func (h *Host) LookAtClock() { h.inbox.push(input{kind: inClock}) }

// Drain handles everything that came in, fires the timers that are due, and appends the records to the journal
// in one batch. Only the owner of the host may call it.
func (h *Host) Drain() {
	for {
		all := h.inbox.take()
		if len(all) == 0 {
			break
		}
		for i := range all {
			h.handle(&all[i])
		}
		h.inbox.giveBack(all)
	}
	h.fire()
	h.flush()
	h.setAlarm()
}

// Waiting tells whether a lock waits for sources to report past its instant. Only the owner of the host may ask.
func (h *Host) Waiting() bool { return h.stage.Waiting(h.opt.Clock.Now().Mono) }

// fire does what is due now, and returns the present instant.
func (h *Host) fire() (now event.Stamp) {
	now = h.opt.Clock.Now()
	if h.failed == nil {
		h.do(h.stage.Fire(now))
	}
	return now
}

// handle does what is due, and then what came in. A host that has failed goes on to answer, and does nothing.
func (h *Host) handle(in *input) {
	now := h.fire()
	switch in.kind {
	case inPing:
		in.ping()
		return
	case inFailed:
		h.fail(in.err)
		return
	case inCommand:
		h.command(now, in.command)
		return
	}
	if h.failed != nil {
		return
	}
	switch in.kind {
	case inMark:
		h.stage.Mark(in.source, in.mono)
	case inDurable:
		h.release(now, in.mono)
	case inClock:
		h.do(h.stage.Look(now))
	case inDropped:
		h.do(h.stage.Dropped(now))
	case inFact:
		h.do(h.stage.Fact(now, in.event))
	}
}

// setAlarm asks the clock to wake the host when the stage wants to look again.
func (h *Host) setAlarm() {
	if h.alarm != nil {
		h.alarm()
		h.alarm = nil
	}
	if h.failed != nil {
		return
	}
	if at, ok := h.stage.Next(h.opt.Clock.Now().Mono); ok {
		h.alarm = h.opt.Clock.At(at, h.opt.Wake)
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
	s.Failed = h.failure().Refused
	h.show(s)
	if h.opt.OnFail != nil {
		h.opt.OnFail(h.failed)
	}
}
