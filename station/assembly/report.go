package assembly

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"scentpost/station/archive"
	"scentpost/station/control"
	"scentpost/station/event"
	"scentpost/station/health"
	"scentpost/station/journal"
	"scentpost/station/record"
	"scentpost/station/refusal"
	"scentpost/station/trial"
	"scentpost/station/uplink"
	"scentpost/station/uplink/wire"
)

// uplinkCursor names the uplink's place in the journal.
const uplinkCursor = "uplink"

// Reporter takes what the station reports, and must not wait. *uplink.Link implements it, and in a simulation what runs an
// uplink.Sender.
type Reporter interface {
	// Info takes what the station is, State its blind-safe state; both are JSON objects.
	Info(payload []byte)
	State(payload []byte)
	// Durable takes how many records are durable.
	Durable(size int64)
	// Acknowledged returns how many records the other side has stored.
	Acknowledged() int64
}

// Report reports to r from now on, until stop is called. The gate must be open.
func (s *Station) Report(r Reporter) (stop func(), err error) {
	r.Info(s.info().Write())
	stop = s.gate.Watch(func(snapshot trial.Snapshot) {
		status := s.control.Status(snapshot, control.Person{})
		status.NextIn = nil // the message is kept: it would be wrong a moment later
		if payload, err := json.Marshal(status); err == nil {
			r.State(payload)
		}
		r.Durable(snapshot.Size)
	})
	s.gate.tell()
	s.link.Store(&r)
	return stop, nil
}

// Acknowledged is how many records the other side has stored, if the station reports to one.
func (s *Station) Acknowledged() (records int64, known bool) {
	r := s.link.Load()
	if r == nil {
		return 0, false
	}
	return (*r).Acknowledged(), true
}

// SenderOptions say how the sender of this station's records begins.
func (s *Station) SenderOptions() (uplink.Options, error) {
	store := s.store.Journal
	// In this order: the host is writing already. What has left was durable before it left, so a size that is read after
	// it can only be larger; the other way round a journal that is well would seem to be behind.
	left := s.store.Departed.Load()
	size := store.Size()
	acknowledged, err := store.Cursor(uplinkCursor)
	if err != nil { // what is sent twice does no harm, and an end of the daemon would
		s.opt.Log.Warn("how many records the broker has stored cannot be read: they are sent from the first on", "err", err)
		acknowledged = 0
	}
	departed := wire.Departed{Epoch: left.Epoch, Size: left.Size}
	epoch := store.Epoch().ID
	if left.Epoch == epoch && left.Size <= size {
		if departed.Checkpoint, err = s.sign(left.Size); err != nil {
			return uplink.Options{}, err
		}
	}
	return uplink.Options{Site: s.opt.Config.Site, Station: s.opt.Config.Station, Key: s.Key(), Lines: s.lines, Epoch: epoch, Size: size,
		Past: s.pastEpochs(), Met: s.since.Met, Acknowledged: acknowledged, Departed: departed}, nil
}

// Departs makes durable that records leave, before they do, and returns the signed checkpoint of exactly these. It
// implements uplink.LinkOptions.SaveDeparted.
func (s *Station) Departs(d wire.Departed) (checkpoint string, err error) {
	if err := s.leave(d.Epoch, d.Size); err != nil {
		return "", err
	}
	return s.sign(d.Size)
}

// SaveCursor remembers how many records the other side has stored. It implements uplink.LinkOptions.SaveCursor.
func (s *Station) SaveCursor(size int64) error { return s.store.Journal.SetCursor(uplinkCursor, size) }

// broker is what the conditions of the link are on.
const broker = "broker"

// linkCodes are the conditions of the link. What an earlier start raised and the link does not find any more is over.
var linkCodes = []health.Code{health.BrokerAway, health.BrokerLogin, health.BrokerSecret, health.BrokerUntrusted, health.BrokerForeign,
	health.BrokerDenied, health.BrokerSize, health.BrokerUndelivered, health.BrokerSharedID, health.ReportHeld, health.Rival}

// LinkIs hears how the link to the broker is. It implements uplink.LinkOptions.Report.
func (s *Station) LinkIs(c uplink.Condition) {
	found := map[health.Code]string{}
	for _, t := range c.Troubles {
		found[t.Code] = t.Evidence
	}
	for _, code := range linkCodes {
		evidence, holds := found[code]
		before, held := s.troubled[code]
		switch {
		case holds && !(held && before == evidence):
			s.conditions.Raise(code, broker, evidence)
		case !holds:
			s.conditions.Clear(code, broker)
		}
	}
	s.troubled = found
	s.copied.Store(c.Copy)
	if c.Ready && len(found) == 0 {
		s.opt.Log.Info("the broker is there", "connection", c.Session)
	}
}

// Behind is why the station must start again when the broker has seen more than the journal holds, or other records.
func (s *Station) Behind(d wire.Departed) Again {
	what := "the broker has seen more than the journal holds"
	if d.Epoch == s.store.Journal.Epoch().ID && d.Size <= s.store.Journal.Size() {
		what = "the broker has seen other records than the journal holds"
	}
	s.opt.Log.Error(what, "epoch", d.Epoch, "size", d.Size)
	return Again{What: what, NewEpoch: journal.WhyBeyond, Past: []string{d.Epoch},
		Proof: d.Checkpoint, Met: d.Checkpoint != "" && d.Epoch != s.store.Journal.Epoch().ID}
}

// speak lets a person decide that this station goes on, and not a copy of it: it reports again, in a new epoch that keeps
// the checkpoint of the copy.
func (s *Station) speak(who string) *refusal.Reason {
	copied := s.copied.Load()
	switch phase := s.gate.Snapshot().View.Phase; {
	case copied == nil || s.opt.StartAgain == nil:
		return refusal.New(control.SpeaksAlready)
	case phase != trial.Idle:
		return refusal.New(control.SpeakInSession, "phase", phase)
	}
	s.opt.Log.Warn("a person decided that this station goes on, and not its copy", "who", who, "copy", copied.Epoch)
	s.opt.StartAgain(Again{What: "a person decided that it goes on, and not its copy", NewEpoch: journal.WhyBeyond,
		Past: []string{copied.Epoch}, Proof: copied.Checkpoint, Decided: true})
	return nil
}

// lines reads public lines for the uplink.
func (s *Station) lines(from int64, most, mostBytes int) ([][]byte, error) {
	lines, err := s.store.Journal.Lines(from, most, mostBytes)
	if err != nil {
		return nil, fmt.Errorf("read the journal: %w", err)
	}
	out := make([][]byte, len(lines))
	for i, l := range lines {
		out[i] = l.Bytes
	}
	return out, nil
}

// pastEpochs are the epochs that have ended for ever.
func (s *Station) pastEpochs() []string {
	ended := slices.Clone(s.since.Past)
	if proven := s.provenEpoch(); proven != "" {
		ended = append(ended, proven)
	}
	current := s.store.Journal.Epoch().ID
	for _, e := range s.store.Journal.Epochs() {
		if e.ID != current {
			ended = append(ended, e.ID)
		}
		if e.Prev != "" {
			ended = append(ended, e.Prev)
		}
	}
	return ended
}

// provenEpoch is the epoch whose checkpoint the first record of the present one keeps, "" for none or one that cannot be read.
func (s *Station) provenEpoch() string {
	first, err := archive.Beginning(s.store.Journal)
	if err != nil {
		return ""
	}
	began, ok := first.Event.Body.(*event.Epoch)
	if !ok || began.Proof == "" {
		return ""
	}
	head, err := record.ParseCheckpoint([]byte(began.Proof))
	prefix := record.Log{Site: s.opt.Config.Site, Station: s.opt.Config.Station}.Origin()
	epoch, own := strings.CutPrefix(head.Origin, prefix)
	if err != nil || !own || epoch == first.Epoch {
		return ""
	}
	return epoch
}

// info is what the station says that it is.
func (s *Station) info() wire.Info {
	i := wire.Info{Version: s.opt.Version, Schema: wire.Schema, Key: s.Key(), Epoch: s.store.Journal.Epoch().ID, Simulated: s.opt.Simulated}
	for _, d := range s.opt.Config.Devices {
		i.Devices = append(i.Devices, d.Name)
	}
	return i
}
