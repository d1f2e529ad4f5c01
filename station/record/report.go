package record

import (
	"bytes"
	"fmt"

	"scentpost/station/history"
)

// report makes the report of a bundle from its lines.
func report(lines [][]byte) (s history.Session, err error) {
	for i, line := range lines {
		r, err := Decode(line)
		if err != nil {
			return history.Session{}, fmt.Errorf("line %d of the session: %w", i, err)
		}
		s.Take(&r.Event)
	}
	return s, nil
}

// SameReport tells whether two reports have the same bytes in a bundle.
func SameReport(a, b history.Session) bool {
	one, errOne := reportShape.appendBody(nil, &a)
	two, errTwo := reportShape.appendBody(nil, &b)
	return errOne == nil && errTwo == nil && bytes.Equal(one, two)
}
