package record

import (
	"bytes"

	"scentpost/station/history"
)

// SameReport tells whether two reports have the same bytes in a bundle.
func SameReport(a, b history.Session) bool {
	one, errOne := reportShape.appendBody(nil, &a)
	two, errTwo := reportShape.appendBody(nil, &b)
	return errOne == nil && errTwo == nil && bytes.Equal(one, two)
}
