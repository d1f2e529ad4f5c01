package catalog

import (
	"fmt"
	"time"

	"scentpost/drivers/mcp23017"
)

// Expander carries lines for other devices. No station uses the class yet.
const Expander Class = "expander"

// The names of the settings of these types.
const (
	SettingPoll       = "poll"
	SettingHoldOnLoss = "hold_on_loss"
)

// Refused and Accepted are the choices of SettingHoldOnLoss.
const (
	Refused  = "refused"
	Accepted = "accepted"
)

// Unwired returns the types whose parts are finished and which no station can be given yet, as nothing above the parts
// uses their class. A type moves to Types with the wiring.
func Unwired() []Type {
	return []Type{
		{
			Name: "mcp23017", Class: Expander, About: "a port expander on I2C, whose sixteen pins serve other devices as lines",
			Addresses: expanders(), HoldsOnLoss: true,
			Settings: []Setting{
				addresses(expanders()),
				{Name: SettingPoll, About: "time from one look at the chip to the next", Min: 50 * time.Millisecond, Max: time.Second, Default: (250 * time.Millisecond).String()},
				{Name: SettingHoldOnLoss, About: "whether a canister may stay open until the daemon is back", Choices: []string{Refused, Accepted}, Default: Refused},
			},
		},
	}
}

// expanders are the addresses of an MCP23017.
func expanders() []uint16 {
	var out []uint16
	for at := mcp23017.FirstAddress; at <= mcp23017.LastAddress; at++ {
		out = append(out, uint16(at))
	}
	return out
}

// Carries tells whether a device of type part may have its outputs on the lines of a carrier of type t with the values
// v. A carrier whose outputs keep their level when nobody speaks to it may carry a canister only when the configuration
// accepts that: the dead-man of a dead daemon closes nothing.
func (t Type) Carries(v Values, part Type) error {
	if !t.HoldsOnLoss || part.Class != Canister || v.Choices[SettingHoldOnLoss] == Accepted {
		return nil
	}
	return fmt.Errorf("a %s holds its outputs when the daemon is lost, so the %s would stay open until the daemon is back "+
		"(put its drive on a line of the board, or set %s: %s on the %s and say in your procedure who looks after it)",
		t.Name, part.Name, SettingHoldOnLoss, Accepted, t.Name)
}
