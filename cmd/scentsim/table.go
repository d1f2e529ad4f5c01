package main

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"scentpost/cmd/internal/words"
	"scentpost/station/control"
	"scentpost/station/event"
	"scentpost/station/score"
	"scentpost/station/trial"
)

// report prints the runs with what was hidden in them, the statistics and the verdict.
func (d *demo) report() error {
	view := d.yard.Host.Snapshot().View
	fmt.Fprintln(d.out)
	w := tabwriter.NewWriter(d.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "RUN\tPLACEMENT\tCALL\tRESULT\tLATENCY")
	for _, r := range view.Runs() {
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\n", r.Index, placementText(r.Placement.Reveal()), callsText(r.Calls), resultText(r), latencyText(r.Result))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	v := view.Verdict
	if v == nil {
		return fmt.Errorf("the session has no verdict")
	}
	stats := score.Statistics(score.Counts{TP: v.Hits, FN: v.Misses, FP: v.False, TN: v.Correct}, score.ClopperPearson)
	fmt.Fprintf(d.out, "\nsensitivity %s\nspecificity %s\n", proportionText(stats.Sensitivity), proportionText(stats.Specificity))
	fmt.Fprintf(d.out, "(95 %% Clopper-Pearson intervals; treats presentations as independent)\n")
	fmt.Fprintf(d.out, "verdict of %s: %s\n", v.Rule, strings.ToUpper(v.Verdict))
	for _, c := range v.Clauses {
		met := "met"
		if !c.Met {
			met = "NOT MET"
		}
		fmt.Fprintf(d.out, "  %s: %s\n", words.Clause(c), met)
	}
	return nil
}

// placementText writes a placement a letter a position: T for a target, d for a distractor, a dot for a blank; then
// the target in words.
func placementText(slots []event.Slot) string {
	letters, target := "", ""
	for _, s := range slots {
		switch s.Kind {
		case event.Target:
			letters += "T"
			target += fmt.Sprintf(" %s at %d", s.Odour, s.Position)
		case event.Distractor:
			letters += "d"
		default:
			letters += "."
		}
	}
	if target == "" {
		target = " no target"
	}
	return letters + target
}

func callsText(calls []event.Call) string {
	if len(calls) == 0 {
		return "none"
	}
	texts := make([]string, len(calls))
	for i, c := range calls {
		texts[i] = words.Call(control.Call{Kind: c.Kind, Position: c.Position, Other: c.Other})
	}
	return strings.Join(texts, ", ")
}

func resultText(r trial.RunView) string {
	if r.Result == nil {
		return string(r.State) + ": " + words.Why(r.Why)
	}
	found := map[event.Outcome]int{}
	for _, p := range r.Result.Presentations {
		found[p.Outcome]++
	}
	text := r.Result.Result
	for _, o := range []event.Outcome{event.Hit, event.Miss, event.FalseAlert} {
		if found[o] > 0 {
			text += ", " + string(o)
		}
	}
	return text
}

func latencyText(r *event.RunResult) string {
	if r == nil || r.LatencyMS < 0 {
		return "-"
	}
	return fmt.Sprintf("%d.%03d s", r.LatencyMS/1000, r.LatencyMS%1000)
}

func proportionText(p score.Proportion) string {
	if p.Estimate == nil {
		return "undefined: n = 0"
	}
	return fmt.Sprintf("%.2f %% (%.2f - %.2f), n = %d", 100**p.Estimate, 100**p.Low, 100**p.High, p.N)
}
