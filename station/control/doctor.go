package control

import (
	"slices"

	"scentpost/station/health"
	"scentpost/station/trial"
)

// Device is a device of the station, as far as control needs to know it.
type Device struct {
	Name, Type string
	// On are the names of all that it hangs on, as conditions name them: when one is absent, so is the device.
	On []string
	// Frozen is set when its absence may not be told from seal to reveal.
	Frozen bool
}

// DeviceLine is what may be told of one device: it is made of the conditions that everybody sees, and of nothing else.
type DeviceLine struct {
	Name  string `json:"name"`
	Type  string `json:"type"`
	Found bool   `json:"found"`
	// Wrong are the conditions that it or what it hangs on is in.
	Wrong []health.Condition `json:"wrong,omitempty"`
	// AtSeal is set when it is what was so when the session was sealed.
	AtSeal bool `json:"at_seal,omitempty"`
	// Untold is set when nothing can be told of it before the reveal.
	Untold bool `json:"untold,omitempty"`
}

// deviceLines says of every device whether it is there.
func (s *Service) deviceLines(status *Status) []DeviceLine {
	lines := []DeviceLine{}
	for _, d := range s.opt.Devices {
		line := DeviceLine{Name: d.Name, Type: d.Type, Found: true, AtSeal: d.Frozen && status.Phase == trial.Sealed}
		if line.AtSeal && s.opt.Blank() {
			lines = append(lines, DeviceLine{Name: d.Name, Type: d.Type, Untold: true})
			continue
		}
		for _, c := range status.Conditions {
			if c.Until != 0 || c.On != d.Name && !(c.Code == health.DeviceAbsent && slices.Contains(d.On, c.On)) {
				continue
			}
			line.Found = line.Found && c.Code != health.DeviceAbsent
			line.Wrong = append(line.Wrong, c)
		}
		lines = append(lines, line)
	}
	return lines
}
