package verify

import (
	"fmt"

	"scentpost/station/blind"
)

// runEngine returns the text of Report.Replay.
func (c *checker) runEngine(revealed bool) string {
	switch {
	case c.opening.Laws.Draw != blind.DrawLaw:
		return fmt.Sprintf("not checked: law %d unknown (draw)", c.opening.Laws.Draw)
	case c.opening.Laws.Engine != 1:
		return fmt.Sprintf("not checked: law %d unknown (engine)", c.opening.Laws.Engine)
	case !revealed:
		return "not checked: sealed bodies were not opened"
	}
	return "not checked: this verifier has no engine yet"
}
