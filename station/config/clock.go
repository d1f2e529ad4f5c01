package config

import "time"

// Clock says how far the clock of the machine is trusted.
type Clock struct {
	// Floor is the least error that is claimed for UTC, however good the kernel takes its clock to be; where the
	// kernel's UTC goes further from the station's than that, the record has a clock.fixed.
	Floor time.Duration
}

type clock struct {
	Floor time.Duration `yaml:"floor"`
}

// The floor of a station that gives none, and its limits: no time server that a board in a yard can reach is good to
// better than a millisecond, and a floor of minutes would hide a step.
const (
	defaultFloor = 100 * time.Millisecond
	leastFloor   = time.Millisecond
	mostFloor    = 10 * time.Second
)

func (r *reader) clock() {
	floor := r.file.Clock.Floor
	if floor < leastFloor || floor > mostFloor {
		r.doc.Problem("clock.floor", "100ms is usual", "%s is out of range: from %s to %s", floor, leastFloor, mostFloor)
	}
	r.out.Clock = Clock(r.file.Clock)
}
