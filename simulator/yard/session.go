package yard

import (
	"fmt"
	"time"

	"scentpost/station/blind"
	"scentpost/station/control"
	"scentpost/station/event"
	"scentpost/station/record"
	"scentpost/station/trial"
)

const (
	// answerWithin bounds how long a command may take on virtual time.
	answerWithin = time.Minute
	// pace is how long the assessor takes before the next command.
	pace = 2 * time.Second
	// sessionWithin bounds a session on virtual time.
	sessionWithin = 48 * time.Hour
)

// Do gives a command as the first person of the configuration with a role, and lets the world go on until it is
// answered.
func (y *Yard) Do(role event.Role, r control.Request) (control.Response, error) {
	name := y.nameOf(role)
	who, known := y.Control.Person(name)
	if !known {
		return control.Response{}, fmt.Errorf("nobody at the station is %s", role)
	}
	return y.do(who, r)
}

func (y *Yard) do(who control.Person, r control.Request) (control.Response, error) {
	var response *control.Response
	y.Control.Do(who, r, func(got control.Response) { response = &got })
	y.World.RunWhile(func() bool { return response == nil }, y.World.Mono()+int64(answerWithin))
	switch {
	case response == nil:
		return control.Response{}, fmt.Errorf("%s: the station did not answer", r.Command)
	case !response.OK:
		return *response, fmt.Errorf("%s: %w", r.Command, response.Refused)
	}
	return *response, nil
}

// Prepare opens, loads and seals a session; the simulated authority answers the station's request.
func (y *Yard) Prepare(planName string, plan, rule []byte) error {
	_, err := y.Do(event.Assessor, control.Request{Command: "open", PlanName: planName, Plan: string(plan), Rule: string(rule),
		Dog: "Simulated Dog", Handler: y.nameOf(event.Handler), Assessor: y.nameOf(event.Assessor), Discipline: "simulated"})
	if err != nil {
		return err
	}
	loaded, err := y.Do(event.Loader, control.Request{Command: "load"})
	if err != nil {
		return err
	}
	answer, err := y.answer(loaded.Status.Request)
	if err != nil {
		return err
	}
	_, err = y.Do(event.Assessor, control.Request{Command: "seal", Share: answer})
	return err
}

// answer is what the simulated authority says to the station's request.
func (y *Yard) answer(request string) (string, error) {
	text, _, err := record.ReadNote([]byte(request))
	if err != nil {
		return "", fmt.Errorf("the station's request %w", err)
	}
	return blind.Answer(y.Authority, text)
}

func (y *Yard) nameOf(role event.Role) string {
	for _, p := range y.opt.Config.People {
		for _, has := range p.Roles {
			if has == role {
				return p.Name
			}
		}
	}
	return "Simulated " + string(role)
}

// Step lets the world go on until the station waits for the assessor: the next run can be armed, or the session has
// ended. It returns what may be shown then.
func (y *Yard) Step() (trial.Snapshot, error) {
	waits := func() bool {
		v := y.Host.Snapshot().View
		return v.Phase == trial.Ended || v.Phase == trial.Idle || (v.Phase == trial.Sealed && v.Run.Index == 0) || y.Host.Snapshot().Failed != nil
	}
	y.World.RunWhile(func() bool { return !waits() }, y.World.Mono()+int64(sessionWithin))
	s := y.Host.Snapshot()
	if !waits() {
		return s, fmt.Errorf("run %d is stuck in state %s", s.View.Run.Index, s.View.Run.State)
	}
	return s, nil
}

// Conduct arms every run of a sealed session, resumes it when it was paused, and closes it at the end.
func (y *Yard) Conduct() error {
	for {
		s, err := y.Step()
		if err != nil {
			return err
		}
		y.World.RunFor(pace)
		switch {
		case s.Failed != nil:
			return s.Failed
		case s.View.Phase == trial.Ended:
			_, err := y.Do(event.Loader, control.Request{Command: "close", AllBack: true})
			return err
		case s.View.Paused != nil:
			_, err = y.Do(event.Assessor, control.Request{Command: "resume"})
		default:
			_, err = y.Do(event.Assessor, control.Request{Command: "arm"})
		}
		if err != nil {
			return err
		}
	}
}

// Placements returns what was presented in each run of the session that has ended.
func (y *Yard) Placements() [][]event.Slot {
	var all [][]event.Slot
	for _, r := range y.Host.Snapshot().View.Runs() {
		all = append(all, r.Placement.Reveal())
	}
	return all
}
