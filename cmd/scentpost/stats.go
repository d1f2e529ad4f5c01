package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"scentpost/configs"
	"scentpost/station/score"
	"scentpost/station/strict"
)

type statsCmd struct {
	File  string `arg:"" help:"A CSV file with the columns label,tp,fn,fp,tn, or the usual words for them." placeholder:"FILE.csv"`
	Extra string `enum:"refuse,ignore" default:"refuse" help:"What becomes of other columns: ${enum} (the default is ${default}, since one of them may be a misspelt name)." placeholder:"WHAT"`
	CI    string `name:"ci" enum:"clopper-pearson,wilson" default:"clopper-pearson" help:"How intervals are found: ${enum} (the default is ${default})." placeholder:"METHOD"`
	JSON  bool   `help:"Print JSON."`
}

// labelled is the statistics of one row as JSON.
type labelled struct {
	Label string `json:"label"`
	score.Stats
}

// Run prints the statistics of each row.
func (c statsCmd) Run(out io.Writer) error {
	src, err := configs.ReadFile(c.File, strict.MaxBytes)
	if err != nil {
		return usage(err)
	}
	rows, err := score.ParseCounts(c.File, src, score.Extra(c.Extra == "ignore"))
	if err != nil {
		return usage(err)
	}
	method := score.Method(c.CI)
	answer := make([]labelled, len(rows))
	for i, r := range rows {
		answer[i] = labelled{r.Label, score.Statistics(r.Counts, method)}
	}
	if c.JSON {
		return oneLine(out, answer)
	}
	return describeStats(out, answer, method)
}

// describeStats prints the statistics for people.
func describeStats(out io.Writer, all []labelled, method score.Method) error {
	name := map[score.Method]string{score.ClopperPearson: "exact (Clopper-Pearson)", score.Wilson: "Wilson"}[method]
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, l := range all {
		fmt.Fprintf(w, "%s\testimate\t%.0f %% interval\tof\n", l.Label, 100*score.Confidence)
		for _, p := range []struct {
			name string
			of   score.Proportion
		}{
			{"sensitivity", l.Sensitivity}, {"specificity", l.Specificity}, {"PPV", l.PPV}, {"NPV", l.NPV},
			{"accuracy", l.Accuracy}, {"false alert rate", l.FalseAlertRate},
		} {
			fmt.Fprintf(w, "  %s\t%s\t%d\n", p.name, percentages(p.of), p.of.N)
		}
		for _, n := range []struct {
			name string
			is   *score.Number
		}{
			{"kappa", l.Kappa}, {"d'", l.DPrime}, {"d' (log-linear)", l.DPrimeLoglinear},
			{"criterion", l.Criterion}, {"criterion (log-linear)", l.CriterionLoglinear},
		} {
			fmt.Fprintf(w, "  %s\t%s\n", n.name, decimal(n.is))
		}
		fmt.Fprintf(w, "  n\t%d\n\n", l.N)
	}
	fmt.Fprintf(w, "Intervals: %s, two-sided; each treats presentations as independent, which those of one run are not.\n", name)
	return w.Flush()
}

// percentages prints a proportion and its interval, in two columns.
func percentages(p score.Proportion) string {
	if p.Estimate == nil {
		return "undefined\t-"
	}
	return fmt.Sprintf("%.2f %%\t%.2f to %.2f %%", 100*float64(*p.Estimate), 100*float64(*p.Low), 100*float64(*p.High))
}

// decimal prints a number with four decimals.
func decimal(n *score.Number) string {
	if n == nil {
		return "undefined"
	}
	return fmt.Sprintf("%.4f", float64(*n))
}
