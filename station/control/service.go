package control

import (
	"errors"
	"slices"

	"scentpost/station/access"
	"scentpost/station/event"
	"scentpost/station/health"
	"scentpost/station/history"
	"scentpost/station/readiness"
	"scentpost/station/refusal"
	"scentpost/station/trial"
)

// Inbox is what control needs of the host.
type Inbox interface {
	// Submit takes a command; done is called once, when its answer is durable, and must not wait.
	Submit(e event.Event, done func(trial.Answer))
	// Snapshot returns what may be shown now.
	Snapshot() trial.Snapshot
	// Watch calls f with every new state until stop is called; f must not wait.
	Watch(f func(trial.Snapshot)) (stop func())
}

// Archive is what control needs of the journal.
type Archive interface {
	// Export returns a session as far as it is signed, the last one for "", ready to be written; with the names behind the
	// references or without.
	Export(session string, names bool) (history.Export, error)
	// Sessions returns the sessions of the journal, oldest first.
	Sessions() ([]history.Listed, error)
	// PutAside returns the journals of other drafts that were put aside.
	PutAside() ([]history.Aside, error)
}

// Options are what a service is made of.
type Options struct {
	Site, Station string
	Simulated     bool
	People        []Person
	// Authorities are the verifier keys (note form) of those who may answer the station's hash.
	Authorities []string
	Inbox       Inbox
	Archive     Archive
	// Conditions returns what is wrong with the station, nil for nobody who knows. They must tell nothing of a
	// placement: everybody sees them.
	Conditions func() []health.Condition
	// Obstacle returns why no session can be held, or why no run can start, nil when it can; nil for never. It is the one fact
	// about canisters that is public from seal to reveal, and its reason names none.
	Obstacle func(readiness.Question) *refusal.Reason
	// Mono returns the station's monotonic time in nanoseconds, nil where nobody is told how long something takes.
	Mono func() int64
	// Blank tells whether the conditions are younger than the seal, so that nobody can say what was so then; nil for never.
	Blank func() bool
	// Devices are those of the configuration, in its order, and Boards the boards among them.
	Devices []Device
	Boards  []Board
	// Figures returns the counters and clock figures of a board, nil for never. They are shown only while no placement is
	// secret.
	Figures func(board string) (f BoardFigures, known bool)
	// Speak decides for a person that this station reports on, and not a copy of it; nil for a station that reports nowhere.
	Speak func(who string) *refusal.Reason
}

// Service answers requests.
type Service struct {
	opt      Options
	inbox    Inbox
	commands []Command
	exports  chan struct{} // one for each export that is under way
}

// maxExports is how many exports may be under way: each reads a session several times and holds some pages of it.
const maxExports = 2

// New returns a service.
func New(opt Options) (*Service, error) {
	if opt.Inbox == nil || opt.Archive == nil {
		return nil, errors.New("control: inbox and archive must be set")
	}
	if opt.Conditions == nil {
		opt.Conditions = func() []health.Condition { return nil }
	}
	if opt.Blank == nil {
		opt.Blank = func() bool { return false }
	}
	if opt.Obstacle == nil {
		opt.Obstacle = func(readiness.Question) *refusal.Reason { return nil }
	}
	return &Service{opt: opt, inbox: opt.Inbox, commands: table, exports: make(chan struct{}, maxExports)}, nil
}

// Response answers a request. OK is false when the station said no.
type Response struct {
	OK bool `json:"ok"`
	// Simulated is set at a simulated station, where anybody may speak for a person without an account.
	Simulated bool `json:"simulated,omitempty"`
	// Refused says why the station said no, and First which commands have to be given before, in their order.
	Refused *refusal.Reason `json:"refused,omitempty"`
	First   []string        `json:"first,omitempty"`
	Seq     int64           `json:"seq,string,omitempty"` // the record that the command became, or its refusal's
	// Status is the state after a command. After one that the station refused it has no runs that are over.
	Status *Status `json:"status,omitempty"`
	// List and PutAside answer "list".
	List     []history.Listed `json:"list,omitempty"`
	PutAside []history.Aside  `json:"put_aside,omitempty"`
	// Devices answer "doctor".
	Devices []DeviceLine `json:"devices,omitempty"`
	// Boards answer "boards".
	Boards []BoardLine `json:"boards,omitempty"`
	// Name and Unfinished answer "export": how the bundle's file is called, and that the session goes on, so that its bundle is
	// not whole.
	Name       string `json:"name,omitempty"`
	Unfinished bool   `json:"unfinished,omitempty"`
	// Damage answers "export" of a session that cannot be read whole: the bundle ends before the first record that is missing,
	// and there is none, and no name, where nothing before that is signed.
	Damage *history.Damage `json:"damage,omitempty"`
	// Export writes what an export is of; nil for all other answers. Done ends it.
	Export *history.Export `json:"-"`
	done   func()
}

// Done must be called once when a response was used: only then another export may take its place.
func (r Response) Done() {
	if r.done != nil {
		r.done()
	}
}

// Person returns a person of the station by name; known is false when there is none.
func (s *Service) Person(name string) (p Person, known bool) {
	i := slices.IndexFunc(s.opt.People, func(p Person) bool { return p.Name == name })
	if i < 0 {
		return Person{}, false
	}
	return s.opt.People[i], true
}

// Do answers one request of a person; answer is called once, possibly later and on another goroutine.
func (s *Service) Do(who Person, r Request, answer func(Response)) {
	done := func(r Response) {
		r.Simulated = s.opt.Simulated
		answer(r)
	}
	c, why := r.command()
	if c != nil && !access.Holds(who.Roles, c.Roles) {
		why = denied(c, who)
	}
	switch {
	case why != nil:
		done(Response{Refused: why})
	case c.read != nil:
		done(c.read(s, &r, who))
	case c.act != nil:
		why := c.act(s, who)
		done(Response{OK: why == nil, Refused: why})
	default:
		s.submit(c, &r, who, done)
	}
}

// denied is the reason for which a person may not give a command.
func denied(c *Command, who Person) *refusal.Reason {
	if who.Name == "" {
		return refusal.New(SpeakerUnknown, "command", c.Name, "roles", c.Roles)
	}
	return refusal.New(RoleLacking, "person", who.Name, "command", c.Name, "roles", c.Roles)
}

func (s *Service) submit(c *Command, r *Request, who Person, done func(Response)) {
	e := event.Event{By: who.Name}
	if why := c.event(s, r, &e); why != nil {
		done(Response{Refused: why})
		return
	}
	s.inbox.Submit(e, func(a trial.Answer) {
		state := s.inbox.Snapshot()
		if a.Refused != nil {
			now := s.status(state, who, rolesIn(state, who), len(state.View.Over))
			now.RunsKept = 0 // it follows no other state that would have them
			done(Response{Refused: a.Refused, First: c.first(state.View.Phase, a.Refused), Seq: max(a.Seq, 0), Status: &now})
			return
		}
		status := s.Status(state, who)
		done(Response{OK: true, Seq: a.Seq, Status: &status})
	})
}

// decide lets a person decide that this station reports on, and not a copy of it.
func (s *Service) decide(who Person) *refusal.Reason {
	if s.opt.Speak == nil {
		return refusal.New(SpeaksAlready)
	}
	return s.opt.Speak(who.Name)
}

func (s *Service) readStatus(_ *Request, who Person) Response {
	status := s.Status(s.inbox.Snapshot(), who)
	return Response{OK: true, Status: &status}
}

func (s *Service) readDevices(r *Request, who Person) Response {
	out := s.readStatus(r, who)
	out.Devices = s.deviceLines(out.Status)
	return out
}

func (s *Service) readBoards(r *Request, who Person) Response {
	out := s.readStatus(r, who)
	out.Boards = s.boardLines(out.Status)
	return out
}

func (s *Service) readList(*Request, Person) Response {
	list, err := s.opt.Archive.Sessions()
	aside, unlisted := s.opt.Archive.PutAside()
	if err = errors.Join(err, unlisted); err != nil {
		return Response{Refused: refusal.New(RecordsUnread, refusal.Detail, err)}
	}
	return Response{OK: true, List: list, PutAside: aside}
}

func (s *Service) readBundle(r *Request, who Person) Response {
	select {
	case s.exports <- struct{}{}:
	default:
		return Response{Refused: refusal.New(ExportsBusy, "most", maxExports)}
	}
	unfinished := underWay(s.inbox.Snapshot().View, r.Session)
	e, err := s.opt.Archive.Export(r.Session, s.opt.Simulated || len(who.Roles) > 0)
	if err != nil {
		<-s.exports
		return Response{Refused: refusal.New(RecordsUnread, refusal.Detail, err)}
	}
	out := Response{OK: true, Name: e.Name, Unfinished: unfinished, Export: &e, done: func() { <-s.exports }}
	if e.Damage.Any() {
		out.Damage = &e.Damage
	}
	return out
}

// underWay tells whether a session has not ended; "" is the last one.
func underWay(v trial.View, session string) bool {
	return v.Phase != trial.Idle && v.Phase != trial.Ended && v.Session != "" && (session == "" || session == v.Session)
}
