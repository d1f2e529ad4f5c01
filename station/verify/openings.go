package verify

import (
	"scentpost/station/event"
	"scentpost/station/record"
)

// reportMember makes the report again and compares the bundle's with it.
func (c *checker) reportMember() {
	for i := range c.records {
		c.result.Take(&c.records[i].Event)
	}
	if !record.SameReport(c.result, c.bundle.Report) {
		c.problem(record.MemberReport, -1, "does not say what the records say")
	}
}

// openings puts every opened body back to the record that it was sealed in, and checks that a revealed session
// left none closed.
func (c *checker) openings() {
	revealed := false
	for i := range c.records {
		e := &c.records[i].Event
		if body, ok := e.Body.(*event.OpenedBody); ok {
			c.open(c.seqs[i], e, body)
		}
		revealed = revealed || e.Type == event.SessionRevealed
	}
	if !revealed {
		return
	}
	for i := range c.records {
		if e := &c.records[i].Event; event.IsSealed(e.Type) && e.Secret == nil {
			c.recordProblem(c.seqs[i], "its sealed body was never opened, though the session was revealed")
		}
		if c.records[i].Event.Type == event.SessionRevealed {
			return
		}
	}
}

func (c *checker) open(seq int64, e *event.Event, body *event.OpenedBody) {
	of, own := c.index(body.Of)
	if !own || body.Of >= seq {
		c.recordProblem(seq, "opens record %d, which is not before it in this session", body.Of)
		return
	}
	sealed := &c.records[of]
	switch {
	case !event.IsSealed(sealed.Event.Type):
		c.recordProblem(seq, "opens record %d, which is not sealed", body.Of)
		return
	case sealed.Event.Secret != nil:
		c.recordProblem(seq, "opens record %d a second time", body.Of)
		return
	case sealed.Event.Run != e.Run:
		c.recordProblem(seq, "is of run %d and opens record %d of run %d", e.Run, body.Of, sealed.Event.Run)
		return
	}
	nonce, err := record.ParseHex32(body.Nonce)
	if err != nil {
		c.recordProblem(seq, "nonce: %v", err)
		return
	}
	log := c.bundle.Log
	if record.SealHash(log.Station, log.Epoch, body.Of, sealed.Event.Type, nonce, []byte(body.Body)) != sealed.Sealed {
		c.recordProblem(seq, "the body that it opens is not the one that record %d sealed", body.Of)
		return
	}
	secret, err := record.DecodeSecret(sealed.Event.Type, []byte(body.Body))
	if err != nil {
		c.recordProblem(seq, "%v", err)
		return
	}
	sealed.Event.Secret = secret
}
