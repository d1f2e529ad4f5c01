package bustest

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"sync"
	"time"

	"scentpost/drivers/bus"
)

// Recorder is a bus.Bus that passes everything on to another one and notes it, one Entry a line. Record on hardware once,
// play back in tests.
//
// A recording of canisters' lines tells which of them moved: it belongs on a bench, never on a station in a test.
type Recorder struct {
	to bus.Bus

	mu     sync.Mutex // guards the rest; held while a line is written, never over a call to the bus
	out    io.Writer
	number int
	failed error
}

// NewRecorder begins a recording of to. The caller closes out, after the bus.
func NewRecorder(to bus.Bus, out io.Writer) (*Recorder, error) {
	r := &Recorder{to: to, out: out}
	r.note(Entry{Kind: Begin, Format: Format, Sources: maps.Clone(to.Sources())})
	return r, r.failed
}

// note writes a line. The first failure ends the recording; the bus goes on.
func (r *Recorder) note(e Entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.failed != nil {
		return
	}
	if _, err := io.WriteString(r.out, e.String()+"\n"); err != nil {
		r.failed = fmt.Errorf("recording: %w (is the disk full?)", err)
	}
}

// Watch notes the lines and every edge and mark of theirs.
func (r *Recorder) Watch(lines []string, sink bus.Sink) error {
	// An edge may come before Watch returns, so the call is noted first; one that fails leaves nothing to play back.
	r.note(Entry{Kind: Watch, Lines: lines})
	err := r.to.Watch(lines, recording{r, sink})
	if err != nil {
		r.mu.Lock()
		r.failed = errors.Join(r.failed, fmt.Errorf("recording: watch: %w (record again when the lines can be watched)", err))
		r.mu.Unlock()
	}
	return err
}

// recording is a sink that notes what it passes on.
type recording struct {
	*Recorder
	to bus.Sink
}

// Edge implements bus.Sink.
func (r recording) Edge(e bus.Edge) {
	r.note(Entry{Kind: Edge, Line: e.Line, Level: e.Level, Mono: e.Mono, Bound: e.Bound, Source: e.Source, Seq: e.Seq})
	r.to.Edge(e)
}

// Watermark implements bus.Sink.
func (r recording) Watermark(m bus.Watermark) {
	r.note(Entry{Kind: Mark, Source: m.Source, Mono: m.Mono})
	r.to.Watermark(m)
}

// Output notes the line with its safe level, and everything that it is told.
func (r *Recorder) Output(line string, safe bool) (bus.Output, error) {
	out, err := r.to.Output(line, safe)
	r.note(Entry{Kind: Output, Line: line, Level: safe, Err: inWords(err)})
	if err != nil {
		return nil, err
	}
	return recorded{r, line, out}, nil
}

// recorded is an output that notes what it passes on.
type recorded struct {
	recorder *Recorder
	line     string
	to       bus.Output
}

// Set implements bus.Output.
func (o recorded) Set(level bool, at int64, longest time.Duration, done func(mono int64, err error)) {
	r := o.recorder
	r.mu.Lock()
	r.number++
	number := r.number
	r.mu.Unlock()
	r.note(Entry{Kind: Set, Line: o.line, Level: level, At: at, Longest: longest, Number: number})
	o.to.Set(level, at, longest, func(mono int64, err error) {
		r.note(Entry{Kind: Done, Number: number, Mono: mono, Err: inWords(err)})
		if done != nil {
			done(mono, err)
		}
	})
}

// Level notes the level that was read.
func (r *Recorder) Level(line string) (bool, error) {
	level, err := r.to.Level(line)
	r.note(Entry{Kind: Level, Line: line, Level: level, Err: inWords(err)})
	return level, err
}

// Sources passes on what stamps edges.
func (r *Recorder) Sources() map[string]time.Duration { return r.to.Sources() }

// Close closes the bus and says whether the recording is whole.
func (r *Recorder) Close() error {
	err := r.to.Close()
	r.note(Entry{Kind: Close, Err: inWords(err)})
	r.mu.Lock()
	defer r.mu.Unlock()
	return errors.Join(err, r.failed)
}
