package e2e

import (
	"context"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"scentpost/station/control"
	"scentpost/station/control/socket"
	"scentpost/station/event"
	"scentpost/station/readiness"
	"scentpost/station/trial"
)

// answer is what somebody was told about a command.
type answer struct {
	command string
	seq     int64
	epoch   string
}

// seen is everything that people were shown and told since it was last looked at.
type seen struct {
	statuses []control.Status
	answers  []answer
}

// driver runs one session after the other over the daemon's socket, as people would, until the daemon is gone.
type driver struct {
	t         testing.TB
	r         *rig
	plan      string
	chance    *rand.Rand
	abortOne  bool // of how many runs one is to be aborted in the middle; none when not set
	finishing bool // open no more sessions

	seen
	aborting bool
	answered int64 // records that the last answer showed
}

func newDriver(t testing.TB, r *rig, chance *rand.Rand) *driver {
	t.Helper()
	plan, err := os.ReadFile("../../configs/plans/short.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return &driver{t: t, r: r, plan: string(plan), chance: chance, abortOne: true}
}

// drive goes on until the daemon hangs up, or until there is nothing more to do; then it returns true.
func (d *driver) drive() bool {
	d.answered = 0
	watch, err := socket.Dial(context.Background(), d.r.socket())
	if err != nil {
		return false
	}
	defer watch.Close()
	commands, err := socket.Dial(context.Background(), d.r.socket())
	if err != nil {
		return false
	}
	defer commands.Close()
	for request := (&control.Request{Command: "watch"}); ; request = nil {
		response, err := watch.Send(request)
		if err != nil {
			return false
		}
		status := *response.Status
		d.statuses = append(d.statuses, status)
		if status.Size < d.answered || status.Obstacle != nil {
			continue
		}
		command := d.next(status)
		if command.Command == "" {
			if d.finishing && status.Phase == trial.Idle {
				return true
			}
			continue
		}
		reply, err := commands.Send(&command)
		if err != nil {
			return false
		}
		d.take(command, reply)
	}
}

// take keeps what was answered. A command may come too late for the state that it was meant for, and is refused.
func (d *driver) take(command control.Request, reply control.Response) {
	if !reply.OK {
		if reply.Seq == 0 && !reply.Refused.Says(readiness.Starting) {
			d.t.Errorf("%s: %v", command.Command, reply.Refused)
		}
		return
	}
	d.statuses = append(d.statuses, *reply.Status)
	d.answers = append(d.answers, answer{command: command.Command, seq: reply.Seq, epoch: reply.Status.Epoch})
	d.answered = reply.Status.Size
}

// next is what people do in a state.
func (d *driver) next(s control.Status) control.Request {
	switch s.Phase {
	case trial.Idle:
		if !d.finishing {
			return control.Request{Command: "open", As: "Assessor", PlanName: "short.yaml", Plan: d.plan, Dog: "Rex", Handler: "Handler", Assessor: "Assessor"}
		}
	case trial.Opened:
		return control.Request{Command: "load", As: "Loader"}
	case trial.Loaded:
		return control.Request{Command: "seal", As: "Assessor", Dice: strings.Repeat("1 2 3 4 5 6 ", 10)}
	case trial.Ended:
		return control.Request{Command: "close", As: "Loader", AllBack: true}
	case trial.Sealed:
		return d.nextRun(s)
	}
	return control.Request{}
}

func (d *driver) nextRun(s control.Status) control.Request {
	switch {
	case s.Aborted != nil:
	case s.Run == nil && s.Paused != nil:
		return control.Request{Command: "resume", As: "Assessor"}
	case s.Run == nil:
		d.aborting = d.abortOne && d.chance.IntN(10) == 0
		return control.Request{Command: "arm", As: "Assessor"}
	case d.aborting && s.Run.State == trial.Searching:
		d.aborting = false
		return control.Request{Command: "abort", As: "Assessor", Reason: "the dog is unwell"}
	}
	return control.Request{}
}

// recorded is the kind of record that each command becomes.
var recorded = map[string]event.Type{
	"open": event.SessionOpened, "load": event.SessionLoaded, "seal": event.SessionSealed, "arm": event.RunArmed,
	"resume": event.SessionResumed, "abort": event.SessionAborted, "close": event.SessionClosed,
}
