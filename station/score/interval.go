package score

import (
	"math"
	"strconv"

	"gonum.org/v1/gonum/mathext"
)

// Method says how an interval is found.
type Method string

// The methods. Clopper-Pearson is exact and what most papers print; Wilson is narrower and may cover a little less
// than it says.
const (
	ClopperPearson Method = "clopper-pearson"
	Wilson         Method = "wilson"
)

// Confidence is how sure every interval is, from both sides.
const Confidence = 0.95

const (
	tail     = (1 - Confidence) / 2
	zTwoTail = 1.959963984540054 // the standard normal quantile of 1 - tail
)

// Digits is how many decimals every statistic is rounded to: processors differ in the last bits of a logarithm,
// and fuse or do not fuse a product with a sum.
const Digits = 6

// Number is a statistic, rounded to Digits decimals and never NaN or infinite.
type Number float64

// rounded returns x to Digits decimals; nil when there is no such number.
func rounded(x float64) *Number {
	const scale = 1e6 // 10 to the Digits
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return nil
	}
	n := Number(math.Round(x*scale)/scale + 0) // + 0 turns -0 into 0
	return &n
}

// MarshalJSON writes all decimals.
func (n Number) MarshalJSON() ([]byte, error) {
	return strconv.AppendFloat(nil, float64(n), 'f', Digits, 64), nil
}

// Proportion is a share k of n with its interval; all three are nil when n is 0.
type Proportion struct {
	Estimate *Number `json:"estimate"` // 0 to 1
	Low      *Number `json:"low"`
	High     *Number `json:"high"`
	N        int     `json:"n"`
}

// Rate returns the proportion k of n with its two-sided interval at Confidence. What is not 0 <= k <= n is
// undefined, as is nothing of nothing. A method that is not Wilson counts as ClopperPearson.
func Rate(k, n int, method Method) Proportion {
	if k < 0 || n <= 0 || k > n {
		return Proportion{N: max(n, 0)}
	}
	interval := clopperPearson
	if method == Wilson {
		interval = wilson
	}
	low, high := interval(float64(k), float64(n))
	if k == 0 {
		low = 0
	}
	if k == n {
		high = 1
	}
	return Proportion{Estimate: rounded(float64(k) / float64(n)), Low: rounded(low), High: rounded(high), N: n}
}

// clopperPearson is the exact interval (Clopper and Pearson, Biometrika 26:404-413, 1934) by way of the beta
// distribution. The ends at k = 0 and k = n are the caller's.
func clopperPearson(k, n float64) (low, high float64) {
	if k > 0 {
		low = mathext.InvRegIncBeta(k, n-k+1, tail)
	}
	if k < n {
		high = mathext.InvRegIncBeta(k+1, n-k, 1-tail)
	}
	return low, high
}

// wilson is the score interval (Wilson, J Am Stat Assoc 22:209-212, 1927).
func wilson(k, n float64) (low, high float64) {
	const z2 = zTwoTail * zTwoTail
	p := k / n
	centre := p + z2/(2*n)
	spread := zTwoTail * math.Sqrt(p*(1-p)/n+z2/(4*n*n))
	return (centre - spread) / (1 + z2/n), (centre + spread) / (1 + z2/n)
}
