package score_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"scentpost/station/score"
)

// atLeast is the chance of k or more of n at a rate of p, by adding up.
func atLeast(k, n int, p float64) float64 {
	sum := 0.0
	for x := k; x <= n; x++ {
		ways := 1.0
		for i := range x {
			ways *= float64(n-i) / float64(i+1)
		}
		sum += ways * math.Pow(p, float64(x)) * math.Pow(1-p, float64(n-x))
	}
	return sum
}

// At the ends of the exact interval what was seen, or more of it, has a chance of 2.5 %.
func TestClopperPearsonIsExact(t *testing.T) {
	for n := 1; n <= 40; n++ {
		for k := range n + 1 {
			p := score.Rate(k, n, score.ClopperPearson)
			low, high := float64(*p.Low), float64(*p.High)
			if k == 0 && low != 0 || k == n && high != 1 {
				t.Fatalf("%d of %d: %v to %v", k, n, low, high)
			}
			const step = 1e-6 // the ends are rounded
			if k > 0 && (atLeast(k, n, low-step) > 0.025 || atLeast(k, n, low+step) < 0.025) {
				t.Errorf("%d of %d: at %v there is a chance of %v", k, n, low, atLeast(k, n, low))
			}
			if k < n && (1-atLeast(k+1, n, high-step) < 0.025 || 1-atLeast(k+1, n, high+step) > 0.025) {
				t.Errorf("%d of %d: at %v there is a chance of %v", k, n, high, 1-atLeast(k+1, n, high))
			}
		}
	}
}

// At the ends of Wilson's interval what was seen is 1.96 standard errors away.
func TestWilsonSolvesItsEquation(t *testing.T) {
	for n := 1; n <= 40; n++ {
		for k := range n + 1 {
			p := score.Rate(k, n, score.Wilson)
			for _, end := range []float64{float64(*p.Low), float64(*p.High)} {
				if end == 0 || end == 1 {
					continue
				}
				far := math.Abs(float64(k)/float64(n)-end) / math.Sqrt(end*(1-end)/float64(n))
				if math.Abs(far-1.959964) > 3e-4 { // the ends are rounded
					t.Errorf("%d of %d: %v is %v standard errors away", k, n, end, far)
				}
			}
		}
	}
}

func TestRateRefuses(t *testing.T) {
	for _, c := range [][2]int{{0, 0}, {-1, 5}, {6, 5}, {0, -1}, {-2, -1}} {
		if p := score.Rate(c[0], c[1], score.ClopperPearson); p.Estimate != nil || p.Low != nil || p.High != nil || p.N < 0 {
			t.Errorf("%d of %d: %+v", c[0], c[1], p)
		}
	}
	if got, want := score.Rate(18, 20, ""), score.Rate(18, 20, score.ClopperPearson); *got.Low != *want.Low {
		t.Errorf("without a method: %v, want %v", *got.Low, *want.Low)
	}
}

func TestRateProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.OneOf(rapid.IntRange(1, 50), rapid.IntRange(1, 4*score.MaxCount)).Draw(t, "n")
		k := rapid.IntRange(0, n).Draw(t, "k")
		method := rapid.SampledFrom([]score.Method{score.ClopperPearson, score.Wilson}).Draw(t, "method")
		p, mirror := score.Rate(k, n, method), score.Rate(n-k, n, method)
		if math.Abs(float64(*p.Low+*mirror.High)-1) > 1.1e-6 || math.Abs(float64(*p.High+*mirror.Low)-1) > 1.1e-6 {
			t.Fatalf("%v-%v, and the other way round %v-%v", *p.Low, *p.High, *mirror.Low, *mirror.High)
		}
		if more := score.Rate(min(k+1, n), n, method); *more.Low < *p.Low || *more.High < *p.High {
			t.Fatalf("%d of %d: %v-%v, one more: %v-%v", k, n, *p.Low, *p.High, *more.Low, *more.High)
		}
		if wide := *p.High - *p.Low; n > 1000 && float64(wide) > 2.2*1.96*0.5/math.Sqrt(float64(n))+2e-6 {
			t.Fatalf("%d of %d: %v wide", k, n, wide)
		}
	})
}
