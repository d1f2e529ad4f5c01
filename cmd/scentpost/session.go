package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"scentpost/cmd/internal/program"
	"scentpost/cmd/internal/words"
	"scentpost/configs"
	"scentpost/station/blind"
	"scentpost/station/control"
	"scentpost/station/control/socket"
	"scentpost/station/health"
	"scentpost/station/history"
)

// daemon says how to reach the daemon, and who speaks.
type daemon struct {
	reach
	As   string `help:"Who speaks, where an account belongs to several people." placeholder:"NAME"`
	JSON bool   `help:"Print JSON."`
}

// ask sends one request. A refusal by the station is the answer no.
func (d daemon) ask(r control.Request) (response control.Response, err error) {
	err = d.with(func(c *socket.Client) error {
		response, err = d.answer(r, c.Send)
		return err
	})
	return response, err
}

// export asks for an export and gives it to use.
func (d daemon) export(session string, use func(control.Response) error) error {
	return d.with(func(c *socket.Client) error {
		response, err := d.answer(control.Request{Command: "export", Session: session}, c.Export)
		if err != nil {
			return err
		}
		return use(response)
	})
}

// with calls f with a connection to the daemon.
func (d daemon) with(f func(c *socket.Client) error) error {
	client, err := socket.Dial(context.Background(), d.Socket)
	if err != nil {
		return no(words.Error(err))
	}
	defer client.Close()
	return f(client)
}

// answer sends a request. A refusal is an error.
func (d daemon) answer(r control.Request, send func(*control.Request) (control.Response, error)) (control.Response, error) {
	r.As = d.As
	response, err := send(&r)
	if err != nil {
		return control.Response{}, no(words.Error(err))
	}
	if !response.OK {
		return response, no(words.Refused(response))
	}
	return response, nil
}

// tell sends one request and prints the state that it led to.
func (d daemon) tell(out io.Writer, r control.Request) error {
	response, err := d.ask(r)
	if err != nil {
		return err
	}
	if d.JSON {
		return printJSON(out, response)
	}
	if response.Status != nil && r.Command != "open" && r.Command != "status" {
		response.Status.Conditions = slices.DeleteFunc(response.Status.Conditions, ofTheClock)
	}
	words.WriteStatus(out, response.Status)
	return nil
}

// ofTheClock tells whether a condition is of the time of day, which changes nothing from one command to the next: it is
// shown when a session is opened, and with its status.
func ofTheClock(c health.Condition) bool {
	return slices.Contains([]health.Code{health.ClockUnset, health.ClockHoldover, health.ClockNotKept}, c.Code)
}

// why is a reason in words, as an argument or as a flag.
type why struct {
	Words  string `arg:"" optional:"" name:"reason" help:"Why, in words."`
	Reason string `help:"Why, as a flag." placeholder:"TEXT"`
}

// reason returns the words that were given.
func (w why) reason() (string, error) {
	if w.Words != "" && w.Reason != "" {
		return "", usage(errors.New("the reason is given twice, as an argument and as --reason: give one"))
	}
	return cmp.Or(w.Words, w.Reason), nil
}

// tellWhy gives a command that has a reason.
func (d daemon) tellWhy(out io.Writer, command string, w why) error {
	reason, err := w.reason()
	if err != nil {
		return err
	}
	return d.tell(out, control.Request{Command: command, Reason: reason})
}

func printJSON(out io.Writer, v any) error {
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// sessionCmd drives a session on a running daemon.
type sessionCmd struct {
	Open     sessionOpen     `cmd:"" help:"Open a session of PLAN for a team."`
	Load     sessionLoad     `cmd:"" help:"Say that the canisters are loaded as the plan says; prints the station's hash."`
	Request  sessionRequest  `cmd:"" help:"Write what an authority signs to answer the station's hash."`
	Seal     sessionSeal     `cmd:"" help:"Answer the station's hash and seal the draw."`
	Arm      sessionArm      `cmd:"" help:"Arm the next run."`
	Start    sessionStart    `cmd:"" help:"Start the search."`
	Call     sessionCall     `cmd:"" help:"Enter the handler's call: alert at POSITION."`
	Clear    sessionClear    `cmd:"" help:"Enter the handler's call: all clear."`
	Withdraw sessionWithdraw `cmd:"" help:"Take back the call just entered."`
	Finish   sessionFinish   `cmd:"" help:"Say that the search is over without a call."`
	Observe  sessionObserve  `cmd:"" help:"Record what the dog was seen to do."`
	Void     sessionVoid     `cmd:"" help:"Take the run out before its lock, because of REASON."`
	Pause    sessionPause    `cmd:"" help:"Arm no more runs for now."`
	Resume   sessionResume   `cmd:"" help:"Go on."`
	Abort    sessionAbort    `cmd:"" help:"End the session now; everything is revealed."`
	Date     sessionDate     `cmd:"" help:"Say what the time is, at a station whose clock nobody has set."`
	Close    sessionClose    `cmd:"" help:"Count the aids back and close the session."`
	Status   sessionStatus   `cmd:"" help:"Show the session."`
	List     sessionList     `cmd:"" help:"List the sessions of the journal."`
}

type sessionOpen struct {
	daemon
	Plan       string `arg:"" help:"A plan file, or the name of a plan that comes with scentpost."`
	Dog        string `required:"" help:"The dog's name."`
	Handler    string `required:"" help:"The handler's name."`
	Assessor   string `required:"" help:"The assessor's name."`
	Discipline string `help:"What the dog searches for."`
	New        bool   `help:"Take a handler or an assessor who is not known to the station."`
}

// Run opens a session. The plan's pass rule is read here, since the station keeps the exact bytes of both.
func (c sessionOpen) Run(out io.Writer) error {
	name, src, err := configs.Files{}.Find(configs.Plans, c.Plan)
	if err != nil {
		return usage(err)
	}
	plan, err := blind.ParsePlan(name, src)
	if err != nil {
		return usage(err)
	}
	r := control.Request{Command: "open", PlanName: filepath.Base(name), Plan: string(src), Dog: c.Dog, Handler: c.Handler,
		Assessor: c.Assessor, Discipline: c.Discipline, New: c.New}
	rule, err := checkPlan(name, plan)
	if err != nil {
		return err
	}
	r.Rule = string(rule)
	return c.tell(out, r)
}

type sessionLoad struct{ daemon }

// Run loads the session.
func (c sessionLoad) Run(out io.Writer) error { return c.tell(out, control.Request{Command: "load"}) }

type sessionRequest struct {
	daemon
	Out string `short:"o" help:"The file to write; standard output when not given." placeholder:"FILE"`
}

// Run writes the station's request to a second party.
func (c sessionRequest) Run(out io.Writer) error {
	response, err := c.ask(control.Request{Command: "status"})
	if err != nil {
		return err
	}
	switch {
	case response.Status.Request == "":
		return no(errors.New("there is no request: a session makes one when it is loaded, and it ends with the seal"))
	case c.JSON:
		return printJSON(out, map[string]string{"request": response.Status.Request})
	case c.Out != "":
		return createNew("the request", c.Out, []byte(response.Status.Request), 0o644)
	}
	_, err = io.WriteString(out, response.Status.Request)
	return err
}

type sessionSeal struct {
	daemon
	Share *string `xor:"answer" help:"The authority's answer, as 'scentpost key answer' prints it." placeholder:"HEX"`
	Dice  *string `xor:"answer" help:"Dice rolled after the station's hash was printed." placeholder:"TEXT"`
	Alone bool    `xor:"answer" name:"station-alone" help:"Let the station alone choose the draw. Nobody can show afterwards that it did not choose one to somebody's liking, and record and verdict say 'draw chosen by the station alone' for good."`
}

// Help says what an answer is for.
func (sessionSeal) Help() string {
	return `The station's hash is answered once and for good, in one of three ways: --share, --dice or --station-alone. With one
of the first two the draw follows from what the station drew before it printed the hash and from the answer, so that
neither side can have chosen it.`
}

// Run seals the session. What cannot be an answer never reaches the station, since a seal cannot be undone.
func (c sessionSeal) Run(s program.Streams) error {
	r := control.Request{Command: "seal", Alone: c.Alone}
	switch {
	case c.Share != nil:
		if r.Share = strings.TrimSpace(*c.Share); r.Share == "" {
			return usage(errors.New("--share: the answer is empty: did scentpost key answer fail? (nothing was sealed)"))
		}
	case c.Dice != nil:
		dice, err := blind.CheckDice(*c.Dice)
		if err != nil {
			return usage(fmt.Errorf("--dice: %w (nothing was sealed)", err))
		}
		if n := blind.CountDice(dice); n < blind.EnoughDice {
			fmt.Fprintf(s.Err, "scentpost: %d dice are few: %s\n", n, blind.WhyDice)
		}
		r.Dice = dice
	case !c.Alone:
		return usage(errors.New("how is the station's hash answered? with --share ANSWER of an authority, with --dice of the assessor, " +
			"or with --station-alone, which the record then says for good (nothing was sealed)"))
	}
	return c.tell(s.Out, r)
}

type sessionArm struct{ daemon }

// Run arms the next run.
func (c sessionArm) Run(out io.Writer) error { return c.tell(out, control.Request{Command: "arm"}) }

type sessionStart struct{ daemon }

// Run starts the search.
func (c sessionStart) Run(out io.Writer) error { return c.tell(out, control.Request{Command: "start"}) }

type sessionCall struct {
	daemon
	Position string `arg:"" help:"The position, two joined by a hyphen for a call between them (3-4), or 'none' for an alert at no position. All clear is 'session clear'."`
	Means    string `enum:"voice,panel" default:"voice" help:"How the call came: ${enum}."`
}

// Run enters a call.
func (c sessionCall) Run(out io.Writer) error {
	r := control.Request{Command: "call", Means: c.Means}
	if c.Position == "none" {
		r.Nowhere = true
		return c.tell(out, r)
	}
	first, second, between := strings.Cut(c.Position, "-")
	var errFirst, errSecond error
	r.Position, errFirst = strconv.Atoi(first)
	if between {
		r.Between, errSecond = strconv.Atoi(second)
	}
	if errFirst != nil || errSecond != nil || r.Position < 1 || between && r.Between < 1 {
		return usage(fmt.Errorf("position %q: want a number from 1, two joined by a hyphen, or 'none'", c.Position))
	}
	return c.tell(out, r)
}

type sessionClear struct {
	daemon
	Means string `enum:"voice,panel" default:"voice" help:"How the call came: ${enum}."`
}

// Run enters all clear.
func (c sessionClear) Run(out io.Writer) error {
	return c.tell(out, control.Request{Command: "clear", Means: c.Means})
}

type sessionWithdraw struct {
	daemon
	why
}

// Run takes the call back.
func (c sessionWithdraw) Run(out io.Writer) error {
	return c.tellWhy(out, "withdraw", c.why)
}

type sessionFinish struct{ daemon }

// Run ends the search without a call.
func (c sessionFinish) Run(out io.Writer) error {
	return c.tell(out, control.Request{Command: "finish"})
}

type sessionObserve struct {
	daemon
	What     string `arg:"" help:"'change of behaviour', 'final response' or 'hesitation'."`
	Position int    `help:"Where." placeholder:"N"`
	Note     string `help:"In words." placeholder:"TEXT"`
}

// Run records an observation.
func (c sessionObserve) Run(out io.Writer) error {
	return c.tell(out, control.Request{Command: "observe", What: c.What, Position: c.Position, Note: c.Note})
}

type sessionVoid struct {
	daemon
	why
}

// Run voids the run, which needs a reason.
func (c sessionVoid) Run(out io.Writer) error {
	if c.why == (why{}) {
		return usage(errors.New("a void needs a reason, such as scentpost session void \"it rains\""))
	}
	return c.tellWhy(out, "void", c.why)
}

type sessionPause struct {
	daemon
	why
}

// Run pauses the session.
func (c sessionPause) Run(out io.Writer) error {
	return c.tellWhy(out, "pause", c.why)
}

type sessionResume struct{ daemon }

// Run resumes the session.
func (c sessionResume) Run(out io.Writer) error {
	return c.tell(out, control.Request{Command: "resume"})
}

type sessionAbort struct {
	daemon
	why
}

// Run aborts the session.
func (c sessionAbort) Run(out io.Writer) error {
	return c.tellWhy(out, "abort", c.why)
}

type sessionDate struct {
	daemon
	Date string `arg:"" help:"The date (2027-03-04), or the time with the zone of your watch (2027-03-04T14:05+01:00)."`
}

// Run says what the time is.
func (c sessionDate) Run(out io.Writer) error {
	return c.tell(out, control.Request{Command: "date", Date: c.Date})
}

type sessionClose struct {
	daemon
	Back    *int   `xor:"count" help:"How many aids came back, blanks not counted." placeholder:"N"`
	AllBack bool   `xor:"count" help:"All aids came back."`
	Remark  string `help:"In words." placeholder:"TEXT"`
}

// Run closes the session.
func (c sessionClose) Run(out io.Writer) error {
	if c.Back != nil && *c.Back < 0 {
		return usage(fmt.Errorf("--back %d: want how many aids came back, from 0", *c.Back))
	}
	return c.tell(out, control.Request{Command: "close", Back: c.Back, AllBack: c.AllBack, Note: c.Remark})
}

type sessionStatus struct{ daemon }

// Run shows the session.
func (c sessionStatus) Run(out io.Writer) error {
	return c.tell(out, control.Request{Command: "status"})
}

type sessionList struct{ daemon }

// Run lists the sessions.
func (c sessionList) Run(out io.Writer) error {
	response, err := c.ask(control.Request{Command: "list"})
	if err != nil {
		return err
	}
	return c.print(out, response)
}

// print prints a list.
func (c sessionList) print(out io.Writer, response control.Response) error {
	if c.JSON {
		return printJSON(out, struct {
			Sessions []history.Listed `json:"sessions"`
			PutAside []history.Aside  `json:"put_aside"`
		}{append([]history.Listed{}, response.List...), append([]history.Aside{}, response.PutAside...)})
	}
	if response.Simulated {
		fmt.Fprintln(out, words.Simulated)
	}
	printSessions(out, response.List)
	printAside(out, response.PutAside)
	return nil
}
