package host

import (
	"encoding/hex"
	"time"

	"scentpost/station/event"
	"scentpost/station/journal"
	"scentpost/station/refusal"
	"scentpost/station/trial"
)

// maxBatch bounds the rows of one batch, so that a long drain is made durable in parts.
const maxBatch = 512

// parked is something that waits for its cause to be durable: an effect, a reply or what may be shown.
type parked struct {
	seq    int64
	effect trial.Effect
	reply  func(trial.Answer)
	answer trial.Answer
	shown  *trial.Snapshot
}

// step feeds the engine and carries out what it says: what is safe at once, records to the batch, the rest parked.
// When the journal fails in the middle, only what is safe is still done. It returns why the engine refused the event, nil
// when it did not.
func (h *Host) step(e event.Event) (refused *refusal.Reason) {
	effects := h.machine.Step(e)
	refused = h.machine.Refusal()
	sample := false
	for i := range effects {
		effect := &effects[i]
		if h.failed != nil && effect.Kind != trial.CloseAll && effect.Kind != trial.Hush {
			continue
		}
		switch effect.Kind {
		case trial.Record:
			h.append(&effect.Event)
		case trial.CloseAll:
			h.actuator.CloseAll()
			h.curtain.Close()
			h.forgetPurge()
		case trial.Hush:
			h.actuator.Hush()
		case trial.SetTimer:
			h.horizon.Set(effect.Timer, h.notBefore(effect, e.At.Mono))
		case trial.StopTimers:
			h.horizon.Clear()
			h.gridAt = 0
		case trial.Checkpoint:
			h.checkpoint(effect.Name)
		case trial.Open:
			h.open(effect.Run, e.At)
		case trial.Sample:
			sample = true
		case trial.Move:
			h.curtain.Begin(effect.Run, effect.Moves)
			h.unmoved = effect.Run
			h.park(parked{effect: *effect})
		case trial.Light, trial.Purge, trial.Sound:
			h.park(parked{effect: *effect})
		}
	}
	if sample {
		h.sample(e.At)
	}
	if len(h.batch.Rows) >= maxBatch {
		h.flush()
	}
	return refused
}

// sample gives the engine what the sensors of the air say of an instant, within the step that asked for it.
func (h *Host) sample(at event.Stamp) {
	for _, air := range h.actuator.Air(at.Mono) {
		h.step(event.Event{Type: event.AirSampled, At: at, By: event.ByStation, Body: &air})
	}
}

// stale is how old a cause may be before the closing that follows it counts from now instead of from its stamp. A button
// that sticks is stamped with its press and told seconds later; until then the canisters stood open.
const stale = 250 * time.Millisecond

// notBefore is when a timer of the engine rings: at its instant, save that a run is closed no sooner after now than
// after its cause.
func (h *Host) notBefore(e *trial.Effect, cause int64) int64 {
	now := h.opt.Clock.Now().Mono
	if e.Timer != event.RunClosed || now-cause < int64(stale) {
		return e.At
	}
	return e.At + now - cause
}

func (h *Host) park(p parked) {
	p.seq = h.tree.Size() - 1
	h.parked = append(h.parked, p)
}

// release lets out everything whose cause is durable.
func (h *Host) release(durable int64) {
	if h.failed != nil {
		return
	}
	n := 0
	for n < len(h.parked) && h.parked[n].seq <= durable {
		n++
	}
	ready := h.parked[:n]
	h.parked = h.parked[n:]
	for i := range ready { // who is answered may ask at once what there is to see
		if ready[i].shown != nil {
			h.show(*ready[i].shown)
		}
	}
	for i := range ready {
		h.letOut(&ready[i])
	}
	clear(ready)
	if len(h.parked) == 0 {
		h.parked = ready[:0]
	}
}

func (h *Host) letOut(p *parked) {
	switch {
	case p.reply != nil:
		p.reply(p.answer)
	case p.effect.Kind == trial.Light:
		h.actuator.Light(p.effect.Name, p.effect.On, p.effect.For)
	case p.effect.Kind == trial.Move:
		h.move(&p.effect)
	case p.effect.Kind == trial.Purge:
		h.actuator.Purge(p.effect.At)
	case p.effect.Kind == trial.Sound:
		h.sound(p.effect.Name)
	}
}

// sound calls people, unless a run was armed while the journal wrote: nothing is heard during a search.
func (h *Host) sound(why string) {
	if _, _, running := h.machine.Running(); !running {
		h.actuator.Sound(why)
	}
}

// forgetPurge takes back a purge that has not begun: everything was commanded to its safe state behind it.
func (h *Host) forgetPurge() {
	for i := range h.parked {
		if h.parked[i].effect.Kind == trial.Purge {
			h.parked[i].effect = trial.Effect{}
		}
	}
}

// move starts the canisters of a run, unless their common instant has passed while the journal wrote, or the run
// is over: then nothing is opened.
func (h *Host) move(e *trial.Effect) {
	if h.unmoved == e.Run {
		h.unmoved = 0
	}
	index, _, ok := h.machine.Running()
	if _, live := h.machine.Voidable(); !ok || !live || index != e.Run {
		return
	}
	if now := h.now(); now.Mono > e.At {
		h.void(now, event.VoidLateSync)
		return
	}
	h.actuator.Move(e.At, e.Open, e.Moves)
}

// flush hands the batch to the journal and parks what may be shown under its last record.
func (h *Host) flush() {
	if len(h.batch.Rows) == 0 || h.failed != nil {
		return
	}
	shown := h.takeSnapshot()
	h.park(parked{shown: &shown})
	batch := h.batch
	h.batch = journal.Batch{}
	if err := h.opt.Journal.Append(batch); err != nil {
		h.fail(err)
	}
}

// checkpoint signs the log as it stands and puts the note beside it.
func (h *Host) checkpoint(why string) {
	note, err := h.opt.Signer.Checkpoint(h.tree.Size(), h.tree.Root())
	if err != nil {
		h.fail(err)
		return
	}
	session, _ := h.machine.Session()
	h.batch.Checkpoints = append(h.batch.Checkpoints,
		journal.Checkpoint{Size: h.tree.Size(), Why: why, Session: session, Note: note})
}

// sealedRow is a sealed body of the session that is not open yet.
type sealedRow struct {
	seq   int64
	run   int
	nonce [32]byte
	body  []byte
}

// open appends the opening of each sealed body of a run, or of the whole session, in their order.
func (h *Host) open(run int, at event.Stamp) {
	session, _ := h.machine.Session()
	kept := h.vault[:0]
	for _, row := range h.vault {
		if run != 0 && row.run != run {
			kept = append(kept, row)
			continue
		}
		h.append(&event.Event{Type: event.Opened, Session: session, Run: row.run, At: at, By: event.ByStation,
			Body: &event.OpenedBody{Of: row.seq, Nonce: hex.EncodeToString(row.nonce[:]), Body: string(row.body)}})
	}
	h.vault = kept
}
