package host

import (
	"encoding/hex"
	"errors"
	"io"

	"scentpost/station/blind"
	"scentpost/station/event"
	"scentpost/station/readiness"
	"scentpost/station/record"
	"scentpost/station/refusal"
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
		done(trial.Answer{Seq: -1, Refused: refusal.New(Busy)})
	}
}

func (h *Host) command(now event.Stamp, c *command) {
	if h.failed != nil {
		c.reply(h.failure())
		return
	}
	e := c.event
	e.At = now
	if why := h.prepare(&e); why != nil {
		c.reply(trial.Answer{Seq: -1, Refused: why})
		return
	}
	first := h.tree.Size()
	effects, refused := h.stage.Command(now, e)
	h.do(effects)
	answer := trial.Answer{Seq: first, Refused: refused}
	switch {
	case h.failed != nil:
		c.reply(h.failure())
	case h.tree.Size() == first:
		answer.Seq = -1
		c.reply(answer)
	default:
		h.park(parked{reply: c.reply, answer: answer})
	}
}

// failure answers a command that the failed journal cannot take.
func (h *Host) failure() trial.Answer {
	return trial.Answer{Seq: -1, Refused: refusal.New(JournalFailed, refusal.Detail, errors.Unwrap(h.failed))}
}

// prepare fills in what only the host knows: references for names, ids, and random bytes. It returns why the
// command cannot be taken at all, nil when it can.
func (h *Host) prepare(e *event.Event) *refusal.Reason {
	if why := trial.Malformed(*e); why != nil {
		return why
	}
	if why := h.refer(e); why != nil {
		return why
	}
	var why *refusal.Reason
	switch e.Type {
	case event.SessionOpened:
		why = h.prepareOpen(e)
	case event.SessionLoaded:
		why = h.prepareLoad(e)
	case event.SessionSealed:
		var seed string
		seed, why = randomHex(h.opt.Chance.Seals, 32)
		e.Secret = &event.NonceSeed{Seed: seed}
	case event.RunArmed:
		if v := h.stage.View(); v.BetweenRuns() { // else the engine refuses it, and nothing is told of what moves
			if why = h.obstacle(readiness.Question{Positions: v.Positions, Run: true}); why == nil {
				why = h.differs(h.stage.Plan()) // a virtual station that was started again may hold something else
			}
		}
	}
	if why != nil {
		return why
	}
	return h.writable(e)
}

// differs returns why a virtual station is not prepared for a plan, nil when it is, or is real.
func (h *Host) differs(plan blind.Plan) *refusal.Reason {
	if differs := h.opt.Prepared.Differs(plan); differs != "" {
		return refusal.New(PlanDiffers, refusal.Detail, differs)
	}
	return nil
}

// obstacle returns why the answer to a question is no, nil when it is yes.
func (h *Host) obstacle(q readiness.Question) *refusal.Reason {
	if h.opt.Obstacle == nil {
		return nil
	}
	return h.opt.Obstacle(q)
}

func (h *Host) prepareOpen(e *event.Event) (why *refusal.Reason) {
	o := e.Body.(*event.Opening)
	o.Settings, o.Beams, o.Config, o.Simulated = h.opt.Settings, h.opt.Beams, h.opt.Config, h.opt.Simulated
	o.Pinch = h.opt.Pinch
	if _, active := h.stage.Session(); active {
		return nil // the engine will refuse it
	}
	if plan, err := blind.ParsePlan(o.Name, []byte(o.Plan)); err == nil { // else the engine will refuse it
		if lacks := blind.Lacks(plan.Loading(), h.opt.Canisters); lacks != "" {
			return refusal.New(CanistersLack, refusal.Detail, lacks)
		}
		if why := h.differs(plan); why != nil {
			return why
		}
		if why := h.obstacle(readiness.Question{Positions: plan.Positions}); why != nil {
			return why
		}
	}
	h.vault = nil
	e.Session, why = randomHex(h.opt.Chance.IDs, sessionIDBytes)
	return why
}

// writable returns why what somebody typed cannot be written into one line of the record, nil when it can: it is too long, or
// no text. Found out later, it would stop the station.
func (h *Host) writable(e *event.Event) *refusal.Reason {
	if e.Body == nil {
		return nil
	}
	r := h.number(e)
	if event.IsSealed(e.Type) {
		r.Sealed = [32]byte{1} // any: the body is sealed when it is written
	}
	if _, err := record.Encode(nil, r); err != nil {
		return refusal.New(NotWritable, refusal.Detail, err)
	}
	return nil
}

// prepareLoad fills in the plan's own loading under a new set-up, and the station's share with its hash.
func (h *Host) prepareLoad(e *event.Event) (why *refusal.Reason) {
	loading, binding := h.stage.Loading()
	if binding.SetUp, why = randomHex(h.opt.Chance.IDs, blind.SetUpDigits/2); why != nil {
		return why
	}
	var share, salt [32]byte
	_, err := io.ReadFull(h.opt.Chance.Shares, share[:])
	if err == nil {
		_, err = io.ReadFull(h.opt.Chance.Nonces, salt[:])
	}
	if err != nil {
		return noChance(err)
	}
	opening := h.chain.First()
	_, e.Body, e.Secret = blind.Load(binding, []string{hex.EncodeToString(opening[:])}, loading, share, salt)
	return nil
}

func randomHex(r io.Reader, n int) (string, *refusal.Reason) {
	b := make([]byte, n)
	if _, err := io.ReadFull(r, b); err != nil {
		return "", noChance(err)
	}
	return hex.EncodeToString(b), nil
}

func noChance(err error) *refusal.Reason { return refusal.New(NoChance, refusal.Detail, err) }
