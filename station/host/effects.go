package host

import (
	"scentpost/station/event"
	"scentpost/station/journal"
	"scentpost/station/record"
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

// do carries out what the stage asks for: what is safe at once, records to the batch, what waits is parked. When the journal
// fails in the middle, only what is safe is still done.
func (h *Host) do(effects []trial.Effect) {
	var sampled []event.Air
	for i := range effects {
		effect := &effects[i]
		if h.failed != nil && !effect.Safe() {
			continue
		}
		switch effect.Kind {
		case trial.Record:
			h.append(&effect.Event)
		case trial.CloseAll:
			h.actuator.CloseAll()
		case trial.Hush:
			h.actuator.Hush()
		case trial.Checkpoint:
			h.checkpoint(effect.Name)
		case trial.Open:
			h.open(effect)
		case trial.Heard:
			if h.opt.OnLock != nil {
				h.opt.OnLock(effect.Silent)
			}
		case trial.Sample:
			sampled = h.actuator.Air(effect.At)
		default:
			h.park(parked{effect: *effect})
		}
	}
	if len(sampled) > 0 {
		h.do(h.stage.Sampled(sampled))
	}
	if len(h.batch.Rows) >= maxBatch {
		h.flush()
	}
}

func (h *Host) park(p parked) {
	p.seq = h.tree.Size() - 1
	h.parked = append(h.parked, p)
}

// release lets out everything whose cause is durable.
func (h *Host) release(now event.Stamp, durable int64) {
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
		h.letOut(now, &ready[i])
	}
	clear(ready)
	if len(h.parked) == 0 {
		h.parked = ready[:0]
	}
}

// letOut answers, or carries out an effect that is not out of place by now.
func (h *Host) letOut(now event.Stamp, p *parked) {
	if p.reply != nil {
		p.reply(p.answer)
	}
	if p.effect.Kind == 0 {
		return
	}
	e := &p.effect
	may, instead := h.stage.Release(now, e)
	h.do(instead)
	if !may {
		return
	}
	switch e.Kind {
	case trial.Light:
		h.actuator.Light(e.Name, e.On, e.For)
	case trial.Move:
		h.actuator.Move(e.At, e.For, e.Moves)
	case trial.Purge:
		h.actuator.Purge(e.At)
	case trial.Sound:
		h.actuator.Sound(e.Name)
	}
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
	session, _ := h.stage.Session()
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
func (h *Host) open(effect *trial.Effect) {
	kept := h.vault[:0]
	for _, row := range h.vault {
		if effect.Run != 0 && row.run != effect.Run {
			kept = append(kept, row)
			continue
		}
		e := record.Opening(effect.Event.Session, row.run, effect.Event.At, row.seq, row.nonce, row.body)
		h.append(&e)
	}
	h.vault = kept
}
