package check_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"scentpost/configs"
	"scentpost/simulator/world"
	"scentpost/simulator/yard"
	"scentpost/station/blind"
	"scentpost/station/catalog"
	"scentpost/station/config"
	"scentpost/station/control"
	"scentpost/station/event"
	"scentpost/station/journal"
	"scentpost/station/trial"
)

const (
	// crowdSteps and soakSteps are how long a storm is: each step is one second of virtual time in the mean.
	crowdSteps, soakSteps = 160, 1600
	// answeredWithin bounds an answer on virtual time: no disk of the crowd is slower.
	answeredWithin = 30 * time.Second
	// looksEvery is how often the model looks at the canisters.
	looksEvery = 100 * time.Millisecond
)

// crowdRoles are the roles of the 18 people among the 20 clients; the other two are the public.
var crowdRoles = []struct {
	name  string
	roles []event.Role
}{
	{"Handler", []event.Role{event.Handler}}, {"Hari", []event.Role{event.Handler}}, {"Hedda", []event.Role{event.Handler}},
	{"Assessor", []event.Role{event.Assessor}}, {"Ada", []event.Role{event.Assessor}}, {"Aldo", []event.Role{event.Assessor}},
	{"Loader", []event.Role{event.Loader}}, {"Lena", []event.Role{event.Loader}},
	{"Authority", []event.Role{event.Authority}}, {"Otto", []event.Role{event.Authority}},
	{"Admin", []event.Role{event.Admin}}, {"Ines", []event.Role{event.Admin}},
	{"Bo", []event.Role{event.Handler, event.Assessor}}, {"Bea", []event.Role{event.Handler, event.Assessor}},
	{"Lo", []event.Role{event.Loader, event.Admin}}, {"Cora", []event.Role{event.Authority, event.Admin}},
	{"Mika", []event.Role{event.Loader, event.Handler}},
	{"Omni", []event.Role{event.Handler, event.Assessor, event.Loader, event.Authority, event.Admin}},
}

// plants are the faults that a test puts between the station and the model, nil for none.
type plants struct {
	answer func(state trial.Snapshot, who control.Person, r *control.Response) // changes what a client is answered or shown
	step   func(c *crowd)                                                      // does something to the station before each step
	bundle func([]byte) []byte                                                 // changes what an archive exports
	calm   func(c *crowd)                                                      // does something to the station after the storm
	log    func([]journal.Line) []journal.Line                                 // changes what the journal holds
}

// crowd is 20 clients who give random commands to a station, with the model of what must hold.
type crowd struct {
	seed    uint64
	chance  *world.Stream
	y       *yard.Yard
	clients []control.Person
	plants  plants

	pending  map[int]waiting // commands without an answer
	asked    int
	starts   []int64 // when the program was started again
	alive    bool
	broken   bool           // the disk takes no writes until the next start
	said     map[string]int // answers by command, and whether they were taken
	sessions map[string]int // that were exported, by mode and end
	problems []string

	canisters canisterModel
	secrets   secretModel
}

// waiting is a command that has no answer yet.
type waiting struct {
	command string
	mono    int64
}

// newCrowd returns a crowd before a station that has just started.
func newCrowd(seed uint64, p plants) (*crowd, error) {
	file, src, err := configs.Files{}.Read(configs.Stations, "virtual-two")
	if err != nil {
		return nil, err
	}
	cfg, err := config.Read(file, src, catalog.Types())
	if err != nil {
		return nil, err
	}
	cfg.People = nil
	for _, p := range crowdRoles {
		cfg.People = append(cfg.People, config.Person{Name: p.name, Roles: p.roles, UID: -1})
	}
	c := &crowd{seed: seed, chance: world.New(seed).Rand("crowd"), plants: p, said: map[string]int{}, sessions: map[string]int{}}
	c.y, err = yard.New(yard.Options{Seed: seed, Secrets: seed + 1, Config: cfg, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		return nil, err
	}
	for _, p := range crowdRoles {
		who, known := c.y.Control.Person(p.name)
		if !known {
			return nil, fmt.Errorf("the station does not know %s", p.name)
		}
		c.clients = append(c.clients, who)
	}
	c.clients = append(c.clients, control.Person{}, control.Person{})
	c.secrets.c, c.canisters.c = c, c
	c.begun()
	c.canisters.look()
	return c, nil
}

// wrong notes that something did not hold.
func (c *crowd) wrong(format string, args ...any) {
	const most = 20
	if len(c.problems) < most {
		c.problems = append(c.problems, fmt.Sprintf("at %s: ", time.Duration(c.y.World.Mono()))+fmt.Sprintf(format, args...))
	}
}

// begun follows a program that has begun.
func (c *crowd) begun() {
	c.alive, c.pending = true, map[int]waiting{}
	c.y.Station.Watch(func(state trial.Snapshot) {
		for _, who := range c.clients[:len(c.clients)-1] { // the last two are both the public
			status := c.y.Control.Status(state, who)
			r := control.Response{OK: true, Status: &status}
			c.show(who, &r, state, "watch")
		}
	})
}

// show hands an answer to a client, who looks for what it must not hold.
func (c *crowd) show(who control.Person, r *control.Response, state trial.Snapshot, command string) {
	if c.plants.answer != nil {
		c.plants.answer(state, who, r)
	}
	c.secrets.judge(who, *r, state.View, command)
}

// storm gives random commands, presses buttons, and ends and starts the program, until the steps are over.
func (c *crowd) storm(steps int) {
	for range steps {
		if c.plants.step != nil {
			c.plants.step(c)
		}
		for range 1 + c.chance.Below(4) {
			c.one()
		}
		c.y.World.RunFor(c.chance.Between(0, 2*time.Second))
		c.overdue()
		if c.y.Host.Snapshot().Failed != nil {
			c.restart()
		}
		if len(c.problems) > 0 {
			return
		}
	}
}

// one does one thing at random.
func (c *crowd) one() {
	switch n := c.chance.Below(100); {
	case n < 48:
		c.sensible()
	case n < 76:
		c.nonsense()
	case n < 78:
		c.flood()
	case n < 88:
		c.press()
	case n < 96:
		c.edge()
	case n < 97:
		c.y.Disk.Stall(c.chance.Between(0, 3*time.Second))
	case n < 98 && c.chance.Below(3) == 0:
		c.broken = true
		c.y.Disk.Break(errors.New("input/output error"))
	case n < 99 && c.chance.Below(3) == 0:
		c.restart()
	}
}

// sensible has a client give a command that the station offers them, mostly with arguments that fit.
func (c *crowd) sensible() {
	who := c.clients[c.chance.Below(len(c.clients))]
	offered := c.y.Control.Status(c.y.Station.Snapshot(), who).Commands
	if len(offered) == 0 {
		return
	}
	name := offered[c.chance.Below(len(offered))]
	if seldom := map[string]int{"abort": 100, "void": 10, "pause": 10}[name]; seldom > 0 && c.chance.Below(seldom) > 0 {
		return // else no session would come to its end
	}
	r := control.Request{Command: name}
	c.fit(&r)
	c.give(who, r)
}

// nonsense has a client give any command of the table with any arguments.
func (c *crowd) nonsense() {
	who := c.clients[c.chance.Below(len(c.clients))]
	all := control.Commands()
	row := all[c.chance.Below(len(all))]
	if row.Name == "abort" && c.chance.Below(20) > 0 {
		return
	}
	r := control.Request{Command: row.Name}
	c.fit(&r)
	for range c.chance.Below(3) {
		c.spoil(&r)
	}
	c.give(who, r)
}

// flood has a client give one command many times, which is mostly refused.
func (c *crowd) flood() {
	who := c.clients[c.chance.Below(len(c.clients))]
	name := []string{"load", "finish", "withdraw", "resume", "arm"}[c.chance.Below(5)]
	for range 100 {
		c.give(who, control.Request{Command: name})
	}
}

// give gives a command as the socket does, or past the socket's reading of it.
func (c *crowd) give(who control.Person, r control.Request) {
	text, err := json.Marshal(r)
	if err != nil {
		c.wrong("%s: %v", r.Command, err)
		return
	}
	parsed, why := control.ParseRequest(text)
	if why != nil && c.chance.Below(2) == 0 {
		c.show(who, &control.Response{Refused: why}, c.y.Station.Snapshot(), r.Command)
		c.said[r.Command+" misread"]++
		return
	}
	c.asked++
	id := c.asked
	c.pending[id] = waiting{r.Command, c.y.World.Mono()}
	pending := c.pending
	c.y.Control.Do(who, parsed, func(got control.Response) {
		defer got.Done()
		if _, waits := pending[id]; !waits {
			c.wrong("%s is answered twice", r.Command)
		}
		delete(pending, id)
		c.said[fmt.Sprintf("%s %t", r.Command, got.OK)]++
		if got.OK == (got.Refused != nil) {
			c.wrong("%s of %q is answered by ok %t, refused %v", r.Command, who.Name, got.OK, got.Refused)
		}
		if got.OK && !control.MayDo(r.Command, who.Roles) {
			c.wrong("%s is taken from %q with the roles %v", r.Command, who.Name, who.Roles)
		}
		c.show(who, &got, c.y.Station.Snapshot(), r.Command)
	})
}

// overdue looks for commands that were never answered.
func (c *crowd) overdue() {
	for _, p := range c.pending {
		if c.y.World.Mono()-p.mono > int64(answeredWithin) && c.y.Host.Snapshot().Failed == nil {
			c.wrong("%s was given %s ago, and is not answered", p.command, time.Duration(c.y.World.Mono()-p.mono))
		}
	}
}

// press presses a button, or lets it go.
func (c *crowd) press() {
	name := []string{"alert", "start", "abort", "e-stop"}[c.chance.Below(4)]
	if seldom := map[string]int{"abort": 12, "e-stop": 6}[name]; seldom > 0 && c.chance.Below(seldom) > 0 {
		return
	}
	c.hold(name, true)
	c.y.World.After(c.chance.Between(10*time.Millisecond, 1500*time.Millisecond), func() { c.hold(name, false) })
}

func (c *crowd) hold(button string, down bool) {
	if button == "e-stop" {
		c.canisters.stop(down)
	}
	if err := c.y.Hardware.Button(button, down); err != nil {
		c.wrong("%v", err)
	}
}

// edge has something break a beam for a while.
func (c *crowd) edge() {
	position := 1 + c.chance.Below(2)
	c.y.Hardware.Beam(position, true)
	c.y.World.After(c.chance.Between(time.Millisecond, 2*time.Second), func() { c.y.Hardware.Beam(position, false) })
}

// restart kills the program and starts it again a while later.
func (c *crowd) restart() {
	c.alive, c.broken = false, false
	c.canisters.killed()
	if err := c.y.Kill(); err != nil {
		c.wrong("killed: %v", err)
	}
	c.y.World.RunFor(c.chance.Between(0, 3*time.Second))
	if err := c.y.Start(); err != nil {
		c.wrong("started: %v", err)
		return
	}
	c.starts = append(c.starts, c.y.World.Mono())
	c.begun()
}

// plan returns a plan at random: of each mode, with and without feedback, with one call or several.
func (c *crowd) plan() string {
	_, src, err := configs.Files{}.Read(configs.Plans, "short")
	if err != nil {
		c.wrong("%v", err)
	}
	text := strings.Replace(string(src), "mode: double", "mode: "+string(event.Modes()[c.chance.Below(3)]), 1)
	text = strings.Replace(text, "feedback: none", "feedback: "+[]string{"none", "per-run", "after-session"}[c.chance.Below(3)], 1)
	return strings.Replace(text, "calls: first-ends", "calls: "+[]string{"first-ends", "several"}[c.chance.Below(2)], 1)
}

// oneOf returns the name of somebody with a role.
func (c *crowd) oneOf(role event.Role) string {
	for {
		p := crowdRoles[c.chance.Below(len(crowdRoles))]
		for _, has := range p.roles {
			if has == role {
				return p.name
			}
		}
	}
}

// fit gives a request the arguments with which it makes sense now.
func (c *crowd) fit(r *control.Request) {
	switch r.Command {
	case "open":
		r.PlanName, r.Plan, r.Dog = "short.yaml", c.plan(), []string{"Rex", "Alba"}[c.chance.Below(2)]
		r.Handler, r.Assessor = c.oneOf(event.Handler), c.oneOf(event.Assessor)
	case "seal":
		c.share(r)
	case "call":
		switch c.chance.Below(4) {
		case 0:
			r.Position, r.Between = 1, 2
		case 1:
			r.Nowhere = true
		default:
			r.Position = 1 + c.chance.Below(2)
		}
	case "observe":
		r.What, r.Position = "hesitation", c.chance.Below(3)
	case "void":
		r.Reason = "rain"
	case "date":
		r.Date = "2027-03-04"
	case "close":
		r.AllBack = true
	}
}

// share answers the station's request, throws dice, or does without a second party.
func (c *crowd) share(r *control.Request) {
	switch c.chance.Below(3) {
	case 0:
		r.Alone = true
	case 1:
		r.Dice = "3 1 4 1 5 2"
	default:
		request := c.y.Station.Snapshot().View.Request
		if request == "" {
			return
		}
		var err error
		if r.Share, err = blind.Answer(c.y.Authority, request); err != nil {
			c.wrong("the answer: %v", err)
		}
	}
}

// spoil gives a request an argument that does not fit, or takes one away.
func (c *crowd) spoil(r *control.Request) {
	texts := []string{"", "x", "nobody", "p-0123456789abcdef", "\u202eevil", " edged", strings.Repeat("long", 600), "Handler", "\x00", "{}", "2027-13-40", "voice", "panel"}
	text := texts[c.chance.Below(len(texts))]
	fields := []*string{&r.PlanName, &r.Plan, &r.Rule, &r.Dog, &r.Handler, &r.Assessor, &r.Discipline, &r.Share, &r.Dice, &r.Means,
		&r.What, &r.Note, &r.Reason, &r.Session, &r.Date, &r.As, &r.Command}
	numbers := []int{-1, 0, 1, 2, 3, 99, 1 << 40}
	number := numbers[c.chance.Below(len(numbers))]
	switch n := c.chance.Below(len(fields) + 5); n {
	case len(fields):
		r.Position = number
	case len(fields) + 1:
		r.Between = number
	case len(fields) + 2:
		r.Back = &number
	case len(fields) + 3:
		r.Nowhere, r.AllBack = !r.Nowhere, !r.AllBack
	case len(fields) + 4:
		r.New, r.Alone = !r.New, !r.Alone
	default:
		*fields[n] = text
	}
}

// canisterModel says when canisters may be open.
type canisterModel struct {
	c       *crowd
	allowed int64 // the last instant at which a run let them be open
	held    bool  // the emergency stop
	stopped int64 // when the emergency stop was pressed last
	session string
	run     int // the run of that session that it stopped, 0 for none
}

// shutWithin is how long a canister may take from the moment at which it must be shut: the time that the station allows for a
// closing, and two looks.
const shutWithin = 1500*time.Millisecond + 2*looksEvery

// stop notes that the emergency stop is pressed or let go.
func (m *canisterModel) stop(down bool) {
	if down && !m.held {
		v := m.c.y.Station.Snapshot().View
		m.stopped, m.session, m.run = m.c.y.World.Mono(), v.Session, v.Run.Index
	}
	m.held = down
}

// killed notes that the program is gone: from now on nothing may be open.
func (m *canisterModel) killed() { m.allowed = m.c.y.World.Mono() }

// look holds the canisters against the model, and looks again a while later.
func (m *canisterModel) look() {
	m.c.y.World.After(looksEvery, m.look)
	now := m.c.y.World.Mono()
	v := m.c.y.Station.Snapshot().View
	if m.c.alive {
		switch v.Run.State {
		case trial.Armed, trial.Shown, trial.Searching, trial.Called:
			m.allowed = now
		}
	}
	stopped := m.held || m.run != 0 && m.session == v.Session && m.run == v.Run.Index
	for _, can := range m.c.y.Hardware.Canisters() {
		switch {
		case can.State == "closed" && !can.Driven:
		case now-m.allowed > int64(shutWithin):
			m.c.wrong("canister %s is %s though run %d is %q for %s", can.Name, can.State, v.Run.Index, v.Run.State, time.Duration(now-m.allowed))
		case stopped && now-m.stopped > int64(shutWithin):
			m.c.wrong("canister %s is %s %s after the emergency stop of run %d", can.Name, can.State, time.Duration(now-m.stopped), m.run)
		case m.c.alive && now-can.Since > int64(4*time.Minute):
			m.c.wrong("canister %s is %s since %s", can.Name, can.State, time.Duration(now-can.Since))
		}
	}
}
