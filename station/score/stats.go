package score

import "gonum.org/v1/gonum/mathext"

// MaxCount is the largest count that statistics are made of: more than all dogs have ever searched, and small
// enough that every sum and product is exact on every machine.
const MaxCount = 100_000_000

// Counts are the four numbers of decided presentations: targets that were hit (TP) and missed (FN), non-targets
// with a false alert (FP) and correctly rejected (TN). Each is 0 to MaxCount.
type Counts struct{ TP, FN, FP, TN int }

// N is how many presentations were counted.
func (c Counts) N() int { return c.TP + c.FN + c.FP + c.TN }

// sound tells whether every count is within its limits.
func (c Counts) sound() bool {
	return min(c.TP, c.FN, c.FP, c.TN) >= 0 && max(c.TP, c.FN, c.FP, c.TN) <= MaxCount
}

// Stats are the statistics of Counts. What is not defined is nil. The intervals treat presentations as
// independent, which those of one run are not.
type Stats struct {
	N              int        `json:"n"`
	Sensitivity    Proportion `json:"sensitivity"`      // TP of all targets
	Specificity    Proportion `json:"specificity"`      // TN of all non-targets
	PPV            Proportion `json:"ppv"`              // TP of all alerts
	NPV            Proportion `json:"npv"`              // TN of all that was not alerted at
	Accuracy       Proportion `json:"accuracy"`         // TP and TN of all
	FalseAlertRate Proportion `json:"false_alert_rate"` // FP of all non-targets
	Kappa          *Number    `json:"kappa"`            // Cohen's; nil when truth and calls are each one and the same

	// DPrime is z(hit rate) - z(false alert rate), and Criterion minus half their sum; nil when a rate is 0, 1 or
	// undefined. The log-linear ones add 0.5 to hits and false alerts and 1 to what they are counted out of
	// (Hautus, Behav Res Methods Instrum Comput 27:46-51, 1995); nil only when there is nothing to count out of.
	DPrime             *Number `json:"d_prime"`
	DPrimeLoglinear    *Number `json:"d_prime_loglinear"`
	Criterion          *Number `json:"criterion"`
	CriterionLoglinear *Number `json:"criterion_loglinear"`
}

// Statistics returns the statistics of counts. Counts that are negative or above MaxCount have none.
func Statistics(c Counts, method Method) Stats {
	if !c.sound() {
		return Stats{}
	}
	targets, others := c.TP+c.FN, c.FP+c.TN
	s := Stats{
		N:              c.N(),
		Sensitivity:    Rate(c.TP, targets, method),
		Specificity:    Rate(c.TN, others, method),
		PPV:            Rate(c.TP, c.TP+c.FP, method),
		NPV:            Rate(c.TN, c.TN+c.FN, method),
		Accuracy:       Rate(c.TP+c.TN, targets+others, method),
		FalseAlertRate: Rate(c.FP, others, method),
		Kappa:          kappa(c),
	}
	if targets == 0 || others == 0 {
		return s
	}
	s.DPrime, s.Criterion = detection(float64(c.TP)/float64(targets), float64(c.FP)/float64(others))
	s.DPrimeLoglinear, s.CriterionLoglinear = detection(
		(float64(c.TP)+0.5)/(float64(targets)+1), (float64(c.FP)+0.5)/(float64(others)+1))
	return s
}

// kappa is Cohen's kappa of calls and truth (Educ Psychol Meas 20:37-46, 1960), in whole numbers but for the last
// division. The sums of MaxCount stay within 64 bits.
func kappa(c Counts) *Number {
	tp, fn, fp, tn := int64(c.TP), int64(c.FN), int64(c.FP), int64(c.TN)
	chance := (tp+fp)*(fp+tn) + (tp+fn)*(fn+tn)
	if chance == 0 {
		return nil
	}
	return rounded(float64(2*(tp*tn-fn*fp)) / float64(chance))
}

// detection returns d' and the criterion of a hit rate and a false alert rate; nil when one of them is 0 or 1.
func detection(hits, falses float64) (dPrime, criterion *Number) {
	if min(hits, falses) <= 0 || max(hits, falses) >= 1 {
		return nil, nil
	}
	h, f := mathext.NormalQuantile(hits), mathext.NormalQuantile(falses)
	return rounded(h - f), rounded(-(h + f) / 2)
}
