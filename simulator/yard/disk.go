package yard

import (
	"errors"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"scentpost/simulator/world"
	"scentpost/station/config"
	"scentpost/station/host"
	"scentpost/station/journal"
	"scentpost/station/record"
)

// Disk makes batches durable on virtual time: a fixed while after they were handed over, whatever they hold. It implements
// assembly.Disk.
type Disk struct {
	world   *world.World
	store   journal.Committer
	durable func(seq int64)
	fail    func(error)
	latency time.Duration

	ready  int64 // when the last batch is durable
	broken error
	full   bool
	dead   bool
}

// write makes the disk the writer of a store. It is assembly.Options.Write.
func (y *Yard) write(store journal.Committer, durable func(seq int64), failed func(error)) host.Journal {
	d := y.Disk
	d.store, d.durable, d.fail = store, durable, failed
	return d
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
		d.fail(err)
		return
	}
	d.durable(b.Rows[len(b.Rows)-1].Seq)
}

// Stall lets nothing become durable for a while.
func (d *Disk) Stall(while time.Duration) {
	d.ready = max(d.ready, d.world.Mono()+int64(while))
}

// Break lets every later commit fail.
func (d *Disk) Break(err error) { d.broken = err }

// Fill leaves no room for another run, or makes room again. What is under way has room in the ballast.
func (d *Disk) Fill(full bool) { d.full = full }

// Kill forgets what is not durable, as a killed process does.
func (d *Disk) Kill() { d.dead = true }

// Room implements assembly.Disk.
func (d *Disk) Room() error {
	if d.full {
		return journal.ErrBallastSpent
	}
	return nil
}

// Spent implements assembly.Disk.
func (d *Disk) Spent() bool { return d.full }

// Bytes implements assembly.Disk: the virtual disk does not count them.
func (d *Disk) Bytes() (int64, error) { return 0, nil }

// departed is the note of what has left the station, which outlives its program. It implements assembly.Departed.
type departed struct{ left journal.Left }

// Load implements assembly.Departed.
func (d *departed) Load() journal.Left { return d.left }

// Store implements assembly.Departed.
func (d *departed) Store(epoch string, size int64, root tlog.Hash) error {
	if epoch != d.left.Epoch || size > d.left.Size {
		d.left = journal.Left{Epoch: epoch, Size: size, Root: root}
	}
	return nil
}

// Departed returns what the station has noted as having left it.
func (y *Yard) Departed() journal.Left { return y.departed.left }

// Rename gives the station another name from its next start on.
func (y *Yard) Rename(site, station string) { y.opt.Config.Site, y.opt.Config.Station = site, station }

// LoseKey gives the station another key from its next start on.
func (y *Yard) LoseKey() (err error) {
	y.key, _, err = record.NewKey(y.World.Bytes("station key, made again"), record.SimulatedPrefix+y.opt.Config.Station)
	return err
}

// Config is what the station goes by.
func (y *Yard) Config() config.Config { return y.opt.Config }

// Kill ends the station's program as SIGKILL does: what is not durable is gone, and the lines fall to their safe
// levels. Start starts it again.
func (y *Yard) Kill() error {
	y.Disk.Kill()
	for _, end := range y.ends {
		end()
	}
	y.ends = nil
	return errors.Join(y.lines.Close(), y.joined.Close()) // what is closed behind its lines drives nothing any more
}
