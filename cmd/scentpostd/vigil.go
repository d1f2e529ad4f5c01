package main

import "time"

// vigil decides when the watchdog may be kicked: as long as nobody owes an answer for too long. It knows neither a
// clock nor a queue: instants are given as the time since any common beginning.
type vigil struct {
	patience time.Duration // how long an answer may be owed
	round    int           // which set of loops is watched: an answer to a question of an earlier one counts for nothing
	debts    []debt        // of each loop that is watched
}

// debt is what one loop owes.
type debt struct {
	owed  bool
	since time.Duration // the first question without an answer
	asked bool          // the question lies in the loop's queue
}

// watch takes n other loops in place of those before. All owe an answer from now on.
func (v *vigil) watch(n int, now time.Duration) {
	v.round++
	v.debts = make([]debt, n)
	for i := range v.debts {
		v.debts[i] = debt{owed: true, since: now}
	}
}

// ask tells whether loop i is to be asked now. One question at a time is enough: whoever does not answer it would
// not answer a second one.
func (v *vigil) ask(i int, now time.Duration) bool {
	d := &v.debts[i]
	if d.asked {
		return false
	}
	if !d.owed {
		d.owed, d.since = true, now
	}
	d.asked = true
	return true
}

// refused notes that the queue of loop i did not take the question: the answer is owed all the same.
func (v *vigil) refused(round, i int) {
	if round == v.round {
		v.debts[i].asked = false
	}
}

// answered notes that loop i has answered.
func (v *vigil) answered(round, i int) {
	if round == v.round {
		v.debts[i] = debt{}
	}
}

// late returns the loops that have owed an answer for too long. The watchdog is kicked when there is none.
func (v *vigil) late(now time.Duration) []int {
	var late []int
	for i, d := range v.debts {
		if d.owed && now-d.since >= v.patience {
			late = append(late, i)
		}
	}
	return late
}
