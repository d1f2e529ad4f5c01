package main

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"scentpost/cmd/internal/program"
	"scentpost/configs"
	"scentpost/station/blind"
	"scentpost/station/control"
	"scentpost/station/event"
	"scentpost/station/score"
	"scentpost/station/strict"
)

// planCmd holds the commands about plans.
type planCmd struct {
	Check planCheck `cmd:"" help:"Say everything that is wrong with PLAN; the aids it needs and how long it takes."`
	Draw  planDraw  `cmd:"" help:"Draw from PLAN in the open, for training."`
}

// parsePlan reads and checks a plan. One that is well written and cannot be dealt is the answer no.
func parsePlan(name string) (blind.Plan, error) {
	file, src, err := configs.Files{}.Find(configs.Plans, name)
	if err != nil {
		return blind.Plan{}, usage(err)
	}
	plan, err := blind.ParsePlan(file, src)
	switch {
	case errors.Is(err, blind.ErrUndealable):
		return blind.Plan{}, no(err)
	case err != nil:
		return blind.Plan{}, usage(err)
	}
	return plan, nil
}

// checkPlan reads the pass rule of a plan, nil without one, and tells whether a session by both can be held. One that never
// can is the answer no.
func checkPlan(file string, plan blind.Plan) (rule []byte, err error) {
	if plan.Rule != "" {
		var name string
		if name, rule, err = (configs.Files{}).Find(configs.Rules, rulePath(file, plan.Rule)); err != nil {
			return nil, usage(fmt.Errorf("%s: rule: %w", file, err))
		}
		if _, err := score.ParseRule(name, rule); err != nil {
			return nil, usage(err)
		}
	}
	if err := control.CheckPlan(file, plan, rule); err != nil {
		return nil, no(err)
	}
	return rule, nil
}

// rulePath is where the rule of a plan's file lies: a path is taken from the folder of the plan, a name stays a name.
func rulePath(file, rule string) string {
	if path := filepath.Base(rule) != rule || filepath.Ext(rule) != ""; !path || filepath.IsAbs(rule) {
		return rule
	}
	return filepath.Join(filepath.Dir(file), rule)
}

type planCheck struct {
	Plan string `arg:"" help:"A plan file, or the name of a plan that comes with scentpost."`
	JSON bool   `help:"Print JSON."`
}

// usualTimes stands for a station that is not known yet: the times around a search.
var usualTimes = event.Settings{LeadMS: 2_000, TravelMS: 1_000, WithdrawMS: 3_000, CloseMS: 1_000}

// problem is one thing that is wrong with a plan, as JSON.
type problem struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Field   string `json:"field"`
	Message string `json:"message"`
	Hint    string `json:"hint"`
}

// checked is the answer of plan check. What a refused plan does not tell is absent.
type checked struct {
	OK       bool        `json:"ok"`
	Problems []problem   `json:"problems"`
	Plan     string      `json:"plan,omitempty"`
	Aids     []blind.Aid `json:"aids,omitempty"`
	Duration *lasting    `json:"duration,omitempty"`
	GoodDeal *goodDeal   `json:"good_deal,omitempty"`
}

// lasting is a session's duration in seconds.
type lasting struct {
	Shortest    float64 `json:"shortest_s"`
	Longest     float64 `json:"longest_s"`
	EachReserve float64 `json:"each_reserve_s"`
}

// goodDeal is the chance that a deal keeps every rule.
type goodDeal struct {
	Least float64 `json:"least"`
	Exact bool    `json:"exact"`
}

// Run checks the plan.
func (c planCheck) Run(out io.Writer) error {
	plan, err := parsePlan(c.Plan)
	if err == nil {
		_, err = checkPlan(c.Plan, plan)
	}
	if err != nil {
		return c.refuse(out, err)
	}
	last := plan.Duration(usualTimes)
	chance := plan.GoodDeal(plan.Loading())
	answer := checked{OK: true, Problems: []problem{}, Plan: plan.Name, Aids: plan.Aids(),
		Duration: &lasting{last.Shortest.Seconds(), last.Longest.Seconds(), last.EachReserve.Seconds()},
		GoodDeal: &goodDeal{chance.Least, chance.Exact}}
	if c.JSON {
		return oneLine(out, answer)
	}
	return describePlan(out, plan, answer)
}

// refuse gives the problems as JSON on standard output where that is asked for; the exit code stays the error's.
func (c planCheck) refuse(out io.Writer, err error) error {
	var problems *strict.Problems
	if !c.JSON || !errors.As(err, &problems) {
		return err
	}
	answer := checked{Problems: []problem{}}
	for _, p := range problems.List {
		answer.Problems = append(answer.Problems, problem{problems.File, p.Line, p.Column, p.Field, p.Message, p.Hint})
	}
	if err := oneLine(out, answer); err != nil {
		return err
	}
	return program.Answered(err)
}

// describePlan prints what a good plan needs, for people.
func describePlan(out io.Writer, plan blind.Plan, answer checked) error {
	w := new(strings.Builder)
	fmt.Fprintf(w, "%s: no problems\n\n", plan.Name)
	fmt.Fprintf(w, "runs\t%d, and %d in reserve, at %d positions\n", plan.Runs, plan.Reserve, plan.Positions)
	fmt.Fprintf(w, "targets\t%s in a run, %s in the session\n", plan.Targets.PerRun, plan.SessionTargets())
	fmt.Fprintf(w, "distractors\t%s in a run\n", plan.Distractors.PerRun)
	if plan.Restricted {
		fmt.Fprintf(w, "restricted\tnot every kind can stand at every position\n")
	}
	fmt.Fprintf(w, "\naids needed\tkind\tcanisters\n")
	for _, aid := range answer.Aids {
		fmt.Fprintf(w, "%s\t%s\t%d\n", aid.Odour, aid.Kind, aid.Canisters)
	}
	last := plan.Duration(usualTimes)
	fmt.Fprintf(w, "\nduration\t%s to %s without the time that people take between runs\n", last.Shortest.Round(time.Second), last.Longest.Round(time.Second))
	fmt.Fprintf(w, "\tat most %s more for each reserve run used\n", last.EachReserve.Round(time.Second))
	fmt.Fprintf(w, "balance\t%s\n", dealText(answer.GoodDeal))
	return columns(out, w.String())
}

// dealText says how many draws keep the plan's rules of balance. A draw that does not is thrown away and drawn again.
func dealText(c *goodDeal) string {
	how := "exact count"
	if !c.Exact {
		how = "estimate"
	}
	if c.Least == 1 {
		return fmt.Sprintf("All draws keep the balance rules (%s).", how)
	}
	return fmt.Sprintf("%.3g of all draws keep the balance rules (%s).", c.Least, how)
}

type planDraw struct {
	Plan    string `arg:"" help:"A plan file, or the name of a plan that comes with scentpost."`
	Seed    string `required:"" help:"The seed: 64 hexadecimal digits." placeholder:"HEX"`
	Reserve bool   `help:"Add the reserve runs."`
	JSON    bool   `help:"Print one JSON object a run, each on a line of its own."`
}

// drawnRun is one run as JSON.
type drawnRun struct {
	Run         int          `json:"run"`
	Composition *composition `json:"composition,omitempty"` // of a reserve run
	Placement   []event.Slot `json:"placement"`
}

// composition says in place of which runs a reserve placement is used.
type composition struct {
	Targets     int    `json:"targets"`
	Odours      string `json:"odours,omitempty"` // of the targets
	Distractors int    `json:"distractors"`
}

// Run draws.
func (c planDraw) Run(out io.Writer) error {
	seed, err := parseSeed(c.Seed)
	if err != nil {
		return usage(err)
	}
	plan, err := parsePlan(c.Plan)
	if err != nil {
		return err
	}
	deal, err := blind.Draw(plan, plan.Loading(), seed)
	if err != nil {
		return no(err)
	}
	runs := drawn(plan, deal, c.Reserve)
	if !c.JSON {
		return printDraw(out, plan, runs)
	}
	for _, r := range runs {
		if err := oneLine(out, r); err != nil {
			return err
		}
	}
	return nil
}

func parseSeed(text string) ([32]byte, error) {
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != 32 {
		return [32]byte{}, fmt.Errorf("--seed: 64 hexadecimal digits are expected, not %d characters %s", len(text), strict.Quote(text))
	}
	return [32]byte(raw), nil
}

// drawn reveals a deal: the command draws in the open, from a seed that the user knows.
func drawn(plan blind.Plan, deal blind.Deal, reserve bool) []drawnRun {
	var runs []drawnRun
	for i, p := range deal.Scheduled {
		runs = append(runs, drawnRun{Run: i + 1, Placement: p.Reveal()})
	}
	if !reserve {
		return runs
	}
	all := plan.Compositions()
	for r, row := range deal.Reserve {
		for c, p := range row {
			runs = append(runs, drawnRun{Run: plan.Runs + r + 1, Composition: &composition{all[c].Targets, all[c].Odours, all[c].Distractors}, Placement: p.Reveal()})
		}
	}
	return runs
}

// printDraw prints a table with a line for each run.
func printDraw(out io.Writer, plan blind.Plan, runs []drawnRun) error {
	w := new(strings.Builder)
	fmt.Fprint(w, "run")
	for position := range plan.Positions {
		fmt.Fprintf(w, "\tposition %d", position+1)
	}
	fmt.Fprintln(w)
	for _, r := range runs {
		fmt.Fprint(w, r.Run)
		if r.Composition != nil {
			fmt.Fprintf(w, " (%s)", r.Composition)
		}
		for _, slot := range r.Placement {
			mark := map[event.Kind]string{event.Target: "* ", event.Distractor: "- "}[slot.Kind]
			fmt.Fprintf(w, "\t%s%s %s", mark, slot.Canister, slot.Odour)
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintln(w, "\n* target, - distractor; (targets + distractors) of the voided run that a reserve placement stands in for")
	return columns(out, w.String())
}

// String writes the targets and the number of distractors.
func (c composition) String() string {
	if c.Targets == 0 {
		return fmt.Sprintf("none + %d", c.Distractors)
	}
	return fmt.Sprintf("%s + %d", c.Odours, c.Distractors)
}

// columns prints lines whose cells are parted by tabs.
func columns(out io.Writer, lines string) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	if _, err := io.WriteString(w, lines); err != nil {
		return err
	}
	return w.Flush()
}

// oneLine prints a value as JSON on a line of its own.
func oneLine(out io.Writer, v any) error {
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
