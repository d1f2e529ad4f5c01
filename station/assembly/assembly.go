// Package assembly puts host, control, journal, devices and link together as one station, for the daemon and for the
// simulated yard alike.
//
// It starts no goroutine, reads no clock of its own and knows no file: lines, clock, journal, its writer and chance come in,
// and whoever runs a station takes its steps in their order. The daemon does so on goroutines, the yard within its virtual
// world. So every rule about a whole station stands here and is the same in both.
//
// The steps are Join and Connect for the devices, Serve for the views, Check for the journal, Begin for the host, and
// Open, from which on sessions can be run. Views are served from Serve on; until Open every command is refused with the
// reason.
package assembly

import (
	"errors"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"scentpost/drivers/bus"
	"scentpost/station/archive"
	"scentpost/station/blind"
	"scentpost/station/boards"
	"scentpost/station/clock"
	"scentpost/station/config"
	"scentpost/station/control"
	"scentpost/station/devices"
	"scentpost/station/event"
	"scentpost/station/health"
	"scentpost/station/health/chart"
	"scentpost/station/host"
	"scentpost/station/journal"
	"scentpost/station/record"
	"scentpost/station/trial"
	"scentpost/station/uplink/wire"
)

// LeastLead is the least real time between arming and the moves: the arming must be durable by then.
const LeastLead = 500 * time.Millisecond

// Options are what differs between one station and another. All but Authorities, Failed and StartAgain must be set.
type Options struct {
	Config config.Config
	// Simulated marks everything that the station writes and shows.
	Simulated bool
	// Version is that of the program, as the station reports it.
	Version string
	// UID is the account of the program: whoever has it reads the vault.
	UID int
	// Authorities are verifier keys (note form) of second parties beside those of the configuration.
	Authorities []string
	Log         *slog.Logger
	// Conditions outlive a start from the beginning; see NewChart.
	Conditions *chart.Chart
	// Chance returns the random bytes of the host for a log that begins an epoch or goes on after size records, and
	// EpochID the id of a new epoch.
	Chance  func(epoch string, size int64) host.Chance
	EpochID func() (string, error)
	// Write returns what makes batches durable in a store. It calls durable with the last record of each, or failed
	// once and nothing after it.
	Write func(store journal.Committer, durable func(seq int64), failed func(error)) host.Journal
	// Wake is called, from any goroutine, when the owner of the host has something to drain.
	Wake func()
	// Failed hears once that the journal has failed and the canisters are closed; may be nil.
	Failed func(error)
	// StartAgain hears, from any goroutine, that a person asks for a start from the beginning; it must only enqueue.
	StartAgain func(Again)
}

// Lines are what the devices hang on, with the clock that stamps their edges.
type Lines struct {
	bus.Bus
	Clock clock.Clock
	// Scale is how many seconds of the clock pass in a real one.
	Scale float64
	// Prepared is what a virtual station is prepared for, nil for a real one.
	Prepared *blind.Prepared
}

// kept is a machine's clock that is kept, and how many seconds of it pass in a real one.
type kept struct {
	*clock.Keeper
	scale float64
}

// Departed remembers, outside the journal, how much of an epoch has left the station. *journal.Departed implements it.
type Departed interface {
	// Load returns what is known to have left.
	Load() journal.Left
	// Store makes durable that the first size records of an epoch, with this root, leave.
	Store(epoch string, size int64, root tlog.Hash) error
}

// Disk is what the journal lies on. *journal.Journal implements it.
type Disk interface {
	// Room returns why no new run may start for want of room, nil when one may. It makes room again where it can, so it may
	// write: not for the goroutine that owns the state.
	Room() error
	// Spent tells the same at once.
	Spent() bool
	// Bytes returns how much the records of this epoch take.
	Bytes() (int64, error)
}

// Scrubber looks slowly through all records. *journal.Journal implements it.
type Scrubber interface {
	// Scrub looks at the next few, and returns which are damaged. The error may pass.
	Scrub() (journal.Scrubbed, error)
}

// Storage is a station's journal with what lies below and beside it.
type Storage struct {
	Journal  journal.Store
	Disk     Disk
	Departed Departed
	// Scrubber is nil where nothing can be damaged.
	Scrubber Scrubber
	// Key is the station's private key (note form).
	Key string
	// Away is why the journal cannot be opened now; then nothing else is set, and the station shows that alone.
	Away error
}

// Again asks for a start from the beginning, within the same process.
type Again struct {
	What     string // happened
	NewEpoch string // why the log must go on in a new epoch, "" when it need not
	// Away is why the journal cannot be opened or read now: the next start waits until it can. Tries counts the starts of which
	// each ended so.
	Away  error
	Tries int
	// Past are epochs that have ended and that the journal does not know, as others reported them.
	Past []string
	// Proof is the checkpoint, signed by this station's key, that showed it; "" for none.
	Proof string
	// Met is set when an unknown epoch under this station's key has ended one of ours since the program started.
	Met bool
	// Decided is set when a person decided that this station goes on, and not a copy of it.
	Decided bool
}

// After returns a with what is still known from an earlier start within the same process.
func (a Again) After(before Again) Again {
	past := slices.Clone(before.Past)
	for _, epoch := range a.Past {
		if !slices.Contains(past, epoch) {
			past = append(past, epoch)
		}
	}
	a.Past = past
	a.Met = a.Met || before.Met && !a.Decided
	if a.NewEpoch == before.NewEpoch && a.NewEpoch != "" && a.Proof == "" {
		a.Proof = before.Proof // the epoch could not be begun yet
	}
	return a
}

// Error implements error.
func (a Again) Error() string { return "the station must start again: " + a.What }

// Station is a station from its first step on. Its methods may be called from any goroutine once the step that they need is
// done; the steps themselves from one at a time.
type Station struct {
	opt        Options
	gate       gate
	conditions *chart.Chart
	boards     boards.Boards
	awaited    atomic.Pointer[string] // what holds the lines and has not been there since the start, "" for nothing
	gone       atomic.Pointer[string] // what went since
	clock      clock.Clock
	kept       atomic.Pointer[kept] // nil where UTC is exact
	scale      float64
	prepared   *blind.Prepared // nil for a real station
	devices    *devices.Station
	store      Storage
	archive    *archive.Archive
	control    *control.Service
	accounts   control.Accounts
	signer     *record.Signer
	host       *host.Host
	since      Again // why it was started again
	link       atomic.Pointer[Reporter]
	troubled   map[health.Code]string        // evidence of what is raised of the link
	copied     atomic.Pointer[wire.Departed] // what a copy of this station reports, nil for none
}

// New returns a station that holds nothing yet: its gate is shut.
func New(opt Options) (*Station, error) {
	if opt.Log == nil || opt.Conditions == nil || opt.Chance == nil || opt.EpochID == nil || opt.Write == nil || opt.Wake == nil {
		return nil, errors.New("assembly: log, conditions, chance, epoch id, writer and wake must be set")
	}
	s := &Station{opt: opt, conditions: opt.Conditions, scale: 1}
	s.awaited.Store(new(string))
	s.gone.Store(new(string))
	s.gate.conditions, s.gate.obstacle = opt.Conditions, s.Obstacle
	return s, nil
}

// NewChart returns the chart of what is wrong with a station, on which nothing that could tell a placement is seen before
// the journal says whether a session is sealed.
func NewChart(cfg config.Config, log *slog.Logger, now func() event.Stamp) *chart.Chart {
	return chart.New(chart.Options{Log: log, Rule: devices.Exposure(cfg), Now: now})
}

// Control is the door for people, nil before Serve.
func (s *Station) Control() *control.Service { return s.control }

// Accounts tells whom an account of the machine speaks for, after Serve.
func (s *Station) Accounts() control.Accounts { return s.accounts }

// Archive reads the sessions of the journal, nil before Serve.
func (s *Station) Archive() *archive.Archive { return s.archive }

// Devices are at work, nil before Connect.
func (s *Station) Devices() *devices.Station { return s.devices }

// Host owns the state, nil before Begin.
func (s *Station) Host() *host.Host { return s.host }

// Key returns the text of the verifier key that signs the checkpoints. It is known from Begin on.
func (s *Station) Key() string { return s.signer.Verifier() }

// Snapshot returns what may be shown now, from Serve on.
func (s *Station) Snapshot() trial.Snapshot { return s.gate.Snapshot() }

// Watch calls f with what may be shown whenever it or a condition has changed, until stop is called. f must not wait.
func (s *Station) Watch(f func(trial.Snapshot)) (stop func()) { return s.gate.Watch(f) }

// ShowConditions tells those who watch the station of every change of its conditions that can be seen, until stop is called:
// the chart may outlive the station. Call it after Serve; without it a watcher learns of a condition with the next state.
func (s *Station) ShowConditions() (stop func()) { return s.conditions.Watch(s.gate.tell) }
