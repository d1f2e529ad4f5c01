package yard

import (
	"errors"
	"time"

	"scentpost/simulator/world"
	"scentpost/station/host"
	"scentpost/station/journal"
)

// Disk makes batches durable on virtual time: a fixed while after they were handed over, whatever they hold.
type Disk struct {
	world   *world.World
	store   journal.Store
	host    *host.Host
	latency time.Duration

	ready  int64 // when the last batch is durable
	broken error
	dead   bool
}

// Append implements host.Journal.
func (d *Disk) Append(b journal.Batch) error {
	d.ready = max(d.ready, d.world.Mono()+int64(d.latency))
	d.world.At(d.ready, func() { d.commit(b) })
	return nil
}

func (d *Disk) commit(b journal.Batch) {
	if d.dead {
		return
	}
	err := d.broken
	if err == nil {
		err = d.store.Commit(b)
	}
	if err != nil {
		d.dead = true
		d.host.Failed(err)
		return
	}
	d.host.Durable(b.Rows[len(b.Rows)-1].Seq)
}

// Stall lets nothing become durable for a while.
func (d *Disk) Stall(while time.Duration) {
	d.ready = max(d.ready, d.world.Mono()+int64(while))
}

// Break lets every later commit fail.
func (d *Disk) Break(err error) { d.broken = err }

// Kill forgets what is not durable, as a killed process does.
func (d *Disk) Kill() { d.dead = true }

// Kill ends the station's program as SIGKILL does: what is not durable is gone, and the lines fall to their safe
// levels. Start starts it again.
func (y *Yard) Kill() error {
	y.Disk.Kill()
	for _, stop := range []func(){y.unpaced, y.unjudged} {
		if stop != nil {
			stop()
		}
	}
	return errors.Join(y.lines.Close(), y.joined.Close()) // what is closed behind its lines drives nothing any more
}
