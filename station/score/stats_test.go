package score_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"scentpost/station/score"
)

// shown prints a number with some decimals, "-" when it is not defined.
func shown(n *score.Number, decimals int) string {
	if n == nil {
		return "-"
	}
	return fmt.Sprintf("%.*f", decimals, float64(*n))
}

// percent prints a proportion as papers do.
func percent(p score.Proportion, decimals int) string {
	if p.Estimate == nil {
		return "-"
	}
	return fmt.Sprintf("%.*f (%.*f-%.*f) of %d", decimals, 100*float64(*p.Estimate), decimals, 100*float64(*p.Low), decimals, 100*float64(*p.High), p.N)
}

// The figures that DOMAIN.md says to check against.
func TestPublishedFigures(t *testing.T) {
	jendrny := score.Statistics(score.Counts{TP: 157, FN: 33, FP: 30, TN: 792}, score.ClopperPearson)
	bomers := score.Statistics(score.Counts{TP: 25, FN: 5, FP: 5, TN: 265}, score.ClopperPearson)
	eighteen := score.Rate(18, 20, score.ClopperPearson)
	for _, c := range []struct{ what, got, want string }{
		{"Jendrny 2020, sensitivity", percent(jendrny.Sensitivity, 2), "82.63 (76.48-87.73) of 190"},
		{"Jendrny 2020, specificity", percent(jendrny.Specificity, 2), "96.35 (94.83-97.52) of 822"},
		{"Jendrny 2020, kappa", shown(jendrny.Kappa, 5), "0.79464"},
		{"Jendrny 2020, d'", shown(jendrny.DPrime, 4), "2.7326"},
		{"Bomers 2012, sensitivity", percent(bomers.Sensitivity, 0), "83 (65-94) of 30"},
		{"18 of 20, low", shown(eighteen.Low, 6), "0.683017"},
		{"18 of 20, high", shown(eighteen.High, 6), "0.987651"},
		{"20 of 20", percent(score.Rate(20, 20, score.ClopperPearson), 1), "100.0 (83.2-100.0) of 20"},
		{"18 of 20 by Wilson", percent(score.Rate(18, 20, score.Wilson), 2), "90.00 (69.90-97.21) of 20"},
	} {
		if c.got != c.want {
			t.Errorf("%s: %s, want %s", c.what, c.got, c.want)
		}
	}
	clean := 1
	for *score.Rate(clean, clean, score.ClopperPearson).Low < 0.9 {
		clean++
	}
	if clean != 36 {
		t.Errorf("%d clean trials reach a lower bound of 90 %%, want 36", clean)
	}
}

func TestUndefinedIsNil(t *testing.T) {
	for _, c := range []struct {
		counts score.Counts
		want   string // sensitivity specificity ppv npv accuracy kappa d' d'-loglinear
	}{
		{score.Counts{}, "- - - - - - - -"},
		{score.Counts{TP: 3}, "1 - 1 - 1 - - -"},
		{score.Counts{TN: 3}, "- 1 - 1 1 - - -"},
		{score.Counts{FN: 3}, "0 - - 0 0 0 - -"},
		{score.Counts{TP: 3, TN: 3}, "1 1 1 1 1 1 - 2.3"},
		{score.Counts{TP: 3, FN: 1, TN: 4}, "0.75 1 1 0.8 0.875 0.75 - 1.81"},
		{score.Counts{FN: 2, FP: 2}, "0 0 0 0 0 -1 - -1.93"},
		{score.Counts{TP: 1, FN: 1, FP: 1, TN: 1}, "0.5 0.5 0.5 0.5 0.5 0 0 0"},
		{score.Counts{TP: -1, TN: 5}, "- - - - - - - -"},
		{score.Counts{TP: score.MaxCount + 1, TN: 5}, "- - - - - - - -"},
		{score.Counts{TP: math.MaxInt, FN: math.MaxInt}, "- - - - - - - -"},
	} {
		s := score.Statistics(c.counts, score.ClopperPearson)
		var got []string
		for _, n := range []*score.Number{s.Sensitivity.Estimate, s.Specificity.Estimate, s.PPV.Estimate, s.NPV.Estimate,
			s.Accuracy.Estimate, s.Kappa, s.DPrime, s.DPrimeLoglinear} {
			if n == nil {
				got = append(got, "-")
				continue
			}
			got = append(got, fmt.Sprintf("%.3g", float64(*n)))
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%+v: %s, want %s", c.counts, strings.Join(got, " "), c.want)
		}
		if (s.DPrime == nil) != (s.Criterion == nil) || (s.DPrimeLoglinear == nil) != (s.CriterionLoglinear == nil) {
			t.Errorf("%+v: d' and the criterion are not defined together", c.counts)
		}
	}
}

// Undefined is null in JSON, what is defined has all its decimals, and there is no -0.
func TestJSON(t *testing.T) {
	for _, c := range []struct {
		counts score.Counts
		want   string
	}{
		{score.Counts{TP: 18, FN: 2}, `"sensitivity":{"estimate":0.900000,"low":0.683017,"high":0.987651,"n":20},"specificity":{"estimate":null,"low":null,"high":null,"n":0}`},
		{score.Counts{TP: 1, FN: 1, FP: 1, TN: 1}, `"kappa":0.000000,"d_prime":0.000000,"d_prime_loglinear":0.000000,"criterion":0.000000,"criterion_loglinear":0.000000`},
		{score.Counts{TP: 2, TN: 2}, `"kappa":1.000000,"d_prime":null,"d_prime_loglinear":1.934843,"criterion":null,"criterion_loglinear":0.000000`},
	} {
		got, err := json.Marshal(score.Statistics(c.counts, score.ClopperPearson))
		if err != nil || !strings.Contains(string(got), c.want) {
			t.Errorf("%+v: %s %v, want %s in it", c.counts, got, err, c.want)
		}
	}
}

func drawCounts(t *rapid.T) score.Counts {
	one := rapid.OneOf(rapid.IntRange(0, 3), rapid.IntRange(0, 1000), rapid.IntRange(0, score.MaxCount))
	return score.Counts{TP: one.Draw(t, "tp"), FN: one.Draw(t, "fn"), FP: one.Draw(t, "fp"), TN: one.Draw(t, "tn")}
}

func TestStatisticsProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawCounts(t)
		for _, method := range []score.Method{score.ClopperPearson, score.Wilson} {
			s := score.Statistics(c, method)
			if s.N != c.N() {
				t.Fatalf("n is %d", s.N)
			}
			for _, p := range []score.Proportion{s.Sensitivity, s.Specificity, s.PPV, s.NPV, s.Accuracy, s.FalseAlertRate} {
				if (p.N == 0) != (p.Estimate == nil) || (p.N == 0) != (p.Low == nil) || (p.N == 0) != (p.High == nil) {
					t.Fatalf("%+v is defined in part", p)
				}
				if p.N > 0 && !(0 <= *p.Low && *p.Low <= *p.Estimate && *p.Estimate <= *p.High && *p.High <= 1) {
					t.Fatalf("%s %v %v %v", method, *p.Low, *p.Estimate, *p.High)
				}
			}
			if _, err := json.Marshal(s); err != nil {
				t.Fatal(err)
			}
			checkDetection(t, c, s)
		}
	})
}

// checkDetection holds kappa and d' to their definitions.
func checkDetection(t *rapid.T, c score.Counts, s score.Stats) {
	n, targets, others := float64(c.N()), float64(c.TP+c.FN), float64(c.FP+c.TN)
	if (s.DPrime == nil) != (c.TP == 0 || c.FN == 0 || c.FP == 0 || c.TN == 0) {
		t.Fatalf("raw d' of %+v is %v", c, s.DPrime)
	}
	if (s.DPrimeLoglinear == nil) != (targets == 0 || others == 0) {
		t.Fatalf("log-linear d' of %+v is %v", c, s.DPrimeLoglinear)
	}
	if s.DPrime != nil { // the rates come back from d' and the criterion
		d, k := float64(*s.DPrime), float64(*s.Criterion)
		hits, falses := math.Erfc((k-d/2)/math.Sqrt2)/2, math.Erfc((k+d/2)/math.Sqrt2)/2
		if math.Abs(hits-float64(c.TP)/targets) > 2e-6 || math.Abs(falses-float64(c.FP)/others) > 2e-6 {
			t.Fatalf("%+v: d' %v and criterion %v mean %v and %v", c, d, k, hits, falses)
		}
	}
	agreed := float64(c.TP+c.TN) / n
	byChance := targets/n*float64(c.TP+c.FP)/n + others/n*float64(c.FN+c.TN)/n
	if s.Kappa == nil || byChance > 1-1e-6 { // too near to 1 for floats, or not defined
		if n > 0 && byChance < 1-1e-6 {
			t.Fatalf("kappa of %+v is not defined", c)
		}
		return
	}
	if want := (agreed - byChance) / (1 - byChance); math.Abs(float64(*s.Kappa)-want) > 1e-6 {
		t.Fatalf("kappa of %+v is %v, want %v", c, *s.Kappa, want)
	}
}

// The same bits come out on every machine: this hash was made on amd64 and holds on arm64.
func TestSameOnEveryMachine(t *testing.T) {
	const want = "24fed541d448931279c594d5c5085662a452578abe732fe463010a86f1475f14"
	chance, hash := rand.New(rand.NewPCG(1, 2)), sha256.New()
	for range 1000 {
		top := int(math.Pow10(1 + chance.IntN(5)))
		c := score.Counts{TP: chance.IntN(top), FN: chance.IntN(top), FP: chance.IntN(top), TN: chance.IntN(top)}
		for _, method := range []score.Method{score.ClopperPearson, score.Wilson} {
			line, err := json.Marshal(score.Statistics(c, method))
			if err != nil {
				t.Fatal(err)
			}
			hash.Write(line)
		}
	}
	if got := hex.EncodeToString(hash.Sum(nil)); got != want {
		t.Errorf("the statistics hash to %s, want %s", got, want)
	}
}
