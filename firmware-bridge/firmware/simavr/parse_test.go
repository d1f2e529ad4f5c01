package simavr

import (
	"fmt"
	"strings"
	"testing"
)

// write is the line that a report was read from.
func write(r Report) string {
	switch r.Kind {
	case Said:
		return fmt.Sprintf("said %d %02x", r.At, r.Byte)
	case Drove:
		return fmt.Sprintf("pin %d %s %s", r.At, r.Pin, r.As)
	case Edge:
		return fmt.Sprintf("edge %d %s %s", r.At, r.Pin, digit(r.Level))
	case Started:
		return fmt.Sprintf("start %d %s", r.At, r.As)
	}
	return fmt.Sprintf("%s %d", r.Kind, r.At)
}

// FuzzParse: what is taken for a report is one, and says all that there is to say.
func FuzzParse(f *testing.F) {
	for _, line := range []string{"said 100 7f", "pin 0 D4 low", "edge 18446744073709551615 A0 1", "start 5 brown-out", "clock 7", "overrun 8", "plugged 1", "behind 2", "at 4"} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		r, err := parse(strings.Fields(line))
		if err != nil {
			return
		}
		again, err := parse(strings.Fields(write(r)))
		if err != nil || again != r {
			t.Errorf("%q is %+v, and written %q %+v, %v", line, r, write(r), again, err)
		}
	})
}
