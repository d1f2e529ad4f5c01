package uplink

import (
	"container/heap"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"scentpost/station/record"
	"scentpost/station/uplink/wire"
)

// Everything takes time here: a fault that shows only then must show.
const (
	commitTakes = 8 * time.Millisecond // a good card
	saveTakes   = 2 * commitTakes      // two syncs, of a file and of its folder
	toBroker    = 5 * time.Millisecond // one way
	wakesLate   = 200 * time.Microsecond
)

// later is what happens at an instant.
type later struct {
	at int64
	n  int // the order of what happens at one instant
	do func()
}

type agenda []later

func (a agenda) Len() int { return len(a) }
func (a agenda) Less(i, j int) bool {
	return a[i].at < a[j].at || a[i].at == a[j].at && a[i].n < a[j].n
}
func (a agenda) Swap(i, j int) { a[i], a[j] = a[j], a[i] }
func (a *agenda) Push(x any)   { *a = append(*a, x.(later)) }
func (a *agenda) Pop() any {
	last := (*a)[len(*a)-1]
	*a = (*a)[:len(*a)-1]
	return last
}

// liveWorld is a station that makes records, its disk, and a broker that works.
type liveWorld struct {
	t       *testing.T
	sender  *Sender
	key     *record.Signer
	now     int64
	n       int
	agenda  agenda
	durable []int64 // when each record was
	took    []time.Duration
	planned int64 // the instant of the next tick, -1 for none
}

func (w *liveWorld) after(while time.Duration, do func()) {
	w.n++
	heap.Push(&w.agenda, later{w.now + int64(while), w.n, do})
}

func (w *liveWorld) tick() {
	out := w.sender.Tick(w.now)
	if out.Problem != nil || out.Drop != "" || out.Behind != nil {
		w.t.Fatalf("at %v: %v, %q, %v", time.Duration(w.now), out.Problem, out.Drop, out.Behind)
	}
	if out.Save != nil {
		save := *out.Save
		w.after(saveTakes, func() {
			note, err := w.key.Checkpoint(save.Size, [32]byte{})
			if err != nil {
				w.t.Fatal(err)
			}
			save.Checkpoint = string(note)
			w.sender.Saved(save)
		})
	}
	for _, p := range out.Publish {
		w.after(toBroker, func() { w.arrive(p) })
	}
	if at, wanted := w.sender.Next(); wanted && (w.planned < 0 || at < w.planned) {
		w.planned = at
		w.after(time.Duration(max(at-w.now, 0))+wakesLate, func() { w.planned = -1 })
	}
}

// arrive takes a message to the broker, which delivers it.
func (w *liveWorld) arrive(p Publish) {
	if p.Topic == w.sender.topics.Journal {
		lines, err := wire.ParseBatch(p.Payload)
		if err != nil {
			w.t.Fatal(err)
		}
		for range lines {
			w.took = append(w.took, time.Duration(w.now-w.durable[len(w.took)]))
		}
	}
	w.after(toBroker, func() {
		w.sender.Acked(p.ID, w.now)
		w.sender.Arrived(p.Topic, p.Payload, false, w.now)
	})
}

func (w *liveWorld) run(until int64) {
	for len(w.agenda) > 0 && w.agenda[0].at <= until {
		next := heap.Pop(&w.agenda).(later)
		w.now = next.at
		next.do()
		w.tick()
	}
}

// TestDurableToReceived: in a minute of records at any pace, steady or by chance, a record is at the broker within two
// grids and 20 ms in the median, and within twice that in the 99th percentile; and all of them come.
func TestDurableToReceived(t *testing.T) {
	for _, rate := range []int{1, 10, 100, 1000} {
		for _, poisson := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d a second, by chance %v", rate, poisson), func(t *testing.T) {
				took := live(t, rate, poisson)
				slices.Sort(took)
				half, most := took[len(took)/2], took[len(took)*99/100]
				const want = 2*DefaultGrid + 20*time.Millisecond
				t.Logf("p50 %v, p99 %v, longest %v", half, most, took[len(took)-1])
				if half > want || most > 2*want {
					t.Errorf("p50 %v, want %v at most; p99 %v, want %v at most", half, want, most, 2*want)
				}
			})
		}
	}
}

// live makes records for a minute, and returns how long each took from durable to the broker.
func live(t *testing.T, rate int, poisson bool) []time.Duration {
	w := &liveWorld{t: t, key: signer(t, 1, "e1"), planned: -1}
	o := testOptions(t, 2*60*rate+100)
	o.Size, o.Limits = 0, Limits{}
	w.sender = newSender(t, o)
	w.sender.Connected(1)
	readBack(w.sender, wire.Departed{})
	chance := rand.New(rand.NewPCG(1, uint64(rate)))
	made := 0
	var make func()
	make = func() {
		made++
		w.after(commitTakes, func() {
			w.durable = append(w.durable, w.now)
			w.sender.Durable(int64(len(w.durable)))
		})
		pause := float64(time.Second) / float64(rate)
		if poisson {
			pause *= -math.Log(1 - chance.Float64())
		}
		if w.now+int64(pause) < int64(time.Minute) {
			w.after(time.Duration(pause), make)
		}
	}
	w.after(0, make)
	w.run(int64(time.Minute + time.Second))
	if len(w.took) != made {
		t.Fatalf("%d of %d records came", len(w.took), made)
	}
	return w.took
}
