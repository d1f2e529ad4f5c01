package socket

import (
	"maps"
	"slices"
	"sync"
)

// Nobody's connections shut out the people of a session. Each account has places of its own, apart for those who ask and
// for those who watch. Accounts that the configuration does not name share theirs. Where all places of those who ask are
// taken, whoever has said nothing for longest makes room: a connection that keeps silent delays no other.
const (
	maxAsking          = 16 // connections of one account that ask
	maxWatching        = 16 // connections of one account that watch
	maxStrangersAsking = 32 // connections of all accounts together that the configuration does not name
	maxStrangersWatch  = 32
)

// places has all connections of a server. Its methods may be called from any goroutine.
type places struct {
	known map[int]bool // accounts that have places of their own

	mu    sync.Mutex // guards what follows, and what is in the places
	count int64      // of everything that happened, to order by
	all   map[*place]bool
}

// place is one connection.
type place struct {
	of       *places
	uid      int
	watching bool
	silent   int64  // when it began to wait for a request, 0 while one is answered
	gone     bool   // it made room for another
	giveUp   func() // ends its waiting; it is not waited for
}

func newPlaces(known []int) *places {
	p := &places{known: map[int]bool{}, all: map[*place]bool{}}
	for _, uid := range known {
		p.known[uid] = true
	}
	return p
}

// enter takes in a connection of an account that is going to ask. giveUp ends its waiting for a request when it has to make
// room; it must not wait. nil means that there is no room, since every place answers a request.
func (p *places) enter(uid int, giveUp func()) *place {
	p.mu.Lock()
	defer p.mu.Unlock()
	own := func(c *place) bool { return !c.watching && c.uid == uid }
	strange := func(c *place) bool { return !c.watching && !p.known[c.uid] }
	if !p.makeRoom(own, maxAsking) || !p.known[uid] && !p.makeRoom(strange, maxStrangersAsking) {
		return nil
	}
	p.count++
	entered := &place{of: p, uid: uid, silent: p.count, giveUp: giveUp}
	p.all[entered] = true
	return entered
}

// makeRoom sees to it that fewer than most places are among some; false when all of them answer a request.
func (p *places) makeRoom(among func(*place) bool, most int) bool {
	some := slices.Collect(maps.Keys(p.all))
	some = slices.DeleteFunc(some, func(c *place) bool { return !among(c) })
	if len(some) < most {
		return true
	}
	var longest *place
	for _, c := range some {
		if c.silent != 0 && (longest == nil || c.silent < longest.silent) {
			longest = c
		}
	}
	if longest == nil {
		return false
	}
	delete(p.all, longest)
	longest.gone = true
	longest.giveUp()
	return true
}

// wait notes that the connection waits for a request; ok is false when it has made room for another.
func (c *place) wait() (ok bool) {
	c.of.mu.Lock()
	defer c.of.mu.Unlock()
	c.of.count++
	c.silent = c.of.count
	return !c.gone
}

// answer notes that a request came and is answered; ok is false when the connection has made room for another.
func (c *place) answer() (ok bool) {
	c.of.mu.Lock()
	defer c.of.mu.Unlock()
	c.silent = 0
	return !c.gone
}

// watch gives the connection a place among those that watch, in the place of the one that it has; ok is false when there is
// none.
func (c *place) watch() (ok bool) {
	p := c.of
	p.mu.Lock()
	defer p.mu.Unlock()
	own, strange := 0, 0
	for other := range p.all {
		if other.watching && other.uid == c.uid {
			own++
		}
		if other.watching && !p.known[other.uid] {
			strange++
		}
	}
	if own >= maxWatching || !p.known[c.uid] && strange >= maxStrangersWatch {
		return false
	}
	c.watching = true
	return true
}

// leave gives the place back.
func (c *place) leave() {
	c.of.mu.Lock()
	defer c.of.mu.Unlock()
	delete(c.of.all, c)
}
