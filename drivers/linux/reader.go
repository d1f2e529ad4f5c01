//go:build linux

package linux

import (
	"fmt"
	"maps"
	"runtime"
	"slices"
	"time"

	"github.com/warthog618/go-gpiocdev/uapi"

	"scentpost/drivers/bus"
)

const (
	// stampBound is how far an edge's stamp may be off: the time for which a kernel keeps interrupts off.
	stampBound = 100 * time.Microsecond
	// threadLate is the longest from an interrupt to its thread, which runs before every program.
	threadLate = 5 * time.Millisecond
	// overtaken is how long the events after a hole in the numbers wait for the one that is missing.
	overtaken = threadLate
	// markBehind is how far a mark lies behind its grid: events in the hands of a thread, or behind a hole.
	markBehind = 2 * threadLate
	// confirm is how long a level must be another one than its edges tell before it is believed.
	confirm = 20 * time.Millisecond
	// lookAfter is how long after an edge the levels are looked at: chips that lose edges lose those that come
	// close to others.
	lookAfter = 50 * time.Millisecond
	// retryFirst is the pause between two looks for lines that are absent; it doubles up to retryMost. What has been absent
	// for retryFor is looked for on the grid of the watermarks alone: an idle station wakes up for nothing else.
	retryFirst = 100 * time.Millisecond
	retryMost  = 2 * time.Second
	retryFor   = time.Minute
	// readsAtOnce bounds what one turn reads of one request, so that a storm on one chip starves nobody.
	readsAtOnce = 32
)

// reader is the goroutine of a bus.
type reader struct {
	*GPIO
	every    int64 // the grid
	grid     int64 // its next instant
	retry    int64 // the next look for lines that are absent
	pause    int64 // until the one behind it
	missed   int64 // since when lines are absent, the latest of them
	sink     bus.Sink
	groups   []*group  // as they were collected
	outputs  []*output // those that are here
	absent   int       // lines that are not
	requests []request
	lost     map[string][]string // the outputs of each chip that went and is not wholly back
	alone    []string            // as OnAlone was told
	told     bool                // the sink has an edge that its owner may not have taken yet
	events   [batch]uapi.LineEvent
	ordered  []uapi.LineEvent
}

func (g *GPIO) run() {
	defer close(g.ended)
	r := &reader{GPIO: g, every: int64(MarkEvery), pause: int64(retryFirst), lost: map[string][]string{}}
	r.missed = r.kernel.mono()
	r.grid = r.after(r.missed)
	for {
		open, news := r.collect()
		if !open {
			return
		}
		if news {
			r.tellPresence()
			r.tellAlone()
		}
		r.letGo()
		hung, err := r.kernel.wait(r.requests, r.timeout())
		if lost := r.turn(hung || err != nil); !lost && (hung || err != nil) {
			r.kernel.wait(nil, retryFirst) // nothing is wrong that we could mend: do not spin
		}
	}
}

// letGo lets whoever was told of an edge run before the wait: on a board with one processor a wait in the kernel would
// hold it until Go's own thread notices, a few times as long as the edge's whole way.
func (r *reader) letGo() {
	if r.told {
		r.told = false
		runtime.Gosched()
	}
}

// after is the first instant of the grid after mono.
func (r *reader) after(mono int64) int64 { return (mono/r.every + 1) * r.every }

// attend takes the grid that is wanted now. The caller holds the mutex.
func (r *reader) attend() {
	every := int64(MarkEvery)
	if r.attends {
		every = int64(AttendEvery)
	}
	if every != r.every {
		r.every = every
		r.grid = r.after(r.kernel.mono())
	}
}

// collect finds out what there is to wait for, until the bus is closed. news tells whether lines went or came.
func (r *reader) collect() (open, news bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.attend()
	if news, r.news = r.news, false; !news {
		return !r.closed, false
	}
	before := r.absent
	r.sink, r.groups, r.outputs, r.requests = r.GPIO.sink, slices.Clip(r.GPIO.groups), r.outputs[:0], r.requests[:0]
	r.absent = len(r.GPIO.outputs) + len(r.GPIO.inputs)
	for _, in := range r.groups {
		r.requests = append(r.requests, in.req)
		r.absent -= len(in.inputs)
	}
	for _, o := range r.GPIO.outputs {
		if req := o.request(); req != nil {
			r.outputs = append(r.outputs, o)
			r.requests = append(r.requests, req)
			r.absent--
		}
	}
	if r.absent > before {
		r.soon()
	}
	return !r.closed, true
}

// timeout is how long there is nothing to do unless an edge comes.
func (r *reader) timeout() time.Duration {
	next := r.grid
	if r.absent > 0 {
		next = min(next, r.retry)
	}
	for _, in := range r.groups {
		if in.look != 0 {
			next = min(next, in.look)
		}
		if in.stuck != 0 {
			next = min(next, in.stuck+int64(overtaken))
		}
	}
	return time.Duration(next - r.kernel.mono())
}

// turn does what is due. It tells whether a chip was found to be away.
func (r *reader) turn(hung bool) (lost bool) {
	now := r.kernel.mono()
	tick, empty, sure := now >= r.grid, true, true
	gone := map[string]error{}
	for _, in := range r.groups {
		if gone[in.chip] != nil {
			continue
		}
		drained, err := r.serve(in, now, tick, hung)
		empty, sure = empty && drained, sure && in.sure()
		if err != nil {
			gone[in.chip] = err
		}
	}
	if tick || hung {
		for _, o := range r.outputs {
			if gone[o.chip] == nil {
				if err := o.probe(); err != nil {
					gone[o.chip] = err
				}
			}
		}
	}
	for _, chip := range slices.Sorted(maps.Keys(gone)) {
		r.lose(chip, gone[chip])
	}
	if tick && empty && len(gone) == 0 { // what went is told before the mark behind which it may be missing
		if r.sink != nil && sure {
			r.sink.Watermark(bus.Watermark{Source: Source, Mono: now - now%r.every - int64(markBehind)})
		}
		r.grid = r.after(now)
	}
	if r.absent > 0 && now >= r.retry {
		r.pause = min(2*r.pause, int64(retryMost))
		r.retry = now + r.pause
		if now-r.missed >= int64(retryFor) {
			r.retry = (now/int64(MarkEvery) + 1) * int64(MarkEvery)
		}
		r.findAgain()
	}
	return len(gone) > 0
}

// serve does what is due of one request: its edges and, when it is time, its levels. It tells whether all edges were
// read.
func (r *reader) serve(in *group, now int64, tick, hung bool) (empty bool, err error) {
	empty, err = r.drain(in)
	if err != nil {
		return false, err
	}
	if in.stuck != 0 && now-in.stuck >= int64(overtaken) {
		r.giveUp(in)
	}
	if tick || hung || in.look != 0 && now >= in.look {
		err = r.check(in)
	}
	return empty, err
}

// drain reads the events of a group; false when there are more than one turn may read.
func (r *reader) drain(in *group) (empty bool, err error) {
	for range readsAtOnce {
		n, err := in.req.read(r.events[:])
		if err != nil {
			return false, err
		}
		for _, e := range r.events[:n] {
			if in.seq.add(e) && after(e.Seqno, in.newest) {
				in.newest = e.Seqno
			}
		}
		r.deliver(in)
		for in.seq.hopeless() {
			r.giveUp(in)
		}
		if n < len(r.events) {
			in.drained = in.newest
			return true, nil
		}
	}
	return false, nil
}

// deliver gives the sink what follows in order, and notes when what comes after a hole began to wait.
func (r *reader) deliver(in *group) {
	before := in.seq.last
	r.ordered = in.seq.take(r.ordered[:0])
	for _, e := range r.ordered {
		r.edge(in, e)
	}
	switch {
	case in.seq.missing() == 0:
		in.stuck = 0
	case in.stuck == 0 || in.seq.last != before:
		in.stuck = r.kernel.mono()
	}
}

// giveUp takes what is missing before the first event that waits for lost.
func (r *reader) giveUp(in *group) {
	if in.seq.missing() == 0 {
		return
	}
	first := in.seq.held[0]
	gap := bus.Gap{From: in.stamp, To: int64(first.Timestamp), Lost: uint64(in.seq.skip())}
	gap.Why = fmt.Sprintf("the kernel's buffer of %d events was full, or edges came faster than it could follow", eventBuffer)
	if first.Seqno-in.drained <= eventBuffer {
		// The buffer has not been full: the edge found the thread of its line still busy.
		gap.From = max(gap.From, gap.To-int64(threadLate))
		gap.Why = "edges came faster than the kernel could follow"
	}
	r.count(Counts{Lost: gap.Lost})
	r.seq += gap.Lost
	in.look = r.kernel.mono()
	r.gap(in, gap)
	r.deliver(in)
}

// edge gives the sink an event of the kernel.
func (r *reader) edge(in *group, e uapi.LineEvent) {
	i, known := in.places[e.Offset]
	if !known {
		return // no line of ours: the kernel does not do that
	}
	line, level, stamp := in.inputs[i], e.ID == uapi.LineEventRisingEdge, int64(e.Timestamp)
	if line.known && line.level == level {
		// The kernel reads the level after the interrupt: by then it was back.
		r.count(Counts{Repeated: 1})
		if len(in.inputs) == 1 { // its numbers do not tell of it
			r.count(Counts{Lost: 1})
			r.seq++
			r.gap(in, bus.Gap{Lost: 1, From: max(line.edge, stamp-int64(threadLate)), To: stamp, Why: "two edges in a row tell the same level"})
		}
	}
	line.level, line.known, line.edge, line.doubted = level, true, stamp, 0
	in.stamp = stamp
	if in.look == 0 {
		in.look = stamp + int64(lookAfter)
	}
	r.count(Counts{Received: 1})
	r.seq++
	r.told = true
	r.sink.Edge(bus.Edge{Line: line.line, Level: level, Mono: stamp, Bound: int64(stampBound), Source: Source, Seq: r.seq})
}

// check compares the levels of a group with what its edges told. A level that stays another one is told as an edge
// that came at any time since the last look that agreed.
func (r *reader) check(in *group) error {
	now := r.kernel.mono()
	bits, err := in.req.values(uapi.NewLineBitMask(len(in.inputs)))
	if err != nil {
		return err
	}
	in.look = 0
	agreed := true
	for i, line := range in.inputs {
		level := bits.Get(i) != 0
		switch {
		case !line.known:
			line.level, line.known = level, true
		case line.level == level:
			line.doubted = 0
		case line.doubted == 0:
			line.doubted = now // its edge may be under way
			fallthrough
		case now-line.doubted < int64(confirm):
			in.look, agreed = line.doubted+int64(confirm), false
		default:
			r.found(in, line, level, now)
		}
	}
	if agreed {
		in.looked = now
	}
	return nil
}

// found tells of a change that no edge told of.
func (r *reader) found(in *group, line *input, level bool, now int64) {
	since := max(in.looked, line.edge)
	line.level, line.edge, line.doubted = level, now, 0
	r.count(Counts{Found: 1})
	r.gap(in, bus.Gap{Lines: []string{line.line}, From: since, To: now, Why: "the level changed and no edge told of it"})
	r.seq++
	r.sink.Edge(bus.Edge{Line: line.line, Level: level, Mono: now, Bound: now - since, Source: Source, Seq: r.seq})
}

// gap tells the sink of what is missing; of all lines of the group unless it says which.
func (r *reader) gap(in *group, gap bus.Gap) {
	if gap.Lines == nil {
		for _, line := range in.inputs {
			gap.Lines = append(gap.Lines, line.line)
		}
	}
	r.tellGap(gap)
}

// tellGap tells the sink of what is missing, if it wants to hear of it.
func (r *reader) tellGap(gap bus.Gap) {
	if sink, wants := r.sink.(bus.GapSink); wants {
		gap.Source = Source
		sink.Gap(gap)
	}
}

func (r *reader) count(more Counts) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.counts.Received += more.Received
	r.counts.Lost += more.Lost
	r.counts.Repeated += more.Repeated
	r.counts.Found += more.Found
}
