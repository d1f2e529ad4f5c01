package host

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"scentpost/station/blind"
	"scentpost/station/event"
	"scentpost/station/record"
	"scentpost/station/trial"
)

// sessionIDBytes is the length of a session's random id.
const sessionIDBytes = 8

// command is an event that a person asks for. People are named; the host puts their references into the record.
type command struct {
	event event.Event
	reply func(trial.Answer)
}

// Submit takes a command: an event with Type, By and Body set, in which people are named. done is called once, on
// the goroutine of the host's owner, when the answer is durable, or at once when too many commands wait; it must not wait. Submit may be called from any
// goroutine and never waits itself.
func (h *Host) Submit(e event.Event, done func(trial.Answer)) {
	if !h.inbox.push(input{kind: inCommand, command: &command{event: e, reply: done}}) {
		done(trial.Answer{Seq: -1, Err: errBusy})
	}
}

// errBusy answers a command that came behind too many others.
var errBusy = errors.New("the station has too many commands waiting: try again")

func (h *Host) command(c *command) {
	if h.failed != nil {
		c.reply(trial.Answer{Seq: -1, Err: h.failed})
		return
	}
	e := c.event
	if e.Type == event.SessionOpened {
		h.look() // its stamp holds the map that the session begins with
	}
	e.At = h.now()
	if reason := h.prepare(&e); reason != "" {
		c.reply(trial.Answer{Seq: -1, Refused: reason})
		return
	}
	first := h.tree.Size()
	answer := trial.Answer{Seq: first, Refused: h.step(e)}
	switch {
	case h.failed != nil:
		c.reply(trial.Answer{Seq: -1, Err: h.failed})
	case h.tree.Size() == first:
		answer.Seq = -1
		c.reply(answer)
	default:
		h.park(parked{reply: c.reply, answer: answer})
	}
}

// prepare fills in what only the host knows: references for names, ids, and random bytes. It returns why the
// command cannot be taken at all.
func (h *Host) prepare(e *event.Event) string {
	if reason := trial.Malformed(*e); reason != "" {
		return reason
	}
	if err := h.refer(e); err != nil {
		return err.Error()
	}
	var err error
	switch e.Type {
	case event.SessionOpened:
		err = h.prepareOpen(e)
	case event.SessionLoaded:
		err = h.prepareLoad(e)
	case event.SessionSealed:
		var seed string
		seed, err = randomHex(h.opt.Chance.Seals, 32)
		e.Secret = &event.NonceSeed{Seed: seed}
	case event.RunArmed:
		if reason := h.cannotStart(); reason != "" {
			return reason
		}
	}
	if err == nil {
		err = h.writable(e)
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

// cannotStart returns why the next run of the session may not start, "" when it may.
func (h *Host) cannotStart() string {
	if h.opt.CannotStart != nil {
		if reason := h.opt.CannotStart(); reason != "" {
			return reason
		}
	}
	return h.missing(h.machine.View().Positions, true)
}

// missing returns what a session over so many positions lacks.
func (h *Host) missing(positions int, sealed bool) string {
	if h.opt.Missing == nil {
		return ""
	}
	return h.opt.Missing(positions, sealed)
}

func (h *Host) prepareOpen(e *event.Event) (err error) {
	o := e.Body.(*event.Opening)
	o.Settings, o.Beams, o.Config, o.Simulated = h.opt.Settings, h.opt.Beams, h.opt.Config, h.opt.Simulated
	o.Pinch = h.opt.Pinch
	if _, active := h.machine.Session(); active {
		return nil // the engine will refuse it
	}
	if plan, err := blind.ParsePlan(o.Name, []byte(o.Plan)); err == nil { // else the engine will refuse it
		if lacks := blind.Lacks(plan.Loading(), h.opt.Canisters); lacks != "" {
			return errors.New(lacks)
		}
		if reason := h.missing(plan.Positions, false); reason != "" {
			return errors.New(reason)
		}
	}
	h.vault = nil
	e.Session, err = randomHex(h.opt.Chance.IDs, sessionIDBytes)
	return err
}

// writable returns why what somebody typed cannot be written into one line of the record: it is too long, or no
// text. Found out later, it would stop the station.
func (h *Host) writable(e *event.Event) error {
	if e.Body == nil {
		return nil
	}
	r := h.number(e)
	if event.IsSealed(e.Type) {
		r.Sealed = [32]byte{1} // any: the body is sealed when it is written
	}
	_, err := record.Encode(nil, r)
	return err
}

// prepareLoad fills in the plan's own loading where none was given, and the station's share with its hash.
func (h *Host) prepareLoad(e *event.Event) error {
	own, binding := h.machine.Loading()
	load := e.Body.(*event.Load)
	if load.Loading == nil {
		load.Loading = own
	}
	var share [32]byte
	if _, err := io.ReadFull(h.opt.Chance.Shares, share[:]); err != nil {
		return noChance(err)
	}
	binding.LoadingHash = blind.LoadingHash(load.Loading)
	stationHash := blind.StationHash(binding, share)
	load.LoadingHash = hex.EncodeToString(binding.LoadingHash[:])
	load.StationHash = hex.EncodeToString(stationHash[:])
	e.Secret = &event.StationShare{Share: hex.EncodeToString(share[:])}
	return nil
}

func randomHex(r io.Reader, n int) (string, error) {
	b := make([]byte, n)
	if _, err := io.ReadFull(r, b); err != nil {
		return "", noChance(err)
	}
	return hex.EncodeToString(b), nil
}

func noChance(err error) error { return fmt.Errorf("the station has no random bytes: %w", err) }
