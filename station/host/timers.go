package host

import (
	"scentpost/station/event"
)

// fire gives the engine the timers that are due, and the mechanical void when its instant has come.
func (h *Host) fire() {
	for h.failed == nil && !(h.horizon.Empty() && h.gridAt == 0 && !h.curtain.Faulty()) {
		now := h.now()
		h.voidOnGrid(now.Mono)
		grid := h.gridAt != 0 && h.gridAt <= now.Mono
		until := now.Mono
		if grid {
			until = h.gridAt
		}
		d, ok := h.horizon.DueBy(until, now.Mono)
		end, missing := h.missesFacts()
		unknown := ""
		if ok && d.Timer == event.RunLocked && !missing {
			unknown = h.silent(d.At)
		}
		switch {
		case ok && d.Timer == event.RunLocked && missing:
			h.void(now.AtMono(end), event.VoidMechanical)
		case unknown != "":
			h.void(now.AtMono(end), unknown)
		case ok:
			h.ring(d.Timer, now.AtMono(d.At), now)
		case grid:
			h.gridAt = 0
			if missing {
				until = min(until, end)
			}
			h.void(now.AtMono(until), event.VoidMechanical)
		default:
			return
		}
	}
}

// missesFacts tells whether facts from before the end of a search are missing behind the curtain: then the run does not lock,
// but is void at the next instant of the grid, or where its lock would fall if that is sooner.
func (h *Host) missesFacts() (end int64, missing bool) {
	end, ok := h.machine.Ends()
	return end, ok && h.curtain.Lost(end)
}

// silent tells why a run that nobody has called may not lock, "" when it may: what happened in it is not known, as sources have
// not reported past its end in the time that they declare. Where they are veiled it was perhaps a canister that silenced them.
// Whoever looks after the station hears which.
func (h *Host) silent(end int64) (reason string) {
	_, voidable := h.machine.Ends()
	names, veiled := h.horizon.Silent(end)
	if h.opt.OnLock != nil {
		h.opt.OnLock(names)
	}
	switch {
	case !voidable || len(names) == 0:
		return ""
	case veiled:
		return event.VoidMechanical
	}
	return event.VoidSource
}

// ring gives the engine one timer, with the sealed facts of its instant before it. A run is not presented while the
// journal still holds back its moves.
func (h *Host) ring(timer event.Type, at, now event.Stamp) {
	switch {
	case timer == event.RunLocked:
		at = now // the lock falls now; its body says up to which instant facts count
	case timer == event.RunPresented && h.unmoved != 0:
		h.unmoved = 0
		h.void(at, event.VoidLateSync)
		return
	}
	session, _ := h.machine.Session()
	for _, e := range h.curtain.Lift(timer, at, session) {
		h.step(e)
	}
}

// voidOnGrid sets the mechanical void of a run whose canister is at fault at the next instant of the public grid,
// which begins when the run is presented; before that the presentation itself finds the fault.
func (h *Host) voidOnGrid(now int64) {
	if h.gridAt != 0 || !h.curtain.Faulty() {
		return
	}
	if presentedAt, ok := h.machine.Voidable(); ok && now >= presentedAt {
		grid := ms(h.opt.Settings.GridMS)
		h.gridAt = presentedAt + ((now-presentedAt)/grid+1)*grid
	}
}

// setAlarm asks the clock to wake the host when the next timer may fire.
func (h *Host) setAlarm() {
	if h.alarm != nil {
		h.alarm()
		h.alarm = nil
	}
	if h.failed != nil {
		return
	}
	at, ok := h.horizon.Next(h.opt.Clock.Now().Mono)
	if h.gridAt != 0 && (!ok || h.gridAt < at) {
		at, ok = h.gridAt, true
	}
	if ok {
		h.alarm = h.opt.Clock.At(at, h.opt.Wake)
	}
}
