package record

import "golang.org/x/mod/sumdb/tlog"

// Chain is how far a session has come in its log. Each record of a session names the one before it by its leaf hash, so that
// none can be taken out, also where records of other sessions stand between them. The zero Chain is before the first record.
type Chain struct {
	session string
	n       int
	first   tlog.Hash
	last    tlog.Hash
}

// Link gives a record its place in the chain of its session: a first one where the chain is another session's, none where it is
// of no session.
func (c *Chain) Link(r *Record) {
	switch session := r.Event.Session; {
	case session == "":
		r.N, r.Prev = 0, [32]byte{}
	case session != c.session:
		r.N, r.Prev = 1, [32]byte{}
	default:
		r.N, r.Prev = c.n+1, c.last
	}
}

// Add takes a record that Link gave its place to, and whose line has this leaf hash.
func (c *Chain) Add(r *Record, leaf tlog.Hash) {
	if r.Event.Session != "" {
		c.session, c.n, c.last = r.Event.Session, r.N, leaf
		if r.N == 1 {
			c.first = leaf
		}
	}
}

// First returns the leaf hash of the session's first record, its opening.
func (c *Chain) First() tlog.Hash { return c.first }
