package host

import (
	"io"

	"scentpost/station/event"
	"scentpost/station/history"
	"scentpost/station/journal"
	"scentpost/station/record"
)

// Lines are written one behind the other into rooms of roomForLines bytes; a room with less than roomForLine left
// is not begun on. Longer lines get a room of their own.
const (
	roomForLines = 32 << 10
	roomForLine  = 1 << 10
)

// append numbers an event, seals what may not be seen, and adds the record to the batch and to the tree.
func (h *Host) append(e *event.Event) {
	r := h.number(e)
	row := journal.Row{Seq: r.Seq, Session: e.Session, Type: e.Type, Run: e.Run}
	if e.Secret != nil {
		if err := h.seal(&r, &row); err != nil {
			h.fail(err)
			return
		}
	}
	if cap(h.room)-len(h.room) < roomForLine {
		h.room = make([]byte, 0, roomForLines)
	}
	line, err := record.Encode(h.room[len(h.room):], r)
	if err != nil {
		h.fail(err)
		return
	}
	if len(line) <= cap(h.room)-len(h.room) {
		h.room = h.room[:len(h.room)+len(line)]
	}
	row.Line = line[:len(line):len(line)]
	row.Leaf = record.LeafHash(line)
	h.tree.AppendLeaf(nil, row.Leaf)
	h.chain.Add(&r, row.Leaf)
	h.batch.Rows = append(h.batch.Rows, row)
	if e.Session != "" {
		h.note(e, r.Seq+1)
	}
}

// note takes the record before the number known into the log's index of sessions. The index is
// made of public records alone and is written with them.
func (h *Host) note(e *event.Event, known int64) {
	if e.Session != h.line.ID {
		h.line = history.Line{}
	}
	h.line.Take(e)
	if entry, last := h.line.Entry(e.Type); entry != nil {
		h.batch.Entries = append(h.batch.Entries, journal.Entry{Session: e.Session, Known: known, Last: last, Text: entry})
	}
}

// number gives an event its place in the log and in its session.
func (h *Host) number(e *event.Event) record.Record {
	log := h.opt.Log
	r := record.Record{Site: log.Site, Station: log.Station, Epoch: log.Epoch, Seq: h.tree.Size(), Event: *e}
	h.chain.Link(&r)
	return r
}

// seal puts the sealed body and its nonce into the row's vault and their hash into the public line.
func (h *Host) seal(r *record.Record, row *journal.Row) error {
	body, err := record.EncodeSecret(r.Event.Type, r.Event.Secret)
	if err != nil {
		return err
	}
	row.Sealed, row.Body = true, body
	if _, err := io.ReadFull(h.opt.Chance.Nonces, row.Nonce[:]); err != nil {
		return err
	}
	r.Sealed = record.SealHash(r.Station, r.Epoch, r.Seq, r.Event.Type, row.Nonce, body)
	h.vault = append(h.vault, sealedRow{seq: r.Seq, run: r.Event.Run, nonce: row.Nonce, body: body})
	return nil
}
