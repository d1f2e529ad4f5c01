package backup

import (
	"encoding/hex"
	"fmt"

	"scentpost/station/event"
	"scentpost/station/history"
	"scentpost/station/journal"
	"scentpost/station/record"
)

// epoch is the part of one epoch, as far as it was read.
type epoch struct {
	id       string
	from     journal.Beginning
	log      record.Log // of its records
	key      string     // signs its checkpoints; "" as long as it has no record
	tree     record.Tree
	sessions int64
	lines    map[string]*history.Line // of the sessions
	order    []string                 // of the sessions, by their first records
	cut      bool                     // it had more records than are here
}

// begin checks where an epoch comes from: the one before it is whole, and has the root that this one names.
func (d *Decoder) begin(line []byte) (any, error) {
	var e Epoch
	if err := decode(line, &e); err != nil {
		return nil, d.fault("the beginning of an epoch: %v", err)
	}
	from, err := e.beginning()
	before := d.epoch
	switch {
	case err != nil:
		return nil, d.fault("the beginning of epoch %.70q: %v", e.ID, err)
	case !record.IsName(e.ID) || e.Prev != "" && !record.IsName(e.Prev) || e.PrevSize < 0:
		return nil, d.fault("the beginning of epoch %.70q after %d records of %.70q names no epochs", e.ID, e.PrevSize, e.Prev)
	case d.out.seen[e.ID]:
		return nil, d.fault("epoch %s is there twice", e.ID)
	case d.out.Epochs > 0 && e.Prev != before.id:
		return nil, d.fault("epoch %s comes after %.70q, and stands behind %s", e.ID, e.Prev, before.id)
	case d.out.Epochs > 0 && !before.cut && (from.PrevSize != before.tree.Size() || from.PrevRoot != before.tree.Root()):
		return nil, d.fault("epoch %s comes after %d records of %s, and its %d records here are not those", e.ID, e.PrevSize, e.Prev, before.tree.Size())
	}
	d.out.seen[e.ID], d.at = true, inEpoch
	d.epoch = epoch{id: e.ID, from: from, lines: map[string]*history.Line{}}
	d.out.Epochs++
	d.out.Epoch, d.out.Size, d.out.Unfinished = e.ID, 0, nil
	return e, nil
}

// record checks a line and its place in the log.
func (d *Decoder) record(line []byte) (any, error) {
	r, err := record.Decode(line)
	if err != nil {
		return nil, d.fault("record %d of epoch %s: %v", d.epoch.tree.Size(), d.epoch.id, err)
	}
	e := &d.epoch
	size := e.tree.Size()
	first, begins := r.Event.Body.(*event.Epoch)
	switch {
	case r.Epoch != e.id || r.Seq != size:
		return nil, d.fault("record %d of epoch %s stands where record %d of epoch %s belongs", r.Seq, r.Epoch, size, e.id)
	case begins != (size == 0):
		return nil, d.fault("record %d of epoch %s is %s: the first record, and no other, is %s", r.Seq, e.id, r.Event.Type, event.EpochBegan)
	case begins:
		if fault := d.first(r, first); fault != nil {
			return nil, fault
		}
	case r.Site != e.log.Site || r.Station != e.log.Station:
		return nil, d.fault("record %d of epoch %s is of station %s/%s, those before it of %s/%s", r.Seq, e.id, r.Site, r.Station, e.log.Site, e.log.Station)
	}
	e.tree.Append(line)
	d.out.Records++
	item := Line{Bytes: line, Record: r}
	item.Entry, item.Last = e.follow(&r.Event)
	return item, nil
}

// lost takes the hash of a record that has no line.
func (d *Decoder) lost(line []byte) (any, error) {
	var l Lost
	e := &d.epoch
	if err := decode(line, &l); err != nil {
		return nil, d.fault("a lost record of epoch %s: %v", e.id, err)
	}
	leaf, err := parseHash(l.Leaf)
	if err != nil || l.Seq == 0 || l.Seq != e.tree.Size() {
		return nil, d.fault("lost record %d of epoch %s stands where record %d belongs, or without its hash: %v", l.Seq, e.id, e.tree.Size(), err)
	}
	e.tree.AppendLeaf(nil, leaf)
	d.out.Records++
	d.out.Lost++
	return l, nil
}

// first checks an epoch's first record against the beginning that stands before it.
func (d *Decoder) first(r record.Record, says *event.Epoch) error {
	e := &d.epoch
	root := ""
	if e.from.Prev != "" {
		root = hex.EncodeToString(e.from.PrevRoot[:])
	}
	if says.Why != e.from.Why || says.Prev != e.from.Prev || says.PrevSize != e.from.PrevSize || says.PrevRoot != root || says.PrevDraft != e.from.PrevDraft {
		return d.fault("the first record of epoch %s says another beginning than the line before it", e.id)
	}
	if _, err := record.ParseVerifier(says.Key); err != nil {
		return d.fault("the first record of epoch %s: %v", e.id, err)
	}
	e.log, e.key = record.Log{Site: r.Site, Station: r.Station, Epoch: r.Epoch}, says.Key
	d.log = e.log
	d.out.Verifier, d.out.Simulated = says.Key, says.Simulated
	return nil
}

// follow takes a record into the line of its session, and returns what the index of sessions says from it on.
func (e *epoch) follow(of *event.Event) (entry []byte, last bool) {
	if of.Session == "" {
		return nil, false
	}
	if of.Type == event.SessionOpened {
		e.sessions++
	}
	line := e.lines[of.Session]
	if line == nil {
		line = &history.Line{}
		e.lines[of.Session], e.order = line, append(e.order, of.Session)
	}
	line.Take(of)
	return line.Entry(of.Type)
}

// unfinished returns the sessions that had not ended, in their order.
func (e *epoch) unfinished() (ids []string) {
	for _, id := range e.order {
		if e.lines[id].State == history.Unfinished {
			ids = append(ids, id)
		}
	}
	return ids
}

// checkpoint checks that the epoch's key signed the log as it is here.
func (d *Decoder) checkpoint(line []byte) (any, error) {
	var c Checkpoint
	e := &d.epoch
	if err := decode(line, &c); err != nil {
		return nil, d.fault("a checkpoint of epoch %s: %v", e.id, err)
	}
	if c.Size != e.tree.Size() || c.Size == 0 {
		return nil, d.fault("the checkpoint of %d records stands behind %d records of epoch %s", c.Size, e.tree.Size(), e.id)
	}
	if !record.IsName(c.Why) || c.Session != "" && !record.IsName(c.Session) {
		return nil, d.fault("the checkpoint of %d records of epoch %s: %.70q and %.70q are no reason and session", c.Size, e.id, c.Why, c.Session)
	}
	head, err := record.VerifyCheckpoint([]byte(c.Note), e.key)
	if err != nil {
		return nil, d.fault("epoch %s: %v", e.id, err)
	}
	if head.Origin != e.log.Origin() || head.Size != c.Size || head.Root != e.tree.Root() {
		return nil, d.fault("the checkpoint of %d records of epoch %s was signed over another log", c.Size, e.id)
	}
	return c, nil
}

// end checks that the epoch is as long as it was, and the same.
func (d *Decoder) end(line []byte) (any, error) {
	var end End
	e := &d.epoch
	if err := decode(line, &end); err != nil {
		return nil, d.fault("the end of epoch %s: %v", e.id, err)
	}
	root, err := parseHash(end.Root)
	if err != nil {
		return nil, d.fault("the end of epoch %s: its root: %v", e.id, err)
	}
	if end.ID != e.id || end.Size != e.tree.Size() || root != e.tree.Root() {
		return nil, d.fault("epoch %s has %d records here, and %d of %.70q are told of at its end, or others", e.id, e.tree.Size(), end.Size, end.ID)
	}
	if end.Of < end.Size {
		return nil, d.fault("epoch %s has %d records here, and is said to have had %d", e.id, end.Size, end.Of)
	}
	if e.cut = end.Of > end.Size; e.cut {
		d.out.Cut = append(d.out.Cut, fmt.Sprintf("records %d to %d of epoch %s: its log is damaged there", end.Size, end.Of-1, e.id))
	}
	d.at = atEpoch
	d.out.Sessions += e.sessions
	d.out.Size, d.out.Unfinished = end.Size, e.unfinished()
	return end, nil
}
