// Package readiness decides whether a station can hold a session, and start the next run of one.
package readiness

import (
	"fmt"

	"scentpost/station/refusal"
)

// The reasons for which it cannot, with the names of their values. The reason of a journal that failed is the host's.
const (
	Starting     refusal.Code = "station-starting"
	LinesAwaited refusal.Code = "lines-awaited" // on: what holds them has not been there since the start
	LinesAway    refusal.Code = "lines-away"    // on: it went, and only another start helps
	EStopHeld    refusal.Code = "emergency-stop-held"
	// ButtonStuck is a button that is held for so long that its next press would not be told.
	ButtonStuck  refusal.Code = "button-stuck" // buttons
	DiskFull     refusal.Code = "disk-full"
	DiskReadOnly refusal.Code = "disk-read-only"
	JournalAway  refusal.Code = "journal-away" // detail: why it cannot be opened now, and what to do
	// DevicesAbsent names what is absent in devices. The detail lists the first of them with what was seen.
	DevicesAbsent refusal.Code = "devices-absent" // positions, devices, detail
	// DeviceUntold is a device that a sealed session needs. That it is absent is public; which one it is could tell of a
	// canister.
	DeviceUntold refusal.Code = "device-untold"
)

// mostNamed bounds how many absent devices a detail lists.
const mostNamed = 4

// Question is what somebody wants to know.
type Question struct {
	// Positions is over how many positions the session is: those from 1 to it.
	Positions int
	// Run is set for the next run of a session that is sealed, and not set for a session that is to be opened or sealed.
	Run bool
}

// Absent is a device that is not there, with what was seen of it.
type Absent struct{ Device, Why string }

// Facts are what is known of a station.
type Facts struct {
	// Sealed is set while nothing that devices do may be told, and as long as nobody knows whether a session is sealed.
	Sealed bool
	// Failed is why the journal takes nothing any more, nil while it does.
	Failed *refusal.Reason
	// Starting is set until the station has a host that shows what it found.
	Starting bool
	// Awaited is what holds the lines of the station and has not been there since the start, Gone what went since; "" for
	// nothing.
	Awaited, Gone string
	// Away is why the journal cannot be opened now, "" when it can.
	Away string
	// Stopped is set while an emergency stop is held.
	Stopped bool
	// Stuck are the buttons that are held for longer than a hand holds them.
	Stuck []string
	// Full and ReadOnly are set while the journal's disk has no room for another run, or takes no writes.
	Full, ReadOnly bool
	// Absent are the devices without which no session over the positions of the question can be held.
	Absent []Absent
}

// Judge returns why the answer to a question is no, nil when it is yes. Everybody may see the reason: it names no device
// while a session is sealed.
func Judge(f Facts, q Question) *refusal.Reason {
	switch {
	case f.Failed != nil:
		return f.Failed
	case f.Awaited != "":
		return refusal.New(LinesAwaited, "on", f.Awaited)
	case f.Away != "":
		return refusal.New(JournalAway, refusal.Detail, f.Away)
	case f.Starting:
		return refusal.New(Starting)
	case f.Gone != "":
		return refusal.New(LinesAway, "on", f.Gone)
	case f.Stopped && q.Run: // who loads canisters does well to hold it
		return refusal.New(EStopHeld)
	case len(f.Stuck) > 0 && q.Run: // the handler's call would be lost
		return refusal.New(ButtonStuck, "buttons", f.Stuck)
	case f.Full:
		return refusal.New(DiskFull)
	case f.ReadOnly:
		return refusal.New(DiskReadOnly)
	case len(f.Absent) == 0:
		return nil
	case f.Sealed || q.Run:
		return refusal.New(DeviceUntold)
	}
	return absent(f.Absent, q.Positions)
}

// absent names devices that are absent.
func absent(all []Absent, positions int) *refusal.Reason {
	var names, seen []string
	for i, a := range all {
		names = append(names, a.Device)
		if i < mostNamed {
			seen = append(seen, fmt.Sprintf("%s (%s)", a.Device, a.Why))
		}
	}
	if more := len(all) - mostNamed; more > 0 {
		seen = append(seen, fmt.Sprintf("%d more", more))
	}
	return refusal.New(DevicesAbsent, "positions", positions, "devices", names, refusal.Detail, seen)
}
